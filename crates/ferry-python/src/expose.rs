//! Rust work as Python awaitables: the names of seed 000.

use crate::{
    artifact::ArtifactInfo,
    failure::{boxed, exception_for},
    fork, inherit,
    job::Job,
    source::{Deliver, Once, Work},
};
use async_task::Runnable;
use asyncferry::{AsyncError, AsyncRuntime, Failure, Future, State, catch_panic, promise, spawn_blocking};
use pyo3::prelude::*;
use std::{
    error::Error,
    panic::{AssertUnwindSafe, Location, catch_unwind},
};

/// A Python awaitable for `future`.
///
/// The future is polled once, here and now: in the context of the process's tokio runtime, and with the GIL
/// released, so that it may take locks which other threads hold while they wait for the GIL. One that is
/// ready gives an awaitable that is done, at the price of a function call. Otherwise tokio's threads poll it
/// from its first wake-up on. A first poll that computes for long holds the event loop: send such work to
/// [`blocking_to_awaitable`].
///
/// The future, and what it spawns by Ferry, carry the caller's `contextvars`: coroutines that they start see them. And
/// [task-locals](asyncferry::TaskLocal) of a Rust task that started the calling coroutine are there.
///
/// Its value is converted to Python on the thread of an event loop. What becomes of its error, and of a panic,
/// is told in the crate's docs. When the awaitable is cancelled, or nobody refers to it any more, the future
/// is dropped where it waits, on one of tokio's threads.
///
/// ```
/// use asyncferry_python::{Job, future_to_awaitable, interpreter};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// #[pyfunction]
/// fn answer(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
///     future_to_awaitable(py, async { Ok::<_, std::io::Error>(42) })
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let globals = [("answer", wrap_pyfunction!(answer, py)?)].into_py_dict(py)?;
///         let program = c_str!("import asyncio\nasync def main():\n    assert await answer() == 42\nasyncio.run(main())");
///         py.run(program, Some(&globals), None)
///     })
/// }
/// ```
///
/// # Errors
/// When the event loop of this thread refuses to watch a descriptor. An error of the future comes through the
/// awaitable.
#[track_caller]
pub fn future_to_awaitable<F, T, E>(py: Python<'_>, future: F) -> PyResult<Bound<'_, Job>>
where
    F: std::future::Future<Output = Result<T, E>> + Send + 'static,
    T: for<'a> IntoPyObject<'a> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    ready(py)?;
    let (promise, outcome) = promise();
    let job = async move {
        let ended = catch_panic(future).await;
        let _ = promise.settle(flatten(ended).map(Once::new));
    };
    let job = inherit::for_rust(py)?.scope(job);
    let (runnable, task) = async_task::spawn(job, hand_to_tokio);
    py.detach(|| {
        let _inside = AsyncRuntime::tokio().enter();
        runnable.run();
    });
    awaitable_of(py, None, Work::new(outcome, Some(task)).out())
}

/// A Python awaitable for `work`, which may block or compute for long: it runs on a thread of the process's
/// bounded set (see [`RuntimeConfig`](asyncferry::RuntimeConfig)).
///
/// Code that blocks can't be stopped from outside. So `work` is given an [`Interest`], to look at between two
/// steps; when the awaitable is cancelled before the work began, it never begins.
///
/// ```
/// use asyncferry_python::{Job, blocking_to_awaitable, interpreter};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// #[pyfunction]
/// fn sum(py: Python<'_>, numbers: Vec<u64>) -> PyResult<Bound<'_, Job>> {
///     blocking_to_awaitable(py, move |interest| {
///         let wanted = numbers.iter().take_while(|_| !interest.is_gone());
///         Ok::<u64, std::io::Error>(wanted.sum())
///     })
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let globals = [("sum", wrap_pyfunction!(sum, py)?)].into_py_dict(py)?;
///         let program = c_str!("import asyncio\nasync def main():\n    assert await sum([1, 2, 3]) == 6\nasyncio.run(main())");
///         py.run(program, Some(&globals), None)
///     })
/// }
/// ```
///
/// # Errors
/// As [`future_to_awaitable`].
#[track_caller]
pub fn blocking_to_awaitable<T, E>(
    py: Python<'_>,
    work: impl FnOnce(&Interest<'_>) -> Result<T, E> + Send + 'static,
) -> PyResult<Bound<'_, Job>>
where
    T: for<'a> IntoPyObject<'a> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    ready(py)?;
    let (promise, outcome) = promise();
    let job = move || {
        let interest = Interest { gone: &|| promise.state() != State::Pending };
        if !interest.is_gone() {
            let ended = catch_unwind(AssertUnwindSafe(|| work(&interest))).map_err(AsyncError::from_panic);
            let _ = promise.settle(flatten(ended).map(Once::new));
        }
    };
    let locals = inherit::for_rust(py)?;
    drop(locals.enter(|| spawn_blocking(job)));
    awaitable_of(py, None, Work::new(outcome, None).out())
}

/// Whether somebody still waits for a piece of blocking work. See [`blocking_to_awaitable`].
pub struct Interest<'a> {
    gone: &'a dyn Fn() -> bool,
}

impl Interest<'_> {
    /// `true` once the awaitable was cancelled or nobody refers to it any more. Costs one atomic load.
    pub fn is_gone(&self) -> bool {
        (self.gone)()
    }
}

