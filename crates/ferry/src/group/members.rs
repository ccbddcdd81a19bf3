//! [`Members`]: who belongs to a group, and what became of them.

use crate::{
    cancel::{Cancelled, Canceller},
    error::{AsyncError, Failure},
};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard},
    task::Waker,
};

/// What the group's handle, its future and its tasks share.
#[derive(Default)]
pub(super) struct Members {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    next: u64,
    /// Those that have not ended; each with what cancels it, once it was started.
    tasks: BTreeMap<u64, Option<Canceller>>,
    errors: Vec<Arc<dyn Error + Send + Sync>>,
    /// Of the group's future.
    waker: Option<Waker>,
}

/// Where a group stands; see the [module](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Running,
    Aborting,
    Over,
}

impl Members {
    /// Makes room for one more task.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Member, AsyncError> {
        let mut state = self.state();
        match state.phase {
            Phase::Running => {}
            Phase::Aborting => return Err(refused("is shutting down")),
            Phase::Over => return Err(refused("has ended")),
        }
        let key = state.next;
        state.next += 1;
        state.tasks.insert(key, None);
        Ok(Member { members: self.clone(), key })
    }

    /// The task has been started. One that entered while the group began to abort is cancelled like the others.
    pub(super) fn started(&self, key: u64, canceller: Option<Canceller>) {
        let mut state = self.state();
        let is_late = state.phase != Phase::Running;
        if let Some(place) = state.tasks.get_mut(&key) {
            place.clone_from(&canceller);
        }
        drop(state);
        if let (true, Some(canceller)) = (is_late, canceller) {
            canceller.cancel("");
        }
    }

    /// Cancels all tasks, and keeps further ones out.
    pub(super) fn abort(&self) {
        let mut state = self.state();
        if state.phase != Phase::Running {
            return;
        }
        state.phase = Phase::Aborting;
        let tasks: Vec<_> = state.tasks.values().flatten().cloned().collect();
        let waker = state.waker.take();
        drop(state);
        for task in tasks {
            task.cancel("");
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// Whether all tasks have ended, and the body too as the caller says: then the group is over. If not, `waker`
    /// is woken when all tasks have, or when the group aborts.
    pub(super) fn poll_end(&self, waker: &Waker, body_ended: bool) -> bool {
        let fresh = waker.clone();
        let mut state = self.state();
        let has_ended = body_ended && state.tasks.is_empty();
        if has_ended {
            state.phase = Phase::Over;
        }
        let stale = state.waker.replace(fresh);
        drop(state);
        drop(stale);
        has_ended
    }

    /// What the tasks failed with, in order.
    pub(super) fn take_errors(&self) -> Vec<Arc<dyn Error + Send + Sync>> {
        std::mem::take(&mut self.state().errors)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn refused(why: &str) -> AsyncError {
    AsyncError::Spawn(format!("the task group {why}, so no task can be added to it"))
}

/// One task's place in the group, which it leaves when this is dropped: as its last act, whether it ends, is
/// cancelled or never begins.
pub(super) struct Member {
    members: Arc<Members>,
    key: u64,
}

impl Member {
    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// The task failed: if that is no cancellation, the group aborts.
    pub(super) fn failed(&self, failure: &Failure) {
        let Failure::Failed(error) = failure else { return };
        if Cancelled::of(failure).is_none() {
            let mut state = self.members.state();
            state.errors.push(error.clone());
            // The task itself is not to be cancelled.
            let canceller = state.tasks.insert(self.key, None);
            drop(state);
            drop(canceller);
            self.members.abort();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.members.state();
        let canceller = state.tasks.remove(&self.key);
        let waker = if state.tasks.is_empty() { state.waker.take() } else { None };
        drop(state);
        drop(canceller);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
