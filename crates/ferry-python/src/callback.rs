//! [`Callback`]: a function to call in a `contextvars` context, on the thread of a loop.

use crate::{calling, context::call_inside, home::Home};
use pyo3::{PyTraverseError, PyVisit, intern, prelude::*, types::PyDict};
use std::sync::Arc;

/// What `add_done_callback` was given.
pub(crate) struct Callback {
    pub(crate) function: Py<PyAny>,
    pub(crate) context: Py<PyAny>,
    /// The loop on whose thread it is called.
    pub(crate) home: Arc<Home>,
}

impl Callback {
    /// Calls the function with `argument`, now. Its exception goes to the loop's exception handler.
    pub(crate) fn run(self, argument: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = argument.py();
        let called = call_inside(self.context.bind(py), self.function.bind(py), argument);
        called.map(drop).or_else(|error| {
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
        let call_soon = event_loop.getattr(intern!(py, "call_soon"))?;
        calling::call(&call_soon, (self.function, argument), Some(&keywords)).map(drop)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.context)
    }
}
