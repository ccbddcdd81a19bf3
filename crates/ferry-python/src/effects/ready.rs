//! [`Ready`]: the tasks of a run that can go on.
//!
//! Those of a higher priority come first; among equals, who waits longest. After [`STREAK`] tasks that came before
//! others of a lower priority, one of those has its turn, so nobody waits for ever.

use super::task::Task;
use pyo3::prelude::*;
use std::collections::VecDeque;

pub(super) const PRIORITY_IDLE: i32 = 0;
pub(super) const PRIORITY_NORMAL: i32 = 10;
pub(super) const PRIORITY_HIGH: i32 = 20;

/// So many in a row may come before others that wait.
const STREAK: u32 = 16;

#[derive(Default)]
pub(super) struct Ready {
    /// From the highest priority down. Few are in use, so a list does.
    levels: Vec<(i32, VecDeque<Py<Task>>)>,
    len: usize,
    streak: u32,
}

impl Ready {
    pub(super) fn push(&mut self, priority: i32, task: Py<Task>) {
        self.len += 1;
        match self.levels.binary_search_by(|(level, _)| priority.cmp(level)) {
            Ok(place) => self.levels[place].1.push_back(task),
            Err(place) => self.levels.insert(place, (priority, VecDeque::from([task]))),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Py<Task>> {
        let first = self.levels.iter().position(|(_, tasks)| !tasks.is_empty())?;
        let mut level = first;
        if self.levels.len() > 1 {
            let mut others = (first + 1..self.levels.len()).filter(|&place| !self.levels[place].1.is_empty());
            if let Some(next) = others.next() {
                self.streak += 1;
                if self.streak > STREAK {
                    self.streak = 0;
                    // The last of them, so that none is passed over each time: the next streak is the one before it.
                    level = others.next_back().unwrap_or(next);
                }
            }
        }
        let task = self.levels[level].1.pop_front();
        self.len -= 1;
        if self.levels[level].1.is_empty() && self.levels.len() > 8 {
            self.levels.remove(level);
        }
        task
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Py<Task>> {
        self.levels.iter().flat_map(|(_, tasks)| tasks)
    }
}
