//! [`Held`]: the awaitables that a loop keeps alive, because it has callbacks to run when they are done.

use crate::{job::Job, slots::Slots};
use pyo3::{PyTraverseError, PyVisit, prelude::*};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The pending awaitables that have callbacks for one loop.
///
/// asyncio's loops keep alive what will call them back: a timer stands in the loop's heap, a socket in its
/// selector. So a task that waits goes on, whether somebody refers to it or not. This is the same for Rust
/// work. It belongs to the loop's [`Drain`](crate::drain::Drain), which shows it to the garbage collector and
/// empties it when it goes, so what it holds lives as long as the loop, and no longer.
///
/// The lock is only taken by threads that have the GIL, and they don't give it up meanwhile. So the collector,
/// which has the GIL too, always finds it free, and sees the same each time it looks in one run.
pub(crate) struct Held {
    slots: Mutex<Slots<Py<Job>>>,
}

impl Held {
    pub(crate) fn new() -> Self {
        Self { slots: Mutex::default() }
    }

    /// Keeps `awaitable`, and gives its place; `None` when the loop is gone.
    pub(crate) fn keep(&self, awaitable: &Bound<'_, Job>) -> Option<usize> {
        // Somebody else refers to it too, so one that is refused isn't dropped here.
        self.lock().keep(awaitable.clone().unbind()).ok()
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>, place: usize) -> Option<Bound<'py, Job>> {
        Some(self.lock().get(place)?.bind(py).clone())
    }

    /// All of them, for the caller to look at when it holds no lock.
    pub(crate) fn all<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, Job>> {
        self.lock().iter().map(|awaitable| awaitable.bind(py).clone()).collect()
    }

    /// Gives back what stands at `place`, for the caller to drop when it holds no lock.
    pub(crate) fn release(&self, place: usize) -> Option<Py<Job>> {
        self.lock().release(place)
    }

    /// Lets go of all, for good. Call it with the GIL: Python code may run, of what is dropped.
    pub(crate) fn end(&self) {
        let ended = self.lock().end();
        drop(ended);
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(slots) = self.slots.try_lock() else { return Ok(()) };
        slots.iter().try_for_each(|awaitable| visit.call(awaitable))
    }

    fn lock(&self) -> MutexGuard<'_, Slots<Py<Job>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
