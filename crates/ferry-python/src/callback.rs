//! [`Callback`]: a function to call in a `contextvars` context, on the thread of a loop.

use crate::home::Home;
use pyo3::{PyTraverseError, PyVisit, ffi, intern, prelude::*, types::PyDict};
use std::sync::Arc;

/// What `add_done_callback` was given.
pub(crate) struct Callback {
    pub(crate) function: Py<PyAny>,
    pub(crate) context: Py<PyAny>,
    /// The loop on whose thread it is called.
    pub(crate) home: Arc<Home>,
}

impl Callback {
    /// Calls the function with `argument`, now. This is what `Context.run` does, without the way there. Its
    /// exception goes to the loop's exception handler.
    pub(crate) fn run(self, argument: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = argument.py();
        let called = enter(py, &self.context).and_then(|()| {
            let called = self.function.bind(py).call1((argument,));
            leave(py, &self.context)?;
            called.map(drop)
        });
        called.or_else(|error| {
            let name = self.function.bind(py).repr().map_or_else(|_| "?".to_owned(), |name| name.to_string());
            self.home.report(py, &format!("Exception in callback {name}"), error)
        })
    }

    /// Has the loop of this thread call the function soon, as asyncio's futures do when they are done.
    pub(crate) fn call_soon(self, argument: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = argument.py();
        let Some(event_loop) = self.home.event_loop(py) else { return Ok(()) };
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "context"), self.context)?;
        event_loop.call_method(intern!(py, "call_soon"), (self.function, argument), Some(&keywords)).map(drop)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.context)
    }
}

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

fn enter(py: Python<'_>, context: &Py<PyAny>) -> PyResult<()> {
    // SAFETY: the thread is attached, and the object is alive; anything but a context is refused with an
    // exception.
    match unsafe { ffi::PyContext_Enter(context.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(py)),
    }
}

fn leave(py: Python<'_>, context: &Py<PyAny>) -> PyResult<()> {
    // SAFETY: as in `enter`. No exception is set: what the call raised was fetched.
    match unsafe { ffi::PyContext_Exit(context.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(py)),
    }
}
