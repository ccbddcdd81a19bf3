//! [`Inbox`]: where jobs arrive, apart from the line that workers take them from, so that submitting one doesn't wait for
//! those who work.
//!
//! A worker moves jobs to the line when that is empty, or when something of a higher priority than all in the line has
//! come; what is left in the inbox is younger than anything in the line and of no higher priority, so it's worth less.
//!
//! # Locks
//!
//! The inbox has its own latch; who needs the state's as well takes that first. What workers must know of the inbox
//! without its latch are hints, and only ever too late by a moment:
//!
//! - how many have left the queue (`taken`) is written under the state's latch. A submitter looks at it only when the
//!   queue would be full by what it saw last.
//! - `may_start` is true where a body is to be sent searching for the next job. A worker writes it with both latches held,
//!   in the same moment in which it sees that the inbox is empty; a submitter that finds it true sends one.

use super::entry::Entry;
use crate::{
    model::{Apart, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    sync::waiters::Waiters,
};
use std::{collections::VecDeque, sync::Arc, task::Waker};

pub(super) struct Inbox {
    items: VecDeque<(u64, Arc<dyn Entry>)>,
    /// How many jobs came, from the first on; and how many of them had left, as it was seen last.
    sent: u64,
    seen: u64,
    pub(super) is_open: bool,
    pub(super) may_start: bool,
    /// Those who wait for room. Who was called has a place reserved.
    pub(super) room: Waiters,
    max_queued: usize,
}

/// What is known of an inbox without its latch.
pub(super) struct Hints {
    /// How many are in it.
    length: Apart<AtomicUsize>,
    /// No job in it has a higher priority.
    top: AtomicU32,
    /// How many jobs have left the queue. Written under the state's latch.
    taken: Apart<AtomicU64>,
}

/// So many are moved at once, as others wait meanwhile.
const MOVED: usize = 64;

const NOTHING: u32 = 0;

/// A priority as a number that is more than nothing.
fn height(priority: i8) -> u32 {
    (i32::from(priority) + 129).unsigned_abs()
}

impl Hints {
    pub(super) fn new() -> Self {
        Self {
            length: Apart(AtomicUsize::new(0)),
            top: AtomicU32::new(NOTHING),
            taken: Apart(AtomicU64::new(0)),
        }
    }

    /// How many are there.
    #[inline]
    pub(super) fn length(&self) -> usize {
        self.length.0.load(Ordering::Relaxed)
    }

    /// Whether something is there.
    #[inline]
    pub(super) fn has_some(&self) -> bool {
        self.length() > 0
    }

    /// Whether something may be there of a higher priority than this.
    #[inline]
    pub(super) fn has_above(&self, priority: i8) -> bool {
        self.top.load(Ordering::Relaxed) > height(priority)
    }

    /// So many more have left the queue, or so many fewer. The state's latch is held.
    #[inline]
    pub(super) fn taken(&self, change: i64) {
        let taken = self.taken.0.load(Ordering::Relaxed);
        self.taken.0.store(taken.wrapping_add_signed(change), Ordering::Release);
    }
}

impl Inbox {
    pub(super) fn new(max_queued: usize) -> Self {
        Self {
            items: VecDeque::new(),
            sent: 0,
            seen: 0,
            is_open: true,
            may_start: true,
            room: Waiters::default(),
            max_queued,
        }
    }

    /// How many have a place in the queue: those here, those in the line, and those that wait for their next attempt.
    pub(super) fn held(&mut self, hints: &Hints) -> usize {
        self.seen = hints.taken.0.load(Ordering::Acquire);
        self.as_seen()
    }

    fn as_seen(&self) -> usize {
        usize::try_from(self.sent.wrapping_sub(self.seen)).unwrap_or(usize::MAX)
    }

    /// Whether there is no place that was not promised to somebody.
    #[inline]
    fn has_no_place(&mut self, hints: &Hints) -> bool {
        let called = self.room.called();
        self.as_seen() + called >= self.max_queued && self.held(hints) + called >= self.max_queued
    }

    /// Whether a newcomer has to wait.
    #[inline]
    pub(super) fn is_full(&mut self, hints: &Hints) -> bool {
        !self.room.is_empty() || self.has_no_place(hints)
    }

    /// A place may be free: who waits for it, if anybody does.
    pub(super) fn call_for_room(&mut self, hints: &Hints) -> Option<Waker> {
        if self.room.is_empty() || self.has_no_place(hints) { None } else { self.room.call_next() }
    }

    /// Adds a job that is new to the queue.
    #[inline]
    pub(super) fn push_new(&mut self, entry: Arc<dyn Entry>, since: u64, hints: &Hints) -> bool {
        self.sent = self.sent.wrapping_add(1);
        self.push(entry, since, hints)
    }

    /// Counts a job as new to the queue.
    pub(super) fn count(&mut self) {
        self.sent = self.sent.wrapping_add(1);
    }

    /// It was not new to the queue after all.
    pub(super) fn uncount(&mut self) {
        self.sent = self.sent.wrapping_sub(1);
    }

    /// Adds a job that has its place already; whether somebody must be sent searching.
    #[inline]
    pub(super) fn push(&mut self, entry: Arc<dyn Entry>, since: u64, hints: &Hints) -> bool {
        let height = height(entry.header().priority);
        self.items.push_back((since, entry));
        hints.length.0.store(self.items.len(), Ordering::Relaxed);
        if hints.top.load(Ordering::Relaxed) < height {
            hints.top.store(height, Ordering::Relaxed);
        }
        std::mem::take(&mut self.may_start)
    }

    /// Takes some of the oldest, or all.
    #[inline]
    pub(super) fn take(&mut self, all: bool, hints: &Hints, mut to: impl FnMut(u64, Arc<dyn Entry>)) {
        let count = if all { self.items.len() } else { self.items.len().min(MOVED) };
        for (since, entry) in self.items.drain(..count) {
            to(since, entry);
        }
        hints.length.0.store(self.items.len(), Ordering::Relaxed);
        if self.items.is_empty() {
            hints.top.store(NOTHING, Ordering::Relaxed);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
