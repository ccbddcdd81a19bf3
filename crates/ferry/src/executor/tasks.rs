//! The task cell's own parts: its metadata, the wrapper around its future, and the loop's table of tasks.

use super::home::with_loop;
use crate::{cancel::Cancelled, error::AsyncError};
use pin_project_lite::pin_project;
use std::{
    any::Any,
    future::Future,
    mem::{ManuallyDrop, needs_drop},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
};

/// What a task ends with. The crash is boxed, so that a small task's cell stays small.
///
/// Where nobody takes it, as a detached task's, it's dropped inside `catch_unwind`: `async-task` would abort
/// the process if the output's destructor panicked.
pub(crate) struct Ended<T>(ManuallyDrop<Result<T, Box<Crash>>>);

impl<T> Ended<T> {
    pub(crate) fn new(result: Result<T, Crash>) -> Self {
        Self(ManuallyDrop::new(result.map_err(Box::new)))
    }

    pub(crate) fn into_result(self) -> Result<T, Box<Crash>> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither used nor dropped after this.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T> Drop for Ended<T> {
    fn drop(&mut self) {
        if needs_drop::<T>() || self.0.is_err() {
            // SAFETY: it's dropped here and nowhere else; `into_result` forgets what it took this from.
            drop_quietly(|| unsafe { ManuallyDrop::drop(&mut self.0) });
        }
    }
}

/// Calls `drops`, which drops something of which nobody waits to hear. A panic was shown on stderr by then.
pub(crate) fn drop_quietly(drops: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(drops));
}

/// How a task ends that doesn't return.
pub(crate) enum Crash {
    /// It was aborted, or cancelled with this request.
    Aborted(Option<Cancelled>),
    /// Its loop ended first.
    LoopEnded,
    /// The program's own executor dropped it.
    Dropped,
    /// It panicked, with this payload.
    Panic(Payload),
}

impl From<Crash> for AsyncError {
    fn from(crash: Crash) -> Self {
        match crash {
            Crash::Aborted(Some(cancelled)) => cancelled.into(),
            Crash::Aborted(None) => Self::Cancelled("the task was aborted".to_owned()),
            Crash::LoopEnded => Self::JoinError("its loop ended first".to_owned()),
            Crash::Dropped => Self::JoinError("its executor dropped it".to_owned()),
            Crash::Panic(payload) => Self::from_panic(payload),
        }
    }
}

/// The four bytes that a cell carries for the loop: the task's slot, and whether it is to be aborted.
pub(crate) struct CellMeta(AtomicU32);

const ABORT: u32 = 1 << 31;

impl CellMeta {
    pub(crate) fn new(slot: u32) -> Self {
        assert!(slot < ABORT, "a loop holds at most 2^31 tasks");
        Self(AtomicU32::new(slot))
    }

    /// The task's slot.
    pub(crate) fn slot(&self) -> u32 {
        self.read().0
    }

    /// The task's slot, and what to do with it when it runs.
    pub(crate) fn read(&self) -> (u32, Step) {
        let value = self.0.load(Ordering::Relaxed);
        (value & !ABORT, if value & ABORT == 0 { Step::Poll } else { Step::Abort })
    }

    /// Marks the task. Whoever marks also wakes it, which orders the mark before the poll that reads it.
    pub(crate) fn abort(&self) {
        self.0.fetch_or(ABORT, Ordering::Relaxed);
    }
}

pin_project! {
    /// Around each task's future: turns a panic into an error and an abort into the future's end, and drops
    /// the future inside `catch_unwind`, as `async-task` would abort the process if a destructor panicked.
    ///
    /// What the loop wants of a poll, and that the task ended, pass through the loop's [`Step`].
    pub(crate) struct Guarded<F> {
        #[pin]
        future: Option<F>,
    }
}

/// The loop's side of the poll that runs now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Poll the future.
    Poll,
    /// Drop the future instead.
    Abort,
    /// Drop the future instead, as the loop ends.
    End,
    /// Said by the task: it has ended, and its future is gone.
    Ended,
}

