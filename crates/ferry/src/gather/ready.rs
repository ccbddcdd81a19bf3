//! [`Ready`]: which children of a set are to be polled, in the order in which they were woken; and their wakers.
//!
//! A ring with room for each child. A child's `queued` is set by whoever wakes it first and cleared when it is
//! polled, so a child is in the ring at most once, the ring never overflows, and an entry is empty before its turn
//! comes again.
//!
//! ```text
//!   wake:  queued? ──yes──▶ done                    poll:  entry at head? ──none──▶ it's about to be written:
//!            │ no: set it                                    │                      the task wakes itself
//!            ▼                                               ▼
//!          tail++, ring[tail] = child                      clear the entry and `queued`
//!            ▼                                               ▼
//!          told, when tail moved? ──yes──▶ done            poll the child
//!            │ no: set it
//!            ▼
//!          wake the task
//! ```
//!
//! `told` says that the set's task will look again; it's set while the set is polled, and cleared when the set
//! rests. It is a bit of the same word as `tail`, so whether a wake came before or after that is never in doubt.
//!
//! The wakers of all children share one allocation, in which each has its [`Place`]; a waker is a pointer to it.

use crate::model::{AtomicBool, AtomicU32, AtomicUsize, Mutex, Ordering, lock};
use std::{
    mem::ManuallyDrop,
    sync::Arc,
    task::{RawWaker, RawWakerVTable, Waker},
};

pub(super) struct Ready {
    places: Box<[Place]>,
    /// A child plus one, or 0: none. As many entries as a power of two.
    ring: Box<[AtomicU32]>,
    /// [`TOLD`], and above it how many wake-ups there have been: the ring's index, but for the high bits.
    state: AtomicUsize,
    task: Mutex<Option<Waker>>,
}

const TOLD: usize = 1;
const ONE_WAKE: usize = 2;

struct Place {
    child: u32,
    /// Whether the child is in the ring.
    queued: AtomicBool,
    /// The set, for the waker that points here.
    set: *const Ready,
}

// SAFETY: `set` is written before the set is shared and never again, and it is used only to count references.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Ready {
    /// A set of `count` children, none of which is queued.
    ///
    /// # Panics
    /// When there are 2^32 children or more.
    pub(super) fn new(count: usize) -> Arc<Self> {
        let children =
            u32::try_from(count).unwrap_or_else(|_| panic!("a gather has less than 2^32 children"));
        let place = |child, set| Place { child, queued: AtomicBool::new(false), set };
        Arc::new_cyclic(|set| Self {
            places: (0..children).map(|child| place(child, set.as_ptr())).collect(),
            ring: (0..count.next_power_of_two()).map(|_| AtomicU32::new(0)).collect(),
            state: AtomicUsize::new(0),
            task: Mutex::new(None),
        })
    }

    /// The set is polled: until [`rest`](Self::rest), nobody needs to wake its task. Gives the tail: what is woken
    /// from now on lies beyond it.
    pub(super) fn begin(&self) -> usize {
        self.state.fetch_or(TOLD, Ordering::AcqRel) / ONE_WAKE
    }

    /// Takes the child out that is queued at `head`; `None` if it's still on its way.
    #[inline]
    pub(super) fn take(&self, head: usize) -> Option<usize> {
        let entry = self.entry(head);
        let child = entry.load(Ordering::Acquire).checked_sub(1)? as usize;
        entry.store(0, Ordering::Relaxed);
        // A swap, not a store: what a waker did before it found the flag set is seen by the poll that follows.
        self.places[child].queued.swap(false, Ordering::AcqRel);
        Some(child)
    }

    #[inline]
    fn entry(&self, at: usize) -> &AtomicU32 {
        &self.ring[at & (self.ring.len() - 1)]
    }

    /// The set has been polled up to `head` and waits, until `task` is woken; `false`: there is more already.
    pub(super) fn rest(&self, head: usize, task: &Waker) -> bool {
        self.set_task(task);
        self.state.fetch_and(!TOLD, Ordering::AcqRel) / ONE_WAKE == head
    }

    fn set_task(&self, task: &Waker) {
        let is_same = |known: &Waker| known.will_wake(task);
        if lock(&self.task).as_ref().is_some_and(is_same) {
            return;
        }
        // Wakers are foreign code: cloned before, and dropped after, the lock is held.
        let fresh = task.clone();
        let stale = lock(&self.task).replace(fresh);
        drop(stale);
    }

    /// Queues the child of `place`, unless it is, and tells the task.
    fn wake(&self, place: &Place) {
        if place.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let before = self.state.fetch_add(ONE_WAKE, Ordering::AcqRel);
        self.entry(before / ONE_WAKE).store(place.child + 1, Ordering::Release);
        if before & TOLD == 0 && self.state.fetch_or(TOLD, Ordering::AcqRel) & TOLD == 0 {
            let task = lock(&self.task).take();
            if let Some(task) = task {
                task.wake();
            }
        }
    }

    /// Calls `use_it` with the waker of `child`.
    pub(super) fn with_waker<R>(self: &Arc<Self>, child: usize, use_it: impl FnOnce(&Waker) -> R) -> R {
        let place: *const Place = &self.places[child];
        // SAFETY: `VTABLE` keeps the contract of wakers: see there. This one has no reference of its own and is
        // never dropped; the set outlives it, as `self` is borrowed.
        let waker = ManuallyDrop::new(unsafe { Waker::new(place.cast(), &VTABLE) });
        use_it(&waker)
    }
}

/// A waker points to a `Place` of a set that is alive, as each waker but those of `with_waker` counts as one
/// reference to the set. The functions touch atomics and locks only, so they may be called on any thread.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// # Safety
/// `place` points to a `Place` of a set that is alive.
unsafe fn place<'a>(place: *const ()) -> &'a Place {
    // SAFETY: the caller's promise.
    unsafe { &*place.cast::<Place>() }
}

/// # Safety
/// As [`place`].
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the caller's promise; `set` is what the set's own `Arc` points to.
    unsafe { Arc::increment_strong_count(place(data).set) };
    RawWaker::new(data, &VTABLE)
}

/// # Safety
/// As [`place`]; and the waker's reference to the set is given up.
unsafe fn wake(data: *const ()) {
    // SAFETY: the caller's promise.
    unsafe {
        wake_by_ref(data);
        drop_waker(data);
    }
}

/// # Safety
/// As [`place`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's promise: the place is alive, and so is the set, of which it is one of the places.
    unsafe {
        let place = place(data);
        (*place.set).wake(place);
    }
}

/// # Safety
/// As [`place`]; and the waker's reference to the set is given up.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the caller's promise; the count was raised by `clone`.
    unsafe { Arc::decrement_strong_count(place(data).set) };
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;

#[cfg(all(test, ferry_loom))]
mod loom_tests;
