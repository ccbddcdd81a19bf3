//! [`Line`]: jobs that wait, by priority and age.
//!
//! A job is worth its priority, and one more for each `ageing` that it has waited. As all grow at the same pace, their
//! order never changes while they wait: it's that of `since - priority * ageing`, the moment from which a job of
//! priority 0 would have had to wait. So each priority has a line of its own, first in, first out, and the next job is
//! at the head of one of them. However many jobs of a higher priority come, one waits at most `ageing` for each step
//! between them longer than those that came before it.

use std::collections::VecDeque;

/// So many empty lines are kept for the next of their priority.
const KEPT: usize = 4;

pub(super) struct Line<T> {
    /// By priority, the highest first.
    levels: Vec<Level<T>>,
    /// `None`: age counts for nothing.
    ageing: Option<u64>,
}

struct Level<T> {
    priority: i8,
    line: VecDeque<(u64, T)>,
}

impl<T> Line<T> {
    /// With one more for each `ageing` nanoseconds.
    pub(super) fn new(ageing: Option<u64>) -> Self {
        Self { levels: Vec::new(), ageing }
    }

    /// Adds what has waited since then.
    #[inline]
    pub(super) fn push(&mut self, priority: i8, since: u64, item: T) {
        let place = match self.levels.first() {
            Some(level) if level.priority == priority => 0,
            _ => self.level(priority),
        };
        self.levels[place].line.push_back((since, item));
    }

    #[cold]
    fn level(&mut self, priority: i8) -> usize {
        match self.levels.binary_search_by_key(&-i16::from(priority), |level| -i16::from(level.priority)) {
            Ok(place) => place,
            Err(place) => {
                if self.levels.len() >= KEPT {
                    let before = self.levels[..place].iter().filter(|level| level.line.is_empty()).count();
                    self.levels.retain(|level| !level.line.is_empty());
                    self.levels.insert(place - before, Level { priority, line: VecDeque::new() });
                    return place - before;
                }
                self.levels.insert(place, Level { priority, line: VecDeque::new() });
                place
            }
        }
    }

    /// The highest priority that there is, if there is any.
    #[inline]
    pub(super) fn top(&self) -> Option<i8> {
        self.levels.iter().find(|level| !level.line.is_empty()).map(|level| level.priority)
    }

    /// The one that is worth most.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let place = if self.levels.len() == 1 { 0 } else { self.best()? };
        self.levels.get_mut(place)?.line.pop_front().map(|(_, item)| item)
    }

    #[cold]
    fn best(&self) -> Option<usize> {
        let heads = self.levels.iter().enumerate().filter_map(|(place, level)| {
            let (since, _) = level.line.front()?;
            Some((self.worth(level.priority, *since), place))
        });
        // Of equals the one of the higher priority, which comes first.
        heads.min().map(|(_, place)| place)
    }

    /// What the next one is worth: the less, the more.
    pub(super) fn worth_of_best(&self) -> Option<i128> {
        let level = self.levels.get(self.best()?)?;
        level.line.front().map(|(since, _)| self.worth(level.priority, *since))
    }

    /// Since when a job of priority 0 would have had to wait to be worth as much.
    fn worth(&self, priority: i8, since: u64) -> i128 {
        match self.ageing {
            Some(ageing) => i128::from(since) - i128::from(priority) * i128::from(ageing),
            None => -i128::from(priority),
        }
    }

    /// Shows all, in no order.
    pub(super) fn each<'a>(&'a self, show: impl FnMut(&'a T)) {
        self.levels.iter().flat_map(|level| &level.line).map(|(_, item)| item).for_each(show);
    }

    /// Takes out what is not `wanted` any more.
    pub(super) fn sweep(&mut self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let mut gone = Vec::new();
        for level in &mut self.levels {
            for (since, item) in std::mem::take(&mut level.line) {
                if wanted(&item) { level.line.push_back((since, item)) } else { gone.push(item) }
            }
        }
        gone
    }

    /// Takes all, in no order.
    pub(super) fn take(&mut self) -> Vec<T> {
        self.sweep(|_| false)
    }
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// Pushes `(priority, since)` in this order, and says in which they come out.
    fn check(ageing: Option<u64>, pushed: &[(i8, u64)], expected: &[(i8, u64)]) {
        let mut line = Line::new(ageing);
        for &(priority, since) in pushed {
            line.push(priority, since, (priority, since));
        }
        let popped: Vec<_> = std::iter::from_fn(|| line.pop()).collect();
        assert_eq!(popped, expected);
    }

    #[test]
    fn the_highest_priority_comes_first_and_equals_in_order() {
        check(None, &[(0, 1), (5, 2), (0, 3), (5, 4), (-3, 0)], &[(5, 2), (5, 4), (0, 1), (0, 3), (-3, 0)]);
        check(Some(1000), &[(0, 1), (5, 2), (0, 3)], &[(5, 2), (0, 1), (0, 3)]);
    }

    #[test]
    fn age_makes_up_for_priority() {
        // The one of priority 0 has waited 30 longer, which is worth 3.
        check(Some(10), &[(0, 0), (2, 30), (3, 30), (4, 30)], &[(4, 30), (3, 30), (0, 0), (2, 30)]);
        check(Some(10), &[(i8::MIN, 0), (i8::MAX, 2550)], &[(i8::MAX, 2550), (i8::MIN, 0)]);
        check(Some(10), &[(i8::MIN, 0), (i8::MAX, 2551)], &[(i8::MIN, 0), (i8::MAX, 2551)]);
    }

    #[test]
    fn many_priorities_come_and_go() {
        let mut line = Line::new(None);
        for round in 0..3 {
            for priority in i8::MIN..=i8::MAX {
                line.push(priority, round, priority);
            }
            let popped: Vec<_> = std::iter::from_fn(|| line.pop()).collect();
            assert_eq!(popped, (i8::MIN..=i8::MAX).rev().collect::<Vec<_>>());
        }
        line.push(7, 0, 7);
        assert!(line.levels.len() <= 257);
        assert_eq!(line.pop(), Some(7));
    }

    #[test]
    fn what_is_not_wanted_is_swept_out() {
        let mut line = Line::new(None);
        for number in 0..10 {
            line.push(number % 3, 0, number);
        }
        assert_eq!(line.sweep(|number| number % 2 == 0).len(), 5);
        assert_eq!(std::iter::from_fn(|| line.pop()).collect::<Vec<_>>(), [2, 8, 4, 0, 6]);
    }
}
