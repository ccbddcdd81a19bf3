//! [`Alarms`]: what a pool is to do later, by when.

use crate::model::{Mutex, lock};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// Names an alarm. 0 names none.
pub(super) type AlarmKey = u64;

pub(super) struct Alarms<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    heap: BinaryHeap<Reverse<(u64, AlarmKey)>>,
    /// What is not in here any more was taken back.
    set: HashMap<AlarmKey, T>,
    last: AlarmKey,
}

/// So many may be in the heap that were taken back, beside as many as are set.
const SLACK: usize = 64;

impl<T> Alarms<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { heap: BinaryHeap::new(), set: HashMap::new(), last: 0 }) }
    }

    /// Sets an alarm; whether it's the next one.
    pub(super) fn set(&self, when: u64, what: T) -> (AlarmKey, bool) {
        let mut state = lock(&self.state);
        state.last += 1;
        let key = state.last;
        state.set.insert(key, what);
        state.heap.push(Reverse((when, key)));
        (key, state.heap.peek().is_some_and(|Reverse((_, first))| *first == key))
    }

    /// Takes it back, unless it has gone off.
    pub(super) fn take_back(&self, key: AlarmKey) -> Option<T> {
        if key == 0 {
            return None;
        }
        let mut state = lock(&self.state);
        let taken = state.set.remove(&key)?;
        if state.heap.len() > 2 * state.set.len() + SLACK {
            let State { heap, set, .. } = &mut *state;
            heap.retain(|Reverse((_, key))| set.contains_key(key));
        }
        Some(taken)
    }

    /// The next one that is due by `now`.
    pub(super) fn due(&self, now: u64) -> Option<T> {
        let mut state = lock(&self.state);
        while let Some(Reverse((when, key))) = state.heap.peek().copied() {
            if when > now && state.set.contains_key(&key) {
                return None;
            }
            state.heap.pop();
            if let Some(what) = state.set.remove(&key) {
                return Some(what);
            }
        }
        None
    }

    /// When the next one goes off.
    pub(super) fn next(&self) -> Option<u64> {
        let mut state = lock(&self.state);
        while let Some(Reverse((when, key))) = state.heap.peek().copied() {
            if state.set.contains_key(&key) {
                return Some(when);
            }
            state.heap.pop();
        }
        None
    }

    /// What `pick` makes of those that are set, by when they were.
    pub(super) fn each<R>(&self, pick: impl Fn(&T) -> Option<R>) -> Vec<R> {
        let state = lock(&self.state);
        let mut keys: Vec<_> = state.set.keys().copied().collect();
        keys.sort_unstable();
        keys.iter().filter_map(|key| pick(state.set.get(key)?)).collect()
    }

    /// Takes all back.
    pub(super) fn clear(&self) -> Vec<T> {
        let mut state = lock(&self.state);
        state.heap.clear();
        state.set.drain().map(|(_, what)| what).collect()
    }

    /// How many places the heap has.
    #[cfg(all(test, not(ferry_loom)))]
    fn places(&self) -> usize {
        lock(&self.state).heap.len()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    #[test]
    fn they_go_off_in_order_unless_they_are_taken_back() {
        let alarms = Alarms::new();
        let keys: Vec<_> = [30, 10, 20, 10].iter().map(|when| alarms.set(*when, *when)).collect();
        assert_eq!(keys.iter().map(|(_, is_next)| *is_next).collect::<Vec<_>>(), [true, true, false, false]);
        assert_eq!(alarms.next(), Some(10));
        assert_eq!(alarms.take_back(keys[1].0), Some(10));
        assert_eq!(alarms.take_back(keys[1].0), None);
        assert_eq!(alarms.due(9), None);
        assert_eq!(alarms.due(20), Some(10));
        assert_eq!(alarms.due(20), Some(20));
        assert_eq!(alarms.due(20), None);
        assert_eq!(alarms.clear(), [30]);
        assert_eq!(alarms.next(), None);
    }

    #[test]
    fn those_that_are_taken_back_take_no_room() {
        let alarms = Alarms::new();
        for when in 0..10_000 {
            let (key, _) = alarms.set(when, ());
            alarms.take_back(key);
        }
        assert!(alarms.places() <= SLACK + 1, "{}", alarms.places());
    }
}
