//! [`as_completed`]: each child as it ends.

use super::children::{Children, RunOn, on_loop, on_pool};
use std::{
    future::{Future, poll_fn},
    task::{Context, Poll},
};

/// Runs `children` at once and gives them one by one as they end, each with its number, as
/// [`asyncio.as_completed`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.as_completed) of CPython
/// 3.13. Its `timeout` is a [`timeout_at`](crate::timeout_at) around each [`next`](AsCompleted::next).
///
/// The children are polled in `next` only: while the code around it does something else, they stand still, but for
/// those that are handles of tasks.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, as_completed, sleep};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let mut children = as_completed([3, 1, 2].map(async |seconds| {
///         sleep(Duration::from_secs(seconds)).await;
///         if seconds == 2 { Err("two") } else { Ok(seconds) }
///     }));
///     let mut ended = Vec::new();
///     while let Some((number, outcome)) = children.next().await {
///         ended.push((number, outcome));
///     }
///     assert_eq!(ended, [(1, Ok(1)), (2, Err("two")), (0, Ok(3))]);
/// });
/// ```
pub fn as_completed<T, E, F>(children: impl IntoIterator<Item = F>) -> AsCompleted<T, E, F>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
{
    AsCompleted { children: Some(Children::new(children)), run_on: on_loop }
}

/// What [`as_completed`] returns: a stream. Dropping it lets those that have not ended run on, in a task of the
/// loop, as asyncio's do; where no loop runs they are dropped, but for [`on_pool`](Self::on_pool).
pub struct AsCompleted<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> {
    /// Gone while it's dropped.
    children: Option<Children<F>>,
    run_on: RunOn<F>,
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> AsCompleted<T, E, F> {
    /// The next child that ends, with its number and what it gave; `None` when all have ended.
    ///
    /// # Panics
    /// With the panic of a child.
    ///
    /// # Cancel safety
    /// Dropping it loses nothing.
    pub async fn next(&mut self) -> Option<(usize, Result<T, E>)> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for who implements a future or a stream.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(usize, Result<T, E>)>> {
        match &mut self.children {
            Some(children) => children.poll_next(cx),
            None => Poll::Ready(None),
        }
    }

    /// How many have not ended.
    pub fn left(&self) -> usize {
        self.children.as_ref().map_or(0, Children::left)
    }

    /// Lets children run on in a task of the pool where no loop runs.
    pub fn on_pool(mut self) -> Self
    where
        F: Send,
    {
        self.run_on = on_pool;
        self
    }
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Drop for AsCompleted<T, E, F> {
    fn drop(&mut self) {
        if let Some(children) = self.children.take() {
            (self.run_on)(children);
        }
    }
}
