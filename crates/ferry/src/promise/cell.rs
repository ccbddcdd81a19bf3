//! The cell that the two ends of a promise share: who owns it, its lock, and its outcome.
//!
//! One allocation, from what the thread keeps for it (`pool.rs`), and few atomic steps: a promise that is settled
//! and then awaited costs two that change memory, one to settle it and one for the end that goes first.
//!
//! ```text
//!   state     PENDING ◀──▶ LOCKED ──▶ Completed | Failed | Cancelled
//!             a settler or a waiter takes the lock, for a few instructions; a waiter gives it back as
//!             PENDING, a settler as the state that it settled; from then on nobody takes it
//!
//!   ends      futures << 32 | promises: how many handles each end has
//!             a cell is born with one of each; a clone adds one to its own half
//!             (1, 0) or (0, 1), seen by that one   nobody else is there: it frees the cell
//!             its own half is 1, the other is not 0   the last of its end: it settles what is pending as
//!                                                  cancelled, while its handle still holds the cell, and goes
//!             otherwise                            it goes
//! ```
//!
//! A half that reads 1 to one of its own handles stays so until that handle goes, as clones are only made from
//! handles. A handle goes by compare-and-swap, so that none goes without knowing whether it was the last. The
//! end that goes last finds the promise settled, as the other end's last handle has seen to it.

use super::{
    Outcome, State, pool,
    waiters::{Callback, CallbackKey, Key, Waiters, call},
};
use crate::{
    error::Failure,
    model::{AtomicU8, AtomicU64, Ordering, UnsafeCell, relax},
};
use std::{
    mem::{ManuallyDrop, MaybeUninit},
    ops::Deref,
    ptr::NonNull,
    task::{Poll, Waker},
};

/// Not settled, and nobody holds the lock.
const PENDING: u8 = State::Pending as u8;

/// Not settled, and somebody holds the lock.
const LOCKED: u8 = 4;

/// One handle of the end that settles.
pub(super) const PROMISE: u64 = 1;

/// One handle of the end that awaits.
pub(super) const FUTURE: u64 = 1 << 32;

/// The upper bit of each half. A half that reaches it would flow over if it went on.
const TOO_MANY: u64 = (PROMISE | FUTURE) << 31;

/// One handle of the end `END`, which is [`PROMISE`] or [`FUTURE`].
pub(super) struct Handle<T, const END: u64>(NonNull<Cell<T>>);

// SAFETY: handles share the cell (T: Sync), and the last one drops it, on any of their threads (T: Send).
unsafe impl<T: Send + Sync, const END: u64> Send for Handle<T, END> {}
// SAFETY: as above; a reference is enough to make another handle.
unsafe impl<T: Send + Sync, const END: u64> Sync for Handle<T, END> {}

/// A new cell with one handle of each end.
pub(super) fn pair<T>() -> (Handle<T, PROMISE>, Handle<T, FUTURE>) {
    let cell = pool::place(Cell { ends: AtomicU64::new(PROMISE | FUTURE), slot: Slot::new() });
    (Handle(cell), Handle(cell))
}

impl<T, const END: u64> Handle<T, END> {
    /// The bits of `ends` that count this end's handles.
    const HALF: u64 = END * (FUTURE - 1);

    /// Why a promise is cancelled whose last handle of this end goes.
    const GONE: &'static str = match END {
        PROMISE => "the promise was dropped before it was settled",
        _ => "nobody waits for it any more",
    };
}

impl<T, const END: u64> Deref for Handle<T, END> {
    type Target = Slot<T>;

    #[inline]
    fn deref(&self) -> &Slot<T> {
        &self.cell().slot
    }
}

impl<T, const END: u64> Handle<T, END> {
    #[inline]
    fn cell(&self) -> &Cell<T> {
        // SAFETY: this handle is counted in `ends`, and the cell is freed by the last one only.
        unsafe { self.0.as_ref() }
    }
}

