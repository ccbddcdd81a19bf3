//! [`shield`]: a task that goes on when nobody waits for it any more.

use crate::{error::AsyncError, task::TaskHandle};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Protects `task` from the cancelling of who waits for it, as
/// [`asyncio.shield`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.shield) (CPython 3.13): when
/// the wait is dropped, cancelled, timed out, or is a child of a [`gather`](crate::gather) that is, the task runs
/// on. (Of a bare handle, only a gather would cancel the task.) What asyncio says of keeping a reference is not
/// needed: a task of Ferry runs on by itself.
///
/// # Errors
/// Those of the [`TaskHandle`].
///
/// # Cancel safety
/// Dropping it lets the task run on.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, shield, sleep, spawn_local, timeout};
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// let second = Duration::from_secs(1);
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let saved = Rc::new(Cell::new(false));
///     let done = saved.clone();
///     let save = spawn_local(async move {
///         sleep(2 * second).await;
///         done.set(true);
///     });
///     assert!(timeout(second, shield(save)).await.is_err());
///     sleep(2 * second).await;
///     assert!(saved.get());
/// });
/// ```
pub fn shield<T>(task: TaskHandle<T>) -> Shield<T> {
    Shield { task }
}

/// What [`shield`] returns.
#[derive(Debug)]
#[must_use = "it's for awaiting; the task runs on without it"]
pub struct Shield<T> {
    task: TaskHandle<T>,
}

impl<T> Shield<T> {
    /// The task's handle, to cancel it after all.
    pub fn task(&self) -> &TaskHandle<T> {
        &self.task
    }
}

impl<T> Future for Shield<T> {
    type Output = Result<T, AsyncError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx)
    }
}
