//! An attempt: it begins, completes or fails, and is followed by another or by the end of its job.

use super::{Alarm, CLOSED, Core, UNCOUNTED};
use crate::{
    cancel::Cancelled,
    error::Failure,
    executor::{nanoseconds, with_loop},
    jobs::{
        entry::{Entry, Header, Why},
        inbox::Inbox,
        phase::{At, Stage},
        retry::timed_out,
        state::{Left, Mode, State},
        stats::{Ended, Times},
    },
    model::Ordering,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

impl Core {
    #[inline]
    pub(in crate::jobs) fn has_begun(
        self: &Arc<Self>,
        entry: &Arc<dyn Entry>,
        attempt: u32,
        now: Option<u64>,
    ) {
        let header = entry.header();
        self.kinds.get(header.kind).begun();
        if header.since.load(Ordering::Relaxed) != UNCOUNTED {
            header.began.store(now.unwrap_or_else(|| self.now()), Ordering::Relaxed);
        }
        if let Some(limit) = header.limits().and_then(|limits| limits.timeout) {
            let key = self.set_alarm(
                self.now().saturating_add(nanoseconds(limit)),
                Alarm::Timeout(entry.clone(), attempt),
            );
            header.swap_alarm(key);
        }
    }

    /// Another worker has claimed the attempt.
    pub(in crate::jobs) fn has_been_claimed(self: &Arc<Self>, entry: &Arc<dyn Entry>, attempt: u32) {
        self.has_left(|_, _| Vec::new());
        self.has_begun(entry, attempt, None);
        self.heard_of(entry, attempt);
    }

    /// The attempt gave a value: whether the job is completed with it, and when that was, if its time is counted.
    #[inline]
    pub(in crate::jobs) fn has_completed(&self, header: &Header, attempt: u32) -> Option<Option<u64>> {
        let at = At::running(attempt);
        header.phase.change(at, at.to(Stage::Ended)).then(|| self.count(header, Ended::Done))
    }

    /// An attempt has ended; gives when that was, if its time is counted.
    #[inline]
    pub(super) fn count(&self, header: &Header, how: Ended) -> Option<u64> {
        let since = header.since.load(Ordering::Relaxed);
        let now = (since != UNCOUNTED).then(|| self.now());
        let times = now.map(|now| {
            let began = header.began.load(Ordering::Relaxed);
            Times { wait: began.saturating_sub(since), run: now.saturating_sub(began) }
        });
        self.kinds.get(header.kind).ended(how, times);
        self.take_back_alarm(header);
        if header.is_remote {
            drop(self.alarms.take_back(self.lanes.release(header.id.number())));
        }
        now
    }

    /// The attempt failed, or was cancelled: the job is tried again, or ends so. `false` when the attempt was given up
    /// before.
    pub(in crate::jobs) fn has_failed(
        self: &Arc<Self>,
        entry: &Arc<dyn Entry>,
        attempt: u32,
        failure: Failure,
    ) -> bool {
        let header = entry.header();
        let at = At::running(attempt);
        let retry = header.limits().and_then(|limits| limits.retry.as_ref());
        let random = || with_loop(|home| home.random());
        let wait = retry.and_then(|retry| retry.after(attempt, &failure, random()));
        if let Some(wait) = wait
            && let Some(tried) = self.try_again(entry, at, nanoseconds(wait))
        {
            return tried;
        }
        if !header.phase.change(at, at.to(Stage::Ended)) {
            return false;
        }
        let how = if matches!(failure, Failure::Cancelled(_)) { Ended::Cancelled } else { Ended::Failed };
        self.count(header, how);
        entry.drop_work();
        self.fail(entry, failure);
        true
    }

    /// Sets the next attempt; `None` when there is none any more.
    pub(super) fn try_again(self: &Arc<Self>, entry: &Arc<dyn Entry>, at: At, wait: u64) -> Option<bool> {
        {
            let mut state = self.lock();
            if state.mode == Mode::Closed {
                return None;
            }
            // Counted before it is, so that whoever cancels it finds it counted.
            state.delayed += 1;
            self.hints.taken(-1);
        }
        let header = entry.header();
        if !header.phase.change(at, at.to(Stage::Delayed)) {
            self.delayed_no_more();
            return Some(false);
        }
        self.count(header, Ended::Retried);
        let key = self.set_alarm(self.now().saturating_add(wait), Alarm::Again(entry.clone(), at.attempt));
        header.swap_alarm(key);
        // If the pool was closed meanwhile, nobody will look at the alarm.
        if self.lock().mode == Mode::Closed {
            self.cancel(entry, &Cancelled::new(CLOSED));
        }
        Some(true)
    }

    /// One that waited for its next attempt has left the queue.
    pub(super) fn delayed_no_more(&self) {
        self.has_left(|state, _| {
            state.delayed -= 1;
            Vec::new()
        });
    }

    /// One has left the queue that didn't begin.
    pub(super) fn has_left(&self, change: impl FnOnce(&mut State, &mut Inbox) -> Vec<Arc<dyn Entry>>) {
        let mut left = Left::default();
        let swept = {
            let mut state = self.lock();
            self.hints.taken(1);
            let mut inbox = self.inbox.0.lock();
            let swept = change(&mut state, &mut inbox);
            left.room = inbox.call_for_room(&self.hints);
            state.has_waiters = !inbox.room.is_empty();
            state.tell_idle(&mut inbox, &self.hints, &mut left);
            state.end_spare(&mut inbox, &self.hints, &mut left);
            swept
        };
        drop(swept);
        left.tell();
    }

    /// Tells the waiters of a failure; one that nobody waits for is reported.
    pub(super) fn fail(&self, entry: &Arc<dyn Entry>, failure: Failure) {
        let error = match &failure {
            Failure::Failed(error) => Some(error.clone()),
            Failure::Cancelled(_) => None,
        };
        if !entry.settle(failure)
            && let Some(error) = error
        {
            self.report(entry.header(), &*error);
        }
    }

    /// Nobody will hear of this error otherwise.
    pub(in crate::jobs) fn report(
        &self,
        header: &Header,
        error: &(dyn std::error::Error + Send + Sync + 'static),
    ) {
        let name = &self.kinds.get(header.kind).name;
        // A report that panics was shown by the panic hook.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.settings.on_failure)(name, error)));
    }

    /// The attempt takes too long.
    pub(super) fn timed_out(self: &Arc<Self>, entry: &Arc<dyn Entry>, attempt: u32) {
        let header = entry.header();
        let Some(limit) = header.limits().and_then(|limits| limits.timeout) else { return };
        if header.is_async {
            header.ask(attempt, Why::Timeout(limit), false);
        } else if self.has_failed(entry, attempt, timed_out(limit)) {
            header.give_up(attempt, "the attempt took too long");
        }
    }
}
