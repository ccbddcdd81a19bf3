//! Who works: bodies are sent searching, claim jobs, and give up their slots.

use super::{Claim, Claimed, Core};
use crate::{
    jobs::{
        entry::Entry,
        inbox::Inbox,
        phase::{At, Stage},
        state::{Left, Start, State},
        worker::{Assigned, Body, Seat, Slot, start_thread, work_as_task},
    },
    model::relax,
    sync::latch::LatchGuard,
};
use std::{
    sync::{Arc, PoisonError},
    task::Waker,
};

/// A thread waits so long for one more job to come, as turns of a spin, until there are enough.
const GATHER: u32 = 12;
const ENOUGH: usize = 32;
/// What comes within so many turns comes fast.
const FAST: u32 = 12;

/// A searcher that finds nothing looks so often again, before it sleeps.
const LOOKS: u32 = 96;

impl Core {
    #[inline]
    pub(in crate::jobs) fn start(self: &Arc<Self>, start: Start) {
        match start {
            Start::Nobody => {}
            Start::Task(slot) => self.start_task(Body::searching(self, slot), None),
            Start::Spare(seat, slot) => seat.assign(Assigned::Search(Body::searching(self, slot))),
            Start::Thread(slot) => self.start_thread(slot),
        }
    }

    #[cold]
    pub(super) fn start_thread(self: &Arc<Self>, slot: Slot) {
        let search = Assigned::Search(Body::searching(self, slot));
        if let Err((_, Assigned::Search(body))) = start_thread(self, search) {
            self.lock().threads -= 1;
            // A task can do it as well, at the price of a thread of the runtime.
            self.start_task(body, None);
        }
    }

    pub(super) fn start_task(self: &Arc<Self>, body: Body, claim: Option<Claim>) {
        if self.home.has_threads() {
            crate::task::spawn_on_pool(work_as_task(body, claim));
        } else {
            self.wanted.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            self.bell.set();
        }
    }

    /// A thread has an async job: a task goes on with it, and with the slot. Whether the thread stays.
    pub(in crate::jobs) fn hand_to_task(
        self: &Arc<Self>,
        body: Body,
        claim: Claim,
        seat: &Arc<Seat>,
    ) -> bool {
        let mut left = Left::default();
        let stays = {
            let mut state = self.lock();
            let mut inbox = self.inbox.0.lock();
            state.rest(seat, &mut inbox, &self.hints, &mut left)
        };
        left.tell();
        self.start_task(body, Some(claim));
        stays
    }

    /// A task has a job that blocks: a thread goes on with it, and with the slot.
    pub(in crate::jobs) fn hand_to_thread(
        self: &Arc<Self>,
        body: Body,
        claim: Claim,
    ) -> Result<(), (Body, Claim)> {
        let seat = {
            let mut state = self.lock();
            let seat = state.spare.pop();
            state.threads += usize::from(seat.is_none());
            seat
        };
        let run = Assigned::Run(body, claim);
        let Some(seat) = seat else {
            let Err((_, Assigned::Run(body, claim))) = start_thread(self, run) else { return Ok(()) };
            self.lock().threads -= 1;
            return Err((body, claim));
        };
        seat.assign(run);
        Ok(())
    }

    /// The next job for a body. One with a seat is a thread, and keeps its slot for a look around if nobody else
    /// does.
    #[inline]
    pub(in crate::jobs) fn claim(self: &Arc<Self>, body: &mut Body, seat: Option<&Arc<Seat>>) -> Claimed {
        let mut dead = Vec::new();
        let mut left = Left::default();
        let mut state = self.lock();
        let has_searched = std::mem::take(&mut body.is_searching);
        state.is_searched &= !has_searched;
        let before = state.running[body.slot as usize].take();
        if state.active <= state.limit {
            self.fill_line(&mut state);
            while let Some(entry) = state.pop() {
                let header = entry.header();
                let at = header.phase.at();
                if at.stage == Stage::Queued && header.phase.change(at, At::running(at.attempt)) {
                    self.hints.taken(1);
                    body.is_line_empty = state.line.top().is_none();
                    state.running[body.slot as usize] = Some(entry.clone());
                    if state.has_waiters {
                        left.room = self.call_for_room(&mut state);
                    }
                    let start = self.send_next(&mut state, has_searched);
                    drop(state);
                    self.start(start);
                    left.tell();
                    self.has_begun(&entry, at.attempt, body.now.take());
                    return Claimed::Job(Claim { entry, attempt: at.attempt });
                }
                state.passed_gap();
                dead.push(entry);
                self.fill_line(&mut state);
            }
        }
        let claimed = self.rest(body, state, seat, has_searched, &mut left, &mut dead);
        drop((before, dead));
        left.tell();
        claimed
    }

    /// Takes from the inbox what may be worth more than what is in the line.
    #[inline]
    pub(super) fn fill_line(&self, state: &mut State) {
        loop {
            let has_better = match state.line.top() {
                None => self.hints.has_some(),
                Some(top) => self.hints.has_above(top),
            };
            if !has_better {
                return;
            }
            let mut inbox = self.inbox.0.lock();
            if inbox.is_empty() {
                return;
            }
            state.fill(false, &mut inbox, &self.hints);
        }
    }

