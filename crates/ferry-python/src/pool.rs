//! `Pool`: Rust's pool of jobs, for Python's functions and for those that are known by a name.
//!
//! ```text
//!   pool.submit(f) ──▶ Rust's queue ──a worker's slot──▶ attempt: f runs on one of Ferry's Python threads, and
//!        │                                                what it awaits on the loop that submitted it
//!        ▼                                                          │
//!       Job ◀────────────────────── the job's outcome ◀─────────────┘ or it's tried again
//! ```
//!
//! A slot is held as long as the function runs, so a pool with two workers calls two functions at once. No thread of Rust
//! takes the GIL for any of it: an attempt is a letter to the Python threads, and a promise to wait for
//! ([`attempt`]).

mod attempt;
mod clock;
mod errors;
mod ids;
mod latent;
mod metrics;
mod retry;
mod terms;

pub(crate) use clock::BeatClock;
pub(crate) use errors::{PoolFull, PoolShutDown};
pub(crate) use latent::LatentRef;
pub(crate) use metrics::JobMetrics;
pub(crate) use retry::Retry;
pub(crate) use terms::Options;

use crate::{
    calling,
    count::Count,
    expose::{future_to_awaitable, ready},
    fork::PerProcess,
    glue,
    job::Job,
    threads, timer,
};
use asyncferry::{
    jobs::{self, PoolBuilder, SecondsClock, WhenFull},
    patterns::Drained,
};
use attempt::Prepared;
use ids::JobIds;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyLookupError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

/// A pool of workers, which functions of Python and Rust share: a queue with a bound, priorities and ageing, timeouts,
/// retries, jobs by name, and latent jobs.
///
/// workers is how many jobs run at once, by default as many as there are processors; max_queued is how many may wait.
/// Where the queue is full, submit() raises PoolFull, or with when_full="block" waits for room; submit_async() always
/// waits, and other tasks go on. A job gains one priority for each ageing seconds that it waits; None: age counts for
/// nothing. Deadlines of latent jobs are told by clock, or else in seconds as time.monotonic() and asyncio's loop.time().
///
/// Dropping the pool takes no job away. As a context manager it's shut down at the end, and waits for its jobs.
#[pyclass(frozen, weakref, module = "asyncferry")]
pub struct Pool {
    pool: jobs::Pool,
    when_full: WhenFull,
    /// Those that were registered here.
    functions: Mutex<BTreeMap<String, Arc<Py<PyAny>>>>,
}

impl Pool {
    /// Rust's own pool, in which functions of Rust are registered for Python to call.
    pub fn jobs(&self) -> &jobs::Pool {
        &self.pool
    }

    fn make(py: Python<'_>, builder: PoolBuilder, when_full: WhenFull) -> PyResult<Bound<'_, Self>> {
        Self::around(py, || builder.build(), when_full)
    }

    fn around(
        py: Python<'_>,
        build: impl FnOnce() -> jobs::Pool,
        when_full: WhenFull,
    ) -> PyResult<Bound<'_, Self>> {
        ready(py)?;
        threads::prepare(py)?;
        let pool = build();
        threads_for(py, pool.workers())?;
        let pool = Bound::new(py, Self { pool, when_full, functions: Mutex::default() })?;
        glue::get(py, "pools")?.call_method1("add", (&pool,))?;
        Ok(pool)
    }

