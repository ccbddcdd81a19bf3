//! [`Entry`]: one job, as the pool has it: where it stands, what it does, and the promise of its outcome.
//!
//! It's shared by the queue or the worker that has it, and by its handles. Its work is dropped when it has begun for the
//! last time, or is cancelled before; its outcome lives as long as somebody holds the future of it.

use super::{
    alarms::AlarmKey,
    context::JobContext,
    core::Core,
    engine::Remote,
    handle::JobId,
    phase::{At, Phase, Stage},
    retry::Retry,
    stats::Place,
    work::{Started, Work},
};
use crate::{
    cancel::{CancellationToken, Cancelled, nested::Nested},
    error::{AsyncError, Failure},
    local::TaskLocals,
    model::{AtomicU8, AtomicU64, Ordering},
    promise::{Inline, Outcome},
    sync::latch::Latch,
    task::catch_panic,
    value::Value,
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::sync::watch;

/// What runs an attempt of async work.
pub(super) type TaskFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) struct Header {
    pub(super) id: JobId,
    pub(super) kind: Place,
    pub(super) priority: i8,
    /// Whether its work is async: it can be asked to cancel, and needs no thread.
    pub(super) is_async: bool,
    /// Whether others than the pool run it.
    pub(super) is_remote: bool,
    pub(super) phase: Phase,
    /// [`GONE`], [`FAILED`].
    flags: AtomicU8,
    /// Since when it's in the queue, and when its attempt began.
    pub(super) since: AtomicU64,
    pub(super) began: AtomicU64,
    /// Made when it's first needed, as a short job needs none of it.
    extras: OnceLock<Box<Extras>>,
}

/// The job's handle is gone.
const GONE: u8 = 1;
/// The job has failed.
const FAILED: u8 = 2;

/// What few jobs have.
#[derive(Default)]
struct Extras {
    limits: Limits,
    /// The alarm of its timeout, its next attempt or its start.
    alarm: AtomicU64,
    stop: Latch<Stop>,
    progress: OnceLock<watch::Sender<Told>>,
}

/// What an attempt may take, and what comes after it.
#[derive(Clone, Default)]
pub(super) struct Limits {
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<Arc<Retry>>,
}

/// Why async work is asked to stop.
#[derive(Clone, Debug)]
pub(super) enum Why {
    Cancelled(Cancelled),
    /// It took longer than that.
    Timeout(Duration),
}

impl Why {
    fn cancelled(&self) -> Cancelled {
        match self {
            Self::Cancelled(cancelled) => cancelled.clone(),
            Self::Timeout(limit) => Cancelled::new(&format!("timed out after {limit:?}")),
        }
    }

    fn failure(self) -> Failure {
        match self {
            Self::Cancelled(cancelled) => cancelled.into(),
            Self::Timeout(limit) => AsyncError::Timeout(limit).into(),
        }
    }
}

/// How the attempt that runs is reached.
#[derive(Default)]
struct Stop {
    attempt: u32,
    /// Of the task that polls async work.
    waker: Option<Waker>,
    request: Option<Why>,
    /// It's to be dropped, whether it has opted in to requests or not.
    at_once: bool,
    token: Option<CancellationToken>,
}

impl Header {
    /// Of a job with a new id, which nobody has yet.
    #[inline]
    pub(super) fn new(is_async: bool) -> Self {
        Self {
            id: JobId::next(),
            kind: 0,
            priority: 0,
            is_async,
            is_remote: false,
            phase: Phase::new(At::FIRST),
            flags: AtomicU8::new(0),
            since: AtomicU64::new(0),
            began: AtomicU64::new(0),
            extras: OnceLock::new(),
        }
    }

    fn extras(&self) -> &Extras {
        self.extras.get_or_init(Box::default)
    }

    #[inline]
    pub(super) fn limits(&self) -> Option<&Limits> {
        self.extras.get().map(|extras| &extras.limits)
    }

