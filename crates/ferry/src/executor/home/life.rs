//! The life of a loop: its start, its end, and that it may be put aside for another.

use super::{Loop, Order, with_loop};
use crate::{
    cancel::scope::replace_top,
    error::AsyncError,
    executor::{
        clock,
        remote::{LoopId, LoopRef, Remote},
        tasks::Tasks,
    },
};
use std::ptr::null;

impl Loop {
    /// Starts a loop on this thread, on the virtual clock if `order` is given.
    pub(crate) fn start(&self, order: Option<Order>) -> Result<LoopRef, AsyncError> {
        if self.here.get().is_some() {
            return Err(AsyncError::Runtime(
                "block_on was called inside a task of a loop, which would block that loop for ever; await the \
                 future instead, or move the call into spawn_blocking"
                    .to_owned(),
            ));
        }
        let here = Remote::acquire();
        self.here.set(Some(here));
        self.virtual_now.set(order.map(|_| clock::VIRTUAL_START));
        self.shuffle.set(match order {
            Some(Order::Seeded(seed)) => Some(seed),
            _ => None,
        });
        self.chance.set(order.map(|order| match order {
            // Not the numbers that shuffle.
            Order::Seeded(seed) => !seed,
            Order::Fifo => 0,
        }));
        self.number.set(0);
        self.fired.set(0);
        self.polled.set(0);
        self.lag.set((0, 0));
        self.polls.reset();
        self.todo.set(0);
        self.stop.set(false);
        self.cancels.set_closing(false);
        self.around.set(replace_top(null()));
        Ok(here)
    }

    /// Ends the loop: aborts all its tasks, runs them until each has dropped what it owns, then forgets the
    /// timers and gives the remote back.
    pub(crate) fn shut_down(&self) {
        let Some(here) = self.here.get() else { return };
        self.cancels.set_closing(true);
        self.asleep.set(false);
        for waker in self.tasks.borrow().wakers() {
            waker.wake();
        }
        while !self.tasks.borrow().is_empty() {
            self.take_mail();
            match self.pop() {
                Some(runnable) => self.run(runnable),
                // A task is on its way through another thread's post: it is here in a moment.
                None => std::thread::yield_now(),
            }
        }
        let wakers = self.timers.borrow_mut().clear();
        drop(wakers);
        self.take_mail();
        *self.tasks.borrow_mut() = Tasks::new();
        self.cancels.clear();
        self.locals.clear();
        self.running.set(None);
        self.ready.borrow_mut().shrink_to(1024);
        self.main.set(None);
        self.here.set(None);
        self.virtual_now.set(None);
        self.chance.set(None);
        replace_top(self.around.replace(null()));
        here.remote.release();
    }

    /// Puts the loop of this thread aside, in exchange for another; what other threads post to it waits meanwhile.
    #[allow(dead_code, reason = "only a page has a loop that goes on outside of a call")]
    pub(crate) fn swap(&self, other: &Self) {
        self.here.swap(&other.here);
        self.ready.swap(&other.ready);
        self.tasks.swap(&other.tasks);
        self.timers.swap(&other.timers);
        self.letters.swap(&other.letters);
        self.woken.swap(&other.woken);
        self.todo.swap(&other.todo);
        self.stride.swap(&other.stride);
        self.number.swap(&other.number);
        self.fired.swap(&other.fired);
        self.step.swap(&other.step);
        self.running.swap(&other.running);
        self.cancels.swap(&other.cancels);
        self.locals.swap(&other.locals);
        self.polls.swap(&other.polls);
        self.polled.swap(&other.polled);
        self.lag.swap(&other.lag);
        self.around.swap(&other.around);
        self.asleep.swap(&other.asleep);
        self.leaves.swap(&other.leaves);
        self.main.swap(&other.main);
        self.stop.swap(&other.stop);
        self.virtual_now.swap(&other.virtual_now);
        self.shuffle.swap(&other.shuffle);
        self.chance.swap(&other.chance);
    }

    /// The loop that runs on this thread.
    pub(crate) fn here(&self) -> Option<LoopRef> {
        self.here.get()
    }

    pub(crate) fn is_here(&self, id: LoopId) -> bool {
        self.here.get().is_some_and(|here| here.id == id)
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.virtual_now.get().is_some()
    }
}

/// Shuts this thread's loop down when dropped, so also when its `block_on` unwinds.
pub(crate) struct Ending;

impl Drop for Ending {
    fn drop(&mut self) {
        with_loop(Loop::shut_down);
    }
}
