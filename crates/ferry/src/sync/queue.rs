//! [`Queue`], [`PriorityQueue`] and [`LifoQueue`]: items from those who make them to those who work them off.
//!
//! ```text
//!   Put ── full ──▶ in `putters` ── an item was taken ──▶ called ── at its turn ──▶ storage
//!   Get ── empty ─▶ in `getters` ── an item was put ────▶ called ── at its turn ──▶ has the item
//! ```
//!
//! An item lies in the storage until the turn of the getter that takes it, and in the future of its putter until there
//! is room. So no item is under way, and a waiter that gives up, called or not, can lose none: if it was called, it calls the next
//! in its stead. What is called is a right to look again: `get_nowait` may be faster, as in asyncio; then the
//! getter goes back to its old place, where asyncio would send it to the end. A `get` that comes later is never faster: it
//! takes only an item that nobody was called for.
//!
//! A shutdown calls everybody.

use super::{
    latch::{Latch, LatchGuard},
    waiters::{Key, Waiters, Was, poll_called, wake_all},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

mod errors;
mod storage;
mod stream;

pub use errors::{GetError, PutError, QueueShutDown, TaskDoneTooOften};
pub use storage::{Fifo, Lifo, Priority, Storage};
pub use stream::{QueueStream, from_queue};

/// What [`Queue`], [`PriorityQueue`] and [`LifoQueue`] have in common; `S` gives the order.
pub struct QueueWith<T, S: Storage<T>> {
    maxsize: usize,
    state: Latch<State<T, S>>,
}

/// A queue of items for any number of producers and consumers, in tasks on any threads, first in, first out:
/// `asyncio.Queue` (CPython 3.13, "Queues").
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, spawn_local, sync::{Queue, Shutdown}};
/// use std::rc::Rc;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let queue = Rc::new(Queue::new(2));
///     let source = queue.clone();
///     let producer = spawn_local(async move {
///         for number in 1..=10 {
///             source.put(number).await.expect("it is open");
///         }
///         source.shutdown(Shutdown::Drain);
///     });
///     let mut sum = 0;
///     while let Ok(number) = queue.get().await {
///         sum += number;
///         queue.task_done().unwrap();
///     }
///     queue.join().await;
///     assert_eq!((sum, producer.await), (55, Ok(())));
/// });
/// ```
pub type Queue<T> = QueueWith<T, Fifo<T>>;

/// A [`Queue`] that gives the least item first: `asyncio.PriorityQueue`. Of equal items the oldest comes first, which
/// asyncio leaves open. The items' `Ord` runs inside the queue: it must not use the queue itself.
///
/// ```
/// use asyncferry::sync::PriorityQueue;
///
/// let queue = PriorityQueue::new(0);
/// for item in [(2, "later"), (1, "now")] {
///     queue.put_nowait(item).unwrap();
/// }
/// assert_eq!(queue.get_nowait(), Ok((1, "now")));
/// ```
pub type PriorityQueue<T> = QueueWith<T, Priority<T>>;

/// A [`Queue`] that gives the youngest item first: `asyncio.LifoQueue`.
///
/// ```
/// use asyncferry::sync::LifoQueue;
///
/// let stack = LifoQueue::new(0);
/// stack.put_nowait(1).unwrap();
/// stack.put_nowait(2).unwrap();
/// assert_eq!(stack.get_nowait(), Ok(2));
/// ```
pub type LifoQueue<T> = QueueWith<T, Lifo<T>>;

struct State<T, S> {
    storage: S,
    /// Items that were put and not reported as done.
    unfinished: usize,
    shut_down: bool,
    getters: Waiters,
    putters: Waiters,
    joiners: Waiters,
    item: std::marker::PhantomData<T>,
}

/// What becomes of the items when a queue is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Those that are in it can still be taken.
    Drain,
    /// They are dropped, and count as done.
    Immediate,
}

impl<T, S: Storage<T>> QueueWith<T, S> {
    /// A queue that holds at most `maxsize` items; with zero, as many as there are, as in asyncio.
    pub fn new(maxsize: usize) -> Self {
        let state = State {
            storage: S::default(),
            unfinished: 0,
            shut_down: false,
            getters: Waiters::default(),
            putters: Waiters::default(),
            joiners: Waiters::default(),
            item: std::marker::PhantomData,
        };
        Self { maxsize, state: Latch::new(state) }
    }

