//! [`Lock`]: one at a time, in the order of asking. It is a [`Semaphore`] of one permit with what it guards.

use super::semaphore::{Acquire, Permit, Semaphore};
use std::{
    cell::UnsafeCell,
    error::Error,
    fmt,
    future::Future,
    ops::{Deref, DerefMut},
    pin::Pin,
    task::{Context, Poll},
};

/// A lock that may be held across an await, with the data that it guards: `asyncio.Lock` (CPython 3.13,
/// "Synchronization Primitives"). Tasks on any threads get it in the order in which they ask.
///
/// For data that is never used across an await, std's `Mutex` is the better choice.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, spawn_local, sync::Lock, yield_now};
/// use std::rc::Rc;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let balance = Rc::new(Lock::new(0));
///     let tasks = [(); 10].map(|()| {
///         let balance = balance.clone();
///         spawn_local(async move {
///             let mut balance = balance.acquire().await;
///             let before = *balance;
///             yield_now().await;
///             *balance = before + 1;
///         })
///     });
///     for task in tasks {
///         task.await.unwrap();
///     }
///     assert_eq!(*balance.acquire().await, 10);
/// });
/// ```
pub struct Lock<T: ?Sized = ()> {
    turn: Semaphore,
    data: UnsafeCell<T>,
}

// SAFETY: whoever reaches the data through a shared lock holds its one permit, so there is one at a time; as
// each of them may be on another thread, the data is sent between them.
unsafe impl<T: ?Sized + Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A lock that nobody holds.
    pub fn new(data: T) -> Self {
        Self { turn: Semaphore::bounded(1, 1), data: UnsafeCell::new(data) }
    }

    /// The data, with the lock gone.
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<T: ?Sized> Lock<T> {
    /// Takes the lock; waits while another holds it or waits for it already.
    ///
    /// # Cancel safety
    /// Dropping it leaves the line. A lock that was handed to it already goes to the next.
    pub fn acquire(&self) -> LockAcquire<'_, T> {
        LockAcquire { lock: self, turn: self.turn.acquire() }
    }

    /// Takes the lock if nobody holds it or waits for it.
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        self.turn.try_acquire().map(|turn| LockGuard { lock: self, turn })
    }

    /// How many wait for it.
    pub fn waiters(&self) -> usize {
        self.turn.waiters()
    }

    /// Whether somebody holds it.
    pub fn locked(&self) -> bool {
        self.turn.locked()
    }

    /// The data, which nobody else can reach now.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

impl Lock<()> {
    /// Lets a lock go that was taken by a guard which was [forgotten](LockGuard::forget), by whoever calls it. Only a lock
    /// that guards no data of its own has this.
    ///
    /// # Errors
    /// [`NotAcquired`] when nobody holds it.
    pub fn release(&self) -> Result<(), NotAcquired> {
        self.turn.give_back().map_err(|_| NotAcquired)
    }
}

/// [`Lock::release`] was called, and nobody held the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAcquired;

impl fmt::Display for NotAcquired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lock is not acquired")
    }
}

impl Error for NotAcquired {}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("locked", &self.locked()).finish_non_exhaustive()
    }
}

/// What [`Lock::acquire`] returns.
///
/// # Panics
/// When it's polled again after it gave its guard.
#[must_use = "futures do nothing unless awaited"]
pub struct LockAcquire<'a, T: ?Sized> {
    lock: &'a Lock<T>,
    turn: Acquire<&'a Semaphore>,
}

impl<'a, T: ?Sized> Future for LockAcquire<'a, T> {
    type Output = LockGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let lock = self.lock;
        Pin::new(&mut self.turn).poll(cx).map(|turn| LockGuard { lock, turn })
    }
}

/// The data of a [`Lock`] for as long as it's held; dropping the guard hands the lock on.
#[must_use = "a lock whose guard is dropped is free again"]
pub struct LockGuard<'a, T: ?Sized = ()> {
    lock: &'a Lock<T>,
    turn: Permit<&'a Semaphore>,
}

impl LockGuard<'_, ()> {
    /// Keeps the lock taken. [`Lock::release`] lets it go, by whoever calls it.
    ///
    /// ```
    /// use asyncferry::sync::Lock;
    ///
    /// let lock = Lock::new(());
    /// lock.try_acquire().unwrap().forget();
    /// assert!(lock.locked());
    /// assert_eq!(lock.release(), Ok(()));
    /// ```
    pub fn forget(self) {
        self.turn.forget();
    }
}

// SAFETY: a shared guard lends the data, so it may be shared where the data may.
unsafe impl<T: ?Sized + Sync> Sync for LockGuard<'_, T> {}

impl<'a, T: ?Sized> LockGuard<'a, T> {
    /// The lock that is held.
    pub(super) fn lock(&self) -> &'a Lock<T> {
        self.lock
    }
}

impl<T: ?Sized> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the guard owns the lock's one permit, so nobody else reaches the data, but by this guard.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T: ?Sized> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and this guard is borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
