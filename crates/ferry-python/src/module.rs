//! The module `asyncferry`, as Python sees it.

use crate::{
    expose::future_to_awaitable,
    gather::{OnError, gather as gather_awaitables},
    job::Job,
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyTuple};
use std::time::Duration;

/// Waits until all are done, and gives the list of their results, in the order given.
///
/// As asyncio.gather, but awaitables of Ferry are counted down in Rust, so that the event loop is woken once.
/// Takes coroutines, tasks and futures too. The first error is raised at once, and the others go on; with
/// return_exceptions, errors stand in the list.
#[pyfunction]
#[pyo3(signature = (*aws, return_exceptions = false))]
fn gather<'py>(aws: &Bound<'py, PyTuple>, return_exceptions: bool) -> PyResult<Bound<'py, Job>> {
    let on_error = if return_exceptions { OnError::Return } else { OnError::Raise };
    gather_awaitables(aws.py(), aws.iter().collect(), on_error)
}

/// Waits for so many seconds, on Rust's clock. Infinity never ends.
#[pyfunction]
fn sleep(py: Python<'_>, seconds: f64) -> PyResult<Bound<'_, Job>> {
    if seconds.is_nan() {
        return Err(PyValueError::new_err("can't sleep for NaN seconds; give a number"));
    }
    // What is beyond a Duration is beyond everybody's patience.
    let time = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    future_to_awaitable(py, async move {
        ::asyncferry::sleep(time).await;
        Ok::<(), PyErr>(())
    })
}

/// Makes `import asyncferry` work in an embedded interpreter. Call it once, before the interpreter starts.
///
/// # Panics
/// When an interpreter runs already.
pub fn append_to_inittab() {
    pyo3::append_to_inittab!(asyncferry);
}

/// Rust work as Python awaitables, on any asyncio event loop.
#[pymodule(gil_used = true)]
mod asyncferry {
    // Says that it uses the GIL: the bridge was not tested on builds of Python without one.

    #[pymodule_export]
    use super::{gather, sleep};
    #[pymodule_export]
    use crate::artifact::Artifact;
    #[pymodule_export]
    use crate::digest::digest_file;
    #[pymodule_export]
    use crate::failure::{FerryError, PanicError};
    #[pymodule_export]
    use crate::job::Job;

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "it is Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
