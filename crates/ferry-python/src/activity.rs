//! [`Activity`]: what a piece of submitted work and those who look at it know of each other while it runs:
//! where it is, whether it was told to stop, and how far it is.
//!
//! The job's object, its source, the thread that runs it and its `contextvars` share one. It keeps none of them
//! alive, so that a job which nobody refers to any more is told to stop although its work still runs.

use crate::{
    call::Call, context::current_context, coroutine_job::Stop, names, progress::Progress, source::PyValue,
    threads,
};
use asyncferry::jobs::JobCanceller;
use pyo3::{
    PyTraverseError, PyVisit, exceptions::PyRuntimeError, intern, prelude::*, sync::PyOnceLock,
    types::PyString,
};
use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

#[derive(Default)]
pub(crate) struct Activity {
    /// With which words it was told to stop.
    stopped: OnceLock<String>,
    place: Mutex<Place>,
    /// What it's a part of, and reports to: a map, or the job that it's an attempt of.
    whole: Option<Arc<Self>>,
    /// It's an attempt of a pool's job.
    attempt: Option<Attempt>,
    /// The pool's job that works for it.
    job: OnceLock<JobCanceller>,
    progress: Progress,
    /// The coroutine that a function gave, whose result is to be the job's. Another attempt has another.
    coroutine: Mutex<Option<Arc<Stop>>>,
}

/// What is known of an attempt of a pool's job.
#[derive(Default)]
pub(crate) struct Attempt {
    /// With which words it was cancelled by its own code.
    pub(crate) cancelled: OnceLock<String>,
    /// Its error is none after which it may be tried again.
    pub(crate) is_final: AtomicBool,
}

/// Where a function is that was submitted.
#[derive(Clone, Default)]
enum Place {
    /// Nobody keeps track of it.
    #[default]
    Elsewhere,
    /// In the queue of Ferry's threads, with this number.
    Queued(u64),
    /// On the thread of this name.
    OnThread(Arc<str>),
}

impl Activity {
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// That of a part of what runs here and now, or of what that is a part of itself.
    pub(crate) fn of_a_part(py: Python<'_>) -> PyResult<Self> {
        let here = Self::here(py)?;
        let whole = here.map(|here| here.whole.clone().unwrap_or(here));
        Ok(Self { whole, ..Self::default() })
    }