    pub(super) fn limits_mut(&mut self) -> &mut Limits {
        self.extras();
        match self.extras.get_mut() {
            Some(extras) => &mut extras.limits,
            None => unreachable!("they were made just now"),
        }
    }

    /// It's latent.
    pub(super) fn hold(&mut self) {
        self.phase = Phase::new(At::HELD);
    }

    /// The handle goes, without having looked at an outcome; whether that is an error, which is to be reported.
    pub(super) fn handle_goes(&self) -> bool {
        self.flags.fetch_or(GONE, Ordering::AcqRel) & FAILED != 0
    }

    /// It has failed; whether nobody will hear of it, as the handle is gone.
    fn has_failed_unheard(&self) -> bool {
        self.flags.fetch_or(FAILED, Ordering::AcqRel) & GONE != 0
    }

    pub(super) fn is_running(&self, attempt: u32) -> bool {
        self.phase.at() == At::running(attempt)
    }

    /// Notes another alarm; gives the one before.
    #[inline]
    pub(super) fn swap_alarm(&self, key: AlarmKey) -> AlarmKey {
        match self.extras.get() {
            None if key == 0 => 0,
            _ => self.extras().alarm.swap(key, Ordering::AcqRel),
        }
    }

    /// Asks the attempt that runs, which is async, to stop. `false` when it has ended.
    pub(super) fn ask(&self, attempt: u32, why: Why, at_once: bool) -> bool {
        let waker = {
            let mut stop = self.extras().stop.lock();
            if !self.is_running(attempt) {
                return false;
            }
            stop.renew(attempt);
            stop.request = Some(why);
            stop.at_once |= at_once;
            stop.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The token of an attempt; it's cancelled when that was given up.
    pub(super) fn token(&self, attempt: u32) -> CancellationToken {
        let token = {
            let mut stop = self.extras().stop.lock();
            if stop.attempt == attempt
                && let Some(token) = &stop.token
            {
                return token.clone();
            }
            let token = CancellationToken::new();
            if self.is_running(attempt) {
                stop.renew(attempt);
                stop.token = Some(token.clone());
                return token;
            }
            token
        };
        token.cancel("the attempt was given up");
        token
    }

    /// An attempt was given up whose code may still run: tells its token.
    pub(super) fn give_up(&self, attempt: u32, why: &str) {
        let Some(extras) = self.extras.get() else { return };
        let token = {
            let mut stop = extras.stop.lock();
            if stop.attempt == attempt { stop.token.take() } else { None }
        };
        if let Some(token) = token {
            token.cancel(why);
        }
    }

    /// Registers the task that polls an attempt, and takes what it's asked for.
    fn poll_stop(&self, attempt: u32, cx: &mut Context<'_>) -> Option<(Why, bool)> {
        let mut stop = self.extras().stop.lock();
        stop.renew(attempt);
        if let Some(why) = stop.request.take() {
            return Some((why, stop.at_once));
        }
        if stop.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return None;
        }
        drop(stop);
        // Wakers are foreign code: cloned before, and dropped after, the latch is held.
        let mut waker = Some(cx.waker().clone());
        let mut stop = self.extras().stop.lock();
        std::mem::swap(&mut stop.waker, &mut waker);
        let asked = stop.request.take().map(|why| (why, stop.at_once));
        drop(stop);
        asked
    }

    /// The attempt has ended: what it leaves is dropped.
    fn clear(&self) {
        let left = {
            let mut stop = self.extras().stop.lock();
            (stop.waker.take(), stop.request.take())
        };
        drop(left);
    }

    /// Tells who looks how far it is.
    pub(super) fn report(&self, progress: Value) {
        self.progress().send_modify(|told| {
            told.last = Some(progress);
            told.number += 1;
        });
    }

    /// There will be no more progress.
    #[inline]
    fn report_end(&self) {
        if let Some(progress) = self.extras.get().and_then(|extras| extras.progress.get()) {
            progress.send_modify(|told| told.is_over = true);
        }
    }

    pub(super) fn last_progress(&self) -> Option<Value> {
        self.extras.get()?.progress.get()?.borrow().last.clone()
    }

    pub(super) fn watch_progress(&self) -> watch::Receiver<Told> {
        let receiver = self.progress().subscribe();
        if self.phase.at().stage == Stage::Ended {
            self.report_end();
        }
        receiver
    }

    fn progress(&self) -> &watch::Sender<Told> {
        self.extras().progress.get_or_init(watch::Sender::default)
    }
}

/// What a job has told of itself.
#[derive(Clone, Default)]
pub(super) struct Told {
    pub(super) last: Option<Value>,
    /// How many it has told.
    pub(super) number: u64,
    pub(super) is_over: bool,
}

impl Stop {
    /// Forgets what was meant for a former attempt.
    fn renew(&mut self, attempt: u32) {
        if self.attempt != attempt {
            self.attempt = attempt;
            self.request = None;
            self.at_once = false;
            self.token = None;
        }
    }
}

/// What became of an attempt that was begun.
pub(super) enum Ran {
    /// It has ended; at this time by the pool's clock, if that was looked at.
    Ended(Option<u64>),
    Goes(TaskFuture),
}

/// A job, whatever it does and gives.
pub(super) trait Entry: Send + Sync {
    fn header(&self) -> &Header;

