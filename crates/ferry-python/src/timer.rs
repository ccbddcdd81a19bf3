//! Times as Python gives them: seconds, of which not every float is a time.

use crate::{
    expose::{hand_to_tokio, ready},
    home::Home,
};
use asyncferry::{AsyncRuntime, Promise, State, promise};
use pyo3::{exceptions::PyValueError, intern, prelude::*};
use std::{sync::Arc, time::Duration};

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
/// At once if they are none; never without a timeout. Where a loop on a virtual clock runs, it's that clock which
/// counts, and its thread that calls.
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
    if let Some(home) = virtual_home(py)? {
        return on_loop(py, home, time, ring).map(Some);
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

/// The loop that runs on this thread, if its clock is virtual.
pub(crate) fn virtual_home(py: Python<'_>) -> PyResult<Option<Arc<Home>>> {
    Ok(Home::of_running_loop(py)?.filter(|home| home.is_virtual()))
}

/// Has the loop of `home`, which runs on this thread, call `ring` after `time` on its own clock, unless what is returned
/// is dropped before that.
pub(crate) fn on_loop(
    py: Python<'_>,
    home: Arc<Home>,
    time: Duration,
    ring: impl FnOnce() + Send + 'static,
) -> PyResult<async_task::Task<()>> {
    let (promise, rung) = promise();
    let bell = Bound::new(py, Ring(promise.clone()))?;
    let arm = |event_loop: Bound<'_, PyAny>| {
        event_loop.call_method1(intern!(py, "call_later"), (seconds(time), bell)).map(Bound::unbind)
    };
    let handle = home.event_loop(py).map(arm).transpose()?;
    let timer = Timer { home, promise, handle };
    let waits = async move {
        let _timer = timer;
        if rung.await.is_ok() {
            ring();
        }
    };
    // What wakes it is the loop's own timer: it goes on there, before the loop looks what is out.
    let (runnable, task) = async_task::spawn(waits, |runnable: async_task::Runnable| {
        runnable.run();
    });
    runnable.run();
    Ok(task)
}

/// In Python's seconds, of which more than can be counted are for ever.
fn seconds(time: Duration) -> f64 {
    if time == Duration::MAX { f64::INFINITY } else { time.as_secs_f64() }
}

/// What a loop calls when the time is over.
#[pyclass(frozen, module = "asyncferry", name = "_Ring")]
struct Ring(Promise<()>);

#[pymethods]
impl Ring {
    fn __call__(&self) {
        // Settled already: nobody waits any more.
        let _ = self.0.complete(());
    }

    fn __repr__(&self) -> &'static str {
        "<asyncferry: the end of a time>"
    }
}

/// Takes the loop's timer back when it's dropped before its time.
struct Timer {
    home: Arc<Home>,
    promise: Promise<()>,
    handle: Option<Py<PyAny>>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        let has_rung = self.promise.state() == State::Completed;
        if let Some(handle) = self.handle.take().filter(|_| !has_rung) {
            self.home.run(move |py, _| handle.call_method0(py, intern!(py, "cancel")).map(drop));
        }
    }
}
