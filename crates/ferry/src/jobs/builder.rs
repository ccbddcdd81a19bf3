//! [`JobBuilder`]: a job that is to be submitted, and how.

use super::{
    core::{Core, Refused},
    engine::Remote,
    entry::{Entry, EntryFor, EntryOf, Header},
    handle::Job,
    latent::LatentRef,
    park::park_on,
    retry::Retry,
    settings::WhenFull,
    submit_error::SubmitError,
    work::Work,
};
use crate::{sync::waiters::Key, value::Value};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// A job that is to be submitted: made by [`Pool`](super::Pool)'s methods, it says what else there is to say.
///
/// ```
/// use asyncferry::{AsyncRuntime, jobs::Pool};
/// use std::{io, time::Duration};
///
/// AsyncRuntime::block_on(async {
///     let pool = Pool::new();
///     let job = pool
///         .blocking(|_| Ok::<_, io::Error>(6 * 7))
///         .name("answer")
///         .priority(5)
///         .timeout(Duration::from_secs(10))
///         .submit()
///         .await
///         .unwrap();
///     assert_eq!(job.await.unwrap(), 42);
/// });
/// ```
#[must_use = "a job runs once it's submitted"]
pub struct JobBuilder<T> {
    core: Arc<Core>,
    entry: Arc<dyn EntryFor<T>>,
    name: Option<Arc<str>>,
    estimate: Duration,
    /// Why it can't be submitted, which is told then.
    refused: Option<Box<SubmitError>>,
}

impl JobBuilder<Value> {
    /// A call that others make.
    pub(super) fn remote(core: &Arc<Core>, remote: Remote) -> Self {
        let mut job = Self::new(core, remote, false);
        job.header().is_remote = true;
        job
    }
}

impl<T: Send + 'static> JobBuilder<T> {
    #[inline]
    pub(super) fn new<W: Work<Output = T>>(core: &Arc<Core>, work: W, is_async: bool) -> Self {
        let entry = Arc::new(EntryOf::new(is_async, work));
        Self { core: core.clone(), entry, name: None, estimate: Duration::ZERO, refused: None }
    }

    pub(super) fn refused(mut self, refused: SubmitError) -> Self {
        self.refused = Some(Box::new(refused));
        self
    }

    /// The same job, before anybody else has it.
    fn header(&mut self) -> &mut Header {
        Arc::get_mut(&mut self.entry).unwrap_or_else(|| unreachable!("it was not submitted yet")).header_mut()
    }

    /// Names the job, for those who look at the pool's [metrics](super::Pool::metrics) or read its errors.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The higher, the sooner. 0 unless it's set. A job gains one for each [`ageing`](super::PoolBuilder::ageing) that it waits.
    pub fn priority(mut self, priority: i8) -> Self {
        self.header().priority = priority;
        self
    }

    /// How long an attempt may run. Then it's given up: the job fails with [`AsyncError::Timeout`](crate::AsyncError), or is tried
    /// again. Async code is asked to cancel where it waits. Code that blocks runs on unseen, and keeps its worker, until it
    /// returns; it may ask [`JobContext::check`](super::JobContext::check).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.header().limits_mut().timeout = Some(timeout);
        self
    }

    /// How long the job will run, as far as is known: a [latent](Self::latent) one starts so much sooner.
    pub fn estimate(mut self, estimate: Duration) -> Self {
        self.estimate = estimate;
        self
    }

    pub(super) fn retry(mut self, retry: Retry) -> Self {
        self.header().limits_mut().retry = Some(Arc::new(retry));
        self
    }

    /// Submits the job. Where the queue is full, it does what the pool's [`when_full`](super::PoolBuilder::when_full) says.
    ///
    /// # Errors
    /// [`SubmitError`]. The work is dropped.
    ///
    /// # Cancel safety
    /// Dropping it while it waits for room drops the job. Once it has returned, the job runs.
    pub fn submit(mut self) -> Submit<T> {
        self.settle_kind();
        Submit { job: Some(self), place: None }
    }

    /// [`submit`](Self::submit) that never waits, whatever the pool's policy is.
    ///
    /// # Errors
    /// [`SubmitError`]; [`Full`](SubmitError::Full) where there is no room. The work is dropped.
    #[inline]
    pub fn submit_nowait(mut self) -> Result<Job<T>, SubmitError> {
        self.settle_kind();
        self.try_submit()
    }

    /// [`submit`](Self::submit) that blocks this thread while there is no room, whatever the pool's policy is.
    ///
    /// # Errors
    /// [`SubmitError`]. The work is dropped.
    pub fn submit_blocking(mut self) -> Result<Job<T>, SubmitError> {
        self.settle_kind();
        if self.refused.is_none() && self.core.push(self.entry.clone()).is_ok() {
            return Ok(self.into_job());
        }
        block_on(Submit { job: Some(self), place: None })
    }

    /// Plans the job instead of submitting it: see [`LatentRef`].
    ///
    /// # Errors
    /// [`SubmitError`], [`Full`](SubmitError::Full) when as many latent jobs are planned as [may be](super::PoolBuilder::max_latent).
    pub fn latent(mut self, rule_id: &str, space: &str, deadline: f64) -> Result<LatentRef<T>, SubmitError> {
        if let Some(refused) = self.refused.take() {
            return Err(*refused);
        }
        self.settle_kind();
        self.header().hold();
        let estimate = self.estimate;
        LatentRef::plan(self.into_job(), rule_id, space, deadline, estimate)
    }

    #[inline]
    fn settle_kind(&mut self) {
        let priority = self.entry.header().priority;
        let kind = match &self.name {
            Some(name) => self.core.kinds.place(name, priority),
            None if priority == 0 => return,
            None => self.core.kinds.place(super::stats::PLAIN, priority),
        };
        self.header().kind = kind;
    }

    #[inline]
    fn try_submit(mut self) -> Result<Job<T>, SubmitError> {
        if let Some(refused) = self.refused.take() {
            return Err(*refused);
        }
        match self.core.push(self.entry.clone()) {
            Ok(()) => Ok(self.into_job()),
            Err(refused) => Err(self.error(refused)),
        }
    }

    #[inline]
    fn into_job(self) -> Job<T> {
        Job::new(self.core, self.entry)
    }

    #[cold]
    fn error(&self, refused: Refused) -> SubmitError {
        match refused {
            Refused::Full => SubmitError::Full { max_queued: self.core.settings.max_queued },
            Refused::ShutDown => SubmitError::ShutDown,
            Refused::Forked => SubmitError::Forked,
            Refused::NoWorker(why) => SubmitError::NoWorker(why),
        }
    }
}

