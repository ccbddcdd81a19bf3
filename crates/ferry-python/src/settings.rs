//! `configure`: how many threads there may be.

use crate::threads;
use asyncferry::{AsyncRuntime, RuntimeConfig};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::num::NonZeroUsize;

/// Sets how many threads Ferry may start; what isn't given stays as it is.
///
/// python_threads run the functions that are submitted (by default four more than there are cores, 32 at most). It
/// can be changed at any time, but threads that run stay. worker_threads poll Rust's futures (by default one for
/// each core), and blocking_threads run Rust code that blocks (by default as many as python_threads): these two
/// are set before the first Rust job, and raise RuntimeError afterwards.
#[pyfunction]
#[pyo3(signature = (*, python_threads = None, worker_threads = None, blocking_threads = None))]
pub(crate) fn configure(
    py: Python<'_>,
    python_threads: Option<NonZeroUsize>,
    worker_threads: Option<NonZeroUsize>,
    blocking_threads: Option<NonZeroUsize>,
) -> PyResult<()> {
    if worker_threads.is_some() || blocking_threads.is_some() {
        let config = RuntimeConfig { worker_threads, blocking_threads };
        AsyncRuntime::configure(config).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    }
    python_threads.map_or(Ok(()), |most| threads::set_most(py, most))
}
