//! `ferry run`: a program in Python as this process' main, as `python` would run it, except that its top
//! level may `await`.
//!
//! The program is compiled with `PyCF_ALLOW_TOP_LEVEL_AWAIT`. If it awaits at its top level, the code is a
//! coroutine, and runs as `asyncio.run` runs one; if not, it is executed as it is, and an `asyncio.run` in
//! it works as ever. All of this is done by calls into CPython, so no frame of Ferry's is on the stack.

mod interrupt;
mod main_module;
mod raised;
mod source;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::interpreter::{self, Interpreter, Options, StartError};
use interrupt::Handler;
use raised::{Raised, call};
pub use source::SourceError;

/// Where a program's text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A file.
    File(PathBuf),
    /// Standard input, up to its end. On the command line: `-`.
    Stdin,
    /// The text itself. On the command line: `-c CODE`.
    Code(OsString),
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Ending {
    /// With this exit code: 0 at its end, 1 for an uncaught exception, 120 for lost output.
    Exit(u8),
    /// By a KeyboardInterrupt that it did not catch. The process should now die of SIGINT, so that a shell
    /// or `make` above it stops as well; see [`Ending::leave`].
    Interrupted,
}

/// Why a program did not begin to run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunError {
    /// Its text cannot be had, or is no Python.
    Source(SourceError),
    /// There is no Python to run it.
    Start(StartError),
    /// Python did not set up `__main__` or `sys.path`; in its own words.
    Setup(String),
}

/// Runs `program` with `args` in this process, and ends Python afterwards. `python` names the interpreter,
/// as in [`Options::python`]. To be called on the process' first thread, once.
///
/// An exception that the program did not catch has been printed (by `sys.excepthook`) when this returns. A
/// SystemExit does not return: CPython ends itself, then the process, with its code.
///
/// ```standalone_crate
/// use asyncferry_python::run::{Ending, Program, run};
///
/// let program = Program::Code("import asyncio; await asyncio.sleep(0)".into());
/// assert_eq!(run(&program, &[], None), Ok(Ending::Exit(0)));
/// ```
///
/// # Errors
///
/// [`RunError`] if the program did not begin to run.
pub fn run(program: &Program, args: &[OsString], python: Option<&Path>) -> Result<Ending, RunError> {
    run_beside(program, args, python, |_| {})
}

/// As [`run`], of a program that others run beside: `others` is called when the program's own code has ended, in
/// whichever way, and all of Python still works, its jobs among it. Other threads may use Python meanwhile. It's not called if the
/// program did not begin to run.
///
/// # Errors
///
/// As [`run`].
pub fn run_beside(
    program: &Program,
    args: &[OsString],
    python: Option<&Path>,
    others: impl FnOnce(Ending) + Send,
) -> Result<Ending, RunError> {
    let text = source::read(program).map_err(RunError::Source)?;
    let options = Options { python, argv: program.argv(args), orig_argv: program.orig_argv(args) };
    let interpreter = interpreter::start(options).map_err(RunError::Start)?;
    let ending = Python::attach(|py| begin(py, program, &text, others));
    Ok(finish(interpreter, ending?))
}

impl Ending {
    /// Ends the process this way.
    pub fn leave(self) -> ! {
        match self {
            Self::Exit(code) => std::process::exit(code.into()),
            Self::Interrupted => die_of_interrupt(),
        }
    }
}

impl RunError {
    /// What `python` exits with in the same case: 2 if there is no program to read, otherwise 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Source(SourceError::Unreadable { .. }) => 2,
            _ => 1,
        }
    }
}

impl Program {
    /// `sys.argv`: what names the program, and its arguments.
    fn argv(&self, args: &[OsString]) -> Vec<OsString> {
        let name = match self {
            Self::File(path) => path.clone().into_os_string(),
            Self::Stdin => "-".into(),
            Self::Code(_) => "-c".into(),
        };
        std::iter::once(name).chain(args.iter().cloned()).collect()
    }

    /// The same, with the code after `-c`: what `python` would have been called with.
    fn orig_argv(&self, args: &[OsString]) -> Vec<OsString> {
        let mut argv = self.argv(args);
        if let Self::Code(code) = self {
            argv.insert(1, code.clone());
        }
        argv
    }
}

