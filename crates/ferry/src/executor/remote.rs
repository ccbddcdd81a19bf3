//! What other threads may touch of a loop: its mailbox, its bell, its count of clock holds.

use super::{tasks::CellMeta, timers::Key};
use crate::{Mailbox, cancel::Cancelled};
use async_task::Runnable;
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
};

/// Names one run of a loop, for the life of the process. 0 names none.
pub(crate) type LoopId = u64;

/// One run of a loop, from any thread.
#[derive(Clone, Copy)]
pub(crate) struct LoopRef {
    pub(crate) remote: &'static Remote,
    pub(crate) id: LoopId,
}

/// What other threads ask of a loop.
pub(crate) enum Letter {
    /// A task was woken.
    Run(Runnable<CellMeta>),
    /// The task in this slot, with this number, was told to abort.
    Abort { id: LoopId, slot: u32, number: u64 },
    /// The task in this slot, with this number, was asked to cancel.
    Cancel { id: LoopId, slot: u32, number: u64, cancelled: Cancelled },
    /// A sleep that was armed on the loop was dropped elsewhere.
    Disarm { id: LoopId, key: Key },
    /// The last hold of the virtual clock was let go.
    Released,
}

pub(crate) struct Remote {
    pub(crate) mailbox: Mailbox<Letter>,
    pump: Arc<Mutex<Option<Waker>>>,
    holds: AtomicUsize,
}

impl Remote {
    /// A remote for a new loop: a pooled one if there is one.
    pub(crate) fn acquire() -> LoopRef {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
        let pooled = pool().pop();
        LoopRef { remote: pooled.unwrap_or_else(|| Box::leak(Box::new(Self::new()))), id }
    }

    /// Gives a remote back once its loop has ended. One whose clock is still held serves no other loop, whose
    /// clock the hold would stop.
    pub(crate) fn release(&'static self) {
        *lock(&self.pump) = None;
        if !self.is_held() {
            pool().push(self);
        }
    }

    fn new() -> Self {
        let pump = Arc::new(Mutex::new(None::<Waker>));
        let bell = pump.clone();
        let mailbox = Mailbox::new(move || wake(&bell));
        Self { mailbox, pump, holds: AtomicUsize::new(0) }
    }

    /// Tells whom the bell wakes.
    pub(crate) fn set_pump(&self, waker: &Waker) {
        *lock(&self.pump) = Some(waker.clone());
    }

    /// Wakes the pump: a task became ready on the loop's own thread while the pump waits.
    pub(crate) fn wake_pump(&self) {
        wake(&self.pump);
    }

    /// Posts `letter`. A remote's mailbox is never closed.
    pub(crate) fn post(&self, letter: Letter) {
        if self.mailbox.post(letter).is_err() {
            unreachable!("a loop's mailbox is never closed");
        }
    }

    pub(crate) fn hold(&self) {
        self.holds.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn let_go(&self) {
        if self.holds.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.post(Letter::Released);
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire) > 0
    }
}

fn wake(pump: &Mutex<Option<Waker>>) {
    // Cloned first: a pump's waker is foreign code, which must not run under our lock.
    let waker = lock(pump).clone();
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The remotes that serve no loop now.
fn pool() -> MutexGuard<'static, Vec<&'static Remote>> {
    static POOL: Mutex<Vec<&'static Remote>> = Mutex::new(Vec::new());
    lock(&POOL)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