    fn functions(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Py<PyAny>>>> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function that was registered here.
    fn function(&self, py: Python<'_>, name: &str) -> Option<Py<PyAny>> {
        self.functions().get(name).map(|function| function.clone_ref(py))
    }
}

#[pymethods]
impl Pool {
    #[new]
    #[pyo3(
        signature = (
            workers = None, *, max_queued = None, when_full = "reject", ageing = Some(1.0), clock = None,
            safety = 1.5, retain_for = 600.0, max_retained = None, name = "pool"
        ),
        // A default that is written as Rust's is an ellipsis there.
        text_signature = "(workers=None, *, max_queued=None, when_full='reject', ageing=1.0, clock=None, \
                          safety=1.5, retain_for=600.0, max_retained=None, name='pool')"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new<'py>(
        py: Python<'py>,
        workers: Option<Count>,
        max_queued: Option<Count>,
        when_full: &str,
        ageing: Option<f64>,
        clock: Option<Bound<'py, BeatClock>>,
        safety: f64,
        retain_for: f64,
        max_retained: Option<Count>,
        name: &str,
    ) -> PyResult<Bound<'py, Self>> {
        let when_full = match when_full {
            "reject" => WhenFull::Reject,
            "block" => WhenFull::Block,
            other => {
                return Err(PyValueError::new_err(format!(
                    "when_full is 'reject' or 'block', not '{other}'; submit_async() waits for room in any case"
                )));
            }
        };
        let ageing = ageing.map(|seconds| positive("ageing", seconds)).transpose()?;
        if !(safety >= 0.0 && safety.is_finite()) {
            return Err(PyValueError::new_err(format!("safety must be a number from 0 on, not {safety}")));
        }
        let mut builder = jobs::Pool::builder()
            .name(name)
            .ageing(ageing)
            .safety(safety)
            .retain_for(timer::duration("retain results", retain_for)?);
        builder = match clock {
            Some(clock) => builder.clock(clock.get().clock.clone()),
            None => builder.clock(monotonic(py)?),
        };
        if let Some(workers) = workers {
            builder = builder.workers(workers.get("workers")?.get());
        }
        if let Some(max_queued) = max_queued {
            builder = builder.max_queued(max_queued.get("max_queued")?.get());
        }
        if let Some(max_retained) = max_retained {
            builder = builder.max_retained(max_retained.get("max_retained")?.get());
        }
        Self::make(py, builder, when_full)
    }

    /// Runs a function as a job, or the one that is registered with this name. It's called in a copy of this context.
    #[pyo3(signature = (function, /, *args, **kwargs))]
    fn submit<'py>(
        slf: &Bound<'py, Self>,
        function: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Job>> {
        Options::plain(slf).submit(function, args, kwargs)
    }

    /// As submit(), waiting for room in the queue: await it for the Job.
    #[pyo3(signature = (function, /, *args, **kwargs))]
    fn submit_async<'py>(
        slf: &Bound<'py, Self>,
        function: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Job>> {
        Options::plain(slf).submit_async(function, args, kwargs)
    }

    /// Plans a function, or a registered one, to start in time for a deadline on the pool's clock.
    #[pyo3(signature = (rule_id, space, deadline, job, /, *args, estimate = 0.0, **kwargs))]
    #[expect(clippy::too_many_arguments, reason = "they are what a latent job has")]
    fn latent<'py>(
        slf: &Bound<'py, Self>,
        rule_id: &str,
        space: &str,
        deadline: f64,
        job: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        estimate: f64,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, LatentRef>> {
        Options::plain(slf).latent(rule_id, space, deadline, job, args, estimate, kwargs)
    }

    /// How the jobs are to run that are submitted by what this gives: pool.options(priority=5).submit(f).
    ///
    /// The higher the priority, from -128 to 127, the sooner; timeout is in seconds, for each attempt; retry is a Retry.
    #[pyo3(signature = (*, name = None, priority = 0, timeout = None, retry = None))]
    fn options<'py>(
        slf: &Bound<'py, Self>,
        name: Option<String>,
        priority: i64,
        timeout: Option<f64>,
        retry: Option<Bound<'py, Retry>>,
    ) -> PyResult<Options> {
        let priority = i8::try_from(priority).map_err(|_| {
            PyValueError::new_err(format!("priority must be from -128 to 127, not {priority}"))
        })?;
        let timeout = timeout.map(|seconds| positive("timeout", seconds)).transpose()?;
        Ok(Options { pool: slf.clone().unbind(), name, priority, timeout, retry: retry.map(Bound::unbind) })
    }

    /// Makes a function known by a name, to whoever submits it here, in whichever language. Others give it plain values:
    /// None, bool, int, float, str, bytes, lists, and dicts with texts as keys.
    ///
    /// Raises ValueError when the name is taken.
    #[pyo3(signature = (name, function, /))]
    fn register(slf: &Bound<'_, Self>, name: String, function: Bound<'_, PyAny>) -> PyResult<()> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err(format!("'{name}' can't be registered: it's not a function")));
        }
        let function = Arc::new(function.unbind());
        let this = slf.get();
        attempt::register(&this.pool, &name, &function)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let before = this.functions().insert(name, function);
        drop(before);
        Ok(())
    }

    /// Makes a name unknown again. Raises LookupError when it was.
    #[pyo3(signature = (name, /))]
    fn unregister(&self, name: &str) -> PyResult<()> {
        let function = self.functions().remove(name);
        drop(function);
        if self.pool.unregister(name) {
            return Ok(());
        }
        Err(PyLookupError::new_err(format!("no job is registered as '{name}'")))
    }

    /// The names that are registered, in alphabetical order.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.pool.names().iter().map(ToString::to_string).collect()
    }

    /// Jobs by bare numbers, as scripts have them.
    #[getter]
    fn ids(slf: &Bound<'_, Self>) -> JobIds {
        JobIds { pool: slf.clone().unbind() }
    }

    /// How many jobs may run at once. It can be changed at any time.
    #[getter]
    fn workers(&self) -> usize {
        self.pool.workers()
    }

    #[setter]
    fn set_workers(&self, py: Python<'_>, workers: Count) -> PyResult<()> {
        let workers = workers.get("workers")?.get();
        threads_for(py, workers)?;
        self.pool.set_workers(workers);
        Ok(())
    }

    /// How many jobs wait in the queue.
    #[getter]
    fn queued(&self) -> usize {
        self.pool.queued()
    }

    /// What the clock shows now by which deadlines of latent jobs are told.
    fn clock_now(&self) -> f64 {
        self.pool.clock_now()
    }

    /// What the pool has counted so far, for each name and priority of its jobs.
    fn metrics(&self) -> Vec<JobMetrics> {
        self.pool.metrics().into_iter().map(JobMetrics).collect()
    }

    /// Takes no more jobs, and waits for those that it has, timeout seconds at most; then all that are left are
    /// cancelled. Gives the names of those that were.
    ///
    /// Await it, or call result().
    #[pyo3(signature = (timeout = None))]
    fn shutdown<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, Job>> {
        let deadline = timeout.map_or(Ok(Duration::MAX), |seconds| timer::duration("wait", seconds))?;
        let pool = self.pool.clone();
        future_to_awaitable(py, async move {
            Ok::<_, PyErr>(match pool.shutdown(deadline).await {
                Drained::Finished => Vec::new(),
                Drained::DeadlinePassed { left } => left,
            })
        })
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.shutdown(py, None)?.call_method0("result").map(drop)
    }

    fn __aenter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, Job>> {
        let py = slf.py();
        Job::ended(py, Some("pool"), crate::source::Ending::Value(slf.into_any().unbind()))
    }

    #[pyo3(signature = (*_error))]
    fn __aexit__<'py>(&self, py: Python<'py>, _error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, Job>> {
        let pool = self.pool.clone();
        future_to_awaitable(py, async move {
            let _ = pool.shutdown(Duration::MAX).await;
            Ok::<(), PyErr>(())
        })
    }

    fn __repr__(&self) -> String {
        format!("<Pool workers={} queued={}>", self.pool.workers(), self.pool.queued())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Held for moments, and never while Python code runs.
        self.functions().values().try_for_each(|function| visit.call(&**function))
    }

    fn __clear__(&self) {
        let names: Vec<_> = self.functions().keys().cloned().collect();
        for name in names {
            self.pool.unregister(&name);
        }
        let functions = std::mem::take(&mut *self.functions());
        drop(functions);
    }
}

