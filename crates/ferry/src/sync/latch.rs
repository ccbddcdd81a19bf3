//! [`Latch`]: the lock inside each primitive, held for a few instructions and never while foreign code runs.
//!
//! It is `spin`'s mutex, which lets go by a plain store: locking and unlocking takes one atomic read-modify-write
//! instead of two, which is half of what an uncontended primitive costs. Whoever finds it taken yields to the
//! system's scheduler, so that a holder that lost its processor gets on. Under the model checker it is loom's mutex.

#[cfg(not(ferry_loom))]
use spin::{Yield, mutex::SpinMutex};

#[cfg(not(ferry_loom))]
pub(crate) type LatchGuard<'a, T> = spin::mutex::SpinMutexGuard<'a, T, Yield>;
#[cfg(ferry_loom)]
pub(crate) type LatchGuard<'a, T> = loom::sync::MutexGuard<'a, T>;

#[cfg(not(ferry_loom))]
pub(crate) struct Latch<T>(SpinMutex<T, Yield>);
#[cfg(ferry_loom)]
pub(crate) struct Latch<T>(loom::sync::Mutex<T>);

impl<T> Latch<T> {
    #[cfg(not(ferry_loom))]
    pub(crate) fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    #[cfg(ferry_loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    #[cfg(not(ferry_loom))]
    #[inline]
    pub(crate) fn lock(&self) -> LatchGuard<'_, T> {
        match self.0.try_lock() {
            Some(guard) => guard,
            None => self.lock_when_free(),
        }
    }

    #[cfg(not(ferry_loom))]
    #[cold]
    fn lock_when_free(&self) -> LatchGuard<'_, T> {
        let mut turn = 0_u32;
        loop {
            crate::model::relax(turn);
            turn = turn.saturating_add(1);
            // Looked at first, as an attempt takes the cache's line away from whoever holds it.
            if !self.0.is_locked()
                && let Some(guard) = self.0.try_lock()
            {
                return guard;
            }
        }
    }

    #[cfg(ferry_loom)]
    pub(crate) fn lock(&self) -> LatchGuard<'_, T> {
        crate::model::lock(&self.0)
    }
}

impl<T: Default> Default for Latch<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}