    /// One has got a job: if there is more, the next is to search; otherwise who submits will send it.
    #[inline]
    pub(super) fn send_next(&self, state: &mut State, has_searched: bool) -> Start {
        if !state.may_start() {
            return Start::Nobody;
        }
        if state.line.top().is_some() {
            return state.start(self.home.has_threads(), true);
        }
        if !has_searched {
            return Start::Nobody;
        }
        let mut inbox = self.inbox.0.lock();
        if inbox.is_empty() {
            inbox.may_start = true;
            return Start::Nobody;
        }
        state.fill(false, &mut inbox, &self.hints);
        drop(inbox);
        state.start(self.home.has_threads(), true)
    }

    /// There is no job for a body: it looks around, or gives up its slot.
    pub(super) fn rest(
        &self,
        body: &mut Body,
        mut state: LatchGuard<'_, State>,
        seat: Option<&Arc<Seat>>,
        has_searched: bool,
        left: &mut Left,
        dead: &mut Vec<Arc<dyn Entry>>,
    ) -> Claimed {
        let mut inbox = self.inbox.0.lock();
        let may_work = state.active <= state.limit;
        if may_work && !inbox.is_empty() {
            // Something has come just now.
            body.is_searching = !state.is_searched;
            state.is_searched = true;
            return Claimed::Nothing;
        }
        if may_work && seat.is_some() && !has_searched && !state.is_searched {
            state.is_searched = true;
            inbox.may_start = false;
            body.is_searching = true;
            return Claimed::Nothing;
        }
        body.has_slot = false;
        dead.extend(state.free_slot(body.slot));
        inbox.may_start = state.may_start() && inbox.is_empty();
        state.tell_idle(&mut inbox, &self.hints, left);
        match seat {
            Some(seat) if state.rest(seat, &mut inbox, &self.hints, left) => Claimed::Rests,
            Some(_) => Claimed::Over,
            None => {
                state.end_spare(&mut inbox, &self.hints, left);
                Claimed::Rests
            }
        }
    }

    /// A place in the queue is free: who waits for it. The latch of the state is held.
    pub(super) fn call_for_room(&self, state: &mut State) -> Option<Waker> {
        let mut inbox = self.inbox.0.lock();
        let next = inbox.call_for_room(&self.hints);
        state.has_waiters = !inbox.room.is_empty();
        next
    }

    /// Before a thread takes from the inbox: while jobs come one after another, it lets some more come, as each time that it
    /// looks makes who submits wait.
    #[inline]
    pub(in crate::jobs) fn let_some_come(&self) {
        let mut seen = self.hints.length();
        while (1..ENOUGH).contains(&seen) {
            for turn in 0..GATHER {
                relax(turn);
            }
            let now = self.hints.length();
            if now <= seen {
                return;
            }
            seen = now;
        }
    }

    /// A searcher has found nothing: it looks again for some microseconds, so that the next job finds it awake.
    /// Whether it came fast, as one of many.
    pub(in crate::jobs) fn look_around(&self) -> bool {
        for turn in 0..LOOKS {
            if self.hints.has_some() {
                return turn < FAST;
            }
            relax(turn);
        }
        false
    }

    /// A body ends before its time.
    pub(in crate::jobs) fn give_up(self: &Arc<Self>, body: &mut Body) {
        if self.is_forked() {
            return;
        }
        let mut left = Left::default();
        let (start, worked_on) = {
            let mut state = self.lock();
            let mut inbox = self.inbox.0.lock();
            state.is_searched &= !std::mem::take(&mut body.is_searching);
            body.has_slot = false;
            let worked_on = state.free_slot(body.slot);
            state.tell_idle(&mut inbox, &self.hints, &mut left);
            state.end_spare(&mut inbox, &self.hints, &mut left);
            (self.restart(&mut state, &mut inbox), worked_on)
        };
        drop(worked_on);
        left.tell();
        self.start(start);
    }

    /// Sends a body searching if there is something, or else has the next submitter do so.
    pub(super) fn restart(&self, state: &mut State, inbox: &mut Inbox) -> Start {
        if inbox.is_empty() && state.line.top().is_none() {
            inbox.may_start = state.may_start();
            return Start::Nobody;
        }
        state.fill(false, inbox, &self.hints);
        state.start(self.home.has_threads(), true)
    }

    /// Changes how many jobs may run at once.
    pub(in crate::jobs) fn set_workers(self: &Arc<Self>, workers: usize) {
        let mut left = Left::default();
        let start = {
            let mut state = self.lock();
            state.limit = workers;
            while state.threads > workers
                && let Some(seat) = state.spare.pop()
            {
                state.threads -= 1;
                left.over.push(seat);
            }
            self.restart(&mut state, &mut self.inbox.0.lock())
        };
        left.tell();
        self.start(start);
    }
}
