//! [`JobIds`]: jobs by bare numbers, as scripts have them.

use super::{
    builder::JobBuilder,
    handle::{Job, JobId},
    pool::{Pool, WeakPool},
    retained::Retained,
    submit_error::SubmitError,
};
use crate::{
    error::Failure,
    promise::{Outcome, Place, State},
    value::Value,
};
use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Jobs by bare numbers, for those who can't hold a handle: scripts, other processes. [`Pool::ids`](super::Pool::ids) gives it.
///
/// A job that was [called](Self::call) has its number until it's [cleaned up](Self::cleanup). One that has ended, and that nobody cleans
/// up, is forgotten after a [time](super::PoolBuilder::retain_for), or when [too many](super::PoolBuilder::max_retained) have ended since.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, State, Value, jobs::Pool};
/// use std::io;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let pool = Pool::new();
///     pool.register("double", |number: i64| async move { Ok::<_, io::Error>(2 * number) }).unwrap();
///     let id = pool.ids().call("double", Value::from_iter([Value::from(21)])).await.unwrap();
///     assert_eq!(pool.ids().get(id).unwrap_err().to_string(), "future not ready");
///     assert_eq!(pool.ids().wait(id).await.unwrap(), Value::from(42));
///     assert_eq!(pool.ids().state(id).unwrap(), State::Completed);
///     pool.ids().cleanup(id).unwrap();
///     assert_eq!(pool.ids().get(id).unwrap_err().to_string(), "future not found");
/// });
/// ```
pub struct JobIds {
    pool: WeakPool,
    jobs: Arc<Retained<JobId>>,
}

impl JobIds {
    pub(super) fn new(pool: WeakPool, jobs: Arc<Retained<JobId>>) -> Self {
        Self { pool, jobs }
    }

    fn pool(&self) -> Pool {
        self.pool.upgrade().unwrap_or_else(|| unreachable!("the pool has these ids"))
    }

    /// Submits the job that is registered with this name, and gives its id. Where the queue is full, it does what the
    /// pool's [`when_full`](super::PoolBuilder::when_full) says.
    ///
    /// # Errors
    /// [`IdError::ShuttingDown`], or [`IdError::Refused`].
    ///
    /// # Cancel safety
    /// Dropping it while it waits for room drops the job.
    pub async fn call(&self, name: &str, arguments: Value) -> Result<JobId, IdError> {
        self.submit(self.pool().named(name, arguments)).await
    }

    /// As [`call`](Self::call), of any job that gives a value.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    /// As [`call`](Self::call).
    pub async fn submit(&self, job: JobBuilder<Value>) -> Result<JobId, IdError> {
        job.submit().await.map(|job| self.keep(job)).map_err(IdError::from)
    }