impl<T, const END: u64> Clone for Handle<T, END> {
    fn clone(&self) -> Self {
        // Relaxed, as whoever gives the clone to another thread does that with an order of its own.
        if self.cell().ends.fetch_add(END, Ordering::Relaxed) & TOO_MANY != 0 {
            // Billions of handles were forgotten, not dropped. What goes on would free a cell in use.
            std::process::abort();
        }
        Self(self.0)
    }
}

impl<T, const END: u64> Drop for Handle<T, END> {
    #[inline]
    fn drop(&mut self) {
        // Acquire, for the one that frees: what the others did with the cell comes before.
        let mut ends = self.cell().ends.load(Ordering::Acquire);
        while ends != END {
            if ends & Self::HALF == END && self.state() == State::Pending {
                self.cancel(Self::GONE);
            }
            // SAFETY: this handle is counted until the swap succeeds. No reference to the whole cell is held
            // across it, as another handle may free the cell right after.
            let counted = unsafe { &(*self.0.as_ptr()).ends };
            match counted.compare_exchange_weak(ends, ends - END, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => ends = now,
            }
        }
        let last = Last(self.0);
        // SAFETY: this handle is the only one, so nobody else has the cell, and nobody can get it.
        let cell = unsafe { last.0.as_ref() };
        // SAFETY: as above; and the last of the other end saw to it that the promise is settled.
        unsafe { cell.slot.drop_outcome() };
    }
}

/// Frees the cell's memory, even if the outcome's destructor panics.
struct Last<T>(NonNull<Cell<T>>);

impl<T> Drop for Last<T> {
    fn drop(&mut self) {
        // SAFETY: it was made by the last handle, in whose stead it stands.
        unsafe { pool::free(self.0) };
    }
}

/// What the two ends share.
pub(super) struct Cell<T> {
    ends: AtomicU64,
    slot: Slot<T>,
}

/// Where a promise stands, who waits for it, and its outcome: without what counts its handles.
pub(super) struct Slot<T> {
    state: AtomicU8,
    /// Only touched under the lock. Who settles takes them all, so there are none when a settled slot goes.
    waiters: UnsafeCell<ManuallyDrop<Waiters<T>>>,
    /// There once the state is settled. Whoever owns the slot drops it.
    outcome: UnsafeCell<MaybeUninit<Outcome<T>>>,
}

