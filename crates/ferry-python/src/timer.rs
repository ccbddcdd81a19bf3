//! Times as Python gives them: seconds, of which not every float is a time.

use crate::expose::{hand_to_tokio, ready};
use asyncferry::AsyncRuntime;
use pyo3::{exceptions::PyValueError, prelude::*};
use std::time::Duration;

/// `seconds`, of which less than none is none, and more than can be counted is for ever.
///
/// # Errors
/// `ValueError` for NaN, with what it was meant for.
pub(crate) fn duration(purpose: &str, seconds: f64) -> PyResult<Duration> {
    if seconds.is_nan() {
        return Err(PyValueError::new_err(format!("can't {purpose} for NaN seconds; give a number")));
    }
    Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// Calls `ring` after `timeout` seconds, on a thread of the pool, unless what is returned is dropped before that.
/// At once if they are none; never without a timeout.
pub(crate) fn start(
    py: Python<'_>,
    timeout: Option<f64>,
    ring: impl FnOnce() + Send + 'static,
) -> PyResult<Option<async_task::Task<()>>> {
    let Some(time) = timeout.map(|seconds| duration("wait", seconds)).transpose()? else { return Ok(None) };
    if time.is_zero() {
        ring();
        return Ok(None);
    }
    ready(py)?;
    let waits = async move {
        asyncferry::sleep(time).await;
        ring();
    };
    let (runnable, task) = async_task::spawn(waits, hand_to_tokio);
    let _inside = AsyncRuntime::tokio().enter();
    runnable.run();
    Ok(Some(task))
}
