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
//! Who owns what: both ends share one cell. The waiters' list, and the right to settle, stand under the
//! cell's lock; `state` is written once, under that lock and after the outcome, and read without it. From
//! then on the outcome never changes, so it is read by reference as long as an end lives. Wakers are called
//! in the order in which they came, after the lock is free.

use crate::{
    error::Failure,
    model::{Arc, AtomicU8, AtomicUsize, Mutex, Ordering, UnsafeCell, lock},
};
use std::{
    collections::VecDeque,
    error::Error,
    fmt,
    pin::Pin,
    task::{Context, Poll, Waker},
};

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
    let cell = Arc::new(Cell {
        state: AtomicU8::new(State::Pending as u8),
        outcome: UnsafeCell::new(None),
        waiters: Mutex::new(Waiters::default()),
        promises: AtomicUsize::new(1),
        futures: AtomicUsize::new(1),
    });
    (Promise { cell: cell.clone() }, Future { cell, waiting: None })
}

/// The end that settles. Clones settle the same promise; the first to do so wins. When the last is dropped
/// unsettled, the waiters see [`Failure::Cancelled`].
pub struct Promise<T> {
    cell: Arc<Cell<T>>,
}

impl<T> Promise<T> {
    /// Settles the promise with `value`.
    ///
    /// # Errors
    /// The value comes back when the promise is settled already.
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
        self.cell.promises.fetch_add(1, Ordering::Relaxed);
        Self { cell: self.cell.clone() }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.cell.leave(&self.cell.promises, "the promise was dropped before it was settled");
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
    cell: Arc<Cell<T>>,
    waiting: Option<u64>,
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
    pub fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.cell.poll_settled(&mut self.waiting, cx.waker())
    }
}

impl<T: Clone> std::future::Future for Future<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_settled(cx).map(|()| self.get().cloned().unwrap_or_else(|| unreachable!("it is settled")))
    }
}

impl<T> Clone for Future<T> {
    fn clone(&self) -> Self {
        self.cell.futures.fetch_add(1, Ordering::Relaxed);
        Self { cell: self.cell.clone(), waiting: None }
    }
}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        self.cell.forget(&mut self.waiting);
        self.cell.leave(&self.cell.futures, "nobody waits for it any more");
    }
}

/// What [`Promise::settled`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Settled<'a, T> {
    cell: &'a Cell<T>,
    waiting: Option<u64>,
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

struct Cell<T> {
    state: AtomicU8,
    outcome: UnsafeCell<Option<Outcome<T>>>,
    waiters: Mutex<Waiters>,
    promises: AtomicUsize,
    futures: AtomicUsize,
}

// SAFETY: `outcome` is written once, under the lock, before `state` leaves Pending with Release; it's read
// only after `state` was read as settled with Acquire, and never written again. So references to it may be
// shared (T: Sync), and it may be made on one thread and dropped on another (T: Send).
unsafe impl<T: Send + Sync> Sync for Cell<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Cell<T> {}

impl<T> Cell<T> {
    fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Pending,
            1 => State::Completed,
            2 => State::Failed,
            _ => State::Cancelled,
        }
    }

    fn get(&self) -> Option<&Outcome<T>> {
        if self.state() == State::Pending {
            return None;
        }
        // SAFETY: the state is settled, so the outcome was written before and is never written again.
        self.outcome.with(|outcome| unsafe { (*outcome).as_ref() })
    }

    fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        let state = match &outcome {
            Ok(_) => State::Completed,
            Err(Failure::Failed(_)) => State::Failed,
            Err(Failure::Cancelled(_)) => State::Cancelled,
        };
        let waiters = {
            let mut waiters = lock(&self.waiters);
            if self.state() != State::Pending {
                return Err(outcome);
            }
            // SAFETY: the state is Pending, so nobody reads the outcome, and we hold the lock, so nobody
            // else writes it.
            self.outcome.with_mut(|slot| unsafe { *slot = Some(outcome) });
            self.state.store(state as u8, Ordering::Release);
            std::mem::take(&mut *waiters)
        };
        waiters.wake_all();
        Ok(())
    }

    fn poll_settled(&self, waiting: &mut Option<u64>, waker: &Waker) -> Poll<()> {
        if self.state() != State::Pending {
            *waiting = None;
            return Poll::Ready(());
        }
        // Wakers are foreign code: they are cloned before, and dropped after, the lock is held.
        let waker = waker.clone();
        let mut waiters = lock(&self.waiters);
        if self.state() != State::Pending {
            *waiting = None;
            return Poll::Ready(());
        }
        let stale = waiters.register(waiting, waker);
        drop(waiters);
        drop(stale);
        Poll::Pending
    }

    /// Takes a waiter that gave up out of the list.
    fn forget(&self, waiting: &mut Option<u64>) {
        if let Some(key) = waiting.take()
            && self.state() == State::Pending
        {
            // The waker is dropped after the lock is free: it may own what drops an end of this promise.
            let waker = lock(&self.waiters).remove(key);
            drop(waker);
        }
    }

    /// One handle of an end goes; with the last, a pending promise is cancelled.
    fn leave(&self, end: &AtomicUsize, why: &str) {
        if end.fetch_sub(1, Ordering::AcqRel) == 1 && self.state() == State::Pending {
            // Settled meanwhile by the other end: then that is how it ended.
            let _ = self.settle(Err(Failure::cancelled(why)));
        }
    }
}

/// Who waits, in the order of arrival. One waiter, by far the most common case, needs no allocation.
#[derive(Default)]
struct Waiters {
    first: Option<(u64, Waker)>,
    /// Sorted by key; a waiter that left in the middle leaves an empty place.
    rest: VecDeque<(u64, Option<Waker>)>,
    /// How many places of `rest` are empty.
    empty: usize,
    next: u64,
}

impl Waiters {
    /// Gives back the waker that `waker` replaces.
    fn register(&mut self, waiting: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        if let Some(place) = waiting.and_then(|key| self.place(key)) {
            return Some(std::mem::replace(place, waker));
        }
        let key = self.next;
        self.next += 1;
        *waiting = Some(key);
        // The first place is only taken when nobody came earlier, so that the order stays that of arrival.
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some((key, waker));
        } else {
            self.rest.push_back((key, Some(waker)));
        }
        None
    }

    fn place(&mut self, key: u64) -> Option<&mut Waker> {
        match &mut self.first {
            Some((first, waker)) if *first == key => Some(waker),
            _ => {
                let at = self.rest.binary_search_by_key(&key, |(key, _)| *key).ok()?;
                self.rest[at].1.as_mut()
            }
        }
    }

    fn remove(&mut self, key: u64) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|(first, _)| *first == key) {
            return self.first.take().map(|(_, waker)| waker);
        }
        let at = self.rest.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        let waker = self.rest[at].1.take();
        self.empty += usize::from(waker.is_some());
        // Empty places go once they are the greater part, so each costs a constant time on average.
        if self.empty * 2 > self.rest.len() {
            self.rest.retain(|(_, waker)| waker.is_some());
            self.empty = 0;
        }
        waker
    }

    fn wake_all(self) {
        if let Some((_, waker)) = self.first {
            waker.wake();
        }
        for waker in self.rest.into_iter().filter_map(|(_, waker)| waker) {
            waker.wake();
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;

#[cfg(all(test, ferry_loom))]
mod loom_tests;
