//! Into the queue: with room, or waiting for it, and again for another attempt.

use super::{Core, Refused, UNCOUNTED};
use crate::{
    executor::platform,
    jobs::{
        entry::{Entry, Header},
        inbox::Inbox,
        phase::{At, Stage},
    },
    model::Ordering,
    sync::latch::LatchGuard,
    sync::waiters::{Key, wake_all},
};
use std::{
    sync::Arc,
    task::{Context, Poll},
};

/// Of jobs of which there were many, the times of one in so many are counted.
const COUNTED: u64 = 16;

impl Core {
    /// Whether jobs can be run at all.
    #[inline]
    pub(super) fn is_ready(self: &Arc<Self>) -> Result<(), Refused> {
        if self.is_forked() {
            return Err(Refused::Forked);
        }
        if self.home.has_threads() { Ok(()) } else { self.need_steward().map_err(Refused::NoWorker) }
    }

    /// Puts a new job in the queue, if there is room.
    #[inline]
    pub(in crate::jobs) fn push(self: &Arc<Self>, entry: Arc<dyn Entry>) -> Result<(), Refused> {
        self.is_ready()?;
        let now = self.stamp(entry.header());
        let mut inbox = self.inbox.0.lock();
        if !inbox.is_open {
            return Err(Refused::ShutDown);
        }
        if inbox.is_full(&self.hints) {
            return Err(Refused::Full);
        }
        self.enqueue(inbox, entry, now);
        Ok(())
    }

    /// As [`push`](Self::push), waiting for room.
    pub(in crate::jobs) fn poll_push(
        self: &Arc<Self>,
        entry: &Arc<dyn Entry>,
        place: &mut Option<Key>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Refused>> {
        if place.is_none() {
            match self.push(entry.clone()) {
                Err(Refused::Full) => {}
                pushed => return Poll::Ready(pushed),
            }
        }
        if self.is_forked() {
            return Poll::Ready(Err(Refused::Forked));
        }
        // Wakers are foreign code: cloned before, and dropped after, the latches are held.
        let waker = cx.waker().clone();
        let now = self.stamp(entry.header());
        let mut state = self.lock();
        let mut inbox = self.inbox.0.lock();
        if !inbox.is_open {
            drop((inbox, state));
            self.leave_line(place);
            return Poll::Ready(Err(Refused::ShutDown));
        }
        match *place {
            Some(key) if inbox.room.is_called(key) => {
                let removed = inbox.room.remove(key);
                *place = None;
                drop(state);
                self.enqueue(inbox, entry.clone(), now);
                drop((removed, waker));
                Poll::Ready(Ok(()))
            }
            Some(key) => {
                let stale = inbox.room.replace(key, waker);
                drop((inbox, state));
                drop(stale);
                Poll::Pending
            }
            None if inbox.is_full(&self.hints) => {
                *place = Some(inbox.room.push(waker));
                state.has_waiters = true;
                Poll::Pending
            }
            None => {
                drop(state);
                self.enqueue(inbox, entry.clone(), now);
                drop(waker);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Who waited for room goes.
    pub(in crate::jobs) fn leave_line(&self, place: &mut Option<Key>) {
        let Some(key) = place.take() else { return };
        if self.is_forked() {
            return;
        }
        let mut inbox = self.inbox.0.lock();
        let removed = inbox.room.remove(key);
        let next = inbox.call_for_room(&self.hints);
        drop(inbox);
        drop(removed);
        wake_all(next);
    }

    /// Now, for a job that comes to the queue; noted, if it's one of those whose times are counted.
    ///
    /// Once there were many of its kind, that is one of 16, as reading the clock is dear beside a short job.
    #[inline]
    pub(super) fn stamp(&self, header: &Header) -> u64 {
        let is_counted = !self.has_threads()
            || header.id.number().is_multiple_of(COUNTED)
            || self.kinds.get(header.kind).has_had_few();
        if !is_counted {
            // It may have been counted at a former attempt.
            header.since.store(UNCOUNTED, Ordering::Relaxed);
            return platform::coarse();
        }
        let now = self.now();
        header.since.store(now, Ordering::Relaxed);
        now
    }

    #[inline]
    pub(super) fn enqueue(
        self: &Arc<Self>,
        mut inbox: LatchGuard<'_, Inbox>,
        entry: Arc<dyn Entry>,
        now: u64,
    ) {
        let header = entry.header();
        let is_async = header.is_async;
        self.kinds.get(header.kind).submitted();
        if header.is_remote {
            inbox.count();
            drop(inbox);
            return self.lanes.push(entry, now, self.ageing());
        }
        let must_start = inbox.push_new(entry, now, &self.hints);
        drop(inbox);
        if must_start {
            self.search(is_async);
        }
    }

    /// Puts a job in the queue that has its place already: its next attempt, or a latent one.
    pub(super) fn enqueue_again(self: &Arc<Self>, entry: &Arc<dyn Entry>, from: At, to: At) -> bool {
        let header = entry.header();
        let now = self.stamp(header);
        let kind = self.kinds.get(header.kind);
        let is_new = from.stage == Stage::Held;
        let must_start = {
            let mut state = self.lock();
            let mut inbox = self.inbox.0.lock();
            // Counted before it changes, so that whoever cancels it finds it counted.
            if is_new {
                inbox.count();
            }
            if !header.phase.change(from, to) {
                if is_new {
                    inbox.uncount();
                }
                return false;
            }
            state.delayed -= usize::from(!is_new);
            if is_new {
                kind.submitted()
            } else {
                kind.again()
            }
            !header.is_remote && inbox.push(entry.clone(), now, &self.hints)
        };
        if header.is_remote {
            self.lanes.push(entry.clone(), now, self.ageing());
        }
        if must_start {
            self.search(header.is_async);
        }
        true
    }

    /// Sends a body searching for a job of this sort, if none does.
    #[cold]
    pub(super) fn search(self: &Arc<Self>, is_async: bool) {
        let start = self.lock().start(self.home.has_threads(), is_async);
        self.start(start);
    }

    /// Starts a latent job; `false` when it was started or cancelled before.
    pub(in crate::jobs) fn start_held(self: &Arc<Self>, entry: &Arc<dyn Entry>) -> bool {
        let started = !self.is_forked() && self.enqueue_again(entry, At::HELD, At::FIRST);
        if started {
            self.take_back_alarm(entry.header());
            self.latents.remove(entry);
        }
        started
    }
}