/// Rust's own side of Python's `asyncferry.default_pool()`: what is registered with it is called by its name from Python, and
/// the other way round.
///
/// ```
/// use asyncferry_python::{default_pool, interpreter};
/// use pyo3::prelude::*;
/// use std::io;
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let double = |number: i64| async move { Ok::<_, io::Error>(2 * number) };
///         default_pool(py)?.register("double", double).expect("the name is free");
///         let program = c"import asyncferry as ferry\nassert ferry.default_pool().submit('double', 21).result() == 42";
///         py.run(program, None, None)
///     })
/// }
/// ```
///
/// # Errors
/// `RuntimeError` when the system gives no threads for it.
pub fn rust_default_pool(py: Python<'_>) -> PyResult<jobs::Pool> {
    Ok(default_pool(py)?.get().pool.clone())
}

/// The one that Rust had before Python.
static GIVEN: OnceLock<jobs::Pool> = OnceLock::new();

/// Makes a pool of Rust's Python's `asyncferry.default_pool()`, where that was not asked for yet. A forked child makes its own.
///
/// # Errors
/// The pool comes back when one was set already.
pub fn set_default_pool(pool: jobs::Pool) -> Result<(), jobs::Pool> {
    GIVEN.set(pool)
}

/// The pool that all of a process share who need none of their own: as many workers as there are processors.
#[pyfunction]
pub(crate) fn default_pool(py: Python<'_>) -> PyResult<Py<Pool>> {
    static DEFAULT: PerProcess<Arc<Py<Pool>>> = PerProcess::new();
    let make = || {
        if let Some(given) = GIVEN.get().filter(|given| !given.is_forked()) {
            return Ok(Arc::new(Pool::around(py, || given.clone(), WhenFull::Reject)?.unbind()));
        }
        let builder = jobs::Pool::builder().name("default").clock(monotonic(py)?);
        Ok(Arc::new(Pool::make(py, builder, WhenFull::Reject)?.unbind()))
    };
    Ok(DEFAULT.get_or_try_init(py, make)?.clone_ref(py))
}

