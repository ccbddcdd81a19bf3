//! [`Semaphore`] and [`BoundedSemaphore`]: so many at once.
//!
//! ```text
//!                    permits > 0 and nobody in line
//!   acquire ──▶ New ────────────────────────────────▶ Permit ── drop ──▶ release
//!                │ else                                 ▲
//!                ▼         release hands its permit over │
//!             Waiting ───────────▶ called ───────────────┘
//!                │ dropped            │ dropped: passed on to the next in line
//! ```
//!
//! A permit that is released while somebody waits never becomes free: it goes to the oldest waiter, so nobody who comes
//! later is faster, and the count is right at every moment.

use super::{
    latch::Latch,
    waiters::{Key, Waiters, Was, poll_called},
};
use std::{
    error::Error,
    fmt,
    future::Future,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// A number of permits that tasks, on any threads, take in the order in which they ask: `asyncio.Semaphore` (CPython
/// 3.13, "Synchronization Primitives").
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, sync::Semaphore};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let semaphore = Semaphore::new(2);
///     let permit = semaphore.acquire().await;
///     assert_eq!(semaphore.permits(), 1);
///     drop(permit);
///     assert_eq!(semaphore.permits(), 2);
/// });
/// ```
pub struct Semaphore {
    state: Latch<State>,
}

struct State {
    permits: usize,
    /// There are never more free permits than this.
    bound: usize,
    waiters: Waiters,
}

impl State {
    #[inline]
    fn take(&mut self) -> bool {
        let free = self.permits > 0 && self.waiters.is_empty();
        self.permits -= usize::from(free);
        free
    }

    /// Whom the permit goes to, if it doesn't lie with the others.
    #[inline]
    fn give_back(&mut self) -> Result<Option<Waker>, OverReleased> {
        if self.permits == self.bound {
            return Err(OverReleased);
        }
        let next = self.waiters.call_next();
        self.permits += usize::from(next.is_none());
        Ok(next)
    }
}

/// [`BoundedSemaphore::release`] was called more often than permits were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverReleased;

impl fmt::Display for OverReleased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bounded semaphore was released more often than it was acquired")
    }
}

impl Error for OverReleased {}

impl Semaphore {
    /// A semaphore with so many permits.
    pub fn new(permits: usize) -> Self {
        Self::bounded(permits, usize::MAX)
    }

    pub(super) fn bounded(permits: usize, bound: usize) -> Self {
        Self { state: Latch::new(State { permits, bound, waiters: Waiters::default() }) }
    }

    /// Takes a permit; waits for one if there is none, or if others wait already.
    ///
    /// # Cancel safety
    /// Dropping it leaves the line. A permit that was handed to it already goes to the next.
    #[inline]
    pub fn acquire(&self) -> Acquire<&Self> {
        Acquire { semaphore: Some(self), waiting: None }
    }

    /// As [`acquire`](Self::acquire), with a permit that may be moved to another task.
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    pub fn acquire_owned(self: Arc<Self>) -> Acquire<Arc<Self>> {
        Acquire { semaphore: Some(self), waiting: None }
    }

    /// Takes a permit if one is free and nobody waits for it.
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<&Self>> {
        let taken = self.state.lock().take();
        taken.then(|| Permit { semaphore: Some(self) })
    }

    /// Adds a permit: one that was taken by a permit that was [forgotten](Permit::forget), or a new one. A permit that is
    /// dropped does this by itself.
    ///
    /// # Panics
    /// When there are `usize::MAX` free permits already.
    pub fn release(&self) {
        self.give_back().expect("a semaphore has at most usize::MAX permits");
    }

    #[inline]
    pub(super) fn give_back(&self) -> Result<(), OverReleased> {
        let next = self.state.lock().give_back()?;
        if let Some(waker) = next {
            waker.wake();
        }
        Ok(())
    }

    /// How many permits are free.
    pub fn permits(&self) -> usize {
        self.state.lock().permits
    }

    /// How many wait for a permit.
    pub fn waiters(&self) -> usize {
        self.state.lock().waiters.waiting()
    }

    /// Whether an [`acquire`](Self::acquire) would have to wait.
    pub fn locked(&self) -> bool {
        let state = self.state.lock();
        state.permits == 0 || !state.waiters.is_empty()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        let (permits, waiters) = (state.permits, state.waiters.waiting());
        drop(state);
        f.debug_struct("Semaphore").field("permits", &permits).field("waiters", &waiters).finish()
    }
}

/// What [`Semaphore::acquire`] and [`Semaphore::acquire_owned`] return.
///
/// # Panics
/// When it's polled again after it gave its permit.
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<S: Deref<Target = Semaphore>> {
    semaphore: Option<S>,
    waiting: Option<Key>,
}

