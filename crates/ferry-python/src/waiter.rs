//! [`Waiter`]: the waker that has a home look at an awaitable.

use crate::{
    home::{Home, Letter},
    job::Job,
};
use pyo3::prelude::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Wake,
};

/// Posts a letter to its home when what an awaitable waits for is settled.
///
/// The Rust side owns waiters, so a waiter owns no Python object: it knows the place where its home
/// [holds](crate::held) the awaitable, which is taken while there are callbacks to run. A letter about an
/// awaitable that isn't held finds nobody.
pub(crate) struct Waiter {
    home: Arc<Home>,
    /// Changed under the lock of the awaitable's core, with the GIL.
    place: AtomicUsize,
}

const NOWHERE: usize = usize::MAX;

impl Waiter {
    pub(crate) fn new(home: Arc<Home>) -> Self {
        Self { home, place: AtomicUsize::new(NOWHERE) }
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Has the home keep `awaitable` alive until [`release`](Self::release).
    pub(crate) fn hold(&self, awaitable: &Bound<'_, Job>) {
        if self.place.load(Ordering::Relaxed) == NOWHERE {
            let place = self.home.held().keep(awaitable).unwrap_or(NOWHERE);
            self.place.store(place, Ordering::Relaxed);
        }
    }

    /// What the home kept, for the caller to drop when it holds no lock.
    pub(crate) fn release(&self) -> Option<Py<Job>> {
        self.home.held().release(self.place.swap(NOWHERE, Ordering::Relaxed))
    }

    /// Runs the callbacks that the awaitable has for this home, on its thread. Those that they add wait for
    /// the next turn. An error is a wish to stop, from one of them; the others are still there then.
    pub(crate) fn deliver(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let place = self.place.load(Ordering::Relaxed);
        let Some(awaitable) = self.home.held().get(py, place) else { return Ok(()) };
        let core = awaitable.get().core();
        for _ in 0..core.ready(py, self) {
            let Some(callback) = core.next_callback(self) else { break };
            callback.run(&awaitable)?;
        }
        core.delivered(self);
        Ok(())
    }
}

impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.home.clone().post(Letter::Settled(self));
    }
}
