//! Deadlines, on the virtual clock, by `asyncio.Timeout` of CPython 3.13: section "Timeouts" of
//! <https://docs.python.org/3.13/library/asyncio-task.html>, and `timeouts.py`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, cancellable, executor::run_by_hand, hold_clock, sleep, yield_now};
use std::{future::pending, sync::Arc, thread};

const SECOND: Duration = Duration::from_secs(1);

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

fn refused(deadline: &Deadline) -> String {
    deadline.reschedule(None).unwrap_err().to_string()
}

#[test]
fn it_tells_when_it_ends_and_whether_it_has_expired() {
    run(async {
        let deadline = Deadline::after(SECOND);
        assert_eq!((deadline.when(), deadline.expired()), (Some(Instant::now() + SECOND), false));
        assert_eq!(deadline.run(pending::<()>()).await, Err(AsyncError::Timeout(SECOND)));
        assert!(deadline.expired());
        let deadline = Deadline::after(SECOND);
        assert_eq!((deadline.run(yield_now()).await, deadline.expired()), (Ok(()), false));
        assert_eq!(Deadline::at(None).when(), None);
    });
}

/// CPython 3.13, "Timeout.reschedule": to later, to sooner, to never, and to the past.
#[test]
fn it_is_moved_while_it_runs() {
    run(async {
        let check = async |first: Option<u32>, then: Option<u32>, ends: Option<u32>| {
            let start = Instant::now();
            let at = |seconds: Option<u32>| seconds.map(|seconds| start + SECOND * seconds);
            let deadline = Deadline::at(at(first));
            let ended = deadline
                .run(async {
                    sleep(SECOND * 2).await;
                    deadline.reschedule(at(then)).unwrap();
                    assert_eq!(deadline.when(), at(then));
                    sleep(SECOND * 50).await;
                })
                .await;
            assert_eq!((ended.is_err(), deadline.expired()), (ends.is_some(), ends.is_some()));
            assert_eq!(start.elapsed(), SECOND * ends.unwrap_or(52));
        };
        check(Some(5), Some(9), Some(9)).await;
        check(Some(9), Some(5), Some(5)).await;
        check(Some(5), None, None).await;
        check(None, Some(5), Some(5)).await;
        check(Some(9), Some(1), Some(2)).await;
        check(None, None, None).await;
    });
}

/// CPython 3.13, `Timeout.reschedule`: RuntimeError unless it's active.
#[test]
fn one_that_does_not_run_cannot_be_moved() {
    run(async {
        let deadline = Deadline::after(SECOND);
        assert!(refused(&deadline).contains("has not been entered"));
        deadline.run(yield_now()).await.unwrap();
        assert!(refused(&deadline).contains("is finished"));
        let again = deadline.run(yield_now()).await.unwrap_err().to_string();
        assert!(again.contains("has been entered before"), "{again}");
        let deadline = Deadline::after(SECOND);
        let body = async {
            cancellable(pending::<()>()).await.unwrap_err();
            assert!(refused(&deadline).contains("is expiring") && deadline.expired());
            sleep(SECOND).await;
        };
        assert_eq!(deadline.run(body).await, Err(AsyncError::Timeout(SECOND)));
        assert!(refused(&deadline).contains("is expired"));
        let deadline = Deadline::after(SECOND);
        let mut half = Box::pin(deadline.run(pending::<()>()));
        assert!(futures_lite::future::poll_once(&mut half).await.is_none());
        drop(half);
        assert!(refused(&deadline).contains("is finished") && !deadline.expired());
    });
}

#[test]
fn another_thread_moves_it() {
    run(async {
        let (deadline, start) = (Arc::new(Deadline::at(None)), Instant::now());
        let there = deadline.clone();
        let body = async {
            let hold = hold_clock();
            thread::spawn(move || {
                there.reschedule(start + SECOND).unwrap();
                drop(hold);
            });
            pending::<()>().await;
        };
        assert_eq!(deadline.run(body).await, Err(AsyncError::Timeout(SECOND)));
        assert_eq!(start.elapsed(), SECOND);
    });
}
