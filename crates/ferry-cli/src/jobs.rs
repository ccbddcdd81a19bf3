//! `ferry jobs FILE`: runs a program, and shows its jobs while it runs and at its end.
//!
//! The program runs in a process of its own, as `ferry run` would run it. That sends what its pools have counted, several times
//! a second and at its end, to a socket that only this user can reach.
//!
//! | stderr | while it runs | at its end |
//! |---|---|---|
//! | is a terminal | a table at the bottom, and the program's output above it | the table, once |
//! | is not | nothing | the table, once |

mod feed;
mod table;

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use feed::start as feed;

/// What the program's pools have counted, as it was heard last.
type Heard = Arc<Mutex<Vec<table::Row>>>;

/// Runs `ferry run` with these words, and gives how that ended.
pub(crate) fn show(mut words: Vec<std::ffi::OsString>) -> io::Result<ExitStatus> {
    let door = Door::open()?;
    let is_live = io::stderr().is_terminal();
    let mut command = Command::new(env::current_exe()?);
    command.arg("run").arg("--jobs-feed").arg(&door.path);
    command.args(words.drain(..));
    if is_live {
        command.stderr(Stdio::piped()).env("PYTHONUNBUFFERED", "1");
        if io::stdout().is_terminal() {
            command.stdout(Stdio::piped());
        }
    }
    // Ctrl-C is the program's, which gets it as well: what it does about it is shown.
    ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
    let mut child = command.spawn()?;
    let heard = Heard::default();
    let ear = door.listen(&heard)?;
    let status = if is_live { live(&mut child, &heard)? } else { child.wait()? };
    ear.finish();
    let rows = heard.lock().unwrap_or_else(PoisonError::into_inner);
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}", table::draw(&rows));
    Ok(status)
}

/// What a shell says of a process that ended so.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Shows the table below the program's output, until the program has ended.
fn live(child: &mut Child, heard: &Heard) -> io::Result<ExitStatus> {
    const FRAMES: u8 = 10;
    let shown = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(FRAMES));
    shown.set_style(
        ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let streams: Vec<_> = [
        child.stdout.take().map(|from| pass_on(from, io::stdout(), &shown)),
        child.stderr.take().map(|from| pass_on(from, io::stderr(), &shown)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let drawn = table::draw(&heard.lock().unwrap_or_else(PoisonError::into_inner));
        shown.set_message(drawn);
        thread::sleep(Duration::from_secs(1) / FRAMES.into());
    };
    for stream in streams {
        // It only reads and writes.
        let _ = stream.join();
    }
    shown.finish_and_clear();
    Ok(status)
}

/// Writes what the program writes, above the table.
fn pass_on(
    mut from: impl Read + Send + 'static,
    mut to: impl Write + Send + 'static,
    shown: &ProgressBar,
) -> JoinHandle<()> {
    let (sender, pieces) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let shown = shown.clone();
    thread::spawn(move || {
        let mut line = Vec::new();
        loop {
            let heard = pieces.recv_timeout(PATIENCE);
            if let Ok(piece) = &heard {
                line.extend_from_slice(piece);
            }
            // A line that is not whole would be drawn over: it's ended, if the rest doesn't come soon.
            let end = match &heard {
                Ok(_) => line.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1),
                Err(_) => line.len(),
            };
            if end > 0 {
                let mut whole: Vec<u8> = line.drain(..end).collect();
                if !whole.ends_with(b"\n") {
                    whole.push(b'\n');
                }
                shown.suspend(|| drop(to.write_all(&whole).and_then(|()| to.flush())));
            }
            if matches!(heard, Err(RecvTimeoutError::Disconnected)) {
                return;
            }
        }
    })
}

/// So long the rest of a line is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// The socket that the program sends its counts to, in a folder that only this user can enter.
struct Door {
    folder: PathBuf,
    path: PathBuf,
    listener: UnixListener,
}

impl Door {
    fn open() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("ferry-jobs-{}", std::process::id()));
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        let path = folder.join("feed");
        let listener = UnixListener::bind(&path)?;
        Ok(Self { folder, path, listener })
    }

    /// Hears what the program sends, until it ends.
    fn listen(&self, heard: &Heard) -> io::Result<Ear> {
        let (listener, heard) = (self.listener.try_clone()?, heard.clone());
        let thread = thread::spawn(move || {
            // The program connects once; then the ear does, to be let go.
            while let Ok((stream, _)) = listener.accept() {
                if !hear(stream, &heard) {
                    return;
                }
            }
        });
        Ok(Ear { thread, path: self.path.clone() })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // The system clears its folder of such files sooner or later.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

struct Ear {
    thread: JoinHandle<()>,
    path: PathBuf,
}

impl Ear {
    fn finish(self) {
        if UnixStream::connect(&self.path).is_ok() {
            let _ = self.thread.join();
        }
    }
}

/// Keeps the last that is heard; `false` when nothing was.
fn hear(stream: UnixStream, heard: &Heard) -> bool {
    let mut has_heard = false;
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        has_heard = true;
        // One that was cut off at the end is no use.
        if let Some(rows) = feed::read(&line) {
            *heard.lock().unwrap_or_else(PoisonError::into_inner) = rows;
        }
    }
    has_heard
}
