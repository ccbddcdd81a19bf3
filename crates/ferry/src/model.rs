//! The primitives that lock-free code here stands on: std's, or loom's when the model checker runs
//! (`RUSTFLAGS="--cfg ferry_loom"`), under one set of names.

#[cfg(ferry_loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

#[cfg(not(ferry_loom))]
pub(crate) use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// std's cell with loom's way of reaching into it, so that loom can watch each access.
#[cfg(not(ferry_loom))]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(ferry_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Alone in its lines of the cache, as several threads write beside each other.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

/// Locks `mutex`. No code of a user ever runs under one of our locks, so a poisoned lock still holds a
/// consistent value and is taken as it is.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Waits a moment for a thread that holds something for a few instructions; `turn` counts the moments. It spins
/// at first, and then gives way, as that thread may have been put off its processor.
#[cfg(not(ferry_loom))]
pub(crate) fn relax(turn: u32) {
    const SPINS: u32 = 64;
    if turn < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

/// Under the model checker other threads only run when this one gives way. Two that wait for a third could give way
/// to each other for ever, so from the second turn on no more ways to go on are tried than one.
#[cfg(ferry_loom)]
pub(crate) fn relax(turn: u32) {
    if turn > 0 {
        loom::skip_branch();
    }
    loom::thread::yield_now();
}
