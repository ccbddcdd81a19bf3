//! What a Python event loop calls for its [`Home`]: [`Drain`] when mail has come, and [`SendReplies`] when
//! coroutines that Rust awaits have ended.

use crate::{home::Home, virtual_clock};
use pyo3::{PyTraverseError, PyVisit, prelude::*};
use std::sync::Arc;

/// What a loop watches its home's descriptor with; it makes the home live as long as the loop. A loop drops its
/// readers when it's closed, and that closes the home.
#[pyclass(frozen, module = "asyncferry", name = "_Drain")]
pub(crate) struct Drain {
    home: Arc<Home>,
}

impl Drain {
    pub(crate) fn new(home: Arc<Home>) -> Self {
        Self { home }
    }
}

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        self.home.drain(py)
    }

    /// Whether work is out that may bring the loop something. A loop on a virtual clock asks before it jumps.
    fn is_work_out(&self, py: Python<'_>) -> bool {
        virtual_clock::is_work_out(py, &self.home)
    }

    fn __repr__(&self) -> &'static str {
        "<asyncferry: handling what completed>"
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.home.traverse(&visit)
    }

    fn __clear__(&self) {
        self.home.let_go();
    }
}

impl Drop for Drain {
    /// Python drops it, so this thread has the GIL.
    fn drop(&mut self) {
        self.home.close();
    }
}

/// Called at the turn after the one in which coroutines ended.
#[pyclass(frozen, module = "asyncferry", name = "_SendReplies")]
pub(crate) struct SendReplies {
    home: Arc<Home>,
}

impl SendReplies {
    pub(crate) fn new(home: Arc<Home>) -> Self {
        Self { home }
    }
}

#[pymethods]
impl SendReplies {
    fn __call__(&self, py: Python<'_>) {
        // Settling wakes Rust's threads, and none of it needs Python.
        py.detach(|| self.home.send_replies());
    }

    fn __repr__(&self) -> &'static str {
        "<asyncferry: telling Rust what coroutines gave>"
    }
}
