//! The CPython in this process: which interpreter it stands for, how it starts, how it ends.
//!
//! There is one CPython in a process, and it starts once. [`start`] makes the process a Python: it takes
//! the signals, and the calling thread is Python's main thread until [`Interpreter::finish`].
//! [`ensure_started`] makes Python a guest in a Rust program, which keeps its signals and its own end.
//!
//! CPython is told the path of a real interpreter and finds everything else from there by its own rules:
//! the standard library, `pyvenv.cfg`, site-packages. So `sys.executable` is an interpreter, and what
//! starts others with it (subprocess, multiprocessing) works.

mod config;
mod find;
mod recognise;

use std::ffi::{CStr, OsString};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;

use config::Config;
pub use find::{FindError, NamedBy};
use recognise::Found;

/// How to start.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// The interpreter to be: its path, a bare name to be looked up on PATH, or the folder of a virtual
    /// environment. Without one: the active environment's, else the one that Ferry was built with, else
    /// the first on PATH that fits.
    pub python: Option<&'a Path>,
    /// `sys.argv`. Empty means `['']`, as in an interactive interpreter.
    pub argv: Vec<OsString>,
    /// What follows the interpreter's path in `sys.orig_argv`: the arguments with which a real interpreter
    /// would do the same.
    pub orig_argv: Vec<OsString>,
}

/// CPython, started by [`start`]. Its thread holds the GIL; `Python::attach` costs nothing on it.
///
/// Dropping this leaves Python running, and the process' end then runs no `atexit` function: call
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct Interpreter {
    // Python's main thread is the one that started it, and must be the one that ends it.
    not_send: PhantomData<*const ()>,
}

/// Why CPython did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// There is no interpreter to be.
    Find(FindError),
    /// CPython is already running in this process.
    Running,
    /// CPython gave up; in its own words.
    Refused(String),
}

/// Output was lost: a standard stream could not be flushed at the end (CPython has said so on stderr).
/// `python` exits with code 120 then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLost;

/// Python's version, as far as binaries depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u8,
    minor: u8,
}

/// The oldest Python that Ferry can be built for; the build script holds to it.
const OLDEST: Version = Version { major: 3, minor: 11 };

/// One thread at a time may ask whether Python runs and, if not, start it.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts CPython as this process' main business: Ctrl-C becomes KeyboardInterrupt, and the calling thread
/// (which should be the process' first, as signals go there) becomes Python's main thread.
///
/// # Errors
///
/// [`StartError`]: no interpreter fits, or CPython runs already, or does not start.
pub fn start(options: Options<'_>) -> Result<Interpreter, StartError> {
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if is_running() {
        return Err(StartError::Running);
    }
    initialize(options)?;
    Python::attach(take_signals).map_err(|error| StartError::Refused(error.to_string()))?;
    Ok(Interpreter { not_send: PhantomData })
}

/// Starts CPython as a guest of a Rust program, unless it runs already (in which case this does nothing).
/// Signals stay the program's, no thread is left holding the GIL, and Python is not finalized at the end.
///
/// # Errors
///
/// [`StartError`]: no interpreter fits, or CPython does not start.
///
/// # Example
///
/// ```
/// use pyo3::prelude::*;
///
/// asyncferry_python::interpreter::ensure_started()?;
/// let answer: i32 = Python::attach(|py| py.eval(c"6 * 7", None, None)?.extract())?;
/// assert_eq!(answer, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ensure_started() -> Result<(), StartError> {
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if is_running() {
        return Ok(());
    }
    initialize(Options::default())?;
    let gave_back = Python::attach(give_sigint_back);
    // SAFETY: this thread has just started Python, so it holds the GIL and has a thread state to save. The
    // state is never restored here: PyGILState_Ensure, which Python::attach calls, finds it again.
    unsafe { ffi::PyEval_SaveThread() };
    gave_back.map_err(|error| StartError::Refused(error.to_string()))
}

/// The version of the libpython in this process, in full ("3.11.7"). Python need not run.
#[must_use]
pub fn linked_version() -> &'static str {
    // SAFETY: the function returns a static string that ends in NUL, and may be called at any time.
    let text = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) };
    text.to_str().ok().and_then(|text| text.split_whitespace().next()).unwrap_or_default()
}

