//! [`Alarm`]: the waker of an operation that waits.
//!
//! Rust's primitives own alarms, so an alarm owns no Python object: it knows the place where its home keeps the pause.
//! It rings once until it's [set](Alarm::set) again. On the event loop's own thread it goes to the loop's
//! [`turn`](crate::turn), without a descriptor or a lock of the mailbox; from anywhere else it's a letter.

use super::Pause;
use crate::home::{Home, Letter};
use pyo3::prelude::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Wake,
};

pub(crate) struct Alarm {
    home: Arc<Home>,
    rang: AtomicBool,
    /// Changed with the GIL, on the home's thread as a rule.
    place: AtomicUsize,
}

const NOWHERE: usize = usize::MAX;

impl Alarm {
    pub(super) fn new(home: Arc<Home>) -> Self {
        Self { home, rang: AtomicBool::new(false), place: AtomicUsize::new(NOWHERE) }
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Whether it rang since it was last set.
    pub(super) fn rang(&self) -> bool {
        self.rang.load(Ordering::Acquire)
    }

    /// From now on it can ring.
    pub(super) fn set(&self) {
        self.rang.store(false, Ordering::Release);
    }

    /// Has the home keep `pause` alive until [`release`](Self::release).
    pub(super) fn hold(&self, pause: &Bound<'_, Pause>) {
        if self.place.load(Ordering::Relaxed) == NOWHERE {
            let place = self.home.operations().keep(pause).unwrap_or(NOWHERE);
            self.place.store(place, Ordering::Relaxed);
        }
    }

    /// What the home kept.
    pub(super) fn release<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Pause>> {
        match self.place.swap(NOWHERE, Ordering::Relaxed) {
            NOWHERE => None,
            place => self.home.operations().release(py, place).map(|pause| pause.into_bound(py)),
        }
    }

    /// Runs the callback of the pause, on the home's thread. An error is a wish to stop the program.
    pub(crate) fn deliver(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let Some(pause) = self.release(py) else { return Ok(()) };
        let Some(callback) = pause.get().take_callback(py) else { return Ok(()) };
        if self.home.is_virtual() {
            return callback.call_soon(&pause);
        }
        let ran = callback.run(&pause);
        self.home.operations().recycle(pause, self);
        ran
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if !self.rang.swap(true, Ordering::AcqRel)
            && let Err(alarm) = Home::wake_here(self)
        {
            alarm.home.clone().post(Letter::Rang(alarm));
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rang() {
            self.clone().wake();
        }
    }
}