impl<F: Future> Guarded<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Ended<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        let ended = match with_loop(|home| home.step()) {
            Step::Abort => {
                let reason = with_loop(|home| home.reason());
                drop_caught(future).map_err(Crash::Panic).and(Err(Crash::Aborted(reason)))
            }
            Step::End => drop_caught(future).map_err(Crash::Panic).and(Err(Crash::LoopEnded)),
            _ => match poll_caught(future, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(ended) => ended.map_err(Crash::Panic),
            },
        };
        with_loop(|home| home.set_step(Step::Ended));
        Poll::Ready(Ended::new(ended))
    }
}

/// What `catch_unwind` catches.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Polls a future inside `catch_unwind`; when it ends, in whichever way, it's dropped there too.
pub(crate) fn poll_caught<F: Future>(
    mut future: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Payload>> {
    let Some(running) = future.as_mut().as_pin_mut() else {
        panic!("a future was polled after it had ended");
    };
    let ended = match catch_unwind(AssertUnwindSafe(|| running.poll(cx))) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(value)) => Ok(value),
        Err(payload) => Err(payload),
    };
    Poll::Ready(match drop_caught(future) {
        Ok(()) => ended,
        Err(payload) => {
            drop_quietly(|| drop(ended));
            Err(payload)
        }
    })
}

/// Drops a future inside `catch_unwind`.
pub(crate) fn drop_caught<F>(mut future: Pin<&mut Option<F>>) -> Result<(), Payload> {
    catch_unwind(AssertUnwindSafe(|| future.set(None)))
}

/// All tasks of a loop that have not ended.
pub(crate) struct Tasks {
    slots: Vec<Slot>,
    free: u32,
    live: usize,
}

enum Slot {
    /// Where the next free slot is.
    Free(u32),
    Used(Entry),
}

pub(crate) struct Entry {
    pub(crate) waker: Waker,
    pub(crate) number: u64,
}

const NO_SLOT: u32 = u32::MAX;

impl Tasks {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: NO_SLOT, live: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// The number of the task in `slot`, or zero.
    pub(crate) fn number(&self, slot: u32) -> u64 {
        match self.slots.get(slot as usize) {
            Some(Slot::Used(entry)) => entry.number,
            _ => 0,
        }
    }

    /// The slot that the next [`insert`](Self::insert) fills.
    pub(crate) fn vacant(&self) -> u32 {
        if self.free == NO_SLOT { u32::try_from(self.slots.len()).unwrap_or(NO_SLOT) } else { self.free }
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.live += 1;
        match self.slots.get_mut(self.free as usize) {
            None => self.slots.push(Slot::Used(entry)),
            Some(slot) => {
                if let Slot::Free(next) = std::mem::replace(slot, Slot::Used(entry)) {
                    self.free = next;
                }
            }
        }
    }

    /// Takes a task that ended out of the table. The entry is to be dropped outside of any borrow.
    pub(crate) fn remove(&mut self, slot: u32) -> Entry {
        let place = &mut self.slots[slot as usize];
        match std::mem::replace(place, Slot::Free(self.free)) {
            Slot::Free(_) => unreachable!("a task ends once"),
            Slot::Used(entry) => {
                self.free = slot;
                self.live -= 1;
                entry
            }
        }
    }

    /// The waker of the task in `slot`, if that is still the task with this number.
    pub(crate) fn waker(&self, slot: u32, number: u64) -> Option<Waker> {
        match self.slots.get(slot as usize) {
            Some(Slot::Used(entry)) if entry.number == number => Some(entry.waker.clone()),
            _ => None,
        }
    }

    /// The wakers of all tasks.
    pub(crate) fn wakers(&self) -> Vec<Waker> {
        let used = |slot: &Slot| if let Slot::Used(entry) = slot { Some(entry.waker.clone()) } else { None };
        self.slots.iter().filter_map(used).collect()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