impl Interpreter {
    /// Ends Python: waits for non-daemon threads, runs `atexit` functions, flushes the standard streams.
    ///
    /// # Errors
    ///
    /// [`OutputLost`] if a stream could not be flushed.
    pub fn finish(self) -> Result<(), OutputLost> {
        // SAFETY: Python runs (this value proves it: only `start` makes one and only `finish` takes it),
        // and this thread holds the GIL since `start`, as the value cannot leave it.
        if unsafe { ffi::Py_FinalizeEx() } < 0 { Err(OutputLost) } else { Ok(()) }
    }
}

/// The first import of `signal` (asyncio's, for one) takes SIGINT if nobody has, even in a guest that was
/// told not to, and Ctrl-C would no longer end the program. So it is imported here, and SIGINT given back.
fn give_sigint_back(py: Python<'_>) -> PyResult<()> {
    let signal = py.import("_signal")?;
    let number = signal.getattr("SIGINT")?;
    if signal.call_method1("getsignal", (&number,))?.is(&signal.getattr("default_int_handler")?) {
        signal.call_method1("signal", (number, signal.getattr("SIG_DFL")?))?;
    }
    Ok(())
}

fn is_running() -> bool {
    // SAFETY: may be called at any time.
    unsafe { ffi::Py_IsInitialized() != 0 }
}

fn initialize(options: Options<'_>) -> Result<(), StartError> {
    let python = find::find(options.python).map_err(StartError::Find)?;
    let config = configured(&python, options).map_err(StartError::Refused)?;
    // The one place where built-in modules are added: CPython takes them only before it starts.
    crate::append_to_inittab();
    config.start().map_err(StartError::Refused)
}

/// What `python` does with signals (SIGPIPE is ignored by every Rust program).
fn take_signals(py: Python<'_>) -> PyResult<()> {
    // The module takes SIGINT when it's first imported, unless the process was started with it ignored.
    let signal = py.import("_signal")?;
    let ignored = (signal.getattr("SIGXFSZ")?, signal.getattr("SIG_IGN")?);
    signal.call_method1("signal", ignored).map(drop)
}

fn configured(python: &Found, options: Options<'_>) -> Result<Config, String> {
    let mut config = Config::like_python();
    config.leave_signals();
    if !find::has_linked_stdlib(python) {
        config.without_frozen_modules();
    }
    config.executable(&python.executable)?;
    let argv = if options.argv.is_empty() { vec![OsString::new()] } else { options.argv };
    let orig_argv: Vec<OsString> =
        std::iter::once(python.executable.clone().into_os_string()).chain(options.orig_argv).collect();
    config.arguments(&argv, &orig_argv)?;
    Ok(config)
}

/// The version of the libpython in this process.
fn linked() -> Version {
    let mut numbers = linked_version().split('.');
    let mut next = || numbers.next().unwrap_or_default();
    Version::new(next(), next()).unwrap_or(Version { major: 0, minor: 0 })
}

impl Version {
    fn new(major: &str, minor: &str) -> Option<Self> {
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Find(error) => error.fmt(f),
            Self::Running => f.write_str("Python is already running in this process, and starts only once"),
            Self::Refused(why) => {
                write!(f, "Python does not start: {why}. Check PYTHONHOME and PYTHONPATH, or try --python")
            }
        }
    }
}

impl std::error::Error for StartError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(code: &str) -> String {
        let code = std::ffi::CString::new(code).expect("no NUL");
        Python::attach(|py| py.eval(&code, None, None).map(|value| value.to_string())).expect("it evaluates")
    }

    #[test]
    fn as_a_guest_python_starts_once_and_leaves_the_program_its_signals() {
        let started: Vec<_> = (0..4).map(|_| std::thread::spawn(ensure_started)).collect();
        for thread in started {
            assert_eq!(thread.join().expect("no panic"), Ok(()));
        }
        assert_eq!(evaluate("__import__('signal').getsignal(2).name"), "SIG_DFL");
        assert_eq!(evaluate("__import__('platform').python_version()"), linked_version());
        assert!(Path::new(&evaluate("__import__('sys').executable")).is_file());
        assert_eq!(start(Options::default()).map(|_| ()), Err(StartError::Running));
    }
}
