//! [`Condition`]: waiting, with a lock, for what another task changes under that lock.
//!
//! ```text
//!   New ── first poll: join the line, then let the lock go ──▶ Waiting ── notified ──▶ in the lock's line ──▶ guard
//!                                                                 │                        │
//!                                                  dropped: leaves┘      dropped: leaves both lines, and the
//!                                                                        notification goes to the next
//! ```

use super::{
    latch::Latch,
    lock::{LockAcquire, LockGuard},
    waiters::{Key, Waiters, Was, poll_called, wake_all},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Waits for a change of what a [`Lock`](super::Lock) guards: `asyncio.Condition` (CPython 3.13, "Synchronization Primitives").
/// It works with the guard of any lock; several conditions may go with one lock, for several kinds of change.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, spawn_local, sync::{Condition, Lock}};
/// use std::rc::Rc;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let shared = Rc::new((Lock::new(Vec::new()), Condition::new()));
///     let there = shared.clone();
///     let consumer = spawn_local(async move {
///         let (items, changed) = &*there;
///         let mut items = changed.wait_for(items.acquire().await, |items| !items.is_empty()).await;
///         items.pop()
///     });
///     let (items, changed) = &*shared;
///     items.acquire().await.push("item");
///     changed.notify(1);
///     assert_eq!(consumer.await, Ok(Some("item")));
/// });
/// ```
pub struct Condition {
    waiters: Latch<Waiters>,
}

impl Condition {
    /// A condition that nobody waits for.
    pub fn new() -> Self {
        Self { waiters: Latch::new(Waiters::default()) }
    }

    /// Lets the lock of `guard` go, waits until it is notified, and gives the lock's guard back. What it waits for may
    /// have changed again by then: call it in a loop, or use [`wait_for`](Self::wait_for).
    ///
    /// # Cancel safety
    /// Dropping it leaves the line, with the lock let go. A notification that has come already goes to the next in line.
    pub fn wait<'a, T: ?Sized>(&'a self, guard: LockGuard<'a, T>) -> ConditionWait<'a, T> {
        ConditionWait { condition: self, stage: Stage::New(guard) }
    }

    /// Waits until `holds` says of the data that it does; returns at once if it does already.
    ///
    /// # Cancel safety
    /// As [`wait`](Self::wait).
    pub async fn wait_for<'a, T: ?Sized>(
        &'a self,
        mut guard: LockGuard<'a, T>,
        mut holds: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        while !holds(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// Waits until it is notified, for those who guard the data by something else than a [`Lock`](super::Lock). It's in
    /// line from its first poll on: let what guards the data go after that.
    ///
    /// # Cancel safety
    /// Dropping it leaves the line. A notification that has come already goes to the next in line.
    pub fn notified(&self) -> Notified<'_> {
        Notified { condition: self, stage: NotifiedStage::New }
    }

    /// How many wait for a notification.
    pub fn waiters(&self) -> usize {
        self.waiters.lock().waiting()
    }

    /// Wakes up to `n` of those who wait, in the order in which they came. Each goes on when it has the lock.
    ///
    /// Change the data under the lock first: who looks at it before the change waits for a notification after it. asyncio
    /// demands that the lock is held during the call too; here it may have been let go, as with std's `Condvar`.
    pub fn notify(&self, n: usize) {
        let wakers: Vec<_> = {
            let mut waiters = self.waiters.lock();
            std::iter::from_fn(|| waiters.call_next()).take(n).collect()
        };
        wake_all(wakers);
    }

    /// Wakes all who wait, as [`notify`](Self::notify).
    pub fn notify_all(&self) {
        self.notify(usize::MAX);
    }

    /// A waiter gives up. A notification that it was called with goes to the next.
    fn leave(&self, key: Key) {
        let removed = self.waiters.lock().remove(key);
        if removed.was == Was::Called {
            self.notify(1);
        }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("waiters", &self.waiters()).finish()
    }
}

/// What [`Condition::wait`] returns.
///
/// # Panics
/// When it's polled again after it gave the guard.
#[must_use = "futures do nothing unless awaited"]
pub struct ConditionWait<'a, T: ?Sized> {
    condition: &'a Condition,
    stage: Stage<'a, T>,
}

enum Stage<'a, T: ?Sized> {
    New(LockGuard<'a, T>),
    /// In line, and, once it was called, in the lock's line too.
    Waiting(Key, LockAcquire<'a, T>),
    Done,
}

impl<'a, T: ?Sized> Future for ConditionWait<'a, T> {
    type Output = LockGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let waiters = &this.condition.waiters;
        if let Stage::New(guard) = &this.stage {
            let (lock, waker) = (guard.lock(), cx.waker().clone());
            let key = waiters.lock().push(waker);
            // The guard that stood here is dropped: the lock is free only once this waiter is in line.
            this.stage = Stage::Waiting(key, lock.acquire());
            return Poll::Pending;
        }
        if let Stage::Waiting(key, _) = this.stage {
            match poll_called(waiters, |waiters| waiters, key, cx) {
                Poll::Pending => return Poll::Pending,
                // It keeps its place until it has the lock, as it may have to pass the notification on.
                Poll::Ready(guard) => drop(guard),
            }
        }
        match &mut this.stage {
            Stage::Waiting(key, acquire) => {
                let Poll::Ready(guard) = Pin::new(acquire).poll(cx) else { return Poll::Pending };
                let _ = waiters.lock().remove(*key);
                this.stage = Stage::Done;
                Poll::Ready(guard)
            }
            _ => panic!("it was polled after it gave the guard"),
        }
    }
}

impl<T: ?Sized> Drop for ConditionWait<'_, T> {
    fn drop(&mut self) {
        if let Stage::Waiting(key, _) = self.stage {
            self.condition.leave(key);
        }
    }
}

/// What [`Condition::notified`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Notified<'a> {
    condition: &'a Condition,
    stage: NotifiedStage,
}

enum NotifiedStage {
    New,
    Waiting(Key),
    Done,
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waiters = &self.condition.waiters;
        match self.stage {
            NotifiedStage::New => {
                let waker = cx.waker().clone();
                let key = waiters.lock().push(waker);
                self.stage = NotifiedStage::Waiting(key);
                Poll::Pending
            }
            NotifiedStage::Waiting(key) => {
                let Poll::Ready(mut line) = poll_called(waiters, |waiters| waiters, key, cx) else {
                    return Poll::Pending;
                };
                let _ = line.remove(key);
                drop(line);
                self.stage = NotifiedStage::Done;
                Poll::Ready(())
            }
            NotifiedStage::Done => Poll::Ready(()),
        }
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        if let NotifiedStage::Waiting(key) = self.stage {
            self.condition.leave(key);
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