/// A Python awaitable for `future`, the awaiting end of a [`promise`], which Rust code may await too.
///
/// It's named `name` where Python shows it. Cancelling it cancels the promise, for all who await it; one that
/// nobody refers to any more leaves the promise to the others.
///
/// ```
/// use asyncferry::promise;
/// use asyncferry_python::{Job, interpreter, promise_to_awaitable};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// #[pyfunction]
/// fn approval(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
///     let (promise, future) = promise();
///     std::thread::spawn(move || promise.complete(true));
///     promise_to_awaitable(py, Some("approval"), future)
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let globals = [("approval", wrap_pyfunction!(approval, py)?)].into_py_dict(py)?;
///         let program = c_str!("import asyncio\nasync def main():\n    assert await approval()\nasyncio.run(main())");
///         py.run(program, Some(&globals), None)
///     })
/// }
/// ```
///
/// # Errors
/// As [`future_to_awaitable`].
#[track_caller]
pub fn promise_to_awaitable<'py, T>(
    py: Python<'py>,
    name: Option<&str>,
    future: Future<T>,
) -> PyResult<Bound<'py, Job>>
where
    T: for<'a> IntoPyObject<'a> + Clone + Send + Sync + 'static,
{
    awaitable_of(py, name, Work::new(future, None))
}

/// A Python awaitable that gives an [`Artifact`](crate::Artifact) when the job `job_id` completes, however
/// early that is.
///
/// The receiver is the future of a [`promise`], which may be awaited by others too, or a
/// [`tokio::sync::oneshot::Receiver`]. A job whose sending end is dropped was cancelled: awaiting it raises
/// `asyncio.CancelledError`.
///
/// ```
/// use asyncferry::promise;
/// use asyncferry_python::{ArtifactInfo, Job, create_job_awaitable, interpreter};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// #[pyfunction]
/// fn sample(py: Python<'_>, id: String) -> PyResult<Bound<'_, Job>> {
///     let (promise, receiver) = promise();
///     let info = ArtifactInfo { id: id.clone(), content_hash: "6f".into(), tags: vec![] };
///     std::thread::spawn(move || promise.complete(info));
///     create_job_awaitable(py, id, receiver)
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let globals = [("sample", wrap_pyfunction!(sample, py)?)].into_py_dict(py)?;
///         let program = c_str!("import asyncio\nasync def main():\n    assert (await sample('job 1')).content_hash == '6f'\nasyncio.run(main())");
///         py.run(program, Some(&globals), None)
///     })
/// }
/// ```
///
/// # Errors
/// As [`future_to_awaitable`].
#[track_caller]
pub fn create_job_awaitable(
    py: Python<'_>,
    job_id: String,
    receiver: impl JobReceiver,
) -> PyResult<Bound<'_, Job>> {
    receiver.into_awaitable(py, job_id)
}

/// What a job's result may come through.
pub trait JobReceiver {
    /// Makes the awaitable of the job `job_id`.
    ///
    /// # Errors
    /// As [`future_to_awaitable`].
    #[track_caller]
    fn into_awaitable(self, py: Python<'_>, job_id: String) -> PyResult<Bound<'_, Job>>;
}

impl JobReceiver for Future<ArtifactInfo> {
    #[track_caller]
    fn into_awaitable(self, py: Python<'_>, job_id: String) -> PyResult<Bound<'_, Job>> {
        awaitable_of(py, Some(&job_id), Work::new(self, None).out())
    }
}

impl JobReceiver for tokio::sync::oneshot::Receiver<ArtifactInfo> {
    #[track_caller]
    fn into_awaitable(self, py: Python<'_>, job_id: String) -> PyResult<Bound<'_, Job>> {
        ready(py)?;
        let (promise, outcome) = promise::<ArtifactInfo>();
        let gone = format!("the sender of job {job_id} was dropped");
        let job = async move {
            let _ = promise.settle(self.await.map_err(|_| Failure::cancelled(&gone)));
        };
        let (runnable, task) = async_task::spawn(job, hand_to_tokio);
        runnable.run();
        awaitable_of(py, Some(&job_id), Work::new(outcome, Some(task)).out())
    }
}

/// Done at once if `work` is already; else pending.
#[track_caller]
fn awaitable_of<'py, T: Deliver>(
    py: Python<'py>,
    name: Option<&str>,
    work: Work<T>,
) -> PyResult<Bound<'py, Job>> {
    Job::of(py, name, work.from(Location::caller()), None)
}

fn flatten<T, E>(ended: Result<Result<T, E>, AsyncError>) -> Result<T, Failure>
where
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    match ended {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::from_error(boxed(error))),
        Err(panic) => Err(panic.into()),
    }
}

/// Has what Rust work needs: its threads.
///
/// # Errors
/// `RuntimeError` when the system gives none.
pub(crate) fn ready(py: Python<'_>) -> PyResult<()> {
    fork::watch()?;
    // With the GIL, which nothing of it waits for.
    AsyncRuntime::start_pool().map_err(|error| exception_for(py, &error))
}

/// Where a future goes on after its first wake-up: tokio's threads, without a hop of ours in between.
pub(crate) fn hand_to_tokio(runnable: Runnable) {
    drop(AsyncRuntime::tokio().spawn(async move {
        runnable.run();
    }));
}
