//! [`Promise`] and [`Future`]: the one crossing point of all languages.
//!
//! A promise is settled once, by anyone who holds one of its two ends, on any thread; a future is awaited by
//! many. Each bridge is an adapter from a `Future` to its host's own way of waiting.
//!
//! ```text
//!                complete(value)    ┌─▶ 1 Completed
//!   0 Pending ──────────────────────┼─▶ 2 Failed      fail(error)
//!                                   └─▶ 3 Cancelled   cancel(message), or an end is gone:
//!                                         - the last Promise dropped: nobody can settle it any more
//!                                         - the last Future dropped: nobody waits any more
//! ```
//!
//! Who owns what: both ends share one cell (`cell.rs`). The list of who waits (`waiters.rs`), and the right to
//! settle, stand under the cell's lock; `state` is settled once, under that lock and after the outcome, and read
//! without it. From then on the outcome never changes, so it is read by reference as long as an end lives.
//! Wakers and callbacks are called in the order in which they came, after the lock is free.

mod cell;
mod pool;
mod waiters;

pub use waiters::CallbackKey;

use crate::error::Failure;
use cell::{FUTURE, Handle, PROMISE, Slot};
use std::{
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use waiters::Key;

/// How a settled promise ended.
pub type Outcome<T> = Result<T, Failure>;

/// Where a promise stands. The numbers are the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not settled yet.
    Pending = 0,
    /// Settled with a value.
    Completed = 1,
    /// Settled with an error.
    Failed = 2,
    /// Cancelled, by either end.
    Cancelled = 3,
}

/// Makes a pending promise: the end that settles it, and the end that awaits it.
///
/// ```
/// use asyncferry::{AsyncRuntime, promise};
///
/// let (promise, future) = promise();
/// std::thread::spawn(move || promise.complete(42));
/// assert_eq!(AsyncRuntime::block_on(future).unwrap(), 42);
/// ```
pub fn promise<T>() -> (Promise<T>, Future<T>) {
    let (promise, future) = cell::pair();
    (Promise { cell: promise }, Future { cell: future, waiting: None })
}

/// The end that settles. Clones settle the same promise; the first to do so wins. When the last is dropped
/// unsettled, the waiters see [`Failure::Cancelled`].
pub struct Promise<T> {
    cell: Handle<T, PROMISE>,
}

impl<T> Promise<T> {
    /// Settles the promise with `value`.
    ///
    /// # Errors
    /// The value comes back when the promise is settled already.
    #[inline]
    pub fn complete(&self, value: T) -> Result<(), T> {
        self.settle(Ok(value)).map_err(|outcome| outcome.unwrap_or_else(|_| unreachable!("it was Ok")))
    }

    /// Fails the promise with `error`; `false` when it's settled already. See [`Failure::from_error`] for
    /// what becomes of it.
    pub fn fail(&self, error: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.settle(Err(Failure::from_error(error))).is_ok()
    }

    /// Cancels the promise with `message` (empty: none); `false` when it's settled already.
    pub fn cancel(&self, message: &str) -> bool {
        self.settle(Err(Failure::cancelled(message))).is_ok()
    }

    /// Settles the promise with `outcome`.
    ///
    /// # Errors
    /// The outcome comes back when the promise is settled already.
    #[inline]
    pub fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        self.cell.settle(outcome)
    }

    /// Where the promise stands now.
    pub fn state(&self) -> State {
        self.cell.state()
    }

    /// Waits until the promise is settled, by whichever end: how the working side learns that it was
    /// cancelled or that nobody waits any more.
    ///
    /// # Cancel safety
    /// Dropping the returned future half-way changes nothing.
    pub fn settled(&self) -> Settled<'_, T> {
        Settled { cell: &self.cell, waiting: None }
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Self { cell: self.cell.clone() }
    }
}

/// The end that awaits. Each clone awaits the same outcome; when the last is dropped, a pending promise is
/// cancelled.
///
/// Awaiting it needs `T: Clone`, as there may be many waiters; share what can't be cloned in an `Arc`, or
/// use [`poll_settled`](Self::poll_settled) and [`get`](Self::get), which lend the outcome.
///
/// # Cancel safety
/// Dropping it while it waits takes its waiter out of the list; another clone still gets the outcome.
pub struct Future<T> {
    cell: Handle<T, FUTURE>,
    waiting: Option<Key>,
}

impl<T> Future<T> {
    /// Where the promise stands now.
    pub fn state(&self) -> State {
        self.cell.state()
    }

    /// The outcome, if the promise is settled.
    pub fn get(&self) -> Option<&Outcome<T>> {
        self.cell.get()
    }

    /// Cancels the promise with `message` (empty: none), as its settling end can; `false` when it is
    /// settled already.
    pub fn cancel(&self, message: &str) -> bool {
        self.cell.settle(Err(Failure::cancelled(message))).is_ok()
    }

