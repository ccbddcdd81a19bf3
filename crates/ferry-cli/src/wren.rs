//! `ferry run FILE.wren`, `ferry run --lang wren -c CODE`, and `ferry repl`.
//!
//! | it ends with | exit code |
//! |---|---|
//! | its end, or its fiber suspended | 0 |
//! | a source that the compiler refuses | 65 |
//! | a file that can't be read | 66 |
//! | an error that no `try` caught | 70 |
//! | Ctrl-C | 130 |
//! | an output that nobody reads any more | 141 |

pub(crate) mod repl;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ::wren::{CompileError, Error, Files, Vm, VmBuilder};

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

/// Runs a program, and gives the exit code.
pub(crate) fn run(program: Program) -> u8 {
    let (module, source) = match read(program) {
        Ok(read) => read,
        Err(problem) => {
            tell(&format!("ferry: {problem}"));
            return NO_INPUT;
        }
    };
    let mut vm = builder().build();
    stop_by_ctrl_c(&vm);
    let ended = vm.run(&module, &source);
    // What was printed comes before what went wrong.
    flush();
    match ended {
        Ok(_) => 0,
        Err(error) => {
            tell(&error.to_string());
            code_of(&error)
        }
    }
}

fn code_of(error: &Error) -> u8 {
    match error {
        Error::Compile(_) => COMPILE,
        Error::Interrupted(_) => INTERRUPTED,
        _ => RUNTIME,
    }
}

/// The name of the module, and its source.
fn read(program: Program) -> Result<(String, String), String> {
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
    let source = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))?;
    Ok((module, source))
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

/// A machine whose program prints here, imports files, and is told of by stderr.
fn builder() -> VmBuilder {
    Vm::builder().write(print).report(|error: &CompileError| tell(&error.to_string())).loader(Files::new())
}

/// Ctrl-C stops the program, which says where it was; twice, it ends at once.
fn stop_by_ctrl_c(vm: &Vm) {
    static WAS_HERE: AtomicBool = AtomicBool::new(false);
    let interrupt = vm.interrupt();
    let set = ctrlc::set_handler(move || {
        if WAS_HERE.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        interrupt.now();
    });
    if let Err(error) = set {
        tell(&format!("ferry: Ctrl-C will end the program at once: {error}"));
    }
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
fn flush() {
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
