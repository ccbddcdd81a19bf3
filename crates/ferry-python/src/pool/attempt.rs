//! An attempt of a pool's job that calls a function of Python, and the job itself before it's submitted.

use super::{errors::refused, retry::Retry};
use crate::{
    activity::{Activity, no_retry},
    glue,
    home::Home,
    job::Job,
    source::{Once, Work},
    submit::name_of,
    threads::{self, Answer, Called, What},
    value::{self, Crossing},
};
use asyncferry::{
    Failure, Future, Value, cancellable,
    jobs::{self, AlreadyRegistered, JobBuilder, NoRetry, SubmitError},
    promise,
};
use pyo3::{
    prelude::*,
    types::{PyCFunction, PyDict, PyTuple},
    wrap_pyfunction,
};
use std::{
    error::Error,
    future::poll_fn,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

type Boxed = Box<dyn Error + Send + Sync>;

/// A job that is to be submitted.
pub(super) struct Prepared {
    pub(super) name: String,
    what: Kind,
}

enum Kind {
    /// A function of Python.
    Function { called: Arc<Called>, activity: Arc<Activity> },
    /// One that is known by a name, in another language.
    Named(Value),
}

/// How a job is to run.
#[derive(Clone, Default)]
pub(super) struct Terms {
    pub(super) name: Option<String>,
    pub(super) priority: i8,
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<jobs::Retry>,
    pub(super) estimate: Duration,
}

/// A job that was submitted, which becomes one of Python's.
pub(super) enum Submitted {
    Function { job: jobs::Job<Once<Py<PyAny>>>, activity: Arc<Activity>, name: String },
    Named { job: jobs::Job<Value>, name: String },
}

/// A job that is planned.
pub(super) enum Planned {
    Function(jobs::LatentRef<Once<Py<PyAny>>>),
    Named(jobs::LatentRef<Value>),
}

/// A job that may be submitted.
pub(super) enum Builder {
    Function { job: JobBuilder<Once<Py<PyAny>>>, activity: Arc<Activity>, name: String },
    Named { job: JobBuilder<Value>, name: String },
}

impl Prepared {
    pub(super) fn function(
        function: Bound<'_, PyAny>,
        name: Option<String>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
        retry: Option<&Bound<'_, Retry>>,
    ) -> PyResult<Self> {
        let py = function.py();
        if !function.is_callable() {
            return Err(crate::submit::not_a_function(&function));
        }
        let name = name.map_or_else(|| name_of(&function), Ok)?;
        let function = match retry.and_then(|retry| retry.get().retry_on.as_ref()) {
            Some(retry_on) => {
                let no_retry: Bound<'_, PyCFunction> = wrap_pyfunction!(no_retry, py)?;
                glue::call(py, "retried", (function, retry_on.clone_ref(py), no_retry))?
            }
            None => function,
        };
        let activity = Arc::new(Activity::default());
        let all = std::iter::once(function).chain(args.iter()).collect::<Vec<_>>();
        let what = What::Python {
            function_and_arguments: PyTuple::new(py, all)?.unbind(),
            keywords: kwargs.map(|kwargs| kwargs.clone().unbind()),
        };
        let called = Called {
            name: name.clone(),
            what,
            context: Some(activity.context(py)?),
            home: Home::of_running_loop(py)?,
        };
        Ok(Self { name, what: Kind::Function { called: Arc::new(called), activity } })
    }

    pub(super) fn named(
        _py: Python<'_>,
        name: String,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let arguments = value::arguments(args, kwargs, &asyncferry::ValueLimits::default())?;
        Ok(Self { name, what: Kind::Named(arguments) })
    }

    /// The job, for `pool` on these terms.
    pub(super) fn build(self, pool: &jobs::Pool, terms: &Terms) -> Builder {
        let name = terms.name.clone().unwrap_or(self.name.clone());
        match self.what {
            Kind::Function { called, activity } => {
                let there = activity.clone();
                let attempt = move |_| attempt(called.clone(), there.clone());
                let job = match &terms.retry {
                    Some(retry) => pool.task_again(retry.clone(), attempt),
                    None => pool.task(attempt),
                };
                Builder::Function { job: on_terms(job, &name, terms), activity, name }
            }
            Kind::Named(arguments) => {
                let job = match &terms.retry {
                    Some(retry) => pool.named_again(retry.clone(), &self.name, arguments),
                    None => pool.named(&self.name, arguments),
                };
                Builder::Named { job: on_terms(job, &name, terms), name }
            }
        }
    }
}

fn on_terms<T: Send + 'static>(job: JobBuilder<T>, name: &str, terms: &Terms) -> JobBuilder<T> {
    let job = job.name(name).priority(terms.priority).estimate(terms.estimate);
    match terms.timeout {
        Some(timeout) => job.timeout(timeout),
        None => job,
    }
}

impl Builder {
    pub(super) fn submit(self, blocks: bool) -> Result<Submitted, SubmitError> {
        match self {
            Self::Function { job, activity, name } => {
                let job = if blocks { job.submit_blocking() } else { job.submit_nowait() }?;
                Ok(Submitted::Function { job, activity, name })
            }
            Self::Named { job, name } => {
                let job = if blocks { job.submit_blocking() } else { job.submit_nowait() }?;
                Ok(Submitted::Named { job, name })
            }
        }
    }

    pub(super) async fn submit_async(self) -> Result<Submitted, PyErr> {
        let error = |error: SubmitError| refused(&error);
        Ok(match self {
            Self::Function { job, activity, name } => {
                Submitted::Function { job: job.submit().await.map_err(error)?, activity, name }
            }
            Self::Named { job, name } => Submitted::Named { job: job.submit().await.map_err(error)?, name },
        })
    }

