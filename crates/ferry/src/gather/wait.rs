//! [`wait`]: until one, the first that fails, or all have ended, or for so long.

use super::children::Children;
use crate::time::{Sleep, sleep};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// When [`wait`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// When one has ended, in whichever way.
    FirstCompleted,
    /// When one has ended with an error, or all have ended.
    FirstException,
    /// When all have ended.
    AllCompleted,
}

/// Waits until `when`, but at most for `timeout` (`None`: no limit), and gives those that have ended by then, in the
/// order of their ends, with what they gave, and those that have not, in their own order; each with its number. It
/// cancels nothing and the timeout is no error, as
/// [`asyncio.wait`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.wait) of CPython 3.13. Of no
/// children at all, which asyncio refuses, it gives two empty lists.
///
/// A task's [`TaskHandle`](crate::TaskHandle) is what it's mostly for, as a task runs on by itself; a future that
/// is pending makes no progress until it's awaited again.
///
/// # Panics
/// With the panic of a child that is polled here. When it's polled again after it ended.
///
/// # Cancel safety
/// Dropping it half-way drops `children`, which lets the tasks of handles run on, and any other future be
/// cancelled.
///
/// ```
/// use asyncferry::{AsyncError, AsyncRuntime, Order, ReturnWhen, sleep, spawn_local, wait};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let tasks = [3, 1, 2].map(|seconds| spawn_local(sleep(Duration::from_secs(seconds))));
///     let (done, pending) = wait(tasks, ReturnWhen::FirstCompleted, None).await;
///     assert_eq!(done, [(1, Ok(()))]);
///     assert_eq!(pending.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 2]);
///     for (_, task) in pending {
///         task.cancel("too slow");
///     }
/// });
/// ```
pub fn wait<T, E, F>(
    children: impl IntoIterator<Item = F>,
    when: ReturnWhen,
    timeout: impl Into<Option<Duration>>,
) -> Wait<T, E, F>
where
    F: Future<Output = Result<T, E>> + Unpin,
{
    let children = Some(Children::new(children));
    Wait { children, done: Vec::new(), when, timeout: timeout.into(), sleep: None }
}

/// What [`wait`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<T, E, F: Future<Output = Result<T, E>> + Unpin> {
    /// Gone once it has ended.
    children: Option<Children<F>>,
    done: Vec<(usize, Result<T, E>)>,
    when: ReturnWhen,
    timeout: Option<Duration>,
    sleep: Option<Sleep>,
}

// The children are behind a pin of their own, and outcomes are not pinned.
impl<T, E, F: Future<Output = Result<T, E>> + Unpin> Unpin for Wait<T, E, F> {}

/// What [`wait`] gives: those that have ended, and those that have not.
type DoneAndPending<T, E, F> = (Vec<(usize, Result<T, E>)>, Vec<(usize, F)>);

impl<T, E, F: Future<Output = Result<T, E>> + Unpin> Future for Wait<T, E, F> {
    type Output = DoneAndPending<T, E, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(children) = &mut this.children else { panic!("a wait was polled after it had ended") };
        // All that can end in this poll does, so that who has ended is counted as done.
        let are_done = loop {
            match children.poll_next(cx) {
                Poll::Ready(Some(ended)) => this.done.push(ended),
                Poll::Ready(None) => break true,
                Poll::Pending => break false,
            }
        };
        let is_enough = match this.when {
            ReturnWhen::FirstCompleted => !this.done.is_empty(),
            ReturnWhen::FirstException => this.done.iter().any(|(_, outcome)| outcome.is_err()),
            ReturnWhen::AllCompleted => false,
        };
        let mut is_late = || {
            let sleep = this.timeout.map(|timeout| this.sleep.get_or_insert_with(|| sleep(timeout)));
            sleep.is_some_and(|sleep| Pin::new(sleep).poll(cx).is_ready())
        };
        if !are_done && !is_enough && !is_late() {
            return Poll::Pending;
        }
        let pending = this.children.take().map(Children::into_pending).unwrap_or_default();
        Poll::Ready((std::mem::take(&mut this.done), pending))
    }
}