    /// [`submit`](Self::submit) that never waits.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn submit_nowait(&self, job: JobBuilder<Value>) -> Result<JobId, IdError> {
        job.submit_nowait().map(|job| self.keep(job)).map_err(IdError::from)
    }

    /// Gives a job that was submitted already a place here. Its other handle may stay, and gives the same result, if it's not awaited
    /// itself.
    pub fn keep(&self, job: impl Into<Arc<Job<Value>>>) -> JobId {
        let job = job.into();
        let id = job.id();
        self.jobs.keep(id, job);
        id
    }

    /// Waits until the job has ended, and gives a copy of its result. Any number may wait, any number of times.
    ///
    /// # Errors
    /// [`IdError`].
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub fn wait(&self, id: JobId) -> IdWait {
        IdWait { job: self.jobs.get(&id), place: None }
    }

    /// Whether [`wait`](Self::wait) would not wait.
    ///
    /// # Errors
    /// [`IdError::NotFound`].
    pub fn is_ready(&self, id: JobId) -> Result<bool, IdError> {
        Ok(self.find(id)?.is_ready())
    }

    /// A copy of the job's result, if it has ended.
    ///
    /// # Errors
    /// [`IdError`]; [`NotReady`](IdError::NotReady) when it has not.
    pub fn get(&self, id: JobId) -> Result<Value, IdError> {
        match self.find(id)?.outcome() {
            None => Err(IdError::NotReady),
            Some(outcome) => result(outcome),
        }
    }

    /// Cancels the job; `false` when it has ended already. See [`Job::cancel`].
    ///
    /// # Errors
    /// [`IdError::NotFound`].
    pub fn cancel(&self, id: JobId, message: &str) -> Result<bool, IdError> {
        Ok(self.find(id)?.cancel(message))
    }

    /// Where the job stands: 0 pending, 1 completed, 2 failed, 3 cancelled.
    ///
    /// # Errors
    /// [`IdError::NotFound`].
    pub fn state(&self, id: JobId) -> Result<State, IdError> {
        Ok(self.find(id)?.state())
    }

    /// The job itself, to share; `None` if no job has this number.
    pub fn job(&self, id: JobId) -> Option<Arc<Job<Value>>> {
        self.jobs.get(&id)
    }

    /// What the job has last told of its progress.
    ///
    /// # Errors
    /// [`IdError::NotFound`].
    pub fn progress(&self, id: JobId) -> Result<Option<Value>, IdError> {
        Ok(self.find(id)?.progress())
    }

    /// Forgets a job that has ended, and with it its result.
    ///
    /// # Errors
    /// [`IdError::NotFound`]; and [`IdError::NotReady`] when it has not ended: cancel it, or wait.
    pub fn cleanup(&self, id: JobId) -> Result<(), IdError> {
        match self.jobs.remove_if(&id, Job::is_ready) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(IdError::NotFound),
            Err(()) => Err(IdError::NotReady),
        }
    }

    /// How many jobs have an id here.
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether no job has an id here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn find(&self, id: JobId) -> Result<Arc<Job<Value>>, IdError> {
        self.jobs.get(&id).ok_or(IdError::NotFound)
    }
}

impl fmt::Debug for JobIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobIds").field("len", &self.len()).finish()
    }
}

fn result(outcome: Outcome<Value>) -> Result<Value, IdError> {
    outcome.map_err(|failure| match failure {
        Failure::Cancelled(message) => IdError::Cancelled(message),
        failed => IdError::Failed(failed),
    })
}

/// What [`JobIds::wait`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct IdWait {
    job: Option<Arc<Job<Value>>>,
    place: Place,
}

impl Future for IdWait {
    type Output = Result<Value, IdError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { job, place } = &mut *self;
        let Some(job) = job else { return Poll::Ready(Err(IdError::NotFound)) };
        ready!(job.entry.outcome().poll_settled(place, cx));
        Poll::Ready(match job.outcome() {
            Some(outcome) => result(outcome),
            // It was awaited by a handle of its own, before it came here.
            None => Err(IdError::NotFound),
        })
    }
}

impl Drop for IdWait {
    fn drop(&mut self) {
        if let Some(job) = &self.job {
            job.entry.outcome().forget(&mut self.place);
        }
    }
}

impl fmt::Debug for IdWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdWait").field(&self.job).finish()
    }
}

/// What asking for a job by its number fails with. What a script sees are these words.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IdError {
    /// No job has this number, or not any more.
    NotFound,
    /// It has not ended yet.
    NotReady,
    /// It was cancelled, with this message if there was one.
    Cancelled(Option<Arc<str>>),
    /// The pool was shut down.
    ShuttingDown,
    /// It failed, with this error.
    Failed(Failure),
    /// It was not taken.
    Refused(SubmitError),
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("future not found"),
            Self::NotReady => f.write_str("future not ready"),
            Self::Cancelled(_) => f.write_str("future was cancelled"),
            Self::ShuttingDown => f.write_str("async manager is shutting down"),
            Self::Failed(failure) => failure.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl Error for IdError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(failure) => failure.source(),
            Self::Refused(error) => error.source(),
            _ => None,
        }
    }
}

impl From<SubmitError> for IdError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::ShutDown => Self::ShuttingDown,
            other => Self::Refused(other),
        }
    }
}
