//! The line of waiters, with plain wakers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn waker() -> Waker {
    Waker::noop().clone()
}

/// Calls all who wait, and gives their keys in the order of the line.
fn order(waiters: &mut Waiters, keys: &[Key]) -> Vec<usize> {
    let mut order = Vec::new();
    while waiters.call_next().is_some() {
        let called = |&at: &usize| waiters.is_called(keys[at]) && !order.contains(&at);
        order.push((0..keys.len()).find(called).unwrap());
    }
    order
}

#[test]
fn the_line_is_in_order_of_arrival_whoever_leaves() {
    for gone in [[0, 2, 5], [5, 0, 1], [3, 4, 2]] {
        let mut waiters = Waiters::default();
        let keys: Vec<_> = (0..6).map(|_| waiters.push(waker())).collect();
        for at in gone {
            assert_eq!(waiters.remove(keys[at]).was, Was::Waiting);
        }
        let expected: Vec<_> = (0..6).filter(|at| !gone.contains(at)).collect();
        assert_eq!(waiters.waiting(), 3);
        assert_eq!(order(&mut waiters, &keys), expected);
        assert!(waiters.is_empty());
    }
}

#[test]
fn who_was_called_in_vain_comes_back_to_its_place() {
    let mut waiters = Waiters::default();
    let keys: Vec<_> = (0..5).map(|_| waiters.push(waker())).collect();
    for _ in 0..3 {
        waiters.call_next().unwrap();
    }
    for at in [1, 2, 0] {
        waiters.again(keys[at], waker());
    }
    assert_eq!((waiters.waiting(), waiters.called()), (5, 0));
    assert_eq!(order(&mut waiters, &keys), [0, 1, 2, 3, 4]);
}

#[test]
fn places_are_used_again_and_given_back() {
    let mut waiters = Waiters::default();
    let oldest = waiters.push(waker());
    for _ in 0..if cfg!(miri) { 100 } else { 10_000 } {
        let key = waiters.push(waker());
        assert_eq!(waiters.remove(key).was, Was::Waiting);
    }
    assert_eq!(waiters.slots.len(), 2);
    let many: Vec<_> = (0..1000).map(|_| waiters.push(waker())).collect();
    assert_eq!(waiters.call_all().len(), 1001);
    for key in many.into_iter().chain([oldest]) {
        assert_eq!(waiters.remove(key).was, Was::Called);
    }
    assert_eq!((waiters.slots.capacity(), waiters.called()), (0, 0));
    let again = waiters.push(waker());
    assert!(waiters.call_next().is_some() && waiters.is_called(again));
}
