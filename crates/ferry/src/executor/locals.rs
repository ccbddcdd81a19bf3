//! The task-local values of a loop's tasks, beside the tasks, as most have none.

use super::tasks::drop_quietly;
use crate::local::TaskLocals;
use std::cell::RefCell;

/// By the slot of a task.
pub(super) struct Locals(RefCell<Vec<TaskLocals>>);

impl Locals {
    pub(super) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    pub(super) fn swap(&self, other: &Self) {
        self.0.swap(&other.0);
    }

    /// Those of the task in `slot`, which runs now.
    pub(super) fn take(&self, slot: u32) -> TaskLocals {
        self.0.borrow_mut().get_mut(slot as usize).map(std::mem::take).unwrap_or_default()
    }

    /// What the task in `slot` has from now on.
    pub(super) fn put(&self, slot: u32, locals: TaskLocals) {
        let slot = slot as usize;
        let mut all = self.0.borrow_mut();
        if slot >= all.len() {
            if locals.is_empty() {
                return;
            }
            all.resize_with(slot + 1, TaskLocals::default);
        }
        let before = std::mem::replace(&mut all[slot], locals);
        // Its values are foreign: they are dropped after the borrow has ended, and may panic.
        drop(all);
        drop_quietly(|| drop(before));
    }

    /// Forgets all of them, at the end of the loop.
    pub(super) fn clear(&self) {
        let all = self.0.take();
        all.into_iter().for_each(|locals| drop_quietly(|| drop(locals)));
    }
}