    /// An attempt of this job.
    pub(crate) fn attempt(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { whole: Some(self.clone()), attempt: Some(Attempt::default()), ..Self::default() })
    }

    /// What is known of it as an attempt, if it's one.
    pub(crate) fn as_attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    /// It's what this job of a pool works for.
    pub(crate) fn is_done_by_job(&self, job: JobCanceller) {
        let _ = self.job.set(job);
        // It may have been told to stop before.
        if let (Some(message), Some(job)) = (self.stopped.get(), self.job.get()) {
            job.cancel(message);
        }
    }

    pub(crate) fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(|message| &**message)
    }

    /// Nobody wants its result any more. Python code may run, of what a call that was queued is dropped with.
    pub(crate) fn stop(&self, message: &str) {
        let _ = self.stopped.set(message.to_owned());
        self.progress.close();
        if let Some(job) = self.job.get() {
            job.cancel(message);
        }
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Place::Queued(number) = place {
            threads::take_back(number);
        }
    }

    /// It goes on with a coroutine, which is the one to be asked to stop from now on.
    pub(crate) fn goes_on(&self, stop: Stop) {
        let stop = Arc::new(stop);
        if let (Some(_), Some(job)) = (&self.attempt, &self.whole) {
            job.set_coroutine(stop.clone());
        }
        self.set_coroutine(stop);
    }

    fn set_coroutine(&self, stop: Arc<Stop>) {
        let before = self.coroutine.lock().unwrap_or_else(PoisonError::into_inner).replace(stop);
        drop(before);
    }

    pub(crate) fn coroutine(&self) -> Option<Arc<Stop>> {
        self.coroutine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it goes on with this coroutine.
    pub(crate) fn is_done_by(&self, call: &Arc<Call>) -> bool {
        self.coroutine().is_some_and(|stop| Arc::ptr_eq(&stop.call, call))
    }

    /// Shows the garbage collector the coroutine's task. Only its job may call it, as there is one of those.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.coroutine().map_or(Ok(()), |stop| stop.call.traverse(visit))
    }

    pub(crate) fn is_queued(&self, number: u64) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Place::Queued(number);
    }

    pub(crate) fn is_on_thread(&self, name: &Arc<str>) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Place::OnThread(name.clone());
    }

    /// What it waits for, as a part of a sentence.
    pub(crate) fn describe(&self, py: Python<'_>) -> Option<String> {
        if let Some(stop) = self.coroutine() {
            return stop.call.describe(py);
        }
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match place {
            Place::Elsewhere => None,
            Place::Queued(number) => Some(match threads::before(number) {
                0 => "waits for a thread".to_owned(),
                before => format!("waits for a thread, with {before} before it"),
            }),
            Place::OnThread(name) => Some(format!("runs on thread {name}")),
        }
    }

    /// A copy of this thread's context in which [`report_progress`] and [`check_cancelled`] know this activity.
    pub(crate) fn context(self: &Arc<Self>, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.inside(py, current_context(py)?)
    }

    /// As [`context`](Self::context), of a copy of `context`.
    pub(crate) fn context_of(self: &Arc<Self>, py: Python<'_>, context: &Py<PyAny>) -> PyResult<Py<PyAny>> {
        self.inside(py, context.call_method0(py, intern!(py, "copy"))?)
    }

    fn inside(self: &Arc<Self>, py: Python<'_>, context: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let inside = Bound::new(py, Inside(self.clone()))?;
        context.call_method1(py, intern!(py, "run"), (variable(py)?.getattr(intern!(py, "set"))?, inside))?;
        Ok(context)
    }

    /// That of the submitted work which runs here and now.
    fn here(py: Python<'_>) -> PyResult<Option<Arc<Self>>> {
        let inside = variable(py)?.call_method1(intern!(py, "get"), (py.None(),))?;
        Ok(inside.cast::<Inside>().ok().map(|inside| inside.get().0.clone()))
    }
}

/// The value of the context variable.
#[pyclass(frozen, module = "asyncferry", name = "_Inside")]
struct Inside(Arc<Activity>);

fn variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        let class = py.import("contextvars")?.getattr("ContextVar")?;
        Ok::<_, PyErr>(class.call1(("asyncferry.job",))?.unbind())
    };
    Ok(VARIABLE.get_or_try_init(py, make)?.bind(py))
}

/// Tells those who iterate over this job's progress() that it has come this far.
///
/// For functions that were given to submit(), and whatever they call in their context; what those report that were
/// given to map() comes out of the map's own progress(). A value is any object; the last 256 are kept for those who
/// look later. Raises RuntimeError elsewhere.
#[pyfunction]
#[pyo3(signature = (value, /))]
pub(crate) fn report_progress(value: Bound<'_, PyAny>) -> PyResult<()> {
    let activity = Activity::here(value.py())?.ok_or_else(|| {
        PyRuntimeError::new_err("report_progress() is for functions that were given to submit() or map()")
    })?;
    let reported = activity.whole.as_ref().unwrap_or(&activity);
    reported.progress.report(Arc::new(PyValue(value.unbind())));
    Ok(())
}

/// Raises asyncio.CancelledError when the job that this function runs for was cancelled, or nobody refers to it
/// any more. For functions that run on a thread, which can't be stopped from outside; call it now and then.
///
/// Outside of submitted work it does nothing.
#[pyfunction]
pub(crate) fn check_cancelled(py: Python<'_>) -> PyResult<()> {
    let activity = Activity::here(py)?;
    match activity.as_ref().and_then(|activity| activity.stopped.get()) {
        None => Ok(()),
        Some(message) => {
            let message = (!message.is_empty()).then(|| PyString::new(py, message).into_any().unbind());
            Err(names::cancelled_error(py, message))
        }
    }
}

/// The attempt that this code runs for is not to be followed by another, whatever it raises.
#[pyfunction]
pub(crate) fn no_retry(py: Python<'_>) -> PyResult<()> {
    if let Some(attempt) = Activity::here(py)?.as_ref().and_then(|activity| activity.as_attempt()) {
        attempt.is_final.store(true, Ordering::Relaxed);
    }
    Ok(())
}
