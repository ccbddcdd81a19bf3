//! [`State`]: what a pool's latch guards: who waits in the line, who works, and who could.
//!
//! # Slots
//!
//! At most `limit` jobs run at once, each in a *slot*. A slot is worked by a *body*: a thread of the pool, or a task. What
//! blocks runs on a thread and what is async in a task, so a body that gets a job of the other sort hands its slot on to
//! the right one. A thread without a slot is *spare*, and sleeps; a task without one ends.
//!
//! # Who searches
//!
//! ```text
//!   push ── a slot is free and nobody searches ──▶ a body searches ──claim──▶ it works; if more waits, the
//!     └── somebody does, or all slots are taken: nothing to do         ╲       next body is sent searching
//!                                                                       nothing there: it looks for some
//!                                                                       microseconds, and gives up its slot
//! ```
//!
//! So at most one body at a time was woken and has no job yet: a burst of short jobs is done by few, and no crowd wakes
//! up for one job.

use super::{
    entry::Entry,
    inbox::{Hints, Inbox},
    phase::Stage,
    queue::Line,
    worker::{Seat, Slot},
};
use crate::patterns::Watchers;
use std::{sync::Arc, task::Waker};

/// Whether a pool takes jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Open,
    /// It takes no more, and works off those that it has.
    Draining,
    /// It cancels those that it has.
    Closed,
}

pub(super) struct State {
    pub(super) line: Line<Arc<dyn Entry>>,
    /// How many jobs in the line need a thread, the dead among them.
    blocking: usize,
    /// How many places of the line and the inbox belong to jobs that were cancelled. Less than none while a worker passes
    /// the place of one that is just being cancelled.
    gaps: isize,
    /// How many wait for their next attempt.
    pub(super) delayed: usize,
    /// Somebody may wait for room.
    pub(super) has_waiters: bool,
    /// What each slot works on, or worked on last.
    pub(super) running: Vec<Option<Arc<dyn Entry>>>,
    free: Vec<Slot>,
    pub(super) active: usize,
    pub(super) limit: usize,
    pub(super) is_searched: bool,
    /// The last that fell asleep is woken first, as its memory is still in the cache.
    pub(super) spare: Vec<Arc<Seat>>,
    pub(super) threads: usize,
    pub(super) mode: Mode,
    /// Those who wait until there is nothing to do.
    pub(super) idle: Watchers,
}

/// Who is to be sent searching.
pub(super) enum Start {
    Nobody,
    Task(Slot),
    Spare(Arc<Seat>, Slot),
    Thread(Slot),
}

/// What is to be done once the latches are free.
#[derive(Default)]
#[must_use = "wake them"]
pub(super) struct Left {
    pub(super) room: Option<Waker>,
    pub(super) idle: Option<Watchers>,
    pub(super) over: Vec<Arc<Seat>>,
}

impl Left {
    #[inline]
    pub(super) fn tell(self) {
        if let Some(waker) = self.room {
            waker.wake();
        }
        if let Some(idle) = self.idle {
            idle.tell();
        }
        for seat in self.over {
            seat.end();
        }
    }
}

/// Gaps are swept out when they are more than what waits, and this.
const GAPS: usize = 64;

impl State {
    pub(super) fn new(limit: usize, ageing: Option<u64>) -> Self {
        Self {
            line: Line::new(ageing),
            blocking: 0,
            gaps: 0,
            delayed: 0,
            has_waiters: false,
            running: Vec::new(),
            free: Vec::new(),
            active: 0,
            limit,
            is_searched: false,
            spare: Vec::new(),
            threads: 0,
            mode: Mode::Open,
            idle: Watchers::default(),
        }
    }

    /// Nothing waits and nothing runs.
    pub(super) fn is_idle(&self, inbox: &mut Inbox, hints: &Hints) -> bool {
        self.active == 0 && inbox.held(hints) == 0
    }

    /// There will be nothing more to do.
    pub(super) fn is_over(&self, inbox: &mut Inbox, hints: &Hints) -> bool {
        self.mode != Mode::Open && inbox.held(hints) == 0
    }

    /// Moves jobs from the inbox to the line.
    pub(super) fn fill(&mut self, all: bool, inbox: &mut Inbox, hints: &Hints) {
        let Self { line, blocking, .. } = self;
        inbox.take(all, hints, |since, entry| {
            let header = entry.header();
            *blocking += usize::from(!header.is_async);
            line.push(header.priority, since, entry);
        });
    }