// SAFETY: `waiters` is touched under the lock only, and what it holds is Send. `outcome` is written once, under
// the lock, before `state` is settled with Release; it's read only after `state` was read as settled with
// Acquire, and never written again. So references to it may be shared (T: Sync), and it may be made on one
// thread and dropped on another (T: Send).
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(PENDING),
            waiters: UnsafeCell::new(ManuallyDrop::new(Waiters::new())),
            outcome: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }

    /// # Safety
    /// The slot is settled, nobody else uses it, and nobody will look at it again.
    pub(super) unsafe fn drop_outcome(&self) {
        // SAFETY: it's settled, so there is an outcome; and the caller is the only one who has it.
        self.outcome.with_mut(|outcome| unsafe { (*outcome).assume_init_drop() });
    }

    #[inline]
    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            PENDING | LOCKED => State::Pending,
            1 => State::Completed,
            2 => State::Failed,
            _ => State::Cancelled,
        }
    }

    #[inline]
    pub(super) fn get(&self) -> Option<&Outcome<T>> {
        if self.state() == State::Pending {
            return None;
        }
        // SAFETY: the state is settled, so the outcome was written before and is never written again.
        Some(self.outcome.with(|outcome| unsafe { (*outcome).assume_init_ref() }))
    }

    #[inline]
    pub(super) fn settle(&self, outcome: Outcome<T>) -> Result<(), Outcome<T>> {
        let state = match &outcome {
            Ok(_) => State::Completed,
            Err(Failure::Failed(_)) => State::Failed,
            Err(Failure::Cancelled(_)) => State::Cancelled,
        };
        if !self.lock() {
            return Err(outcome);
        }
        // SAFETY: the state is not settled, so nobody reads the outcome, and we hold the lock, so nobody else
        // writes it.
        self.outcome.with_mut(|place| unsafe { (*place).write(outcome) });
        // SAFETY: we hold the lock.
        let waiters = self.waiters.with_mut(|waiters| unsafe { (*waiters).take() });
        self.state.store(state as u8, Ordering::Release);
        if let Some(waiters) = waiters {
            self.tell(waiters);
        }
        Ok(())
    }

    /// Tells `waiters` that it is settled. A call of its own, as most promises are settled before anybody waits,
    /// or have one task that does.
    fn tell(&self, waiters: Waiters<T>) {
        let Some(outcome) = self.get() else { unreachable!("it was settled just now") };
        waiters.tell_all(outcome);
    }

    #[cold]
    fn cancel(&self, why: &'static str) {
        // Settled meanwhile by the other end: then that is how it ended.
        let _ = self.settle(Err(Failure::cancelled(why)));
    }

    #[inline]
    pub(super) fn poll_settled(&self, waiting: &mut Option<Key>, waker: &Waker) -> Poll<()> {
        if self.state() == State::Pending {
            // Wakers are foreign code: they are cloned before, and dropped after, the lock is held.
            let waker = waker.clone();
            if let Some(stale) = self.with_waiters(|waiters| waiters.register(waiting, waker)) {
                drop(stale);
                return Poll::Pending;
            }
        }
        *waiting = None;
        Poll::Ready(())
    }

    /// Takes a waiter that gave up out of the list.
    #[inline]
    pub(super) fn forget(&self, waiting: &mut Option<Key>) {
        if let Some(key) = waiting.take() {
            self.remove(key);
        }
    }

    fn remove(&self, key: Key) {
        // The waker is dropped after the lock is free: it may own what drops an end of this promise.
        drop(self.with_waiters(|waiters| waiters.remove(key)));
    }

    pub(super) fn on_settled(&self, callback: Callback<T>) -> CallbackKey {
        let mut waiting = Some(callback);
        let key =
            self.with_waiters(|waiters| waiting.take().map(|callback| waiters.register_callback(callback)));
        if let (Some(callback), Some(outcome)) = (waiting, self.get()) {
            call(callback, outcome);
        }
        key.flatten().unwrap_or(CallbackKey::CALLED)
    }

    pub(super) fn take_back(&self, key: CallbackKey) -> bool {
        // The callback is dropped after the lock is free, as it may own anything.
        self.with_waiters(|waiters| waiters.remove_callback(key)).flatten().is_some()
    }

    /// Lets `change` have the list under the lock, where no foreign code may run; nothing once it's settled.
    fn with_waiters<R>(&self, change: impl FnOnce(&mut Waiters<T>) -> R) -> Option<R> {
        if !self.lock() {
            return None;
        }
        // SAFETY: we hold the lock.
        let changed = self.waiters.with_mut(|waiters| change(unsafe { &mut **waiters }));
        self.state.store(PENDING, Ordering::Release);
        Some(changed)
    }

    /// Takes the lock; `false` when the promise is settled. Whoever takes it stores another state soon.
    #[inline]
    fn lock(&self) -> bool {
        match self.try_lock() {
            Err(LOCKED) => self.lock_when_free(),
            taken => taken.is_ok(),
        }
    }

    #[cold]
    fn lock_when_free(&self) -> bool {
        let mut turn = 0_u32;
        loop {
            relax(turn);
            turn = turn.saturating_add(1);
            match self.try_lock() {
                Err(LOCKED) => {}
                taken => return taken.is_ok(),
            }
        }
    }

    /// Takes the lock, or gives the state that is in the way.
    #[inline]
    fn try_lock(&self) -> Result<u8, u8> {
        self.state.compare_exchange(PENDING, LOCKED, Ordering::Acquire, Ordering::Acquire)
    }

    /// How many places the waiters' queue has.
    #[cfg(all(test, not(ferry_loom)))]
    pub(super) fn queued(&self) -> usize {
        self.with_waiters(|waiters| waiters.queued()).unwrap_or(0)
    }
}
