//! The end of a pool, and what it has until then.

use super::{Alarm, CLOSED, Core};
use crate::{
    cancel::Cancelled,
    jobs::{
        entry::{Entry, Why},
        phase::Stage,
        state::{Left, Mode},
    },
    promise::Future as Settles,
    sync::waiters::wake_all,
};
use std::sync::Arc;

impl Core {
    pub(in crate::jobs) fn is_open(&self) -> bool {
        self.lock().mode == Mode::Open
    }

    /// How many wait in the queue.
    pub(in crate::jobs) fn queued(&self) -> usize {
        let state = self.lock();
        self.inbox.0.lock().held(&self.hints).saturating_sub(state.delayed)
    }

    /// Whether nothing waits and nothing runs; otherwise what is settled when that is so.
    pub(in crate::jobs) fn poll_idle(&self) -> Option<Settles<()>> {
        let mut state = self.lock();
        let is_idle = state.is_idle(&mut self.inbox.0.lock(), &self.hints);
        if is_idle { None } else { Some(state.idle.watch()) }
    }

    /// The names of all that it has: those that run, and those that wait.
    pub(in crate::jobs) fn names(&self) -> Vec<String> {
        let name = |entry: &Arc<dyn Entry>| self.kinds.get(entry.header().kind).name.to_string();
        let (mut all, mut waiting) = (Vec::new(), Vec::new());
        {
            let mut state = self.lock();
            all.extend(state.running());
            state.fill(true, &mut self.inbox.0.lock(), &self.hints);
            state.line.each(|entry| waiting.push(entry.clone()));
        }
        self.lanes.each(|entry| match entry.header().phase.at().stage {
            Stage::Running => all.push(entry.clone()),
            _ => waiting.push(entry.clone()),
        });
        waiting.retain(|entry| entry.header().phase.at().stage == Stage::Queued);
        waiting.sort_by_key(|entry| entry.header().id);
        all.sort_by_key(|entry| entry.header().id);
        all.extend(waiting);
        all.extend(self.alarms.each(|alarm| match alarm {
            Alarm::Again(entry, _) => Some(entry.clone()),
            _ => None,
        }));
        all.iter().map(name).collect()
    }

    /// Takes no more jobs, and works off those that it has.
    pub(in crate::jobs) fn drain(&self) {
        if self.is_forked() {
            return;
        }
        let mut left = Left::default();
        let waiting = {
            let mut state = self.lock();
            let mut inbox = self.inbox.0.lock();
            state.mode = state.mode.max(Mode::Draining);
            inbox.is_open = false;
            state.end_spare(&mut inbox, &self.hints, &mut left);
            state.tell_idle(&mut inbox, &self.hints, &mut left);
            inbox.room.call_all()
        };
        wake_all(waiting);
        left.tell();
    }

    /// Cancels all that it has.
    pub(in crate::jobs) fn close(self: &Arc<Self>, why: &str) {
        self.drain();
        let (line, running) = {
            let mut state = self.lock();
            state.mode = Mode::Closed;
            (state.take_line(&mut self.inbox.0.lock(), &self.hints), state.running())
        };
        let cancelled = Cancelled::new(why);
        let later = self.alarms.clear().into_iter().filter_map(|alarm| match alarm {
            Alarm::Again(entry, _) | Alarm::Start(entry) => Some(entry),
            _ => None,
        });
        for entry in line.into_iter().chain(later).chain(running).chain(self.lanes.close()) {
            self.cancel(&entry, &cancelled);
        }
    }

    /// Drops what has not ended although it was asked to.
    pub(in crate::jobs) fn drop_running(&self) {
        let running = self.lock().running();
        for entry in running {
            let header = entry.header();
            let at = header.phase.at();
            if at.stage == Stage::Running && header.is_async {
                header.ask(at.attempt, Why::Cancelled(Cancelled::new(CLOSED)), true);
            }
        }
    }
}
