//! The wakers, natively and under Miri.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::Wake,
    thread,
};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn waker(ready: &Arc<Ready>, child: usize) -> Waker {
    ready.with_waker(child, Waker::clone)
}

#[test]
fn children_are_taken_in_the_order_of_their_wakes_each_once() {
    let ready = Ready::new(5);
    assert_eq!(ready.begin(), 0);
    for child in [3, 1, 3, 4, 1] {
        waker(&ready, child).wake();
    }
    let end = ready.begin();
    assert_eq!((end, [0, 1, 2].map(|head| ready.take(head))), (3, [Some(3), Some(1), Some(4)]));
    // Once taken, a child can be woken again; the ring goes round.
    for round in 0..20 {
        ready.with_waker(round % 5, Waker::wake_by_ref);
        assert_eq!(ready.take(3 + round), Some(round % 5));
    }
    assert_eq!(ready.take(23), None);
}

#[test]
fn the_task_is_woken_once_a_rest() {
    let (ready, count) = (Ready::new(2), Arc::<Count>::default());
    let task = Waker::from(count.clone());
    ready.begin();
    waker(&ready, 0).wake();
    assert!(!ready.rest(0, &task), "there is more");
    ready.begin();
    assert_eq!((ready.take(0), ready.rest(1, &task)), (Some(0), true));
    assert_eq!(count.0.load(SeqCst), 0);
    waker(&ready, 0).wake();
    waker(&ready, 1).wake();
    assert_eq!(count.0.load(SeqCst), 1);
}

#[test]
fn wakers_outlive_the_set_and_keep_its_memory() {
    let ready = Ready::new(3);
    let (first, last) = (waker(&ready, 0), waker(&ready, 2));
    assert_eq!(Arc::strong_count(&ready), 3);
    drop(ready);
    let copy = last.clone();
    assert!(copy.will_wake(&last) && !first.will_wake(&last));
    first.wake();
    thread::spawn(move || last.wake_by_ref()).join().unwrap();
    copy.wake();
}

#[test]
fn threads_wake_while_the_set_is_polled() {
    let wakes = if cfg!(miri) { 20 } else { 20_000 };
    let (ready, home) = (Ready::new(2), thread::current());
    let threads: Vec<_> = (0..2)
        .map(|child| {
            let waker = waker(&ready, child);
            thread::spawn(move || (0..wakes).for_each(|_| waker.wake_by_ref()))
        })
        .collect();
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let task = Waker::from(Arc::new(Unpark(home)));
    let (mut head, mut seen) = (0, [0, 0]);
    while threads.iter().any(|thread| !thread.is_finished()) || ready.begin() != head {
        ready.begin();
        while let Some(child) = ready.take(head) {
            (head, seen[child]) = (head + 1, seen[child] + 1);
        }
        if ready.rest(head, &task) && threads.iter().any(|thread| !thread.is_finished()) {
            thread::yield_now();
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(seen.iter().all(|seen| (1..=wakes).contains(seen)), "{seen:?}");
}
