//! The times of polls, for a loop that is asked to take them.

use super::clock;
use std::{
    cell::{Cell, RefCell},
    panic::Location,
};

/// The longest poll so far: its time in nanoseconds, the task's number, and where the task was spawned.
pub(crate) type Longest = (u64, u64, Option<&'static Location<'static>>);

pub(super) struct Polls {
    on: Cell<bool>,
    longest: Cell<Option<Longest>>,
    /// Where tasks were spawned, by their slots: those that were since the timing began.
    places: RefCell<Vec<Option<&'static Location<'static>>>>,
}

impl Polls {
    pub(super) const fn new() -> Self {
        Self { on: Cell::new(false), longest: Cell::new(None), places: RefCell::new(Vec::new()) }
    }

    pub(super) fn swap(&self, other: &Self) {
        self.on.swap(&other.on);
        self.longest.swap(&other.longest);
        self.places.swap(&other.places);
    }

    pub(super) fn are_timed(&self) -> bool {
        self.on.get()
    }

    pub(super) fn time(&self, on: bool) {
        self.on.set(on);
        self.places.take();
        if on {
            self.longest.set(None);
        }
    }

    /// As for a new loop.
    pub(super) fn reset(&self) {
        self.time(false);
        self.longest.set(None);
    }

    pub(super) fn longest(&self) -> Option<Longest> {
        self.longest.get()
    }

    pub(super) fn born(&self, slot: u32, place: Option<&'static Location<'static>>) {
        let slot = slot as usize;
        let mut places = self.places.borrow_mut();
        if slot >= places.len() {
            places.resize(slot + 1, None);
        }
        places[slot] = place;
    }

    /// Polls the task in `slot` by `poll`, and looks how long that takes.
    pub(super) fn watch(&self, slot: u32, number: impl FnOnce() -> u64, poll: impl FnOnce()) {
        let start = clock::real();
        poll();
        let took = clock::real() - start;
        if self.longest.get().is_none_or(|(longest, ..)| took > longest) {
            let place = self.places.borrow().get(slot as usize).copied().flatten();
            self.longest.set(Some((took, number(), place)));
        }
    }
}