impl<T> fmt::Debug for JobBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.entry.header();
        f.debug_struct("JobBuilder").field("name", &self.name).field("priority", &header.priority).finish()
    }
}

/// What [`JobBuilder::submit`] returns.
///
/// # Panics
/// When it's polled again after it has returned.
#[must_use = "futures do nothing unless awaited"]
pub struct Submit<T> {
    job: Option<JobBuilder<T>>,
    /// In the line of those who wait for room.
    place: Option<Key>,
}

impl<T: Send + 'static> Submit<T> {
    /// As [`Future::poll`], where it's decided that it waits.
    fn poll_park(&mut self, cx: &mut Context<'_>) -> Poll<Result<Job<T>, SubmitError>> {
        let Some(job) = &mut self.job else { panic!("it was polled after it has returned") };
        let polled = match job.refused.take() {
            Some(refused) => Poll::Ready(Err(*refused)),
            None => match job.core.poll_push(&(job.entry.clone() as Arc<dyn Entry>), &mut self.place, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(pushed) => Poll::Ready(pushed.map_err(|refused| job.error(refused))),
            },
        };
        polled.map(|pushed| {
            let job = self.job.take().unwrap_or_else(|| unreachable!("it's there"));
            pushed.map(|()| job.into_job())
        })
    }
}

impl<T: Send + 'static> Future for Submit<T> {
    type Output = Result<Job<T>, SubmitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(job) = &self.job else { panic!("it was polled after it has returned") };
        match job.core.settings.when_full {
            WhenFull::Park => self.poll_park(cx),
            WhenFull::Reject => Poll::Ready(match self.job.take() {
                Some(job) => job.try_submit(),
                None => unreachable!("it's there"),
            }),
            WhenFull::Block => Poll::Ready(block_on(Submit { job: self.job.take(), place: None })),
        }
    }
}

impl<T> Drop for Submit<T> {
    fn drop(&mut self) {
        if let Some(job) = &self.job {
            job.core.leave_line(&mut self.place);
        }
    }
}

impl<T> fmt::Debug for Submit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Submit").field(&self.job).finish()
    }
}

/// Waits for room, and blocks this thread.
fn block_on<T: Send + 'static>(mut submit: Submit<T>) -> Result<Job<T>, SubmitError> {
    let is_home = submit.job.as_ref().is_some_and(|job| job.core.home.is_this_thread());
    park_on(|cx| match submit.poll_park(cx) {
        Poll::Pending if is_home => Poll::Ready(Err(SubmitError::WouldBlockLoop)),
        polled => polled,
    })
}
