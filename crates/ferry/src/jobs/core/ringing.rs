//! Alarms: set, taken back, and what is done when they go off.

use super::{Alarm, Core};
use crate::{
    jobs::{
        alarms::AlarmKey,
        entry::Header,
        phase::{At, Stage},
        steward,
        submit_error::SubmitError,
    },
    model::Ordering,
};
use std::sync::Arc;

impl Core {
    pub(in crate::jobs) fn set_alarm(self: &Arc<Self>, when: u64, alarm: Alarm) -> AlarmKey {
        let (key, is_next) = self.alarms.set(when, alarm);
        if is_next {
            // Without a loop there is no steward, and nothing could have begun.
            let _ = self.need_steward();
            self.bell.set();
        }
        key
    }

    #[inline]
    pub(super) fn take_back_alarm(&self, header: &Header) {
        let key = header.swap_alarm(0);
        if key != 0 {
            drop(self.alarms.take_back(key));
        }
    }

    /// Does what is due.
    pub(in crate::jobs) fn ring(self: &Arc<Self>, alarm: Alarm) {
        match alarm {
            Alarm::Timeout(entry, attempt) => self.timed_out(&entry, attempt),
            Alarm::Again(entry, attempt) => {
                let next = At { stage: Stage::Queued, attempt: attempt + 1 };
                self.enqueue_again(&entry, At::delayed(attempt), next);
            }
            Alarm::Start(entry) => drop(self.start_held(&entry)),
            Alarm::Call(call) => call(),
        }
    }

    /// Makes sure that there is a steward.
    pub(super) fn need_steward(self: &Arc<Self>) -> Result<(), Arc<str>> {
        if self.has_steward.load(Ordering::Acquire) {
            return Ok(());
        }
        if self.has_steward.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        steward::start(self).inspect_err(|_| self.has_steward.store(false, Ordering::Release))
    }

    /// A steward, for what is planned.
    pub(in crate::jobs) fn steward_for_plans(self: &Arc<Self>) -> Result<(), SubmitError> {
        self.need_steward().map_err(SubmitError::NoWorker)
    }
}