    /// Ready once the promise is settled; until then the task of `cx` is woken when it is.
    #[inline]
    pub fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.cell.poll_settled(&mut self.waiting, cx.waker())
    }

    /// Calls `callback` with the outcome once the promise is settled: asyncio's `Future.add_done_callback`
    /// (CPython 3.13, "Future Object"). It is called once, by whoever settles the promise and on that thread, in
    /// the order in which callbacks and awaiting tasks came; or at once, on this thread, if the promise is
    /// settled already. asyncio gives it to the event loop instead, as its futures belong to one.
    ///
    /// The callback may do what it likes with promises, this one among them. It should be short, as those who
    /// came later wait for it, and so does whoever settles. If it panics, the panic hook shows that, and the
    /// panic ends there: all others are told, and whoever settled goes on.
    ///
    /// A callback keeps nothing alive, as in asyncio: it isn't somebody who waits. When the last `Future` is
    /// dropped, the promise is cancelled, and the callback hears of that. One that owns a `Future` of its own
    /// promise does wait, until the promise is settled or its last `Promise` is gone; one that owns both ends is
    /// leaked unless the promise is settled.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, promise, sleep, spawn_local};
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let (sender, said) = mpsc::channel();
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let (promise, answer) = promise();
    ///     answer.on_settled(move |outcome| sender.send(outcome.clone().unwrap()).unwrap());
    ///     let asked = spawn_local(async move {
    ///         sleep(Duration::from_secs(5)).await;
    ///         promise.complete("approved").unwrap();
    ///     });
    ///     assert_eq!(answer.await.unwrap(), "approved");
    ///     asked.await.unwrap();
    /// });
    /// assert_eq!(said.recv().unwrap(), "approved");
    /// ```
    pub fn on_settled(&self, callback: impl FnOnce(&Outcome<T>) + Send + 'static) -> CallbackKey {
        self.cell.on_settled(Box::new(callback))
    }

    /// Takes back a callback that [`on_settled`](Self::on_settled) was given, through whichever clone: asyncio's
    /// `Future.remove_done_callback`. It is dropped uncalled. `false` when it was called, is being called or was
    /// taken back already, and for a key of another promise.
    pub fn take_back(&self, key: CallbackKey) -> bool {
        self.cell.take_back(key)
    }
}

impl<T: Clone> std::future::Future for Future<T> {
    type Output = Outcome<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_settled(cx).map(|()| self.get().cloned().unwrap_or_else(|| unreachable!("it is settled")))
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        Self { cell: self.cell.clone(), waiting: None }
    }
}

impl<T> Drop for Future<T> {
    #[inline]
    fn drop(&mut self) {
        self.cell.forget(&mut self.waiting);
    }
}

/// What [`Promise::settled`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Settled<'a, T> {
    cell: &'a Slot<T>,
    waiting: Option<Key>,
}

impl<T> std::future::Future for Settled<'_, T> {
    type Output = State;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<State> {
        let this = &mut *self;
        this.cell.poll_settled(&mut this.waiting, cx.waker()).map(|()| this.cell.state())
    }
}

impl<T> Drop for Settled<'_, T> {
    fn drop(&mut self) {
        self.cell.forget(&mut self.waiting);
    }
}

/// A promise inside of something that is shared by other means than the two ends: settled and awaited as they are. It
/// is settled as cancelled when it's dropped before.
pub(crate) struct Inline<T> {
    slot: Slot<T>,
}

/// The place of a task that waits for an [`Inline`] promise. It's given back by [`Inline::forget`].
pub(crate) type Place = Option<Key>;

impl<T> Inline<T> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { slot: Slot::new() }
    }

    /// See [`Promise::settle`].
    #[inline]
    pub(crate) fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        self.slot.settle(outcome)
    }

    /// See [`Future::state`].
    #[inline]
    pub(crate) fn state(&self) -> State {
        self.slot.state()
    }

    /// See [`Future::get`].
    #[inline]
    pub(crate) fn get(&self) -> Option<&Outcome<T>> {
        self.slot.get()
    }

    /// See [`Future::poll_settled`].
    #[inline]
    pub(crate) fn poll_settled(&self, place: &mut Place, cx: &mut Context<'_>) -> Poll<()> {
        self.slot.poll_settled(place, cx.waker())
    }

    /// A task that waits gives up.
    #[inline]
    pub(crate) fn forget(&self, place: &mut Place) {
        self.slot.forget(place);
    }

    /// See [`Future::on_settled`].
    pub(crate) fn on_settled(&self, callback: impl FnOnce(&Outcome<T>) + Send + 'static) {
        self.slot.on_settled(Box::new(callback));
    }
}

impl<T> Drop for Inline<T> {
    #[inline]
    fn drop(&mut self) {
        if self.slot.state() == State::Pending {
            let _ = self.slot.settle(Err(Failure::cancelled("it was dropped before it was settled")));
        }
        // SAFETY: it's settled, and this is the only reference to it, the last one.
        unsafe { self.slot.drop_outcome() };
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").field("state", &self.state()).finish()
    }
}

impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Future").field("state", &self.state()).finish()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;

#[cfg(all(test, ferry_loom))]
mod loom_tests;