    fn header_mut(&mut self) -> &mut Header;

    /// Runs an attempt of work that blocks, on this thread; or gives what runs it.
    fn run(self: Arc<Self>, core: &Arc<Core>, attempt: u32) -> Ran;

    /// Tells the waiters that it has failed; `false` if that is an error and nobody will hear of it. The phase must be
    /// `Ended` already.
    fn settle(&self, failure: Failure) -> bool;

    /// It will not run any more.
    fn drop_work(&self);

    /// The call that it is, if others make it.
    fn remote(&self) -> Option<&Remote>;

    /// Others have made it, and it gave this; `false` when the attempt is over.
    fn complete(self: Arc<Self>, core: &Arc<Core>, attempt: u32, value: Value) -> bool;
}

/// A job that gives a `T`.
pub(super) trait EntryFor<T>: Entry {
    fn outcome(&self) -> &Inline<Held<T>>;
}

impl<W: Work> EntryFor<W::Output> for EntryOf<W> {
    #[inline]
    fn outcome(&self) -> &Inline<Held<W::Output>> {
        &self.outcome
    }
}

/// A value that the first who asks takes.
pub(super) struct Held<T>(Latch<Option<T>>);

impl<T> Held<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Latch::new(Some(value)))
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().take()
    }
}

impl<T: Clone> Held<T> {
    /// A copy. It's taken out meanwhile, as the clone is foreign code: whoever asks at the same time waits.
    pub(super) fn copy(&self) -> Option<T> {
        self.0.lock().clone()
    }
}

/// An [`Entry`] of this work.
pub(super) struct EntryOf<W: Work> {
    header: Header,
    work: W,
    locals: TaskLocals,
    outcome: Inline<Held<W::Output>>,
}

impl<W: Work> EntryOf<W> {
    #[inline]
    pub(super) fn new(is_async: bool, work: W) -> Self {
        Self { header: Header::new(is_async), work, locals: TaskLocals::current(), outcome: Inline::new() }
    }

    /// An attempt has ended; when that was.
    #[inline]
    fn end(
        self: &Arc<Self>,
        core: &Arc<Core>,
        attempt: u32,
        result: Result<W::Output, Failure>,
    ) -> Option<u64> {
        let now = match result {
            Ok(value) => {
                let now = core.has_completed(&self.header, attempt);
                if now.is_some() {
                    self.settle_with(Ok(Held::new(value)));
                    self.header.report_end();
                }
                now.flatten()
            }
            Err(failure) => {
                core.has_failed(&(self.clone() as Arc<dyn Entry>), attempt, failure);
                None
            }
        };
        if self.header.is_async {
            self.header.clear();
        }
        now
    }

