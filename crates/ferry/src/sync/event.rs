//! [`Event`]: a flag that many wait for.
//!
//! `set` lies beside the latch, so that a wait for an event that is set costs one load. It changes only under the
//! latch, so a waiter that looked there sees the set, or is seen by it. A waiter that was called returns even if the event
//! was cleared meanwhile.

use super::{
    latch::Latch,
    waiters::{Key, Waiters, poll_called, wake_all},
};
use crate::model::{AtomicBool, Ordering};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A flag that many tasks, on any threads, wait for: `asyncio.Event` (CPython 3.13, "Synchronization Primitives").
///
/// For what is true for all from a moment on, and may cease to be: a shutdown, being ready. For one value that is
/// handed to one who waits use a [`promise`](crate::promise()).
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, spawn_local, sync::Event};
/// use std::rc::Rc;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let ready = Rc::new(Event::new());
///     let waiting = [(); 3].map(|()| {
///         let ready = ready.clone();
///         spawn_local(async move { ready.wait().await })
///     });
///     ready.set();
///     for waiter in waiting {
///         waiter.await.unwrap();
///     }
/// });
/// ```
pub struct Event {
    set: AtomicBool,
    waiters: Latch<Waiters>,
}

impl Event {
    /// An event that is not set.
    pub fn new() -> Self {
        Self { set: AtomicBool::new(false), waiters: Latch::new(Waiters::default()) }
    }

    /// Whether it is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// Sets it, and wakes all who wait, in the order in which they came. They return even if it is cleared before their
    /// turn comes.
    pub fn set(&self) {
        let wakers = {
            let mut waiters = self.waiters.lock();
            self.set.store(true, Ordering::Release);
            waiters.call_all()
        };
        wake_all(wakers);
    }

    /// Clears it: who waits from now on waits for the next [`set`](Self::set).
    pub fn clear(&self) {
        let _waiters = self.waiters.lock();
        self.set.store(false, Ordering::Release);
    }

    /// How many wait for it.
    pub fn waiters(&self) -> usize {
        self.waiters.lock().waiting()
    }

    /// Waits until it is set. Returns at once, without a turn of the loop, if it is.
    ///
    /// # Cancel safety
    /// Dropping it leaves the line. Nothing is lost: an event calls all its waiters at once.
    #[inline]
    pub fn wait(&self) -> EventWait<'_> {
        EventWait { event: self, stage: Stage::New }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.is_set()).field("waiters", &self.waiters()).finish()
    }
}

/// What [`Event::wait`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct EventWait<'a> {
    event: &'a Event,
    stage: Stage,
}

enum Stage {
    New,
    Waiting(Key),
    Done,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.stage, Stage::New) && self.event.is_set() {
            self.stage = Stage::Done;
        }
        if matches!(self.stage, Stage::Done) { Poll::Ready(()) } else { self.poll_in_line(cx) }
    }
}

impl EventWait<'_> {
    fn poll_in_line(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let event = self.event;
        if let Stage::Waiting(key) = self.stage {
            let Poll::Ready(mut waiters) = poll_called(&event.waiters, |waiters| waiters, key, cx) else {
                return Poll::Pending;
            };
            let _ = waiters.remove(key);
        } else {
            let waker = cx.waker().clone();
            let mut waiters = event.waiters.lock();
            if !event.is_set() {
                self.stage = Stage::Waiting(waiters.push(waker));
                return Poll::Pending;
            }
            drop(waiters);
        }
        self.stage = Stage::Done;
        Poll::Ready(())
    }

    #[cold]
    fn leave(&mut self, key: Key) {
        // Its waker is dropped after the latch is free.
        let removed = self.event.waiters.lock().remove(key);
        drop(removed);
    }
}

impl Drop for EventWait<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Stage::Waiting(key) = self.stage {
            self.leave(key);
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
