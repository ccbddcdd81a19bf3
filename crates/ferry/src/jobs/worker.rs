//! Who works: [`Body`], which has a slot, and where it lives: a thread of the pool, or a task.

use super::{
    core::{Claim, Claimed, Core},
    entry::Ran,
};
use crate::task::yield_now;
use std::{
    mem::take,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, Thread},
};

/// The number of a slot.
pub(super) type Slot = u32;

/// What works a slot. Dropping it gives the slot up.
pub(super) struct Body {
    pub(super) core: Arc<Core>,
    pub(super) slot: Slot,
    /// It was woken and has no job yet.
    pub(super) is_searching: bool,
    /// When its last job ended, if it goes on at once.
    pub(super) now: Option<u64>,
    pub(super) has_slot: bool,
    /// Jobs come one shortly after another.
    pub(super) comes_fast: bool,
    /// It has taken the last job of the line.
    pub(super) is_line_empty: bool,
}

impl Body {
    pub(super) fn searching(core: &Arc<Core>, slot: Slot) -> Self {
        Self {
            core: core.clone(),
            slot,
            is_searching: true,
            now: None,
            has_slot: true,
            is_line_empty: true,
            comes_fast: false,
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if self.has_slot {
            self.core.clone().give_up(self);
        }
    }
}

/// Where a thread of the pool gets what it's to do.
pub(super) struct Seat {
    assigned: Mutex<Option<Assigned>>,
    thread: Thread,
}

pub(super) enum Assigned {
    Search(Body),
    Run(Body, Claim),
    End,
}

impl Seat {
    pub(super) fn assign(&self, assigned: Assigned) {
        let before = self.assigned.lock().unwrap_or_else(PoisonError::into_inner).replace(assigned);
        debug_assert!(before.is_none(), "a spare thread has nothing to do");
        self.thread.unpark();
    }

    pub(super) fn end(&self) {
        self.assign(Assigned::End);
    }

    fn wait(&self) -> Assigned {
        loop {
            let assigned = take(&mut *self.assigned.lock().unwrap_or_else(PoisonError::into_inner));
            match assigned {
                Some(assigned) => return assigned,
                None => thread::park(),
            }
        }
    }
}

/// Starts a thread that does this first.
///
/// # Errors
/// When the system gives none, with what was to be done.
pub(super) fn start_thread(core: &Arc<Core>, first: Assigned) -> Result<(), (std::io::Error, Assigned)> {
    // Handed over in a place of its own, as the closure is lost where there is no thread.
    let handed = Arc::new(Mutex::new(Some(first)));
    let there = handed.clone();
    let name = format!("ferry-job-{}", core.next_thread());
    let started = thread::Builder::new().name(name).stack_size(core.settings.stack).spawn(move || {
        let first = take(&mut *there.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(first) = first {
            live(first);
        }
    });
    match started {
        Ok(_) => Ok(()),
        Err(error) => {
            let first = take(&mut *handed.lock().unwrap_or_else(PoisonError::into_inner));
            Err((error, first.unwrap_or(Assigned::End)))
        }
    }
}

/// A thread's life.
fn live(first: Assigned) {
    let seat = Arc::new(Seat { assigned: Mutex::new(None), thread: thread::current() });
    let mut assigned = first;
    loop {
        match assigned {
            Assigned::End => return,
            Assigned::Search(body) => {
                if !work(&seat, body, None) {
                    return;
                }
            }
            Assigned::Run(body, claim) => {
                if !work(&seat, body, Some(claim)) {
                    return;
                }
            }
        }
        assigned = seat.wait();
    }
}

/// Works until the thread has no slot any more. `false` when it's to end.
fn work(seat: &Arc<Seat>, mut body: Body, mut claim: Option<Claim>) -> bool {
    let core = body.core.clone();
    loop {
        let claimed = match claim.take() {
            Some(claim) => Claimed::Job(claim),
            None => {
                if body.comes_fast && body.is_line_empty {
                    core.let_some_come();
                }
                core.claim(&mut body, Some(seat))
            }
        };
        let job = match claimed {
            Claimed::Job(claim) => claim,
            Claimed::Nothing => {
                body.comes_fast = core.look_around();
                continue;
            }
            Claimed::Rests => return true,
            Claimed::Over => return false,
        };
        if job.entry.header().is_async {
            return core.hand_to_task(body, job, seat);
        }
        match job.run(&core) {
            Ran::Ended(now) => body.now = now,
            Ran::Goes(task) => {
                debug_assert!(false, "it said that it blocks");
                drop(task);
            }
        }
    }
}

/// Works as a task until there is nothing to do.
pub(super) async fn work_as_task(mut body: Body, mut claim: Option<Claim>) {
    let core = body.core.clone();
    loop {
        let job = match claim.take() {
            Some(claim) => claim,
            None => match core.claim(&mut body, None) {
                Claimed::Job(claim) => claim,
                Claimed::Nothing => continue,
                Claimed::Rests | Claimed::Over => return,
            },
        };
        if !job.entry.header().is_async && core.has_threads() {
            match core.hand_to_thread(body, job) {
                Ok(()) => return,
                // The system gives no thread: it runs here.
                Err((kept, job)) => {
                    body = kept;
                    body.now = None;
                    run_here(&core, job).await;
                    continue;
                }
            }
        }
        body.now = None;
        run_here(&core, job).await;
        if !core.has_threads() {
            // Others of the loop have their turn.
            yield_now().await;
        }
    }
}

async fn run_here(core: &Arc<Core>, claim: Claim) {
    match claim.run(core) {
        Ran::Ended(_) => {}
        Ran::Goes(task) => task.await,
    }
}
