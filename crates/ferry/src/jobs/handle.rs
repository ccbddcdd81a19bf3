//! [`Job`]: the handle of a job that was submitted.

use super::{
    core::Core,
    entry::{Entry, EntryFor, Held, Told},
    park::park_on,
    phase,
};
use crate::{
    cancel::Cancelled,
    error::Failure,
    model::Apart,
    promise::{Future as Settles, Outcome, Place, State, promise},
    value::Value,
};
use futures_util::Stream;
use std::{
    fmt,
    future::Future,
    num::NonZeroU64,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio_stream::wrappers::WatchStream;

/// Names a job, once in the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(NonZeroU64);

impl JobId {
    pub(super) fn next() -> Self {
        static LAST: Apart<AtomicU64> = Apart(AtomicU64::new(0));
        let number = LAST.0.fetch_add(1, Ordering::Relaxed) + 1;
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    /// An id that nothing else has, for what is no job but is asked for in the same way: a script's task.
    pub fn unused() -> Self {
        Self::next()
    }

    /// The id with this number, as scripts have it; `None` for 0. It need not be one of a job.
    pub fn of(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// Its number.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a job does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It's latent: it will be submitted in time for its deadline.
    Latent,
    /// It waits in the queue.
    Queued,
    /// It runs.
    Running,
    /// An attempt has failed, and the next one is not due yet.
    Waiting,
    /// It has its outcome.
    Ended,
}

/// A job that was submitted. Await it for its result.
///
/// Awaiting gives [`Failure::Failed`] with the job's own error, an [`AsyncError::Panic`](crate::AsyncError) with the text when it
/// panicked, or an [`AsyncError::Timeout`](crate::AsyncError) when it took too long; and [`Failure::Cancelled`] when it was cancelled.
///
/// Dropping it lets the job run on by itself: its result is dropped then, and an error told to
/// [`on_failure`](super::PoolBuilder::on_failure).
///
/// # Cancel safety
/// Dropping it half-way lets the job run on.
///
/// # Panics
/// When it's polled again after it gave its result.
#[must_use = "a job whose handle is dropped runs on by itself; say so with `drop`"]
pub struct Job<T> {
    pub(super) core: Arc<Core>,
    pub(super) entry: Arc<dyn EntryFor<T>>,
    /// Of the task that awaits it.
    place: Place,
    /// Whether somebody has looked at an outcome that was there.
    is_seen: AtomicBool,
}

impl<T> Job<T> {
    #[inline]
    pub(super) fn new(core: Arc<Core>, entry: Arc<dyn EntryFor<T>>) -> Self {
        Self { core, entry, place: None, is_seen: AtomicBool::new(false) }
    }

    /// Its id.
    pub fn id(&self) -> JobId {
        self.entry.header().id
    }

    /// Its name; `job` if it was given none.
    pub fn name(&self) -> &str {
        &self.core.kinds.get(self.entry.header().kind).name
    }

    /// Its priority.
    pub fn priority(&self) -> i8 {
        self.entry.header().priority
    }

    /// Where it stands: one of the four states that every language knows.
    pub fn state(&self) -> State {
        self.entry.outcome().state()
    }

    /// Whether awaiting it would not wait.
    pub fn is_ready(&self) -> bool {
        self.state() != State::Pending
    }

    /// What it does now.
    pub fn stage(&self) -> Stage {
        match self.entry.header().phase.at().stage {
            phase::Stage::Held => Stage::Latent,
            phase::Stage::Queued => Stage::Queued,
            phase::Stage::Running => Stage::Running,
            phase::Stage::Delayed => Stage::Waiting,
            phase::Stage::Ended => Stage::Ended,
        }
    }

    /// Which attempt runs, ran last, or is to run next; from 1 on.
    pub fn attempt(&self) -> u32 {
        self.entry.header().phase.at().attempt
    }

    /// Cancels the job, with a message for those who wait (empty: none). `false` when it has ended already. Works from any
    /// thread.
    ///
    /// A job in the queue is taken out of it, and its work is dropped. One that runs code which blocks has ended for those
    /// who wait; its code may ask [`JobContext::check`](super::JobContext::check). Async code is cancelled as a task is: where it waits, by an error
    /// in a [`cancellable`](crate::cancellable) or else by being dropped; so it may clean up, or go on and give its result.
    pub fn cancel(&self, message: &str) -> bool {
        !self.core.is_forked() && self.core.cancel(&self.erased(), &Cancelled::new(message))
    }

    /// What it has last told of its progress.
    pub fn progress(&self) -> Option<Value> {
        self.entry.header().last_progress()
    }

    /// What it tells of its progress from now on, until it ends; what it told last comes at once. Whoever reads slowly
    /// misses what is outdated.
    pub fn watch_progress(&self) -> ProgressStream {
        ProgressStream {
            told: WatchStream::new(self.entry.header().watch_progress()),
            seen: 0,
            is_over: false,
        }
    }

    /// Waits for the result, and blocks this thread meanwhile: for threads that run no loop. On a loop it blocks all of that, and
    /// on the one that the pool lives on it would never end.
    ///
    /// # Errors
    /// As awaiting it.
    ///
    /// # Panics
    /// On the loop that the pool lives on, when the job has not ended.
    ///
    /// ```
    /// use asyncferry::jobs::Pool;
    /// use std::io;
    ///
    /// let pool = Pool::new();
    /// let job = pool.blocking(|_| Ok::<_, io::Error>(6 * 7)).submit_blocking().unwrap();
    /// assert_eq!(job.wait().unwrap(), 42);
    /// ```
    pub fn wait(mut self) -> Outcome<T> {
        let is_home = self.core.home.is_this_thread();
        park_on(|cx| {
            let polled = Pin::new(&mut self).poll(cx);
            assert!(
                polled.is_ready() || !is_home,
                "waiting here would stop the loop that the job runs on: await it"
            );
            polled
        })
    }

    /// Waits until it has ended, and leaves its result where it is: for those who share the handle, and take copies of the
    /// [outcome](Self::outcome).
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, jobs::Pool};
    /// use std::{io, sync::Arc};
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let pool = Pool::new();
    ///     let job = Arc::new(pool.blocking(|_| Ok::<_, io::Error>(42)).submit().await.unwrap());
    ///     job.ended().await;
    ///     assert_eq!((job.outcome().unwrap().unwrap(), job.outcome().unwrap().unwrap()), (42, 42));
    /// });
    /// ```
    pub fn ended(self: &Arc<Self>) -> JobEnded<T> {
        JobEnded { job: self.clone(), place: None }
    }

    /// Its outcome as the future of a promise, for many to await, or to hand on to other languages. Whoever has that looks
    /// after the job's error. It's for results that this handle is not awaited for: each result is given out once.
    ///
    /// Cancelling or dropping that future leaves the job alone; see [`canceller`](Self::canceller).
    pub fn share(&self) -> Settles<T>
    where
        T: Send + Sync + 'static,
    {
        self.share_as(|value| value)
    }

    /// [`share`](Self::share), with what `make` makes of the result, where the job ends.
    pub fn share_as<U>(&self, make: impl FnOnce(T) -> U + Send + 'static) -> Settles<U>
    where
        U: Send + Sync + 'static,
    {
        self.is_seen.store(true, Ordering::Relaxed);
        let (promise, future) = promise();
        self.entry.outcome().on_settled(move |outcome| {
            let lost = || Failure::cancelled("the job's result was given out already");
            // Nobody waits any more, if it fails.
            let _ = promise.settle(match outcome {
                Ok(held) => held.take().map(make).ok_or_else(lost),
                Err(failure) => Err(failure.clone()),
            });
        });
        future
    }

    /// What cancels the job where its handle is elsewhere.
    pub fn canceller(&self) -> JobCanceller {
        JobCanceller { core: self.core.clone(), entry: self.erased() }
    }

    /// How it failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        self.seen()?.as_ref().err()
    }

    pub(super) fn erased(&self) -> Arc<dyn Entry> {
        self.entry.clone()
    }

    /// Calls `callback` once it has ended.
    pub(super) fn on_ended(&self, callback: impl FnOnce() + Send + 'static) {
        self.entry.outcome().on_settled(|_| callback());
    }

    fn seen(&self) -> Option<&Outcome<Held<T>>> {
        let outcome = self.entry.outcome().get()?;
        self.is_seen.store(true, Ordering::Relaxed);
        Some(outcome)
    }

    /// Ready once it has ended.
    pub(super) fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.entry.outcome().poll_settled(&mut self.place, cx)
    }
}

impl<T: Clone> Job<T> {
    /// A copy of its outcome, if it has ended and was not awaited.
    pub fn outcome(&self) -> Option<Outcome<T>> {
        match self.seen()? {
            Ok(held) => held.copy().map(Ok),
            Err(failure) => Some(Err(failure.clone())),
        }
    }
}

impl<T> Future for Job<T> {
    type Output = Outcome<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        ready!(self.poll_ended(cx));
        Poll::Ready(match self.seen() {
            Some(Ok(held)) => Ok(held.take().expect("a job gives its result once")),
            Some(Err(failure)) => Err(failure.clone()),
            None => unreachable!("it has ended"),
        })
    }
}

