//! An exception on its way out of the program: held without PyO3's `PyErr`, which turns a panic that
//! crossed Python back into a panic. Here it must become what any uncaught exception becomes: a traceback
//! and an exit code.

use pyo3::exceptions::{PyBaseException, PyKeyboardInterrupt, PySystemExit};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTraceback;

/// An exception that is not set as Python's current one.
pub(super) struct Raised<'py>(Bound<'py, PyBaseException>);

/// Makes a call into CPython that returns a new reference, or null with an exception set.
///
/// # Safety
///
/// `function` must do just that, with the thread attached.
pub(super) unsafe fn call<'py>(
    py: Python<'py>,
    function: impl FnOnce() -> *mut ffi::PyObject,
) -> Result<Bound<'py, PyAny>, Raised<'py>> {
    let result = function();
    if result.is_null() {
        return Err(Raised::take(py));
    }
    // SAFETY: by this function's contract, a pointer that is not null is a new reference.
    Ok(unsafe { Bound::from_owned_ptr(py, result) })
}

impl<'py> Raised<'py> {
    /// For calls that cannot panic, where PyO3's own methods are the readable way.
    pub(super) fn check<T>(py: Python<'py>, result: PyResult<T>) -> Result<T, Self> {
        result.map_err(|error| Self(error.into_value(py).into_bound(py)))
    }

    /// Python decides by the exact type, and so does this: a subclass exits with code 1.
    pub(super) fn is_system_exit(&self) -> bool {
        self.0.is_instance_of::<PySystemExit>()
    }

    pub(super) fn is_keyboard_interrupt(&self) -> bool {
        self.0.is_exact_instance_of::<PyKeyboardInterrupt>()
    }

    /// The KeyboardInterrupt that a program ends with which was cancelled because of one, as from
    /// `asyncio.run`. Another exception stays what it is.
    pub(super) fn interrupted(self) -> Self {
        let py = self.0.py();
        let Ok(true) = crate::names::is_cancelled_error(&self.0) else { return self };
        Self(PyKeyboardInterrupt::new_err(()).into_value(py).into_bound(py)).while_handling(self)
    }

    /// Prints it through `sys.excepthook`, and sets `sys.last_value`. SystemExit ends the process.
    pub(super) fn print(self) {
        self.set();
        // SAFETY: the thread is attached, and an exception has just been set.
        unsafe { ffi::PyErr_PrintEx(1) }
    }

    /// As if raised while `first` was handled.
    pub(super) fn while_handling(self, first: Self) -> Self {
        let _ = self.0.setattr("__context__", first.0);
        self
    }

    /// The traceback from the frame of `code` on, without asyncio's frames that ran it. An exception that
    /// never was in the program keeps all its frames, as there is nothing else to tell where it came from.
    pub(super) fn without_frames_above(self, code: &Bound<'py, PyAny>) -> Self {
        if let Some(traceback) = traceback_from(&self.0, code) {
            let _ = self.0.setattr("__traceback__", traceback);
        } else if self.is_keyboard_interrupt() {
            self.place_where_cancelled(code);
        }
        self
    }

    /// Ctrl-C cancels the program where it awaits, and asyncio then raises KeyboardInterrupt in its own
    /// frames. The place that a person wants to see is where the program was, as in one that does not
    /// await; so the interrupt takes over the traceback of the cancellation that it ended.
    fn place_where_cancelled(&self, code: &Bound<'py, PyAny>) {
        let place = || -> PyResult<()> {
            let cancelled = self.0.getattr("__context__")?;
            let Some(traceback) = traceback_from(&cancelled, code) else { return Ok(()) };
            self.0.setattr("__traceback__", traceback)?;
            self.0.setattr("__context__", cancelled.getattr("__context__")?)
        };
        // Failing that, the traceback is longer, and as true.
        let _ = place();
    }
}

/// The part of the exception's traceback that starts in the frame of `code`.
fn traceback_from<'py>(exception: &Bound<'py, PyAny>, code: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let mut traceback = exception.getattr("__traceback__").ok()?;
    while traceback.is_instance_of::<PyTraceback>() {
        if traceback.getattr("tb_frame").ok()?.getattr("f_code").ok()?.is(code) {
            return Some(traceback);
        }
        traceback = traceback.getattr("tb_next").ok()?;
    }
    None
}

#[cfg(Py_3_12)]
impl<'py> Raised<'py> {
    /// Python's current exception; there must be one.
    fn take(py: Python<'py>) -> Self {
        // SAFETY: the thread is attached; the result is a new reference to an exception, as one is set.
        let exception = unsafe { Bound::from_owned_ptr(py, ffi::PyErr_GetRaisedException()) };
        // SAFETY: Python raises only instances of BaseException.
        Self(unsafe { exception.cast_into_unchecked() })
    }

    fn set(self) {
        // SAFETY: the thread is attached; the call takes the reference over.
        unsafe { ffi::PyErr_SetRaisedException(self.0.into_ptr()) }
    }
}

#[cfg(not(Py_3_12))]
impl<'py> Raised<'py> {
    /// Python's current exception; there must be one.
    fn take(py: Python<'py>) -> Self {
        let [mut kind, mut value, mut traceback] = [std::ptr::null_mut(); 3];
        // SAFETY: the thread is attached, and an exception is set. After normalizing, `kind` and `value`
        // are new references and `value` is an instance of BaseException; `traceback` is a new reference
        // or null. Each is taken over once.
        unsafe {
            ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
            ffi::PyErr_NormalizeException(&mut kind, &mut value, &mut traceback);
            if !traceback.is_null() {
                ffi::PyException_SetTraceback(value, traceback);
            }
            ffi::Py_XDECREF(traceback);
            ffi::Py_XDECREF(kind);
            Self(Bound::from_owned_ptr(py, value).cast_into_unchecked())
        }
    }

    fn set(self) {
        let kind = self.0.get_type().into_any().into_ptr();
        // SAFETY: the thread is attached; PyException_GetTraceback returns a new reference or null, and
        // PyErr_Restore takes all three over.
        unsafe {
            let traceback = ffi::PyException_GetTraceback(self.0.as_ptr());
            ffi::PyErr_Restore(kind, self.0.into_ptr(), traceback);
        }
    }
}
