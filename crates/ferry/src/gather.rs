//! Waiting for many at once: [`gather`], [`gather_all`], [`wait`], [`as_completed`] and [`shield`].
//!
//! | | gives | on the first error | dropped half-way |
//! |---|---|---|---|
//! | [`gather`] | the values, in order | ends with it; the others run on | cancels all |
//! | [`gather_all`] | the outcomes, in order | goes on | cancels all |
//! | [`wait`] | what has ended, and what has not | as asked | cancels nothing |
//! | [`as_completed`] | each, as it ends | goes on | the others run on |
//! | [`shield`] | what its task gives | – | the task runs on |
//!
//! The children of a gather are no tasks: they're polled where the gather is, each only when it was woken, in the
//! order of the wakes, out of one allocation. That makes a child cheaper than a task. What has to run on when the
//! gather has ended is handed to a task then.
//!
//! As asyncio's of CPython 3.13, ["Running Tasks
//! Concurrently"](https://docs.python.org/3.13/library/asyncio-task.html#running-tasks-concurrently) and the
//! sections after it. A panic of a child is no error of a child's: it goes through to who awaits.

mod as_completed;
mod children;
mod ready;
mod shield;
mod wait;

pub use as_completed::{AsCompleted, as_completed};
pub use shield::{Shield, shield};
pub use wait::{ReturnWhen, Wait, wait};

use children::{Children, RunOn, on_loop, on_pool};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Runs `children` at once and gives their values in the order of the children. The first error ends it at once;
/// the other children run on to their ends, in a task of this loop, and what they give is dropped, as
/// [`asyncio.gather`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.gather) (CPython 3.13) does
/// with `return_exceptions=False`. Who wants them stopped as well wants a [`task_group`](crate::task_group).
///
/// In a task of the pool, where no loop runs, there is nowhere for them to run on: they are dropped, but for
/// [`Gather::on_pool`].
///
/// # Errors
/// The error of the child that failed first.
///
/// # Panics
/// With the panic of a child. The other children are cancelled when it unwinds.
///
/// # Cancel safety
/// Dropping it cancels all children: one that has polled a [`cancellable`](crate::cancellable) gets a request, and
/// goes on in a task of the loop to clean up; the task behind a child that is a
/// [`TaskHandle`](crate::TaskHandle) is asked to [cancel](crate::TaskHandle::cancel); others are dropped.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, gather, sleep};
/// use std::time::Duration;
///
/// async fn half(of: u64) -> Result<u64, String> {
///     sleep(Duration::from_secs(of)).await;
///     if of % 2 == 0 { Ok(of / 2) } else { Err(format!("{of} is odd")) }
/// }
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     assert_eq!(gather([8, 2, 6].map(half)).await, Ok(vec![4, 1, 3]));
///     assert_eq!(gather([5, 2, 3].map(half)).await, Err("3 is odd".to_owned()));
/// });
/// ```
pub fn gather<T, E, F>(children: impl IntoIterator<Item = F>) -> Gather<T, E, F>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
{
    Gather { inner: Gathering::new(children) }
}

/// What [`gather`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Gather<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> {
    inner: Gathering<T, T, E, F>,
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Gather<T, E, F> {
    /// Lets children run on in a task of the pool where no loop runs.
    pub fn on_pool(mut self) -> Self
    where
        F: Send,
    {
        self.inner.run_on = on_pool;
        self
    }
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Future for Gather<T, E, F> {
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.poll(cx, |outcome| outcome)
    }
}

/// Runs `children` at once and gives the outcomes of all, in the order of the children, as
/// [`asyncio.gather`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.gather) (CPython 3.13) does
/// with `return_exceptions=True`.
///
/// # Panics
/// As [`gather`].
///
/// # Cancel safety
/// As [`gather`].
///
/// ```
/// use asyncferry::{AsyncRuntime, gather_all};
///
/// let texts = ["1", "x", "3"];
/// let numbers = AsyncRuntime::block_on(gather_all(texts.map(async |text| text.parse::<u8>().map_err(drop))));
/// assert_eq!(numbers, [Ok(1), Err(()), Ok(3)]);
/// ```
pub fn gather_all<T, E, F>(children: impl IntoIterator<Item = F>) -> GatherAll<T, E, F>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
{
    GatherAll { inner: Gathering::new(children) }
}

/// What [`gather_all`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct GatherAll<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> {
    inner: Gathering<Result<T, E>, T, E, F>,
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> GatherAll<T, E, F> {
    /// Lets children that clean up run on in a task of the pool where no loop runs.
    pub fn on_pool(mut self) -> Self
    where
        F: Send,
    {
        self.inner.run_on = on_pool;
        self
    }
}

impl<T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Future for GatherAll<T, E, F> {
    type Output = Vec<Result<T, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.poll(cx, Ok::<_, Infallible>).map(|Ok(outcomes)| outcomes)
    }
}

/// What both have in common; `K` is what is kept of each child.
struct Gathering<K, T: 'static, E, F: Future<Output = Result<T, E>> + 'static> {
    /// Gone once it has ended.
    parts: Option<(Children<F>, Vec<Option<K>>)>,
    run_on: RunOn<F>,
}

// The children are behind a pin of their own, and what is kept is not pinned.
impl<K, T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Unpin for Gathering<K, T, E, F> {}

impl<K, T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Gathering<K, T, E, F> {
    fn new(children: impl IntoIterator<Item = F>) -> Self {
        let children = Children::new(children);
        let kept = (0..children.left()).map(|_| None).collect();
        Self { parts: Some((children, kept)), run_on: on_loop }
    }

    /// Ends when all children have, or with the first of which `keep` makes an error.
    fn poll<X>(
        &mut self,
        cx: &mut Context<'_>,
        keep: fn(Result<T, E>) -> Result<K, X>,
    ) -> Poll<Result<Vec<K>, X>> {
        let Some((children, kept)) = &mut self.parts else {
            panic!("a gather was polled after it had ended")
        };
        let ended = loop {
            match ready!(children.poll_next(cx)) {
                None => break None,
                Some((number, outcome)) => match keep(outcome) {
                    Ok(value) => kept[number] = Some(value),
                    Err(error) => break Some(error),
                },
            }
        };
        let Some((children, kept)) = self.parts.take() else { unreachable!("it was there just now") };
        Poll::Ready(match ended {
            Some(error) => {
                (self.run_on)(children);
                Err(error)
            }
            None => Ok(kept
                .into_iter()
                .map(|value| value.unwrap_or_else(|| unreachable!("all have ended")))
                .collect()),
        })
    }
}

impl<K, T: 'static, E, F: Future<Output = Result<T, E>> + 'static> Drop for Gathering<K, T, E, F> {
    fn drop(&mut self) {
        if let Some((children, _)) = self.parts.take() {
            children.cancel(self.run_on);
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
