//! [`Ids`]: tasks by bare numbers. One has a number once its script has asked for it, and is kept by it until it's cleaned up; or, once it
//! has ended, for ten minutes, or until too many have.

use crate::task::Task;
use asyncferry::{Instant, jobs::JobId};
use rustc_hash::FxHashMap;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// So long one that has ended is kept.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// So many are kept.
const MOST_KEPT: usize = 10_000;

#[derive(Default)]
pub(crate) struct Ids {
    tasks: FxHashMap<JobId, Arc<Task>>,
    /// In the order in which they are looked at next, with the time at which they were found ended.
    order: VecDeque<(JobId, Option<Instant>)>,
}

impl Ids {
    pub(crate) fn keep(&mut self, id: JobId, task: &Arc<Task>) {
        if self.tasks.insert(id, task.clone()).is_none() {
            self.order.push_back((id, None));
        }
        self.sweep(Instant::now());
    }

    pub(crate) fn get(&self, id: JobId) -> Option<Arc<Task>> {
        self.tasks.get(&id).cloned()
    }

    pub(crate) fn remove(&mut self, id: JobId) -> Option<Arc<Task>> {
        self.tasks.remove(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Looks at two more than came.
    fn sweep(&mut self, now: Instant) {
        for _ in 0..3 {
            let Some((id, ended)) = self.order.pop_front() else { return };
            let Some(task) = self.tasks.get(&id) else { continue };
            if !task.is_ready() {
                self.order.push_back((id, None));
                continue;
            }
            let ended = ended.unwrap_or(now);
            if self.tasks.len() > MOST_KEPT || now - ended > KEPT_FOR {
                self.tasks.remove(&id);
            } else {
                self.order.push_back((id, Some(ended)));
            }
        }
    }
}