    /// The next of the line, dead or alive.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Arc<dyn Entry>> {
        let entry = self.line.pop()?;
        self.blocking -= usize::from(!entry.header().is_async);
        Some(entry)
    }

    /// The one that was popped was cancelled.
    pub(super) fn passed_gap(&mut self) {
        self.gaps -= 1;
    }

    /// One in the queue was cancelled. What is swept out is to be dropped once the latch is free.
    pub(super) fn has_gap(&mut self, inbox: &mut Inbox, hints: &Hints) -> Vec<Arc<dyn Entry>> {
        self.gaps += 1;
        let waiting = inbox.held(hints).saturating_sub(self.delayed);
        if self.gaps < isize::try_from(waiting + GAPS).unwrap_or(isize::MAX) {
            return Vec::new();
        }
        self.fill(true, inbox, hints);
        let swept = self.line.sweep(|entry| entry.header().phase.at().stage == Stage::Queued);
        self.took(&swept);
        swept
    }

    /// Takes the whole line out; each that is alive is to be cancelled.
    pub(super) fn take_line(&mut self, inbox: &mut Inbox, hints: &Hints) -> Vec<Arc<dyn Entry>> {
        self.fill(true, inbox, hints);
        let taken = self.line.take();
        self.took(&taken);
        taken
    }

    fn took(&mut self, taken: &[Arc<dyn Entry>]) {
        self.blocking -= taken.iter().filter(|entry| !entry.header().is_async).count();
        // Those that are dead were counted as gaps, and those that are alive will be.
        self.gaps -= isize::try_from(taken.len()).unwrap_or(isize::MAX);
    }

    /// Whether a body may be sent searching.
    #[inline]
    pub(super) fn may_start(&self) -> bool {
        !self.is_searched && self.active < self.limit
    }

    /// Whom to send searching for a job, and for what's in the line.
    #[inline]
    pub(super) fn start(&mut self, has_threads: bool, is_async: bool) -> Start {
        if !self.may_start() {
            return Start::Nobody;
        }
        self.is_searched = true;
        let slot = self.take_slot();
        if !has_threads || is_async && self.blocking == 0 {
            return Start::Task(slot);
        }
        match self.spare.pop() {
            Some(seat) => Start::Spare(seat, slot),
            None => {
                self.threads += 1;
                Start::Thread(slot)
            }
        }
    }

    fn take_slot(&mut self) -> Slot {
        self.active += 1;
        self.free.pop().unwrap_or_else(|| {
            self.running.push(None);
            (self.running.len() - 1) as Slot
        })
    }

    /// A body gives up its slot; gives what it worked on, to be dropped once the latch is free.
    pub(super) fn free_slot(&mut self, slot: Slot) -> Option<Arc<dyn Entry>> {
        self.active -= 1;
        self.free.push(slot);
        self.running[slot as usize].take()
    }

    /// A thread without a slot goes to sleep; `false` when it's to end instead.
    pub(super) fn rest(
        &mut self,
        seat: &Arc<Seat>,
        inbox: &mut Inbox,
        hints: &Hints,
        left: &mut Left,
    ) -> bool {
        // Fewer may be wanted than there were.
        if self.is_over(inbox, hints) || self.threads > self.limit {
            self.threads -= 1;
            self.end_spare(inbox, hints, left);
            return false;
        }
        self.spare.push(seat.clone());
        true
    }

    /// Has the spare threads end, if there will be nothing to do for them.
    pub(super) fn end_spare(&mut self, inbox: &mut Inbox, hints: &Hints, left: &mut Left) {
        if self.is_over(inbox, hints) {
            self.threads -= self.spare.len();
            left.over.append(&mut self.spare);
        }
    }

    /// Tells those who wait until there is nothing to do, if so.
    pub(super) fn tell_idle(&mut self, inbox: &mut Inbox, hints: &Hints, left: &mut Left) {
        if self.is_idle(inbox, hints) {
            left.idle = Some(self.idle.take());
        }
    }

    /// What runs, to be cancelled.
    pub(super) fn running(&self) -> Vec<Arc<dyn Entry>> {
        let runs = |entry: &&Arc<dyn Entry>| entry.header().phase.at().stage == Stage::Running;
        self.running.iter().flatten().filter(runs).cloned().collect()
    }
}
