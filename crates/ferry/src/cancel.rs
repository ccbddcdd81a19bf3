//! Cancelling as asyncio does: a request, delivered once, as an error, where the task next waits.
//!
//! [`TaskHandle::cancel`](crate::TaskHandle::cancel) makes a request, and [`cancellable`] is where it arrives:
//!
//! ```text
//!                            the task polled        the task next waits
//!   cancel("why") ── yes ◀── a `cancellable`  ────▶ in a `cancellable`, which gives Err(Cancelled("why")):
//!                    │       before?                it cleans up, which may await, and ends; or it calls
//!                    │no                            `uncancel` and goes on
//!                    ▼
//!        the task is dropped where it waits, as `abort` does
//! ```
//!
//! The rule behind it: a task without a `cancellable` has nothing to do that awaits when it's cancelled, so
//! nothing is lost when it's dropped, and it pays nothing. One that has polled a `cancellable` has opted in: from
//! then on only its own code ends it (or [`abort`](crate::TaskHandle::abort), or the end of its loop), and a
//! request waits until the task does so.
//!
//! What differs from CPython 3.13's [`Task.cancel`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.Task.cancel):
//! a wait that has ended gives its value, and the request arrives at the next wait, where asyncio's may throw the
//! value away. The rest is the same: a task that never began never runs; a request that comes while a former one
//! has not arrived replaces it, and both are counted ([`cancelling`], [`uncancel`]); one that comes during
//! clean-up interrupts that too.
//!
//! Bodies of groups and timeouts, and the children of a gather, are cancelled by themselves; see
//! [`scope`] for how requests find their way.

pub(crate) mod nested;
pub(crate) mod scope;
mod token;

pub use token::{CancellationToken, RunUntilCancelled, TokenCancelled, TokenGuard};

use crate::{
    error::{AsyncError, Failure},
    executor::{Letter, Loop, LoopRef, platform, try_with_loop},
    model,
    task::PoolAborter,
};
use pin_project_lite::pin_project;
use scope::{Scope, Waiting};
use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The error that a request to cancel arrives as. Clones share the message.
///
/// A task hands it outward with `?`; it becomes [`AsyncError::Cancelled`] and [`Failure::Cancelled`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancelled {
    message: Option<Arc<str>>,
}

impl Cancelled {
    /// A cancellation with `message`; an empty one counts as none.
    pub fn new(message: &str) -> Self {
        Self { message: (!message.is_empty()).then(|| message.into()) }
    }

    /// The message of the request; empty if it had none.
    pub fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// The cancellation that `error` is or was caused by, if any.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut link = Some(error);
        while let Some(error) = link {
            if let Some(cancelled) = error.downcast_ref::<Self>() {
                return Some(cancelled.clone());
            }
            match (error.downcast_ref::<AsyncError>(), error.downcast_ref::<Failure>()) {
                (Some(AsyncError::Cancelled(text)), _) => return Some(Self::new(text)),
                (_, Some(Failure::Cancelled(message))) => return Some(Self { message: message.clone() }),
                (_, Some(Failure::Failed(inner))) => link = Some(&**inner),
                _ => link = error.source(),
            }
        }
        None
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            None => f.write_str("cancelled"),
            Some(message) => write!(f, "cancelled: {message}"),
        }
    }
}

impl Error for Cancelled {}

impl From<Cancelled> for AsyncError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled.message().to_owned())
    }
}

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled.message)
    }
}

/// Makes `future` a place where requests to cancel arrive: a request that was made before, or comes while it
/// waits, gives `Err(Cancelled)` here, once, and `future` is dropped. One that's ready gives its output, and the
/// request waits for the task's next `cancellable`; in nested ones, it arrives at the innermost.
///
/// Its first poll opts the task in (see [`TaskHandle::cancel`](crate::TaskHandle::cancel)). In a future that is
/// polled by no task of Ferry, as on a foreign executor, no request ever comes.
///
/// # Errors
/// [`Cancelled`], with the message of the request.
///
/// # Cancel safety
/// Dropping it drops `future`. A request that has not arrived waits for the next `cancellable`.
///
/// ```
/// use asyncferry::{AsyncRuntime, Cancelled, Order, cancellable, sleep, spawn_local, yield_now};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let worker = spawn_local(async move {
///         match cancellable(sleep(100 * second)).await {
///             Ok(()) => "slept".to_owned(),
///             Err(cancelled) => {
///                 sleep(second).await; // clean-up may await
///                 format!("cleaned up, {cancelled}")
///             }
///         }
///     });
///     yield_now().await;
///     worker.cancel("enough");
///     assert_eq!(worker.await.unwrap(), "cleaned up, cancelled: enough");
/// });
/// ```
pub fn cancellable<F: Future>(future: F) -> Cancellable<F> {
    Cancellable { future, waiting: None }
}