    /// Tells the waiters how it ended.
    #[inline]
    fn settle_with(&self, outcome: Outcome<Held<W::Output>>) {
        // Whoever ended the phase is the only one who settles it.
        let _ = self.outcome.settle(outcome);
    }

    fn start(self: &Arc<Self>, attempt: u32) -> Started<W::Output> {
        let context = JobContext::new(self.clone(), attempt);
        let start = || TaskLocals::around(|| self.locals.clone(), drop, || self.work.start(context));
        let started = catch_unwind(AssertUnwindSafe(start));
        started.unwrap_or_else(|panic| Started::Ended(Err(AsyncError::from_panic(panic).into())))
    }
}

impl<W: Work> Entry for EntryOf<W> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    fn run(self: Arc<Self>, core: &Arc<Core>, attempt: u32) -> Ran {
        match self.start(attempt) {
            Started::Ended(result) => Ran::Ended(self.end(core, attempt, result)),
            Started::Goes(future) => {
                let mut left = Unfinished { core: core.clone(), entry: self, attempt, is_over: false };
                Ran::Goes(Box::pin(async move {
                    let locals = left.entry.locals.clone();
                    let body = Attempt {
                        body: Nested::new(locals.scope(catch_panic(future))),
                        entry: left.entry.clone(),
                        attempt,
                        asked: None,
                    };
                    let result = body.await;
                    left.is_over = true;
                    left.entry.end(&left.core, attempt, result);
                }))
            }
        }
    }

    fn settle(&self, failure: Failure) -> bool {
        let is_error = matches!(failure, Failure::Failed(_));
        self.settle_with(Err(failure));
        self.header.report_end();
        !(is_error && self.header.has_failed_unheard())
    }

    fn drop_work(&self) {
        self.work.clear();
    }

    fn remote(&self) -> Option<&Remote> {
        self.work.remote()
    }

    fn complete(self: Arc<Self>, core: &Arc<Core>, attempt: u32, value: Value) -> bool {
        let Some(value) = W::output(value) else { return false };
        let is_accepted = core.has_completed(&self.header, attempt).is_some();
        if is_accepted {
            self.settle_with(Ok(Held::new(value)));
            self.header.report_end();
        }
        is_accepted
    }
}

/// Ends an attempt whose future is dropped before it has ended, as its loop has.
struct Unfinished<W: Work> {
    core: Arc<Core>,
    entry: Arc<EntryOf<W>>,
    attempt: u32,
    is_over: bool,
}

impl<W: Work> Drop for Unfinished<W> {
    fn drop(&mut self) {
        if !self.is_over {
            let gone = Failure::cancelled("the loop that ran the job has ended");
            self.entry.end(&self.core, self.attempt, Err(gone));
        }
    }
}

pin_project! {
    /// An attempt of async work, which can be asked to stop.
    struct Attempt<F, E> {
        #[pin]
        body: Nested<F>,
        entry: Arc<E>,
        attempt: u32,
        asked: Option<Why>,
    }
}

impl<F, E, T> Future for Attempt<F, E>
where
    F: Future<Output = Result<Result<T, Failure>, AsyncError>>,
    E: Entry,
{
    type Output = Result<T, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        while let Some((why, at_once)) = this.entry.header().poll_stop(*this.attempt, cx) {
            // A body that has not opted in to requests is dropped where it waits.
            if !this.body.as_mut().request(why.cancelled()) || at_once {
                return Poll::Ready(Err(why.failure()));
            }
            *this.asked = Some(why);
        }
        let Poll::Ready(ended) = this.body.as_mut().poll(cx) else { return Poll::Pending };
        let result = ended.unwrap_or_else(|panic| Err(panic.into()));
        Poll::Ready(match (this.asked.take(), result) {
            // It ended because it was asked to.
            (Some(why), Err(Failure::Cancelled(_))) => Err(why.failure()),
            (_, result) => result,
        })
    }
}