/// Compiles and runs the program; an uncaught exception is printed here, while Python still runs.
fn begin(
    py: Python<'_>,
    program: &Program,
    text: &[u8],
    others: impl FnOnce(Ending) + Send,
) -> Result<Ending, RunError> {
    let code = source::compile(py, program, text).map_err(RunError::Source)?;
    let globals =
        main_module::set_up(py, program, text, &code).map_err(|error| RunError::Setup(error.to_string()))?;
    let result = execute(&code, &globals);
    flush_streams(py);
    let ending = match result {
        Ok(()) => Ending::Exit(0),
        Err(raised) if raised.is_system_exit() => {
            // Reporting it ends the process.
            py.detach(|| others(Ending::Exit(0)));
            return Ok(report(raised));
        }
        Err(raised) => report(raised),
    };
    py.detach(|| others(ending));
    Ok(ending)
}

fn execute<'py>(code: &Bound<'py, PyAny>, globals: &Bound<'py, PyDict>) -> Result<(), Raised<'py>> {
    if source::awaits_at_top_level(code) {
        run_coroutine(code, globals).map_err(|raised| raised.without_frames_above(code))
    } else {
        evaluate(code, globals).map(drop)
    }
}

/// What `asyncio.run` does, without its frame: a Runner, one run, and its close, whatever happened; but for
/// Ctrl-C, which [`interrupt`] handles.
fn run_coroutine<'py>(code: &Bound<'py, PyAny>, globals: &Bound<'py, PyDict>) -> Result<(), Raised<'py>> {
    let py = code.py();
    let runner =
        Raised::check(py, py.import("asyncio").and_then(|asyncio| asyncio.getattr("Runner")?.call0()))?;
    let run = Raised::check(py, runner.getattr("run"))?;
    let close = Raised::check(py, runner.getattr("close"))?;
    let coroutine = evaluate(code, globals)?;
    let interrupts = Raised::check(py, Handler::install(&runner, &coroutine))?;
    // SAFETY: a callable and its argument, alive during the call; the thread is attached.
    let ran = unsafe { call(py, || ffi::PyObject_CallOneArg(run.as_ptr(), coroutine.as_ptr())) };
    let interrupted = Raised::check(py, interrupts.remove(py))?;
    let ran = ran.map_err(|raised| if interrupted { raised.interrupted() } else { raised });
    // SAFETY: as above, without an argument.
    let closed = unsafe { call(py, || ffi::PyObject_CallNoArgs(close.as_ptr())) };
    match (ran, closed) {
        (Ok(_), Ok(_)) => Ok(()),
        (Err(raised), Ok(_)) | (Ok(_), Err(raised)) => Err(raised),
        (Err(first), Err(second)) => Err(second.while_handling(first)),
    }
}

/// Executes the code in `__main__`; if it awaits, only makes the coroutine that does.
fn evaluate<'py>(
    code: &Bound<'py, PyAny>,
    globals: &Bound<'py, PyDict>,
) -> Result<Bound<'py, PyAny>, Raised<'py>> {
    let globals = globals.as_ptr();
    // SAFETY: `code` is a code object and `globals` a dict, both alive during the call; the thread is
    // attached.
    unsafe { call(code.py(), || ffi::PyEval_EvalCode(code.as_ptr(), globals, globals)) }
}

/// Prints the exception as `python` does. SystemExit ends the process in here, after ending Python.
fn report(raised: Raised<'_>) -> Ending {
    let interrupted = raised.is_keyboard_interrupt();
    raised.print();
    if interrupted { Ending::Interrupted } else { Ending::Exit(1) }
}

/// Standard output first, then the traceback: the order in which `python` writes to a shared terminal.
/// Failures are left to the final flush, which reports them.
fn flush_streams(py: Python<'_>) {
    for name in ["stderr", "stdout"] {
        let _ = py.import("sys").and_then(|sys| sys.getattr(name)?.call_method0("flush"));
    }
}

fn finish(interpreter: Interpreter, ending: Ending) -> Ending {
    match (interpreter.finish(), ending) {
        (Err(_), Ending::Exit(_)) => Ending::Exit(120),
        (_, ending) => ending,
    }
}

/// Python's end has given SIGINT its default action back, so the signal ends the process; the exit code is
/// for a process that was started with SIGINT ignored.
fn die_of_interrupt() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT);
    std::process::exit(130)
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Setup(error) => write!(f, "Python cannot set up __main__: {error}"),
        }
    }
}

impl std::error::Error for RunError {}
