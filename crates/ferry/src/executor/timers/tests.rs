//! The timer heap beside a sorted map, and what happens at its edges.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{NEVER, Timers};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    task::{Poll, Wake, Waker},
};

const SECOND: u64 = 1_000_000_000;

/// Writes its number down when it's woken.
struct Note(u64, Arc<Mutex<Vec<u64>>>);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn poll(timers: &mut Timers, key: super::Key, waker: &Waker) -> Option<Poll<()>> {
    timers.poll(key, &mut waker.clone())
}

#[derive(Default)]
struct Log(Arc<Mutex<Vec<u64>>>);

impl Log {
    fn waker(&self, number: u64) -> Waker {
        Waker::from(Arc::new(Note(number, self.0.clone())))
    }

    /// Fires what is due and gives the numbers of those timers, in order.
    fn fire(&self, timers: &mut Timers, now: u64) -> Vec<u64> {
        let mut woken = Vec::new();
        let _ = timers.fire(now, &mut woken);
        for waker in woken {
            waker.wake();
        }
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// SplitMix64: the same seed, the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// The timers and a map that must always agree with them.
struct Beside {
    random: Random,
    timers: Timers,
    log: Log,
    now: u64,
    arrived: u64,
    /// By (deadline, arrival): the keys of timers that are armed.
    armed: BTreeMap<(u64, u64), super::Key>,
    fired: Vec<super::Key>,
}

impl Beside {
    fn new(seed: u64) -> Self {
        let (random, timers, log) = (Random(seed), Timers::new(), Log::default());
        Self { random, timers, log, now: SECOND, arrived: 0, armed: BTreeMap::new(), fired: Vec::new() }
    }

    fn deadline(&mut self) -> u64 {
        match self.random.below(10) {
            0 => NEVER,
            1 => self.now,
            2 => self.now - self.random.below(1_000),
            3 => self.now + self.random.below(3),
            4 => self.now + self.random.below(3600 * SECOND),
            // Equal deadlines are common, as their order is what is easily broken.
            5 => self.now / 1_000 * 1_000 + 5_000,
            _ => self.now + self.random.below(1_000_000),
        }
    }

    fn insert(&mut self) {
        let deadline = self.deadline();
        self.arrived += 1;
        let key = self.timers.insert(deadline, self.log.waker(self.arrived));
        self.armed.insert((deadline, self.arrived), key);
    }

    fn cancel(&mut self) {
        if self.random.below(4) == 0 && !self.fired.is_empty() {
            let key = self.fired.swap_remove(self.random.below(self.fired.len() as u64) as usize);
            assert!(self.timers.cancel(key).is_none(), "its waker was taken when it fired");
        } else if !self.armed.is_empty() {
            let at = self.random.below(self.armed.len() as u64) as usize;
            let place = *self.armed.keys().nth(at).unwrap();
            let key = self.armed.remove(&place).unwrap();
            assert!(self.timers.cancel(key).is_some());
            assert!(self.timers.cancel(key).is_none(), "a key names one timer, once");
            assert_eq!(poll(&mut self.timers, key, Waker::noop()), None);
        }
    }

    fn poll(&mut self) {
        if let Some(key) = self.fired.pop() {
            assert_eq!(poll(&mut self.timers, key, Waker::noop()), Some(Poll::Ready(())));
            assert_eq!(poll(&mut self.timers, key, Waker::noop()), None, "its place was given back");
        }
        if let Some(((_, number), key)) = self.armed.first_key_value() {
            assert_eq!(poll(&mut self.timers, *key, &self.log.waker(*number)), Some(Poll::Pending));
        }
    }

    fn fire(&mut self) {
        self.now += match self.random.below(4) {
            0 => 0,
            1 => self.random.below(100),
            2 => self.random.below(100_000),
            _ => self.random.below(10) * self.random.below(SECOND),
        };
        let later = self.armed.split_off(&(self.now + 1, 0));
        let due = std::mem::replace(&mut self.armed, later);
        assert!(due.is_empty() || self.timers.is_due(self.now), "a timer that is due isn't seen");
        let fired = self.log.fire(&mut self.timers, self.now);
        assert_eq!(fired, due.keys().map(|(_, number)| *number).collect::<Vec<_>>());
        self.fired.extend(due.into_values());
    }

    fn compare_next(&mut self) {
        // Cancelled ones may be looked at too early, but nothing may be looked at too late.
        let next = self.armed.first_key_value().map(|((deadline, _), _)| *deadline);
        match (self.timers.next(false), next.filter(|next| *next < NEVER)) {
            (Some(given), Some(next)) => assert!(given <= next),
            (None, Some(next)) => panic!("nobody will wake for the timer at {next}"),
            (_, None) => {}
        }
        assert_eq!(self.timers.next(true), next.filter(|next| *next < NEVER));
    }
}

/// Each seed leans towards another of the three operations.
fn stay_together(seed: u64, steps: u32) {
    let mut beside = Beside::new(seed);
    for _ in 0..steps {
        match beside.random.below(8 + seed % 7) {
            0..3 => beside.insert(),
            3..5 => beside.cancel(),
            5 => beside.fire(),
            6 => beside.poll(),
            7 => beside.compare_next(),
            8..11 => beside.insert(),
            _ => beside.cancel(),
        }
    }
    let armed = beside.armed.len();
    assert_eq!(beside.timers.clear().len(), armed, "each armed timer gives its waker back");
}

#[test]
fn fires_as_a_sorted_map_does() {
    let (seeds, steps) = if cfg!(miri) { (3, 300) } else { (40, 4_000) };
    for seed in 0..seeds {
        stay_together(seed, steps);
    }
}

#[test]
fn ten_thousand_random_deadlines_come_sorted() {
    let count = if cfg!(miri) { 200 } else { 10_000 };
    let (mut random, mut timers, log) = (Random(7), Timers::new(), Log::default());
    let mut sorted: Vec<_> = (0..count).map(|number| (random.below(50_000), number)).collect();
    for (deadline, number) in &sorted {
        timers.insert(*deadline, log.waker(*number));
    }
    sorted.sort_unstable();
    let mut fired = Vec::new();
    for now in (0..=50_000).step_by(777).chain([50_000]) {
        fired.extend(log.fire(&mut timers, now));
    }
    assert_eq!(fired, sorted.into_iter().map(|(_, number)| number).collect::<Vec<_>>());
}

#[test]
fn cancelled_timers_leave_neither_slots_nor_entries() {
    let mut timers = Timers::new();
    for number in 0..(if cfg!(miri) { 1_000 } else { 100_000 }) {
        let key = timers.insert(number * 1_000, Waker::noop().clone());
        assert_eq!(key.slot, 0, "the one slot serves again and again");
        timers.cancel(key);
    }
    assert!(timers.entries <= 200, "{} entries of cancelled timers", timers.entries);
}

#[test]
fn a_sweep_keeps_all_that_live() {
    let (mut timers, log) = (Timers::new(), Log::default());
    let count = if cfg!(miri) { 500 } else { 10_000 };
    let keys: Vec<_> = (0..count).map(|n| (n, timers.insert(n ^ 0x155, log.waker(n)))).collect();
    for (number, key) in keys {
        if number % 10 != 0 {
            timers.cancel(key);
        }
    }
    assert!(timers.entries < count as usize / 2, "so many dead entries are swept out");
    let mut expected: Vec<_> = (0..count).step_by(10).collect();
    expected.sort_by_key(|number| number ^ 0x155);
    assert_eq!(log.fire(&mut timers, SECOND), expected);
}

#[test]
fn never_is_neither_awaited_nor_jumped_to() {
    let mut timers = Timers::new();
    timers.insert(u64::MAX, Waker::noop().clone());
    assert_eq!(timers.next(true), None);
    let soon = timers.insert(10, Waker::noop().clone());
    assert_eq!(timers.next(true), Some(10));
    timers.cancel(soon);
    assert_eq!(timers.next(true), None);
    assert!(!timers.is_due(NEVER - 1));
}

#[test]
fn an_overdue_timer_that_was_cancelled_is_not_next() {
    let (mut timers, log) = (Timers::new(), Log::default());
    timers.insert(100, log.waker(0));
    assert_eq!(log.fire(&mut timers, 100), [0]);
    let overdue = timers.insert(50, log.waker(1));
    timers.insert(200, log.waker(2));
    timers.cancel(overdue);
    assert_eq!(timers.next(true), Some(200));
    assert_eq!(log.fire(&mut timers, 200), [2]);
}

#[test]
fn what_is_overdue_comes_by_deadline_before_what_is_due() {
    let (mut timers, log) = (Timers::new(), Log::default());
    timers.insert(100, log.waker(0));
    assert_eq!(log.fire(&mut timers, 100), [0]);
    for (deadline, number) in [(100, 1), (70, 2), (30, 3), (70, 4), (101, 5)] {
        timers.insert(deadline, log.waker(number));
    }
    assert_eq!(log.fire(&mut timers, 100), [3, 2, 4, 1]);
    assert_eq!(log.fire(&mut timers, 101), [5]);
}

#[test]
fn a_key_of_an_earlier_timer_does_not_reach_the_next_one_in_its_slot() {
    let (mut timers, log) = (Timers::new(), Log::default());
    let first = timers.insert(10, log.waker(1));
    timers.cancel(first);
    let second = timers.insert(20, log.waker(2));
    assert_eq!((first.slot, poll(&mut timers, first, Waker::noop())), (second.slot, None));
    assert!(timers.cancel(first).is_none());
    assert_eq!(log.fire(&mut timers, 20), [2]);
}

#[test]
fn the_waker_of_the_last_poll_is_the_one_that_is_woken() {
    let (mut timers, log) = (Timers::new(), Log::default());
    let key = timers.insert(10, log.waker(1));
    assert_eq!(poll(&mut timers, key, &log.waker(2)), Some(Poll::Pending));
    assert_eq!(log.fire(&mut timers, 10), [2]);
}