impl<T> Drop for Job<T> {
    #[inline]
    fn drop(&mut self) {
        let outcome = self.entry.outcome();
        outcome.forget(&mut self.place);
        if *self.is_seen.get_mut() || outcome.state() == State::Completed {
            return;
        }
        if self.entry.header().handle_goes()
            && let Some(Err(Failure::Failed(error))) = outcome.get()
        {
            self.core.report(self.entry.header(), &**error);
        }
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id().number())
            .field("name", &self.name())
            .field("stage", &self.stage())
            .field("attempt", &self.attempt())
            .finish()
    }
}

/// What [`Job::ended`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct JobEnded<T> {
    job: Arc<Job<T>>,
    place: Place,
}

impl<T> Future for JobEnded<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { job, place } = &mut *self;
        job.entry.outcome().poll_settled(place, cx)
    }
}

impl<T> Drop for JobEnded<T> {
    fn drop(&mut self) {
        self.job.entry.outcome().forget(&mut self.place);
    }
}

impl<T> fmt::Debug for JobEnded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobEnded").field(&self.job).finish()
    }
}

/// Cancels a job; see [`Job::canceller`]. It keeps the job's result as long as it lives, and the job runs whether there is one or not.
#[derive(Clone)]
pub struct JobCanceller {
    core: Arc<Core>,
    entry: Arc<dyn Entry>,
}

impl JobCanceller {
    /// The job's id.
    pub fn id(&self) -> JobId {
        self.entry.header().id
    }

    /// See [`Job::cancel`].
    pub fn cancel(&self, message: &str) -> bool {
        !self.core.is_forked() && self.core.cancel(&self.entry, &Cancelled::new(message))
    }
}

impl fmt::Debug for JobCanceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobCanceller").field("id", &self.id().number()).finish()
    }
}

/// What [`Job::watch_progress`] returns.
#[must_use = "streams do nothing unless polled"]
pub struct ProgressStream {
    told: WatchStream<Told>,
    /// How many were told when it last gave one.
    seen: u64,
    is_over: bool,
}

impl Stream for ProgressStream {
    type Item = Value;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Value>> {
        while !self.is_over {
            let Some(told) = ready!(Pin::new(&mut self.told).poll_next(cx)) else { break };
            self.is_over = told.is_over;
            if told.number > self.seen {
                self.seen = told.number;
                return Poll::Ready(told.last);
            }
        }
        Poll::Ready(None)
    }
}

impl fmt::Debug for ProgressStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressStream").finish_non_exhaustive()
    }
}
