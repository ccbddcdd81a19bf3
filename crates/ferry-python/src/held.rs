//! [`Held`]: the awaitables that a loop keeps alive, because it has callbacks to run when they are done.

use crate::job::Job;
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
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    places: Vec<Option<Py<Job>>>,
    free: Vec<usize>,
    is_over: bool,
}

/// So much room stays reserved when nothing is held.
const ROOM: usize = 1024;

impl Held {
    pub(crate) fn new() -> Self {
        Self { slots: Mutex::default() }
    }

    /// Keeps `awaitable`, and gives its place; `None` when the loop is gone.
    pub(crate) fn keep(&self, awaitable: &Bound<'_, Job>) -> Option<usize> {
        let awaitable = Some(awaitable.clone().unbind());
        let mut slots = self.lock();
        if slots.is_over {
            // Somebody else refers to it too, so this can't be where it's dropped.
            return None;
        }
        if let Some(place) = slots.free.pop() {
            slots.places[place] = awaitable;
            return Some(place);
        }
        slots.places.push(awaitable);
        Some(slots.places.len() - 1)
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>, place: usize) -> Option<Bound<'py, Job>> {
        Some(self.lock().places.get(place)?.as_ref()?.bind(py).clone())
    }

    /// Gives back what stands at `place`, for the caller to drop when it holds no lock.
    pub(crate) fn release(&self, place: usize) -> Option<Py<Job>> {
        let mut slots = self.lock();
        let awaitable = slots.places.get_mut(place)?.take()?;
        slots.free.push(place);
        if slots.free.len() == slots.places.len() {
            // All are free: what a burst needed is given back.
            slots.places.clear();
            slots.free.clear();
            slots.places.shrink_to(ROOM);
            slots.free.shrink_to(ROOM);
        }
        Some(awaitable)
    }

    /// Lets go of all, for good. Call it with the GIL: Python code may run, of what is dropped.
    pub(crate) fn end(&self) {
        let slots = std::mem::replace(&mut *self.lock(), Slots { is_over: true, ..Slots::default() });
        drop(slots);
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(slots) = self.slots.try_lock() else { return Ok(()) };
        slots.places.iter().flatten().try_for_each(|awaitable| visit.call(awaitable))
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
