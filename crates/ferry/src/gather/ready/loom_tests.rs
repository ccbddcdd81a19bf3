//! The ring under the model checker. (The wakers that point into it are for Miri.)

use super::*;
use loom::{future::block_on, thread};
use std::{future::poll_fn, task::Poll};

/// Two children are woken while the set is polled and goes to rest: both are taken, each wake is followed by a poll.
#[test]
fn loom_no_wake_is_lost() {
    loom::model(|| {
        let ready = Ready::new(2);
        let threads: Vec<_> = (0..2)
            .map(|child| {
                let ready = ready.clone();
                thread::spawn(move || ready.wake(&ready.places[child]))
            })
            .collect();
        let (mut head, mut seen) = (0, [false; 2]);
        block_on(poll_fn(|cx| {
            ready.begin();
            while let Some(child) = ready.take(head) {
                head += 1;
                seen[child] = true;
            }
            if seen == [true; 2] {
                return Poll::Ready(());
            }
            if !ready.rest(head, cx.waker()) {
                thread::yield_now();
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        }));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// A child is woken again while it's about to be polled: what its waker did before is seen by that poll, or by one
/// that follows.
#[test]
fn loom_a_wake_is_seen_by_a_poll_after_it() {
    loom::model(|| {
        let ready = Ready::new(1);
        let done = Arc::new(AtomicBool::new(false));
        ready.begin();
        ready.wake(&ready.places[0]);
        let waking = {
            let (ready, done) = (ready.clone(), done.clone());
            thread::spawn(move || {
                done.store(true, Ordering::Relaxed);
                ready.wake(&ready.places[0]);
            })
        };
        assert_eq!(ready.take(0), Some(0));
        let first = done.load(Ordering::Relaxed);
        waking.join().unwrap();
        let again = ready.take(1);
        assert!(first || again == Some(0), "its wake was taken for the former one");
    });
}