pin_project! {
    /// What [`cancellable`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Cancellable<F> {
        #[pin]
        future: F,
        // Some once it was polled; inside, None outside of every task.
        waiting: Option<Option<Waiting>>,
    }
}

impl<F: Future> Future for Cancellable<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let waiting = this.waiting.get_or_insert_with(|| scope::current().map(Waiting::new));
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        match waiting {
            None => Poll::Pending,
            Some(waiting) => waiting.poll(cx).map(Err),
        }
    }
}

/// How many requests to cancel the running task, or the body within it, has had that were not taken back with
/// [`uncancel`]; 0 outside of every task. As
/// [`Task.cancelling`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.Task.cancelling) of CPython
/// 3.13.
pub fn cancelling() -> u32 {
    scope::known().map_or(0, |scope| scope.cancelling())
}

/// Takes one request to cancel the running task back, and gives the number of those that are left: how a task
/// that goes on after a request says that it was served. At zero, a request that has not arrived yet never will.
/// As [`Task.uncancel`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.Task.uncancel) of CPython
/// 3.13.
///
/// ```
/// use asyncferry::{AsyncRuntime, cancellable, cancelling, spawn_local, uncancel, yield_now};
/// use std::future::pending;
///
/// AsyncRuntime::block_on(async {
///     let stubborn = spawn_local(async {
///         cancellable(pending::<()>()).await.unwrap_err();
///         assert_eq!((cancelling(), uncancel(), cancelling()), (1, 0, 0));
///         cancellable(yield_now()).await
///     });
///     yield_now().await;
///     stubborn.cancel("please");
///     assert_eq!(stubborn.await.unwrap(), Ok(()));
/// });
/// ```
pub fn uncancel() -> u32 {
    scope::known().map_or(0, |scope| scope.uncancel())
}

/// Makes requests to cancel one task, from any thread, without owning its handle.
///
/// ```
/// use asyncferry::{AsyncRuntime, Canceller, cancellable};
/// use std::future::pending;
///
/// let ended = AsyncRuntime::block_on(async {
///     let me = Canceller::current().expect("the main future is a task as well");
///     std::thread::spawn(move || me.cancel("interrupted"));
///     cancellable(pending::<()>()).await
/// });
/// assert_eq!(ended.unwrap_err().message(), "interrupted");
/// ```
#[derive(Clone)]
pub struct Canceller(Target);

#[derive(Clone)]
enum Target {
    Scope(model::Arc<Scope>),
    Local { home: LoopRef, slot: u32, number: u64 },
    Pool { number: u64, task: PoolAborter },
}

impl Canceller {
    /// Of the code that calls it: its task, or the body or the gather's child within it; `None` outside of every
    /// task. It opts the task in, as a `cancellable` does.
    pub fn current() -> Option<Self> {
        scope::current().map(|scope| Self(Target::Scope(scope)))
    }

    pub(crate) fn local(home: LoopRef, slot: u32, number: u64) -> Self {
        Self(Target::Local { home, slot, number })
    }

    pub(crate) fn pool(number: u64, task: PoolAborter) -> Self {
        Self(Target::Pool { number, task })
    }

    /// Makes a request, as [`TaskHandle::cancel`](crate::TaskHandle::cancel) does; `false` when it has ended.
    pub fn cancel(&self, message: &str) -> bool {
        self.request(Cancelled::new(message))
    }

    pub(crate) fn request(&self, cancelled: Cancelled) -> bool {
        match &self.0 {
            Target::Scope(scope) => scope.request(cancelled),
            &Target::Local { home, slot, number } => {
                let mut cancelled = Some(cancelled);
                let here = |here: &Loop| {
                    here.is_here(home.id)
                        .then(|| here.cancel(slot, number, cancelled.take().unwrap_or_default()))
                };
                let done = try_with_loop(here).flatten();
                if let (None, Some(cancelled)) = (done, cancelled) {
                    home.remote.post(Letter::Cancel { id: home.id, slot, number, cancelled });
                }
                done.unwrap_or(true)
            }
            Target::Pool { number, task } => {
                // Looked up before, as nothing of a user's runs under the table's lock.
                let scope = platform::scopes().get(number).cloned();
                match scope {
                    Some(scope) => scope.request(cancelled),
                    None if task.is_finished() => false,
                    None => {
                        task.abort();
                        true
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match &self.0 {
            Target::Scope(_) => "scope".to_owned(),
            Target::Local { home, number, .. } => format!("{}.{number}", home.id),
            Target::Pool { number, .. } => format!("0.{number}"),
        };
        write!(f, "Canceller({target})")
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;

#[cfg(all(test, ferry_loom))]
mod loom_tests;