    /// Puts an item, and waits for room if there is none, or if others wait for it already.
    ///
    /// # Errors
    /// [`QueueShutDown`] with the item, when the queue is shut down, before or meanwhile.
    ///
    /// # Cancel safety
    /// Dropping it half-way leaves the line, and drops the item, which was not put: [`Put::take_item`] gets it out first.
    #[inline]
    pub fn put(&self, item: T) -> Put<'_, T, S> {
        Put { queue: self, item: Some(item), waiting: None }
    }

    /// Puts an item at once.
    ///
    /// # Errors
    /// [`PutError`] with the item, when there is no room or the queue was shut down.
    pub fn put_nowait(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.state.lock();
        if state.shut_down {
            drop(state);
            return Err(PutError::ShutDown(item));
        }
        if state.is_full(self.maxsize) {
            drop(state);
            return Err(PutError::Full(item));
        }
        state.put(item).leave(state);
        Ok(())
    }

    /// Takes an item; waits for one if there is none that others were not called for.
    ///
    /// # Errors
    /// [`QueueShutDown`] when the queue was shut down and is empty.
    ///
    /// # Cancel safety
    /// Dropping it half-way leaves the line, and loses no item: it has one only when it returns it.
    #[inline]
    pub fn get(&self) -> Get<'_, T, S> {
        Get { queue: self, waiting: None }
    }

    /// Takes an item at once.
    ///
    /// # Errors
    /// [`GetError`] when there is none.
    pub fn get_nowait(&self) -> Result<T, GetError> {
        let mut state = self.state.lock();
        match state.storage.pop() {
            Some(item) => {
                state.taken().leave(state);
                Ok(item)
            }
            None if state.shut_down => Err(GetError::ShutDown),
            None => Err(GetError::Empty),
        }
    }

    /// Puts an item at once, as [`put`](Self::put) does where it needn't wait: not before others who wait for room.
    ///
    /// # Errors
    /// [`PutError`] with the item, when there is no room, others wait for it, or the queue was shut down.
    #[inline]
    pub fn put_in_turn(&self, item: T) -> Result<(), PutError<T>> {
        let mut state = self.state.lock();
        if state.shut_down {
            drop(state);
            return Err(PutError::ShutDown(item));
        }
        if !state.has_room(self.maxsize) {
            drop(state);
            return Err(PutError::Full(item));
        }
        state.put(item).leave(state);
        Ok(())
    }

    /// Takes an item at once, as [`get`](Self::get) does where it needn't wait: none that others were called for.
    ///
    /// # Errors
    /// [`GetError`] when there is none.
    #[inline]
    pub fn get_in_turn(&self) -> Result<T, GetError> {
        let mut state = self.state.lock();
        match state.take_unclaimed() {
            Some(item) => {
                state.taken().leave(state);
                Ok(item)
            }
            None if state.shut_down => Err(GetError::ShutDown),
            None => Err(GetError::Empty),
        }
    }

    /// Reports that an item which was taken has been worked off. [`join`](Self::join) waits for as many reports as items
    /// were put.
    ///
    /// # Errors
    /// [`TaskDoneTooOften`] when all items were reported already.
    #[inline]
    pub fn task_done(&self) -> Result<(), TaskDoneTooOften> {
        let mut state = self.state.lock();
        state.unfinished = state.unfinished.checked_sub(1).ok_or(TaskDoneTooOften)?;
        if !state.joiners.is_empty() {
            let wakers = state.finished();
            drop(state);
            wake_all(wakers);
        }
        Ok(())
    }

    /// Waits until all items that were put have been reported as [done](Self::task_done).
    ///
    /// # Cancel safety
    /// Dropping it half-way changes nothing.
    pub fn join(&self) -> Join<'_, T, S> {
        Join { queue: self, waiting: None }
    }

    /// Shuts the queue down: no more items come in, and once it's empty, those who wait for one get an error. Calling it
    /// again does no harm, and may turn a [`Shutdown::Drain`] into an immediate one.
    pub fn shutdown(&self, how: Shutdown) {
        let mut wakers = Vec::new();
        let dropped = {
            let mut state = self.state.lock();
            state.shut_down = true;
            let dropped = match how {
                Shutdown::Drain => S::default(),
                Shutdown::Immediate => std::mem::take(&mut state.storage),
            };
            state.unfinished = state.unfinished.saturating_sub(dropped.count());
            wakers.append(&mut state.getters.call_all());
            wakers.append(&mut state.putters.call_all());
            wakers.append(&mut state.finished());
            dropped
        };
        wake_all(wakers);
        drop(dropped);
    }

    /// How many items are in it.
    pub fn qsize(&self) -> usize {
        self.state.lock().storage.count()
    }

    /// Whether there are no items in it.
    pub fn is_empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Whether it holds as many items as it may.
    pub fn is_full(&self) -> bool {
        self.state.lock().is_full(self.maxsize)
    }

    /// How many items it may hold; zero: any number.
    pub fn maxsize(&self) -> usize {
        self.maxsize
    }

    /// How many wait for an item.
    pub fn getters(&self) -> usize {
        self.state.lock().getters.waiting()
    }

    /// How many wait for room.
    pub fn putters(&self) -> usize {
        self.state.lock().putters.waiting()
    }

    /// Whether it was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.state.lock().shut_down
    }

    /// Shows each item that is in it to `look`, the next one first where the order is that of a line. `look` runs inside
    /// the queue, which waits meanwhile: it must not use the queue, nor call code that may.
    pub fn look_at_each(&self, look: &mut dyn FnMut(&T)) {
        self.state.lock().storage.each(look);
    }

    /// How many items were put and not reported as done.
    pub fn unfinished(&self) -> usize {
        self.state.lock().unfinished
    }
}

