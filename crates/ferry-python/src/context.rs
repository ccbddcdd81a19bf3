//! `contextvars`: copies of a context, and calls inside one.
//!
//! Python's stable ABI has no functions for these, so a build for it asks the module `contextvars`.

#[cfg(Py_LIMITED_API)]
pub(crate) use by_module::{call_inside, current_context, empty_context};
#[cfg(not(Py_LIMITED_API))]
pub(crate) use direct::{call_inside, current_context, empty_context};

#[cfg(not(Py_LIMITED_API))]
mod direct {
    use crate::calling;
    use pyo3::{ffi, prelude::*};

    /// A context in which no variable is set.
    pub(crate) fn empty_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        // SAFETY: the thread is attached (`py`), and what is returned is a new reference or NULL with an
        // exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_New()) }
    }

    /// A copy of this thread's current context.
    pub(crate) fn current_context(py: Python<'_>) -> PyResult<Py<PyAny>> {
        // SAFETY: the thread is attached (`py`), and what is returned is a new reference or NULL with an
        // exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }.map(Bound::unbind)
    }

    /// Calls `function` with `argument` in `context`. This is what `Context.run` does, without the way there.
    pub(crate) fn call_inside<'py>(
        context: &Bound<'py, PyAny>,
        function: &Bound<'py, PyAny>,
        argument: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        enter(context)?;
        let called = calling::call_with(function, argument);
        leave(context)?;
        called
    }

    fn enter(context: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: the thread is attached, and the object is alive; anything but a context is refused with an
        // exception.
        match unsafe { ffi::PyContext_Enter(context.as_ptr()) } {
            0 => Ok(()),
            _ => Err(PyErr::fetch(context.py())),
        }
    }

    fn leave(context: &Bound<'_, PyAny>) -> PyResult<()> {
        // SAFETY: as in `enter`. No exception is set: what the call raised was fetched.
        match unsafe { ffi::PyContext_Exit(context.as_ptr()) } {
            0 => Ok(()),
            _ => Err(PyErr::fetch(context.py())),
        }
    }
}

#[cfg(Py_LIMITED_API)]
mod by_module {
    use crate::calling;
    use pyo3::{intern, prelude::*, sync::PyOnceLock};

    pub(crate) fn empty_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        CLASS.import(py, "contextvars", "Context")?.call0()
    }

    pub(crate) fn current_context(py: Python<'_>) -> PyResult<Py<PyAny>> {
        static COPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        COPY.import(py, "contextvars", "copy_context")?.call0().map(Bound::unbind)
    }

    pub(crate) fn call_inside<'py>(
        context: &Bound<'py, PyAny>,
        function: &Bound<'py, PyAny>,
        argument: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        calling::call_method(context, intern!(context.py(), "run"), (function, argument))
    }
}
