//! Cancelling a job, wherever it stands.

use super::Core;
use crate::{
    cancel::Cancelled,
    jobs::{
        entry::{Entry, Why},
        phase::{At, Stage},
        stats::Ended,
    },
};
use std::sync::Arc;

impl Core {
    /// Cancels a job: at once, or where its async work waits. `false` when it has ended.
    pub(in crate::jobs) fn cancel(self: &Arc<Self>, entry: &Arc<dyn Entry>, cancelled: &Cancelled) -> bool {
        let header = entry.header();
        loop {
            let at = header.phase.at();
            match at.stage {
                Stage::Ended => return false,
                Stage::Running if header.is_async => {
                    if header.ask(at.attempt, Why::Cancelled(cancelled.clone()), false) {
                        return true;
                    }
                }
                _ => {
                    if header.phase.change(at, at.to(Stage::Ended)) {
                        self.has_cancelled(entry, at, cancelled);
                        return true;
                    }
                }
            }
        }
    }

    pub(super) fn has_cancelled(self: &Arc<Self>, entry: &Arc<dyn Entry>, at: At, cancelled: &Cancelled) {
        let header = entry.header();
        let kind = self.kinds.get(header.kind);
        match at.stage {
            Stage::Queued => {
                // In a lane the dead are passed when their turn comes.
                self.has_left(
                    |state, inbox| {
                        if header.is_remote { Vec::new() } else { state.has_gap(inbox, &self.hints) }
                    },
                );
                kind.cancelled_unbegun(true);
            }
            Stage::Delayed => {
                self.delayed_no_more();
                kind.cancelled_unbegun(false);
            }
            Stage::Running => {
                self.count(header, Ended::Cancelled);
                header.give_up(at.attempt, cancelled.message());
            }
            Stage::Held => self.latents.remove(entry),
            Stage::Ended => {}
        }
        self.take_back_alarm(header);
        if at.stage != Stage::Running {
            entry.drop_work();
        }
        entry.settle(cancelled.clone().into());
    }
}
