//! The table of tasks, the cell's four bytes, and what becomes of an ending that nobody takes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Wake,
};

struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn entry(number: u64) -> Entry {
    Entry { waker: Waker::noop().clone(), number }
}

#[test]
fn the_table_agrees_with_a_map_whatever_comes_and_goes() {
    let (mut tasks, mut map) = (Tasks::new(), BTreeMap::new());
    let mut state = 1_u64;
    for number in 1..if cfg!(miri) { 300 } else { 20_000 } {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = (state >> 33) as usize;
        if random % 5 < 3 || map.is_empty() {
            let slot = tasks.vacant();
            tasks.insert(entry(number));
            assert_eq!(map.insert(slot, number), None, "the slot was in use");
        } else {
            let (slot, number) = map.iter().nth(random % map.len()).map(|(slot, n)| (*slot, *n)).unwrap();
            map.remove(&slot);
            assert_eq!(tasks.remove(slot).number, number);
            assert!(tasks.waker(slot, number).is_none());
        }
        assert_eq!((tasks.is_empty(), tasks.wakers().len()), (map.is_empty(), map.len()));
    }
    for (slot, number) in &map {
        assert!(tasks.waker(*slot, *number).is_some() && tasks.waker(*slot, number + 1).is_none());
    }
    assert!(tasks.waker(1_000_000, 1).is_none());
}

#[test]
fn slots_that_were_given_back_are_filled_before_new_ones() {
    let mut tasks = Tasks::new();
    (0..4).for_each(|number| tasks.insert(entry(number)));
    tasks.remove(1);
    tasks.remove(3);
    let next: Vec<_> = (4..7)
        .map(|number| {
            let slot = tasks.vacant();
            tasks.insert(entry(number));
            slot
        })
        .collect();
    assert_eq!(next, [3, 1, 4]);
}

#[test]
fn the_table_wakes_the_task_that_is_meant() {
    let mut tasks = Tasks::new();
    let wakers = [(); 3].map(|()| Arc::new(Counted(AtomicUsize::new(0))));
    for (number, waker) in (0..).zip(&wakers) {
        tasks.insert(Entry { waker: waker.clone().into(), number });
    }
    tasks.waker(1, 1).unwrap().wake();
    tasks.wakers().into_iter().for_each(Waker::wake);
    assert_eq!(wakers.map(|waker| waker.0.load(SeqCst)), [1, 2, 1]);
}

#[test]
fn the_mark_of_an_abort_leaves_the_slot_alone() {
    for slot in [0, 1, 77, ABORT - 1] {
        let meta = CellMeta::new(slot);
        assert!(meta.read() == (slot, Step::Poll));
        meta.abort();
        meta.abort();
        assert!(meta.read() == (slot, Step::Abort) && meta.slot() == slot);
    }
}

#[test]
#[should_panic(expected = "at most 2^31 tasks")]
fn a_slot_beyond_the_cells_bits_is_refused() {
    CellMeta::new(ABORT);
}

struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("an output's destructor");
    }
}

#[test]
fn an_ending_that_nobody_takes_is_dropped_once_and_quietly() {
    let counted = Arc::new(());
    drop(Ended::new(Ok(counted.clone())));
    assert_eq!(Arc::strong_count(&counted), 1);
    drop(Ended::new(Ok(PanicOnDrop)));
    drop(Ended::<()>::new(Err(Crash::Panic(Box::new(counted.clone())))));
    assert_eq!(Arc::strong_count(&counted), 1);
    let taken = Ended::new(Ok(counted.clone())).into_result();
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(taken);
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn an_ending_is_no_larger_than_its_result() {
    assert_eq!(size_of::<Ended<()>>(), size_of::<usize>());
    assert_eq!(size_of::<Ended<Box<u8>>>(), size_of::<Result<Box<u8>, Box<u8>>>());
}
