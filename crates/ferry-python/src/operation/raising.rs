//! What Python is given where C has no `Result`: exceptions, and StopIteration for the end of a coroutine.

use super::Step;
use crate::{failure, job};
use pyo3::{exceptions::PyStopIteration, ffi, prelude::*};
use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

/// Runs `act`; what it fails with, an error or a panic, becomes Python's exception, and `failed` is given.
#[inline]
pub(super) fn guarded<R>(py: Python<'_>, failed: R, act: impl FnOnce() -> PyResult<R>) -> R {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(given)) => given,
        Ok(Err(error)) => {
            error.restore(py);
            failed
        }
        Err(panic) => {
            failure::panic_error(py, text_of(&*panic)).restore(py);
            failed
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// As an iterator has it: the yielded object, or NULL with a StopIteration, or without one where the value is None.
pub(super) fn yielded_or_stopped(step: Step<'_>) -> *mut ffi::PyObject {
    match step {
        Step::Yields(yielded) => yielded.into_ptr(),
        Step::Returns(value) if value.is_none() => ptr::null_mut(),
        Step::Returns(value) => {
            let py = value.py();
            let stopped = match super::yes(py).is(&value) {
                true => stop_with_true(py),
                false => job::stop_iteration(py, value.unbind()),
            };
            if let Err(error) = stopped {
                error.restore(py);
            }
            ptr::null_mut()
        }
    }
}

/// Sets `StopIteration(True)`. One object serves as long as whoever awaits takes the value out and lets it go, which is
/// what `await` does; one that was raised further has a traceback, and is left to who has it.
fn stop_with_true(py: Python<'_>) -> PyResult<()> {
    /// With the GIL.
    struct Kept(Cell<*mut ffi::PyObject>);
    // SAFETY: it's used with the GIL only.
    unsafe impl Sync for Kept {}
    static KEPT: Kept = Kept(Cell::new(ptr::null_mut()));

    // SAFETY: the pointer is NULL or that of a living object, to which `KEPT` has a reference.
    unsafe {
        let mut stop = KEPT.0.get();
        if stop.is_null() || ffi::Py_REFCNT(stop) != 1 || has_traceback(stop) {
            stop = py.get_type::<PyStopIteration>().call1((true,))?.into_ptr();
            let earlier = KEPT.0.replace(stop);
            drop(Bound::from_owned_ptr_or_opt(py, earlier));
        }
        set_raised(ffi::Py_NewRef(stop));
    }
    Ok(())
}

/// # Safety
/// The object is a living exception.
unsafe fn has_traceback(exception: *mut ffi::PyObject) -> bool {
    // SAFETY: as above; what comes is a new reference or NULL.
    unsafe {
        let traceback = ffi::PyException_GetTraceback(exception);
        ffi::Py_XDECREF(traceback);
        !traceback.is_null()
    }
}

/// # Safety
/// The object is a living exception, and the reference is given away.
#[cfg(Py_3_12)]
unsafe fn set_raised(exception: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe { ffi::PyErr_SetRaisedException(exception) }
}

/// # Safety
/// The object is a living exception, and the reference is given away.
#[cfg(not(Py_3_12))]
unsafe fn set_raised(exception: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe { ffi::PyErr_Restore(ffi::Py_NewRef(ffi::Py_TYPE(exception).cast()), exception, ptr::null_mut()) }
}
