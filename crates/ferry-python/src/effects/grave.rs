//! Dropping without recursion: programs, stacks and continuations refer to each other, a million deep if a user likes.
//!
//! Whatever could be a link of such a chain is dropped by [`bury`]. The first one on a thread drops what it is given,
//! and whatever that leads to is laid aside, and dropped when the stack has come back.

use super::stack::Segment;
use pyo3::prelude::*;
use std::cell::RefCell;

/// What is dropped in its turn.
pub(super) enum Grave {
    Object(Py<PyAny>),
    /// The innermost first.
    Segments(Vec<Segment>),
}

thread_local! {
    /// What waits for its turn, while something is being dropped.
    static WAITING: RefCell<Option<Vec<Grave>>> = const { RefCell::new(None) };
}

/// Drops `grave`, now or when what is being dropped now is gone.
pub(super) fn bury(grave: Grave) {
    let mut grave = Some(grave);
    // A thread that ends has no such place any more: then it's dropped as it comes.
    let is_first = WAITING.try_with(|waiting| match &mut *waiting.borrow_mut() {
        Some(waiting) => {
            waiting.extend(grave.take());
            false
        }
        empty => {
            *empty = Some(Vec::new());
            true
        }
    });
    let Ok(true) = is_first else { return };
    while let Some(next) = grave.take() {
        drop_one(next);
        grave = next_one();
    }
}

fn drop_one(grave: Grave) {
    match grave {
        Grave::Object(object) => drop(object),
        // What began last ends first, as if it returned.
        Grave::Segments(segments) => {
            for mut segment in segments {
                while let Some(frame) = segment.frames.pop() {
                    drop(frame);
                }
            }
        }
    }
}

/// The next one; none ends it.
fn next_one() -> Option<Grave> {
    WAITING
        .try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            let next = waiting.as_mut().and_then(Vec::pop);
            if next.is_none() {
                *waiting = None;
            }
            next
        })
        .ok()
        .flatten()
}

/// An object that another one refers to, and that may be a link of a long chain.
pub(super) struct Link(Option<Py<PyAny>>);

impl Link {
    pub(super) fn new(object: Py<PyAny>) -> Self {
        Self(Some(object))
    }

    pub(super) fn get(&self) -> &Py<PyAny> {
        self.0.as_ref().unwrap_or_else(|| unreachable!("it's taken only when it's dropped"))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            bury(Grave::Object(object));
        }
    }
}
