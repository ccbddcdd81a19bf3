//! `ferry run FILE.wren`, `ferry run --lang wren -c CODE`, and `ferry repl`.
//!
//! | a program ends with | exit code |
//! |---|---|
//! | its end, and that of all that it has started | 0 |
//! | a source that the compiler refuses | 65 |
//! | a file that can't be read | 66 |
//! | an error that no `try` caught, in its own code or in a task that nobody looked at; or it waits for what nobody does | 70 |
//! | Ctrl-C | 130 |
//! | an output that nobody reads any more | 141 |

mod group;
mod lines;
pub(crate) mod repl;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ::wren::{CompileError, Error, Files};
use asyncferry::Failure;
use asyncferry::jobs::Pool;
use asyncferry_wren::{ScriptError, Vm, VmBuilder};

pub(crate) use group::{Group, Stops};

const COMPILE: u8 = 65;
const NO_INPUT: u8 = 66;
const RUNTIME: u8 = 70;
const INTERRUPTED: u8 = 130;
const BROKEN_PIPE: i32 = 141;

/// A source may have so many bytes, as those of modules may.
const LARGEST: u64 = 64 << 20;

/// Where a program comes from.
pub(crate) enum Program {
    File(PathBuf),
    Stdin,
    Code(OsString),
}

/// A program that was read.
pub(crate) struct Source {
    /// The name of its module.
    module: String,
    text: String,
    /// What it's called on the command line.
    shown: String,
}

/// Runs programs beside each other, and gives the exit code: the first that is not 0, in their order.
pub(crate) fn run(programs: Vec<Program>, args: &[OsString]) -> u8 {
    let sources = match read_all(programs) {
        Ok(sources) => sources,
        Err(code) => return code,
    };
    let stops = Stops::default();
    stops.by_ctrl_c();
    let group = Group::start(sources, &pool(), args, &stops);
    let code = group.finish();
    // What is left of a line.
    flush();
    code
}

/// The jobs that programs share: theirs, and `digest`.
pub(crate) fn pool() -> Pool {
    let pool = Pool::builder().name("default").build();
    if let Err(error) = asyncferry_python::register_digest(&pool) {
        unreachable!("nothing else is registered: {error}")
    }
    pool
}

/// Reads programs, or tells which can't be read.
pub(crate) fn read_all(programs: Vec<Program>) -> Result<Vec<Source>, u8> {
    let sources: Result<Vec<_>, String> = programs.into_iter().map(read).collect();
    sources.map_err(|problem| {
        tell(&format!("ferry: {problem}"));
        NO_INPUT
    })
}

fn code_of(failure: &Failure) -> u8 {
    match ScriptError::of(failure).map(ScriptError::error) {
        Some(Error::Compile(_)) => COMPILE,
        Some(Error::Interrupted(_)) => INTERRUPTED,
        _ => RUNTIME,
    }
}

fn read(program: Program) -> Result<Source, String> {
    let (module, bytes, shown) = match program {
        Program::File(path) => {
            let shown = path.display().to_string();
            let bytes = std::fs::File::open(&path).and_then(all_of).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => format!("{shown}: there is no such file: check the path"),
                _ => format!("{shown}: it cannot be read: {error}"),
            })?;
            (Files::name(&path), bytes, shown)
        }
        Program::Stdin => {
            let bytes = all_of(io::stdin());
            let bytes = bytes.map_err(|error| format!("standard input cannot be read: {error}"))?;
            ("main".to_owned(), bytes, "standard input".to_owned())
        }
        Program::Code(code) => ("main".to_owned(), code.into_encoded_bytes(), "the code".to_owned()),
    };
    let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))?;
    Ok(Source { module, text, shown })
}

/// Everything that there is to read, if it's not too much for a source.
fn all_of(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("a program may have 64 MiB at most"));
    }
    Ok(bytes)
}

/// A machine whose program prints here, imports files, does what the process may, and is told of by stderr.
fn builder(shown: &str, args: &[OsString]) -> VmBuilder {
    let program = std::env::args_os().next().unwrap_or_default();
    let arguments = [program, shown.into()].into_iter().chain(args.iter().cloned());
    Vm::builder()
        .write(print)
        .report(|error: &CompileError| tell(&error.to_string()))
        .loader(Files::new())
        .system(arguments.map(|argument| argument.to_string_lossy().into_owned()))
}

/// A line on stderr. Where that is closed, there is nobody to tell.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints: each line as soon as it's whole, as whoever reads it may wait for it.
fn print(text: &str) {
    if let Err(error) = io::stdout().write_all(text.as_bytes()) {
        nobody_reads(&error);
    }
}

/// What is left of a line at the end.
pub(crate) fn flush() {
    if let Err(error) = io::stdout().flush() {
        nobody_reads(&error);
    }
}

/// Output that can't be written is not lost quietly.
fn nobody_reads(error: &io::Error) -> ! {
    if error.kind() != io::ErrorKind::BrokenPipe {
        tell(&format!("ferry: the program's output cannot be written: {error}"));
        std::process::exit(i32::from(RUNTIME));
    }
    std::process::exit(BROKEN_PIPE)
}

/// Whether a file's name says that it's Wren.
pub(crate) fn is_wren(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wren")
}