/// Whom a change calls, to be woken once the latch is free.
#[must_use]
struct Called(Option<Waker>);

impl Called {
    #[inline]
    fn leave<S>(self, latched: LatchGuard<'_, S>) {
        drop(latched);
        if let Some(waker) = self.0 {
            waker.wake();
        }
    }
}

impl<T, S: Storage<T>> State<T, S> {
    #[inline]
    fn is_full(&self, maxsize: usize) -> bool {
        maxsize != 0 && self.storage.count() >= maxsize
    }

    /// Room that nobody was called for. An unbounded queue has no end of it.
    #[inline]
    fn has_room(&self, maxsize: usize) -> bool {
        maxsize == 0 || self.storage.count() + self.putters.called() < maxsize
    }

    /// An item that nobody was called for. After a shutdown, which calls everybody, each takes what there is.
    #[inline]
    fn take_unclaimed(&mut self) -> Option<T> {
        let unclaimed = self.storage.count() > self.getters.called();
        if unclaimed || self.shut_down { self.storage.pop() } else { None }
    }

    /// Adds an item, for which a getter is called.
    #[inline]
    fn put(&mut self, item: T) -> Called {
        self.storage.push(item);
        self.unfinished += 1;
        self.call_getter()
    }

    /// An item was taken, so a putter is called.
    #[inline]
    fn taken(&mut self) -> Called {
        Called(self.putters.call_next())
    }

    /// Calls a getter if there is an item that none was called for.
    #[inline]
    fn call_getter(&mut self) -> Called {
        let unclaimed = self.storage.count() > self.getters.called();
        Called(if unclaimed { self.getters.call_next() } else { None })
    }

    /// Calls a putter if there is room that none was called for.
    fn call_putter(&mut self, maxsize: usize) -> Called {
        Called(if self.has_room(maxsize) { self.putters.call_next() } else { None })
    }

    fn finished(&mut self) -> Vec<Waker> {
        if self.unfinished == 0 { self.joiners.call_all() } else { Vec::new() }
    }
}

/// What [`QueueWith::put`] returns.
///
/// # Panics
/// When it's polled again after it ended, or after its item was taken out.
#[must_use = "futures do nothing unless awaited"]
pub struct Put<'a, T, S: Storage<T>> {
    queue: &'a QueueWith<T, S>,
    item: Option<T>,
    waiting: Option<Key>,
}

impl<T, S: Storage<T>> Put<'_, T, S> {
    /// The item, as long as it was not put. It won't be then.
    pub fn take_item(&mut self) -> Option<T> {
        self.item.take()
    }

    fn item(&mut self) -> T {
        self.item.take().expect("it was polled after its item was put or taken out")
    }
}

// The item is moved, never pinned.
impl<T, S: Storage<T>> Unpin for Put<'_, T, S> {}

impl<T, S: Storage<T>> Future for Put<'_, T, S> {
    type Output = Result<(), QueueShutDown<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waiting.is_none() {
            let queue = self.queue;
            let mut state = queue.state.lock();
            if state.has_room(queue.maxsize) && !state.shut_down {
                state.put(self.item()).leave(state);
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_in_line(cx)
    }
}

