//! [`QueueStream`]: a queue's items as a stream.

use super::{Get, Key, QueueWith, Storage};
use crate::stream::Stream;
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

/// The items of a queue, as they are taken; it ends when the queue was shut down and is empty. `queue` is a reference to
/// one, an `Rc` or an `Arc`. Several streams of one queue share its items.
///
/// [`task_done`](QueueWith::task_done) is left to who works an item off.
///
/// # Cancel safety
/// Dropping what waits for the next item loses none: an item is taken when it's returned. The stream keeps its place in the
/// queue's line until it's polled again or dropped; others don't get what it was called for meanwhile, except
/// by [`get_nowait`](QueueWith::get_nowait).
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, spawn_local, stream::{self, StreamExt}, sync::{Queue, Shutdown}};
/// use std::rc::Rc;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let queue = Rc::new(Queue::new(2));
///     let squares = stream::from_queue(queue.clone()).map(|number| number * number);
///     let squares = spawn_local(squares.collect::<Vec<_>>());
///     for number in 1..=4 {
///         queue.put(number).await.unwrap();
///     }
///     queue.shutdown(Shutdown::Drain);
///     assert_eq!(squares.await.unwrap(), [1, 4, 9, 16]);
/// });
/// ```
pub fn from_queue<T, S, Q>(queue: Q) -> QueueStream<T, S, Q>
where
    S: Storage<T>,
    Q: Deref<Target = QueueWith<T, S>>,
{
    QueueStream { queue, waiting: None, items: PhantomData }
}

/// What [`from_queue`] returns.
#[must_use = "streams do nothing unless polled"]
pub struct QueueStream<T, S: Storage<T>, Q: Deref<Target = QueueWith<T, S>>> {
    queue: Q,
    waiting: Option<Key>,
    items: PhantomData<fn() -> (T, S)>,
}

// The pointer to the queue is never pinned.
impl<T, S: Storage<T>, Q: Deref<Target = QueueWith<T, S>>> Unpin for QueueStream<T, S, Q> {}

impl<T, S: Storage<T>, Q: Deref<Target = QueueWith<T, S>>> Stream for QueueStream<T, S, Q> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        // A `get` for this poll only, which hands its place in the line back.
        let mut get = Get { queue: &this.queue, waiting: this.waiting.take() };
        let polled = Pin::new(&mut get).poll(cx);
        this.waiting = get.waiting.take();
        polled.map(Result::ok)
    }
}

impl<T, S: Storage<T>, Q: Deref<Target = QueueWith<T, S>>> Drop for QueueStream<T, S, Q> {
    fn drop(&mut self) {
        drop(Get { queue: &self.queue, waiting: self.waiting.take() });
    }
}

impl<T, S: Storage<T>, Q: Deref<Target = QueueWith<T, S>>> fmt::Debug for QueueStream<T, S, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueStream").field("queue", &*self.queue).finish()
    }
}