    pub(super) fn latent<'py>(
        self,
        py: Python<'py>,
        rule_id: &str,
        space: &str,
        deadline: f64,
    ) -> PyResult<(Planned, Bound<'py, Job>)> {
        match self {
            Self::Function { job, activity, name } => {
                let latent = job.latent(rule_id, space, deadline).map_err(|error| refused(&error))?;
                let job = job_of(py, latent.job(), activity, &name)?;
                Ok((Planned::Function(latent), job))
            }
            Self::Named { job, name } => {
                let latent = job.latent(rule_id, space, deadline).map_err(|error| refused(&error))?;
                let job = job_of_named(py, latent.job(), &name)?;
                Ok((Planned::Named(latent), job))
            }
        }
    }
}

impl<'py> IntoPyObject<'py> for Submitted {
    type Target = Job;
    type Output = Bound<'py, Job>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, Job>> {
        match self {
            Self::Function { job, activity, name } => job_of(py, &job, activity, &name),
            Self::Named { job, name } => job_of_named(py, &job, &name),
        }
    }
}

/// Python's job for one of Rust's pool, whose work `activity` knows.
fn job_of<'py>(
    py: Python<'py>,
    job: &jobs::Job<Once<Py<PyAny>>>,
    activity: Arc<Activity>,
    name: &str,
) -> PyResult<Bound<'py, Job>> {
    activity.is_done_by_job(job.canceller());
    let work = Work::new(job.share(), None).with(activity.clone()).out();
    Job::of(py, Some(name), work, Some(activity))
}

fn job_of_named<'py>(py: Python<'py>, job: &jobs::Job<Value>, name: &str) -> PyResult<Bound<'py, Job>> {
    let activity = Arc::new(Activity::default());
    activity.is_done_by_job(job.canceller());
    let outcome: Future<Crossing> = job.share_as(Crossing);
    Job::of(py, Some(name), Work::new(outcome, None).with(activity.clone()).out(), Some(activity))
}

/// Calls a function, on one of Ferry's Python threads, and waits for what it gives.
async fn attempt(called: Arc<Called>, job: Arc<Activity>) -> Result<Once<Py<PyAny>>, Boxed> {
    let mut running = Running::start(called, job)?;
    poll_fn(|cx| running.outcome.poll_settled(cx)).await;
    running.result()
}

/// As [`attempt`], where only the job itself hears of requests to cancel: the function is told what they say.
async fn attempt_of_others(called: Arc<Called>, job: Arc<Activity>) -> Result<Once<Py<PyAny>>, Boxed> {
    let mut running = Running::start(called, job)?;
    match cancellable(poll_fn(|cx| running.outcome.poll_settled(cx))).await {
        Ok(()) => running.result(),
        Err(cancelled) => {
            // The function hears of it before it's left.
            running.given_up.activity.stop(cancelled.message());
            Err(cancelled.into())
        }
    }
}

/// A function that was called.
struct Running {
    outcome: Future<Once<Py<PyAny>>>,
    given_up: GivenUp,
}

impl Running {
    fn start(called: Arc<Called>, job: Arc<Activity>) -> Result<Self, Boxed> {
        let activity = job.attempt();
        let (promise, outcome) = promise();
        let given_up = GivenUp { activity: activity.clone(), job, is_over: false };
        threads::submit_from_rust(threads::Call { called, activity, promise, metered: None })?;
        Ok(Self { outcome, given_up })
    }

    /// What it gave; it has ended.
    fn result(mut self) -> Result<Once<Py<PyAny>>, Boxed> {
        self.given_up.is_over = true;
        match self.outcome.get() {
            Some(Ok(result)) => match result.take() {
                Some(result) => Ok(Once::new(result)),
                None => Err("the function's result was lost".into()),
            },
            Some(Err(failure)) => Err(ended(failure, &self.given_up.activity)),
            None => Err("the function was lost".into()),
        }
    }
}

/// What an attempt fails with.
fn ended(failure: &Failure, activity: &Activity) -> Boxed {
    let Some(attempt) = activity.as_attempt() else { return failure.clone().into() };
    if let Some(message) = attempt.cancelled.get() {
        return Failure::cancelled(message).into();
    }
    if attempt.is_final.load(Ordering::Relaxed) {
        return NoRetry::new(failure.clone()).into();
    }
    failure.clone().into()
}

/// Tells a function whose attempt is dropped before it has ended.
struct GivenUp {
    activity: Arc<Activity>,
    job: Arc<Activity>,
    is_over: bool,
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        if !self.is_over {
            self.activity.stop(self.job.stopped().unwrap_or("the attempt was given up"));
        }
    }
}

/// Makes a function of Python known to those of other languages.
pub(super) fn register(
    pool: &jobs::Pool,
    name: &str,
    function: &Arc<Py<PyAny>>,
) -> Result<(), AlreadyRegistered> {
    let (known_as, function) = (name.to_owned(), Arc::downgrade(function));
    pool.register_with_context(name, move |_, arguments: Value| {
        let called = function.upgrade().map(|function| {
            let answer = Answer::default();
            let what = What::Values { function, arguments, answer: answer.clone() };
            (what, answer)
        });
        let name = known_as.clone();
        async move {
            let (what, answer) = called.ok_or("the pool that registered this function is gone")?;
            let job = Arc::new(Activity::default());
            let called = Called { name, what, context: None, home: None };
            attempt_of_others(Arc::new(called), job).await?;
            let value = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
            value.ok_or_else(|| Boxed::from("the function's result was lost"))
        }
    })
}
