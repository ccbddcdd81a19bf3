//! Barriers as CPython 3.13 documents them ("Synchronization Primitives", Barrier).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, TaskHandle, executor::run_by_hand, spawn_local, yield_now};
use futures_lite::future::poll_once;
use std::rc::Rc;

fn party(barrier: &Rc<Barrier>) -> TaskHandle<Result<usize, BrokenBarrier>> {
    let barrier = barrier.clone();
    spawn_local(async move { barrier.wait().await })
}

async fn turns() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[test]
fn all_pass_together_again_and_again() {
    for seed in 0..if cfg!(miri) { 2 } else { 50 } {
        run_by_hand(Some(Order::Seeded(seed)), async {
            let barrier = Rc::new(Barrier::new(3));
            let mut parties: Vec<_> = (0..8).map(|_| party(&barrier)).collect();
            turns().await;
            assert_eq!(parties.iter().filter(|party| party.is_finished()).count(), 6);
            assert_eq!(barrier.n_waiting(), 2);
            parties.push(party(&barrier));
            let mut places = Vec::new();
            for party in parties {
                places.push(party.await.unwrap().unwrap());
            }
            places.sort_unstable();
            assert_eq!(places, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        });
    }
}

/// anchors: with tokio's barrier one cancelled waiter and a lone wait trip it.
#[test]
fn one_that_gives_up_does_not_count() {
    run_by_hand(Some(Order::Fifo), async {
        let barrier = Rc::new(Barrier::new(2));
        let gone = party(&barrier);
        turns().await;
        gone.abort();
        let _ = gone.await;
        let lone = party(&barrier);
        turns().await;
        assert!(!lone.is_finished() && barrier.n_waiting() == 1);
        assert_eq!((barrier.wait().await, lone.await.unwrap()), (Ok(1), Ok(0)));
    });
}

#[test]
fn an_abort_fails_all_until_a_reset() {
    run_by_hand(Some(Order::Fifo), async {
        let barrier = Rc::new(Barrier::new(2));
        let waiting = party(&barrier);
        turns().await;
        barrier.abort();
        assert_eq!((barrier.broken(), barrier.wait().await), (true, Err(BrokenBarrier)));
        assert_eq!(waiting.await.unwrap(), Err(BrokenBarrier));
        barrier.reset();
        let waiting = party(&barrier);
        turns().await;
        assert_eq!((barrier.broken(), barrier.wait().await), (false, Ok(1)));
        assert_eq!(waiting.await.unwrap(), Ok(0));
    });
}

#[test]
fn a_reset_fails_those_who_wait_and_lets_the_next_in() {
    run_by_hand(Some(Order::Fifo), async {
        let barrier = Barrier::new(2);
        let mut waiting = Box::pin(barrier.wait());
        assert!(poll_once(&mut waiting).await.is_none());
        barrier.reset();
        // Until the one that was there has left, the next waits outside.
        let mut next = Box::pin(barrier.wait());
        assert!(poll_once(&mut next).await.is_none());
        assert_eq!((barrier.n_waiting(), barrier.broken()), (0, false));
        assert_eq!(waiting.await, Err(BrokenBarrier));
        assert!(poll_once(&mut next).await.is_none());
        assert_eq!((barrier.wait().await, next.await), (Ok(1), Ok(0)));
    });
}

#[test]
fn those_who_passed_and_are_dropped_before_their_turn_let_the_next_in() {
    run_by_hand(Some(Order::Fifo), async {
        let barrier = Barrier::new(2);
        let mut first = Box::pin(barrier.wait());
        assert!(poll_once(&mut first).await.is_none());
        assert_eq!(barrier.wait().await, Ok(1));
        let mut outside = Box::pin(barrier.wait());
        assert!(poll_once(&mut outside).await.is_none());
        assert_eq!(barrier.n_waiting(), 0);
        drop(first);
        assert!(poll_once(&mut outside).await.is_none());
        assert_eq!(barrier.n_waiting(), 1);
        drop(outside);
        assert_eq!(barrier.n_waiting(), 0);
    });
}

#[test]
#[should_panic(expected = "at least one party")]
fn a_barrier_for_nobody_is_refused() {
    Barrier::new(0);
}
