//! `configure`: how many threads there may be, and how much may wait for them.

use crate::{count::Count, threads};
use asyncferry::{AsyncRuntime, RuntimeConfig};
use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// Sets how many threads Ferry may start, and how much may wait for them; what isn't given stays as it is.
///
/// python_threads run the functions that are submitted (by default four more than there are cores, 32 at most), and
/// max_queued of those may wait (1048576); one more raises RuntimeError. Both can be changed at any time, but threads
/// that run stay. worker_threads poll Rust's futures (by default one for each core), and blocking_threads run Rust
/// code that blocks (by default as many as python_threads): these two are set before the first Rust job, and raise
/// RuntimeError afterwards.
#[pyfunction]
#[pyo3(signature = (*, python_threads = None, max_queued = None, worker_threads = None, blocking_threads = None))]
pub(crate) fn configure(
    py: Python<'_>,
    python_threads: Option<Count>,
    max_queued: Option<Count>,
    worker_threads: Option<Count>,
    blocking_threads: Option<Count>,
) -> PyResult<()> {
    let count = |name, given: Option<Count>| given.map(|given| given.get(name)).transpose();
    let python_threads = count("python_threads", python_threads)?;
    let max_queued = count("max_queued", max_queued)?;
    let worker_threads = count("worker_threads", worker_threads)?;
    let blocking_threads = count("blocking_threads", blocking_threads)?;
    if worker_threads.is_some() || blocking_threads.is_some() {
        let set = AsyncRuntime::config();
        let config = RuntimeConfig {
            worker_threads: worker_threads.or(set.worker_threads),
            blocking_threads: blocking_threads.or(set.blocking_threads),
        };
        AsyncRuntime::configure(config).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    }
    if python_threads.is_none() && max_queued.is_none() {
        return Ok(());
    }
    threads::set_limits(py, |limits| {
        limits.threads = python_threads.unwrap_or(limits.threads);
        limits.queued = max_queued.unwrap_or(limits.queued);
    })
}
