//! Runs programs under `ferry run` and under the interpreter that it stands for, and compares.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// No program of these tests takes nearly as long, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(300);

/// What can be seen of a program that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

/// The interpreter that `ferry run` stands for.
pub(crate) static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let outcome = finish(&mut ferry(&["-c", "import sys; print(sys.executable, end='')"]));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    PathBuf::from(outcome.stdout)
});

/// `ferry run` with these arguments, in the folder of the test programs.
pub(crate) fn ferry(arguments: &[&str]) -> Command {
    in_programs(Command::new(env!("CARGO_BIN_EXE_ferry")), &[&["run"], arguments].concat())
}

/// `python` with these arguments, in the folder of the test programs.
pub(crate) fn python(arguments: &[&str]) -> Command {
    in_programs(Command::new(&*PYTHON), arguments)
}

/// Runs the same arguments under both; everything seen must be equal. Returns it for closer looks.
#[track_caller]
pub(crate) fn check(arguments: &[&str]) -> Outcome {
    check_by(arguments, finish)
}

/// As [`check`], with standard input.
#[track_caller]
pub(crate) fn check_with_input(arguments: &[&str], input: &[u8]) -> Outcome {
    check_by(arguments, |command| finish_with_input(command, input))
}

/// As [`check`], where `see` runs the command.
#[track_caller]
pub(crate) fn check_by(arguments: &[&str], see: impl Fn(&mut Command) -> Outcome) -> Outcome {
    let expected = see(&mut python(arguments));
    let seen = see(&mut ferry(arguments));
    assert_eq!(seen, expected, "left: ferry run, right: python; arguments: {arguments:?}");
    seen
}

pub(crate) fn finish(command: &mut Command) -> Outcome {
    finish_with_input(command, b"")
}

pub(crate) fn finish_with_input(command: &mut Command, input: &[u8]) -> Outcome {
    let mut child = start(command);
    child.stdin.take().expect("a pipe").write_all(input).expect("the program reads its input");
    seen(child, String::new())
}

/// Waits until the program has printed `ready`, sends SIGINT, and lets it end.
pub(crate) fn finish_interrupted(command: &mut Command) -> Outcome {
    let mut child = start(&mut with_sigint(command));
    let stdout = wait_for(&mut child, "ready");
    kill_process(Pid::from_child(&child), Signal::INT).expect("the program runs");
    seen(child, stdout)
}

/// Reads the program's next line, which must be `expected`, and returns it with its end.
pub(crate) fn wait_for(child: &mut Child, expected: &str) -> String {
    let mut line = String::new();
    // One byte at a time, so that nothing of what follows is taken along.
    let mut stdout = BufReader::with_capacity(1, child.stdout.as_mut().expect("a pipe"));
    stdout.read_line(&mut line).expect("the program's output is text");
    assert_eq!(line.trim_end(), expected);
    line
}

pub(crate) fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// What is left to be seen of a program, after `stdout` has been read from it. One that doesn't end is killed.
pub(crate) fn seen(mut child: Child, mut stdout: String) -> Outcome {
    drop(child.stdin.take());
    let (ended, end) = mpsc::channel::<()>();
    let process = Pid::from_child(&child);
    let guard = std::thread::spawn(move || {
        if end.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            let _ = kill_process(process, Signal::KILL);
        }
    });
    let errors = child.stderr.take().expect("a pipe");
    let errors = std::thread::spawn(move || read(errors));
    if let Some(rest) = child.stdout.take() {
        stdout.push_str(&read(rest));
    }
    drop(ended);
    guard.join().expect("it cannot panic");
    let status: ExitStatus = child.wait().expect("the program ends");
    let stderr = errors.join().expect("the program's errors are text");
    Outcome { stdout, stderr, code: status.code(), signal: status.signal() }
}

/// A fresh folder, another one at each call: tests run beside each other.
pub(crate) fn folder(name: &str) -> PathBuf {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ferry-run");
    let folder = root.join(number.to_string()).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

/// A file in a fresh folder, as an argument.
pub(crate) fn file(name: &str, content: &[u8]) -> String {
    let path = folder(name).join(name);
    fs::write(&path, content).expect("the build folder can be written");
    argument(&path)
}

pub(crate) fn argument(path: &Path) -> String {
    path.to_str().expect("the build folder's name is text").to_owned()
}

/// The path that a test program has in tracebacks.
pub(crate) fn program(name: &str) -> String {
    argument(&programs().join(name))
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs")
}

fn in_programs(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments).current_dir(programs());
    command
}

/// The same command, which gets SIGINT even if whoever runs the tests ignores it (as a shell's background
/// jobs do, and their children inherit).
fn with_sigint(command: &Command) -> Command {
    const PRELUDE: &str = "import os, signal as s, sys; s.signal(s.SIGINT, s.SIG_DFL); \
                           os.execv(sys.argv[1], sys.argv[1:])";
    let mut wrapped = python(&["-c", PRELUDE]);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped
}

fn read(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).expect("the program's output is text");
    text
}
