//! Timeouts, on the virtual clock, by CPython 3.13's sections "Timeouts" and "asyncio.wait_for" of
//! <https://docs.python.org/3.13/library/asyncio-task.html>.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, cancellable, cancelling, executor::run_by_hand, spawn_local, uncancel, yield_now};
use std::{cell::Cell, future::pending, rc::Rc};

const SECOND: Duration = Duration::from_secs(1);

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

/// Waits for ever; the clean-up takes a second.
async fn careful() -> Result<(), Cancelled> {
    let ended = cancellable(pending::<()>()).await;
    sleep(SECOND).await;
    ended
}

/// CPython 3.13, "asyncio.timeout": the body gets CancelledError, may clean up, and the block raises TimeoutError.
#[test]
fn a_body_that_has_opted_in_cleans_up_before_it_times_out() {
    run(async {
        let start = Instant::now();
        assert_eq!(timeout(SECOND, careful()).await, Err(AsyncError::Timeout(SECOND)));
        assert_eq!((start.elapsed(), cancelling()), (SECOND * 2, 0));
        cancellable(yield_now()).await.unwrap();
    });
}

#[test]
fn a_body_that_has_not_is_dropped_where_it_waits() {
    run(async {
        let owned = Rc::new(());
        let there = owned.clone();
        let body = async move {
            let _there = there;
            pending::<()>().await;
        };
        assert_eq!(timeout(SECOND, body).await, Err(AsyncError::Timeout(SECOND)));
        assert_eq!(Rc::strong_count(&owned), 1);
    });
}

/// CPython 3.13, `Timeout.__aexit__`: no TimeoutError when the body goes on and nothing is raised.
#[test]
fn a_body_that_uncancels_gives_its_value() {
    run(async {
        let stubborn = async {
            cancellable(pending::<()>()).await.unwrap_err();
            assert_eq!((cancelling(), uncancel()), (1, 0));
            sleep(SECOND).await;
            "value"
        };
        assert_eq!(timeout(SECOND, stubborn).await, Ok("value"));
    });
}

#[test]
fn a_value_that_is_there_when_the_time_is_up_is_not_lost() {
    run(async {
        // It opts in, and then ends in the very poll in which the request comes.
        let polls = Cell::new(0);
        let body = cancellable(std::future::poll_fn(|_| {
            polls.set(polls.get() + 1);
            if polls.get() == 3 { Poll::Ready("item") } else { Poll::Pending }
        }));
        assert_eq!(timeout(SECOND, body).await, Ok(Ok("item")));
        assert_eq!(polls.get(), 3);
    });
}

/// CPython 3.13, "asyncio.timeout": nested timeouts, of which the one that expired raises.
#[test]
fn of_nested_timeouts_the_one_whose_time_is_up_ends() {
    run(async {
        let inner = timeout(SECOND, timeout(SECOND * 9, careful())).await;
        assert_eq!(inner, Err(AsyncError::Timeout(SECOND)));
        let outer = timeout(SECOND * 9, timeout(SECOND, careful())).await;
        assert_eq!(outer, Ok(Err(AsyncError::Timeout(SECOND))));
    });
}

/// CPython 3.13, `Timeout.__aexit__`: `uncancel() <= self._cancelling`, so a request from outside goes before.
#[test]
fn a_request_from_outside_during_the_clean_up_goes_before_the_timeout() {
    run(async {
        let task = spawn_local(async {
            let ended = timeout(SECOND, async {
                cancellable(pending::<()>()).await.unwrap_err();
                cancellable(sleep(SECOND * 9)).await
            });
            (ended.await, cancelling())
        });
        sleep(SECOND * 2).await;
        task.cancel("outside");
        assert_eq!(task.await.unwrap(), (Ok(Err(Cancelled::new("outside"))), 1));
    });
}

/// Two bodies of one task: each gets the request of its own timeout.
#[test]
fn timeouts_beside_each_other_do_not_meet() {
    run(async {
        let first = timeout(SECOND, careful());
        let second = timeout(SECOND * 9, async {
            cancellable(sleep(SECOND * 5)).await.unwrap();
            "slept"
        });
        assert_eq!(
            futures_lite::future::zip(first, second).await,
            (Err(AsyncError::Timeout(SECOND)), Ok("slept"))
        );
    });
}

/// CPython 3.13, "asyncio.wait_for": a timeout of zero starts nothing. "asyncio.timeout_at": a moment that is past
/// lets the body run up to its first wait.
#[test]
fn no_time_at_all() {
    run(async {
        let polls = Cell::new(0);
        let body = || {
            std::future::poll_fn(|_| {
                polls.set(polls.get() + 1);
                Poll::<()>::Pending
            })
        };
        assert_eq!(timeout(Duration::ZERO, body()).await, Err(AsyncError::Timeout(Duration::ZERO)));
        assert_eq!(polls.get(), 0);
        sleep(SECOND).await;
        let past = Instant::now();
        sleep(SECOND).await;
        assert_eq!(timeout_at(past, body()).await, Err(AsyncError::Timeout(Duration::ZERO)));
        assert!(polls.get() > 0);
        assert_eq!(timeout_at(past, std::future::ready(1)).await, Ok(1));
    });
}