impl<T, S: Storage<T>> Put<'_, T, S> {
    #[cold]
    fn poll_in_line(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), QueueShutDown<T>>> {
        let queue = self.queue;
        // Cloned while the latch is free.
        let waker = cx.waker().clone();
        let mut state = match self.waiting {
            None => queue.state.lock(),
            Some(key) => match poll_called(&queue.state, |state| &mut state.putters, key, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(state) => state,
            },
        };
        let free = match self.waiting {
            None => state.has_room(queue.maxsize),
            Some(_) => !state.is_full(queue.maxsize),
        };
        if free || state.shut_down {
            if let Some(key) = self.waiting.take() {
                let _ = state.putters.remove(key);
            }
            if state.shut_down {
                drop(state);
                return Poll::Ready(Err(QueueShutDown(self.item())));
            }
            state.put(self.item()).leave(state);
            return Poll::Ready(Ok(()));
        }
        match self.waiting {
            None => self.waiting = Some(state.putters.push(waker)),
            Some(key) => state.putters.again(key, waker),
        }
        Poll::Pending
    }

    #[cold]
    fn leave(&mut self, key: Key) {
        let mut state = self.queue.state.lock();
        let removed = state.putters.remove(key);
        let next = match removed.was {
            Was::Called => state.call_putter(self.queue.maxsize),
            Was::Waiting => Called(None),
        };
        next.leave(state);
        drop(removed);
    }
}

impl<T, S: Storage<T>> Drop for Put<'_, T, S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.waiting {
            self.leave(key);
        }
    }
}

/// What [`QueueWith::get`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Get<'a, T, S: Storage<T>> {
    queue: &'a QueueWith<T, S>,
    waiting: Option<Key>,
}

impl<T, S: Storage<T>> Future for Get<'_, T, S> {
    type Output = Result<T, QueueShutDown>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.waiting.is_none() {
            let mut state = self.queue.state.lock();
            if let Some(item) = state.take_unclaimed() {
                state.taken().leave(state);
                return Poll::Ready(Ok(item));
            }
        }
        self.poll_in_line(cx)
    }
}

impl<T, S: Storage<T>> Get<'_, T, S> {
    #[cold]
    fn poll_in_line(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, QueueShutDown>> {
        let queue = self.queue;
        // Cloned while the latch is free.
        let waker = cx.waker().clone();
        let mut state = match self.waiting {
            None => queue.state.lock(),
            Some(key) => match poll_called(&queue.state, |state| &mut state.getters, key, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(state) => state,
            },
        };
        let item = match self.waiting {
            None => state.take_unclaimed(),
            Some(_) => state.storage.pop(),
        };
        if item.is_some() || state.shut_down && state.storage.count() == 0 {
            if let Some(key) = self.waiting.take() {
                let _ = state.getters.remove(key);
            }
            let Some(item) = item else { return Poll::Ready(Err(QueueShutDown(()))) };
            state.taken().leave(state);
            return Poll::Ready(Ok(item));
        }
        match self.waiting {
            None => self.waiting = Some(state.getters.push(waker)),
            Some(key) => state.getters.again(key, waker),
        }
        Poll::Pending
    }

    #[cold]
    fn leave(&mut self, key: Key) {
        let mut state = self.queue.state.lock();
        let removed = state.getters.remove(key);
        let next = match removed.was {
            Was::Called => state.call_getter(),
            Was::Waiting => Called(None),
        };
        next.leave(state);
        drop(removed);
    }
}

impl<T, S: Storage<T>> Drop for Get<'_, T, S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.waiting {
            self.leave(key);
        }
    }
}

/// What [`QueueWith::join`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Join<'a, T, S: Storage<T>> {
    queue: &'a QueueWith<T, S>,
    waiting: Option<Key>,
}

impl<T, S: Storage<T>> Future for Join<'_, T, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let queue = self.queue;
        if let Some(key) = self.waiting {
            let Poll::Ready(mut state) = poll_called(&queue.state, |state| &mut state.joiners, key, cx)
            else {
                return Poll::Pending;
            };
            let _ = state.joiners.remove(key);
            self.waiting = None;
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut state = queue.state.lock();
        if state.unfinished == 0 {
            return Poll::Ready(());
        }
        self.waiting = Some(state.joiners.push(waker));
        Poll::Pending
    }
}

impl<T, S: Storage<T>> Drop for Join<'_, T, S> {
    fn drop(&mut self) {
        if let Some(key) = self.waiting {
            let removed = self.queue.state.lock().joiners.remove(key);
            drop(removed);
        }
    }
}

impl<T, S: Storage<T>> fmt::Debug for QueueWith<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        let (size, getters, putters) =
            (state.storage.count(), state.getters.waiting(), state.putters.waiting());
        let (unfinished, shut_down) = (state.unfinished, state.shut_down);
        drop(state);
        f.debug_struct("Queue")
            .field("maxsize", &self.maxsize)
            .field("size", &size)
            .field("getters", &getters)
            .field("putters", &putters)
            .field("unfinished", &unfinished)
            .field("shut_down", &shut_down)
            .finish()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