impl<S: Deref<Target = Semaphore> + Unpin> Future for Acquire<S> {
    type Output = Permit<S>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<S>> {
        let this = &mut *self;
        let semaphore = this.semaphore.as_ref().expect("it was polled after it gave its permit");
        semaphore.poll_acquire(&mut this.waiting, cx).map(|()| Permit { semaphore: this.semaphore.take() })
    }
}

impl Semaphore {
    #[inline]
    fn poll_acquire(&self, waiting: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        if waiting.is_none() && self.state.lock().take() {
            return Poll::Ready(());
        }
        self.poll_in_line(waiting, cx)
    }

    fn poll_in_line(&self, waiting: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(key) = *waiting {
            let Poll::Ready(mut state) = poll_called(&self.state, |state| &mut state.waiters, key, cx) else {
                return Poll::Pending;
            };
            let _ = state.waiters.remove(key);
            *waiting = None;
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut state = self.state.lock();
        if state.take() {
            return Poll::Ready(());
        }
        *waiting = Some(state.waiters.push(waker));
        Poll::Pending
    }

    /// A waiter gives up. A permit that it was called for goes on to the next.
    fn leave(&self, waiting: Key) {
        let removed = self.state.lock().waiters.remove(waiting);
        if removed.was == Was::Called {
            self.release();
        }
    }
}

impl<S: Deref<Target = Semaphore>> Drop for Acquire<S> {
    fn drop(&mut self) {
        if let (Some(semaphore), Some(key)) = (&self.semaphore, self.waiting) {
            semaphore.leave(key);
        }
    }
}

/// A permit of a [`Semaphore`], given back when it's dropped.
#[must_use = "a permit that is dropped is given back"]
pub struct Permit<S: Deref<Target = Semaphore>> {
    /// There until it was forgotten.
    semaphore: Option<S>,
}

impl<S: Deref<Target = Semaphore>> Permit<S> {
    /// Keeps the permit taken. [`Semaphore::release`] gives it back, by whoever calls it.
    pub fn forget(mut self) {
        self.semaphore = None;
    }
}

impl<S: Deref<Target = Semaphore>> Drop for Permit<S> {
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            // A bounded semaphore that somebody else released instead of this permit is full already.
            let _ = semaphore.give_back();
        }
    }
}

impl<S: Deref<Target = Semaphore>> fmt::Debug for Permit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

/// A [`Semaphore`] that never has more permits than it began with: `asyncio.BoundedSemaphore` (CPython 3.13,
/// "Synchronization Primitives"). A release too many is an error here, where the plain one would let one more in.
///
/// ```
/// use asyncferry::sync::{BoundedSemaphore, OverReleased};
///
/// let semaphore = BoundedSemaphore::new(1);
/// semaphore.try_acquire().unwrap().forget();
/// assert_eq!(semaphore.release(), Ok(()));
/// assert_eq!(semaphore.release(), Err(OverReleased));
/// ```
#[derive(Debug)]
pub struct BoundedSemaphore {
    semaphore: Arc<Semaphore>,
}

impl BoundedSemaphore {
    /// A semaphore with so many permits, now and at most.
    pub fn new(permits: usize) -> Self {
        Self { semaphore: Arc::new(Semaphore::bounded(permits, permits)) }
    }

    /// See [`Semaphore::acquire`].
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire`].
    pub fn acquire(&self) -> Acquire<&Semaphore> {
        self.semaphore.acquire()
    }

    /// See [`Semaphore::acquire_owned`].
    ///
    /// # Cancel safety
    /// As [`Semaphore::acquire`].
    pub fn acquire_owned(&self) -> Acquire<Arc<Semaphore>> {
        self.semaphore.clone().acquire_owned()
    }

    /// See [`Semaphore::try_acquire`].
    pub fn try_acquire(&self) -> Option<Permit<&Semaphore>> {
        self.semaphore.try_acquire()
    }

    /// Adds a permit, as [`Semaphore::release`].
    ///
    /// # Errors
    /// [`OverReleased`] when all permits are free.
    pub fn release(&self) -> Result<(), OverReleased> {
        self.semaphore.give_back()
    }

    /// See [`Semaphore::permits`].
    pub fn permits(&self) -> usize {
        self.semaphore.permits()
    }

    /// See [`Semaphore::waiters`].
    pub fn waiters(&self) -> usize {
        self.semaphore.waiters()
    }

    /// See [`Semaphore::locked`].
    pub fn locked(&self) -> bool {
        self.semaphore.locked()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
