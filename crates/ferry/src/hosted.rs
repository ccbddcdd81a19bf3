//! [`Executor`]: the hook by which a program runs Ferry's `Send` tasks and blocking work on threads of its own.
//!
//! # States of a hosted task
//!
//! ```text
//!   woken ──▶ handed to the executor as Work ──run──▶ polled ──▶ waits, until it's woken again
//!                     │ dropped                         └─────▶ ended
//!                     ▼
//!                  ended: its executor dropped it
//! ```
//!
//! The task is an `async-task` cell, whose schedule function is the executor's. An abort is a promise that the task
//! waits for beside its own future: it drops the future where it's polled next, on a thread of the executor.

use crate::{
    error::AsyncError,
    executor::{Crash, Ended, drop_caught, poll_caught},
    promise::{Future as Settles, Promise, State, promise},
};
use async_task::{FallibleTask, Runnable};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

/// Where [`spawn`](crate::spawn) and [`spawn_blocking`](crate::spawn_blocking) run their work, if not on Ferry's own
/// pool: a thread pool that a program has anyway, a GUI's main thread, a browser's scheduler. What
/// [`spawn_local`](crate::spawn_local) starts stays on its loop.
///
/// ```
/// use asyncferry::{AsyncRuntime, Executor, Work, spawn, yield_now};
/// use std::{sync::mpsc, thread};
///
/// /// One thread that does all.
/// struct OneThread(mpsc::Sender<Work>);
///
/// impl Executor for OneThread {
///     fn execute(&self, work: Work) {
///         // Where the thread is gone, the work is dropped, and who awaits it gets an error.
///         let _ = self.0.send(work);
///     }
/// }
///
/// let (sender, receiver) = mpsc::channel::<Work>();
/// let worker = thread::spawn(move || receiver.into_iter().for_each(Work::run));
/// AsyncRuntime::set_executor(OneThread(sender)).expect("nothing was spawned yet");
/// let there = AsyncRuntime::block_on(async {
///     spawn(async {
///         yield_now().await;
///         thread::current().id()
///     })
///     .await
/// });
/// assert_eq!(there, Ok(worker.thread().id()));
/// ```
pub trait Executor: Send + Sync + 'static {
    /// Runs `work` soon, by [`Work::run`], on any thread. It must not be run in here, as whoever wakes a task may hold
    /// locks; and what is dropped fails for whom awaits it.
    fn execute(&self, work: Work);

    /// As [`execute`](Self::execute), for work that blocks or computes for long. By default it's the same.
    fn execute_blocking(&self, work: Work) {
        self.execute(work);
    }
}

/// Something to run for an [`Executor`]: one poll of a task, or a blocking call.
#[must_use = "work that is dropped fails for whom awaits it"]
pub struct Work(Runnable);

impl Work {
    /// Runs it, on the thread that calls. Panics of what it runs are caught, and go to whom awaits it.
    pub fn run(self) {
        self.0.run();
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").finish_non_exhaustive()
    }
}

static EXECUTOR: OnceLock<Arc<dyn Executor>> = OnceLock::new();

/// Sets the program's own, once.
pub(crate) fn set(executor: impl Executor) -> Result<(), AsyncError> {
    EXECUTOR
        .set(Arc::new(executor))
        .map_err(|_| AsyncError::Runtime("there is an executor already, and it can't be replaced".to_owned()))
}

/// The program's own executor, if it has set one.
pub(crate) fn executor() -> Option<&'static Arc<dyn Executor>> {
    EXECUTOR.get()
}

/// A task on the program's own executor.
pub(crate) struct HostedTask<T> {
    /// There until it's dropped, which lets the task run on.
    task: Option<FallibleTask<Ended<T>>>,
    aborter: Aborter,
}

/// What aborts a hosted task.
#[derive(Clone)]
pub(crate) struct Aborter {
    abort: Arc<Promise<()>>,
    ended: Settles<()>,
}

impl<T: Send + 'static> HostedTask<T> {
    pub(crate) fn spawn<F>(executor: &'static Arc<dyn Executor>, future: F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        Self::start(future, |work| executor.execute(work))
    }

    pub(crate) fn spawn_blocking<W>(executor: &'static Arc<dyn Executor>, work: W) -> Self
    where
        W: FnOnce() -> T + Send + 'static,
    {
        Self::start(async { work() }, |work| executor.execute_blocking(work))
    }

    fn start<F>(future: F, execute: impl Fn(Work) + Send + Sync + 'static) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let (abort, aborted) = promise();
        let (end, ended) = promise();
        let task = Abortable { future: Some(future), aborted, _end: end };
        let (runnable, task) = async_task::spawn(task, move |runnable| execute(Work(runnable)));
        runnable.schedule();
        Self { task: Some(task.fallible()), aborter: Aborter { abort: Arc::new(abort), ended } }
    }
}

impl<T> HostedTask<T> {
    pub(crate) fn aborter(&self) -> Aborter {
        self.aborter.clone()
    }
}

impl<T> Drop for HostedTask<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.detach();
        }
    }
}

impl Aborter {
    pub(crate) fn abort(&self) {
        // It may have been aborted before.
        let _ = self.abort.complete(());
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.ended.state() != State::Pending
    }
}

impl<T> Future for HostedTask<T> {
    type Output = Result<T, Crash>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(task) = &mut self.task else { unreachable!("it's there until this is dropped") };
        Pin::new(task).poll(cx).map(|ended| match ended {
            Some(ended) => ended.into_result().map_err(|crash| *crash),
            None => Err(Crash::Dropped),
        })
    }
}

pin_project! {
    /// A future that ends when it's told to abort.
    struct Abortable<F> {
        #[pin]
        future: Option<F>,
        #[pin]
        aborted: Settles<()>,
        // Settled when the task ends, in whichever way, as it's dropped then.
        _end: Promise<()>,
    }
}

impl<F: Future> Future for Abortable<F> {
    type Output = Ended<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(Ok(())) = this.aborted.poll(cx) {
            let dropped = drop_caught(this.future).map_err(Crash::Panic);
            return Poll::Ready(Ended::new(dropped.and(Err(Crash::Aborted(None)))));
        }
        poll_caught(this.future, cx).map(|ended| Ended::new(ended.map_err(Crash::Panic)))
    }
}
