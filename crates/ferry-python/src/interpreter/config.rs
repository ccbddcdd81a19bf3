//! `PyConfig`, filled and handed to CPython: the same start as `python`'s own, with another main.

use std::ffi::{CStr, CString, OsString};
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use pyo3::ffi;

/// Why CPython did not start: its own words.
pub(super) type Refusal = String;

/// A `PyConfig` that is cleared when dropped.
pub(super) struct Config(ffi::PyConfig);

impl Config {
    /// What `python` itself starts from: the environment variables count, the locale is set.
    pub(super) fn like_python() -> Self {
        let mut config = MaybeUninit::<ffi::PyConfig>::zeroed();
        // SAFETY: PyConfig_InitPythonConfig writes every field of the struct that it is given.
        let mut config = unsafe {
            ffi::PyConfig_InitPythonConfig(config.as_mut_ptr());
            config.assume_init()
        };
        // The arguments are the program's: none of them is an option of the interpreter.
        config.parse_argv = 0;
        Self(config)
    }

    /// Leaves every signal as it is: for programs that Python is a guest in, and until Python has started, so
    /// that a Ctrl-C meanwhile ends the process and is not taken for a broken installation.
    pub(super) fn leave_signals(&mut self) {
        self.0.install_signal_handlers = 0;
    }

    /// Imports the standard library's own text where libpython has some of it built in. Needed when the
    /// two are of different builds: Debian's `site`, for one, knows folders that others do not.
    pub(super) fn without_frozen_modules(&mut self) {
        self.0.use_frozen_modules = 0;
    }

    /// The interpreter that CPython shall believe it is: it finds its library and `pyvenv.cfg` from there.
    pub(super) fn executable(&mut self, path: &Path) -> Result<(), Refusal> {
        let path = c_string(path.as_os_str().to_owned())?;
        let config = &raw mut self.0;
        // SAFETY: the config is initialised, the field is its own, and the string ends in NUL.
        check(unsafe { ffi::PyConfig_SetBytesString(config, &raw mut (*config).program_name, path.as_ptr()) })
    }

    /// `sys.argv`, and `sys.orig_argv`: what a real interpreter would have been started with.
    pub(super) fn arguments(&mut self, argv: &[OsString], orig_argv: &[OsString]) -> Result<(), Refusal> {
        self.set_argv(orig_argv)?;
        let config = &raw mut self.0;
        // SAFETY: the list just filled is copied into another field of the same initialised config; the
        // two fields are distinct, and CPython copies the strings.
        check(unsafe {
            let list = (*config).argv;
            ffi::PyConfig_SetWideStringList(config, &raw mut (*config).orig_argv, list.length, list.items)
        })?;
        self.set_argv(argv)
    }

    fn set_argv(&mut self, argv: &[OsString]) -> Result<(), Refusal> {
        let owned = argv.iter().cloned().map(c_string).collect::<Result<Vec<CString>, _>>()?;
        let mut pointers: Vec<_> = owned.iter().map(|argument| argument.as_ptr()).collect();
        // SAFETY: the pointers are as many as said, to strings that live until the call is over; CPython
        // decodes them (with surrogateescape) into its own memory.
        check(unsafe {
            ffi::PyConfig_SetBytesArgv(&mut self.0, pointers.len() as isize, pointers.as_mut_ptr())
        })
    }

    /// Starts CPython. The calling thread then holds the GIL and is Python's main thread.
    pub(super) fn start(self) -> Result<(), Refusal> {
        // SAFETY: the config is initialised; the caller (`initialize`) checked that Python is not running.
        check(unsafe { ffi::Py_InitializeFromConfig(&self.0) })
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: initialised in `like_python`, and cleared only here.
        unsafe { ffi::PyConfig_Clear(&mut self.0) }
    }
}

fn c_string(text: OsString) -> Result<CString, Refusal> {
    CString::new(text.into_vec()).map_err(|error| {
        let text = OsString::from_vec(error.into_vec());
        format!("{} holds a NUL byte", String::from_utf8_lossy(text.as_bytes()).escape_debug())
    })
}

fn check(status: ffi::PyStatus) -> Result<(), Refusal> {
    // SAFETY: reads the fields of a status by value.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    if status.err_msg.is_null() {
        return Err(format!("it asked to exit with code {}", status.exitcode));
    }
    // SAFETY: CPython's status messages are static strings that end in NUL.
    Err(unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned())
}
