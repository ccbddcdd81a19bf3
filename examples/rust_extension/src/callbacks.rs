//! `count_all`: Rust awaits an async function of Python.

use crate::count::{Counts, add_words};
use asyncferry_python::{Job, awaitable_to_future, future_to_awaitable};
use pyo3::prelude::*;

/// Gives how often each word stands in the texts that `load`, an async function, gives for `names`.
///
/// All texts are loaded at once. When one can't be, its exception is raised, and the other loads are cancelled.
#[pyfunction]
pub(crate) fn count_all<'py>(load: &Bound<'py, PyAny>, names: Vec<String>) -> PyResult<Bound<'py, Job>> {
    let py = load.py();
    let begin = |name| awaitable_to_future(py, &load.call1((name,))?);
    let loads = names.into_iter().map(begin).collect::<PyResult<Vec<_>>>()?;
    future_to_awaitable(py, async move {
        let mut counts = Counts::new();
        // Leaving early drops the loads that are left, which cancels their tasks.
        for load in loads {
            let text = load.await?;
            // Only what reads Python's objects needs the GIL, and waits for it.
            let text: String = Python::attach(|py| text.extract(py))?;
            add_words(&mut counts, &text);
        }
        Ok::<_, PyErr>(counts)
    })
}
