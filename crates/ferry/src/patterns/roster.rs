//! [`Roster`]: what is in flight, by name, and who waits until nothing is. Each holds a [`Seat`], which leaves when it's
//! dropped, so that what is cancelled or panics leaves as well.

use super::{
    drained::{CLEANUP, Drained},
    watchers::Watchers,
};
use crate::{
    cancel::Canceller,
    model::{Mutex, lock},
    time::timeout,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(super) struct Roster {
    state: Mutex<State>,
    limit: usize,
}

#[derive(Default)]
struct State {
    /// By the order in which they came.
    seats: BTreeMap<u64, Entry>,
    next: u64,
    is_closed: bool,
    waiting: Watchers,
}

struct Entry {
    name: Arc<str>,
    /// There once its task has begun.
    canceller: Option<Canceller>,
    /// The message of a request that came before there was a canceller.
    request: Option<Arc<str>>,
}

/// Why nobody else may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Closed,
    LimitReached(usize),
}

impl Roster {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::default()), limit })
    }

    pub(super) fn enter(self: &Arc<Self>, name: &str) -> Result<Seat, Refused> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if state.seats.len() >= self.limit {
            return Err(Refused::LimitReached(self.limit));
        }
        let number = state.next;
        state.next += 1;
        let name: Arc<str> = name.into();
        state.seats.insert(number, Entry { name: name.clone(), canceller: None, request: None });
        Ok(Seat { roster: self.clone(), number, name })
    }

    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.state).seats.len()
    }

    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.state).seats.values().map(|entry| entry.name.to_string()).collect()
    }

    /// Says who cancels the task of the seat with this number, if it's there still.
    pub(super) fn can_be_cancelled(&self, number: u64, canceller: Option<Canceller>) {
        let mut state = lock(&self.state);
        let Some(entry) = state.seats.get_mut(&number) else { return };
        entry.canceller = canceller;
        let asked = entry.request.take().zip(entry.canceller.clone());
        drop(state);
        if let Some((message, canceller)) = asked {
            canceller.cancel(&message);
        }
    }

    /// Asks those whose name is `chosen` to cancel, and says how many they are. One whose task has not begun is asked
    /// as soon as it has.
    pub(super) fn cancel(&self, message: &str, chosen: impl Fn(&str) -> bool) -> usize {
        let (mut count, mut cancellers) = (0, Vec::new());
        for entry in lock(&self.state).seats.values_mut().filter(|entry| chosen(&entry.name)) {
            count += 1;
            match &entry.canceller {
                Some(canceller) => cancellers.push(canceller.clone()),
                None => entry.request = Some(message.into()),
            }
        }
        for canceller in cancellers {
            canceller.cancel(message);
        }
        count
    }

    /// Waits until nobody is there.
    pub(super) async fn empty(&self) {
        loop {
            let next = {
                let mut state = lock(&self.state);
                if state.seats.is_empty() {
                    return;
                }
                state.waiting.watch()
            };
            let _ = next.await;
        }
    }

    /// Waits until nobody is there; after `deadline`, `cancel`s what is left, and lets it clean up.
    pub(super) async fn drain(&self, deadline: Duration, cancel: impl FnOnce()) -> Drained {
        if timeout(deadline, self.empty()).await.is_ok() {
            return Drained::Finished;
        }
        let left = self.names();
        if left.is_empty() {
            return Drained::Finished;
        }
        cancel();
        // What doesn't end now was named already.
        let _ = timeout(CLEANUP, self.empty()).await;
        Drained::DeadlinePassed { left }
    }
}

/// A place on the roster.
pub(super) struct Seat {
    roster: Arc<Roster>,
    number: u64,
    name: Arc<str>,
}

impl Seat {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = lock(&self.roster.state);
        let gone = state.seats.remove(&self.number);
        let waiting = if state.seats.is_empty() { state.waiting.take() } else { Watchers::default() };
        drop(state);
        waiting.tell();
        drop(gone);
    }
}