/// Python exits: its pools work off what they have, as those of `concurrent.futures` do.
///
/// # Errors
/// What Ctrl-C raises meanwhile.
pub(crate) fn end(py: Python<'_>) -> PyResult<()> {
    let pools = glue::get(py, "pools")?;
    for pool in pools.call_method0("copy")?.try_iter()? {
        let pool = pool?.cast_into::<Pool>()?;
        if pool.get().pool.is_forked() {
            continue;
        }
        let job = pool.get().shutdown(py, None)?;
        calling::call_method(&job, &PyString::new(py, "result"), ())?;
    }
    Ok(())
}

/// Lets there be as many Python threads as the pool may call functions at once, and some for others: an attempt that waits for a
/// thread would use up its time.
fn threads_for(py: Python<'_>, workers: usize) -> PyResult<()> {
    const OTHERS: usize = 4;
    let wanted = NonZeroUsize::new(workers.saturating_add(OTHERS)).unwrap_or(NonZeroUsize::MIN);
    threads::set_limits(py, |limits| limits.threads = limits.threads.max(wanted))
}

/// Seconds as `time.monotonic()` and asyncio's loops have them.
fn monotonic(py: Python<'_>) -> PyResult<SecondsClock> {
    Ok(SecondsClock::showing(py.import("time")?.call_method0("monotonic")?.extract()?))
}

/// A time that is not none.
fn positive(what: &str, seconds: f64) -> PyResult<Duration> {
    if seconds > 0.0 {
        return timer::duration("wait", seconds);
    }
    Err(PyValueError::new_err(format!("{what} must be more than 0 seconds, not {seconds}")))
}

/// What `submit` is given: a function, or the name of one that is registered.
fn prepare<'py>(
    pool: &Bound<'py, Pool>,
    function: Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
    retry: Option<&Bound<'py, Retry>>,
) -> PyResult<Prepared> {
    let Ok(name) = function.cast::<PyString>() else {
        return Prepared::function(function, None, args, kwargs, retry);
    };
    let name = name.to_str()?.to_owned();
    match pool.get().function(pool.py(), &name) {
        Some(function) => Prepared::function(function.into_bound(pool.py()), Some(name), args, kwargs, retry),
        None => Prepared::named(pool.py(), name, args, kwargs),
    }
}
