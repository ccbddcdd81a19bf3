//! The steward: a pool's task for what is to be done at a time, and, where the pool lives on a loop, for starting workers
//! there. It's started when it's first needed, and ends with the pool.
//!
//! ```text
//!   clear the bell ▶ do what is due ▶ start who is wanted ▶ wait for the bell, or the next alarm ┐
//!         ▲                                                                                       │
//!         └───────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use super::{core::Core, worker::work_as_task};
use crate::{
    executor::platform,
    sync::Event,
    task::{TaskBuilder, spawn_on_pool},
    time::{Instant, sleep_until},
};
use std::{
    future::{Future, poll_fn},
    mem::take,
    pin::pin,
    sync::{Arc, PoisonError, Weak},
    task::Poll,
};

/// Starts the steward of `core`.
///
/// # Errors
/// Where the pool lives on a loop, and none runs here.
pub(super) fn start(core: &Arc<Core>) -> Result<(), Arc<str>> {
    if !core.home.settle() {
        return Err(platform::NO_LOOP.into());
    }
    let steward = Steward { core: Arc::downgrade(core), bell: core.bell.clone() };
    if core.has_threads() {
        spawn_on_pool(steward.serve());
        return Ok(());
    }
    let started = TaskBuilder::new().name("ferry-jobs").spawn_local(steward.serve());
    started.map(drop).map_err(|error| error.to_string().into())
}

struct Steward {
    core: Weak<Core>,
    bell: Arc<Event>,
}

impl Steward {
    async fn serve(self) {
        loop {
            self.bell.clear();
            let Some(core) = self.core.upgrade() else { return };
            while let Some(alarm) = core.alarms.due(core.now()) {
                core.ring(alarm);
            }
            let wanted = take(&mut *core.wanted.lock().unwrap_or_else(PoisonError::into_inner));
            for body in wanted {
                // Without a name: they come and go. One that a loop refuses, as it ends, gives up its slot.
                drop(TaskBuilder::new().spawn_local(work_as_task(body, None)));
            }
            let next = core.alarms.next();
            // Not held while it waits, so that the last who uses the pool ends it.
            drop(core);
            self.wait(next).await;
        }
    }

    async fn wait(&self, next: Option<u64>) {
        let mut rung = pin!(self.bell.wait());
        let mut due = pin!(next.map(|next| sleep_until(Instant::at(next))));
        poll_fn(|cx| {
            let is_due = due.as_mut().as_pin_mut().is_some_and(|due| due.poll(cx).is_ready());
            if is_due || rung.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Drop for Steward {
    fn drop(&mut self) {
        // It's dropped with its loop, if the pool is still there: nobody can run the jobs any more.
        if let Some(core) = self.core.upgrade()
            && !core.has_threads()
        {
            core.close("the loop of the pool has ended");
            drop(take(&mut *core.wanted.lock().unwrap_or_else(PoisonError::into_inner)));
        }
    }
}
