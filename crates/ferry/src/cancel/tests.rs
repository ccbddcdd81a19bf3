//! Requests to cancel, on the virtual clock and on the pool. What is asyncio's is named by CPython 3.13's section:
//! "Task Object" of <https://docs.python.org/3.13/library/asyncio-task.html>, or the docstring of the method.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    AsyncRuntime, Instant, Order, TaskHandle, executor::run_by_hand, promise, sleep, spawn, spawn_blocking,
    spawn_local, timeout, yield_now,
};
use futures_lite::future::poll_once;
use std::{future::pending, pin::pin, sync::mpsc, thread, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

/// Says on the channel when it's dropped.
struct OnDrop(mpsc::Sender<&'static str>, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.send(self.1).unwrap();
    }
}

async fn cancelled_message(task: TaskHandle<Result<(), Cancelled>>) -> String {
    task.await.unwrap().unwrap_err().message().to_owned()
}

/// CPython 3.13, `Task.cancel`: "throw a CancelledError exception into the wrapped coroutine", with `msg`.
#[test]
fn a_request_during_a_wait_arrives_there_with_its_message() {
    let message = run(async {
        let task = spawn_local(cancellable(pending::<()>()));
        yield_now().await;
        assert!(task.cancel("why"));
        cancelled_message(task).await
    });
    assert_eq!(message, "why");
}

/// CPython 3.13, `Task.cancel`: "on the next cycle of the event loop"; a request made before the wait is thrown
/// where the task first suspends.
#[test]
fn a_request_before_a_wait_arrives_there_once() {
    run(async {
        let task = spawn_local(async {
            assert_eq!(cancellable(std::future::ready(())).await, Ok(()));
            Canceller::current().unwrap().cancel("early");
            assert_eq!(cancellable(std::future::ready(1)).await, Ok(1), "what's ready doesn't wait");
            let first = cancellable(yield_now()).await;
            (first, cancellable(yield_now()).await)
        });
        assert_eq!(task.await.unwrap(), (Err(Cancelled::new("early")), Ok(())));
    });
}

/// CPython 3.13, "Task Cancellation": "It is recommended that coroutines use try/finally blocks to robustly
/// perform clean-up logic", in which they may await.
#[test]
fn clean_up_may_await_even_in_what_is_cancellable() {
    let elapsed = run(async {
        let start = Instant::now();
        let task = spawn_local(async {
            let ended = cancellable(pending::<()>()).await;
            sleep(SECOND).await;
            cancellable(sleep(SECOND)).await.unwrap();
            assert_eq!(cancelling(), 1);
            ended
        });
        yield_now().await;
        task.cancel("");
        assert_eq!(cancelled_message(task).await, "");
        start.elapsed()
    });
    assert_eq!(elapsed, SECOND * 2);
}

/// CPython 3.13, `Task.cancelling` and `Task.uncancel`: the count, and "Changed in version 3.13: Changed to
/// rescind pending cancellation requests upon reaching zero".
#[test]
fn requests_are_counted_and_taken_back() {
    run(async {
        let task = spawn_local(async {
            // Both came before the task ran again: they arrive as one, with the later message.
            assert_eq!(cancellable(pending::<()>()).await.unwrap_err().message(), "two");
            assert_eq!((cancelling(), uncancel(), uncancel(), uncancel()), (2, 1, 0, 0));
            let me = Canceller::current().unwrap();
            me.cancel("rescinded");
            uncancel();
            cancellable(yield_now()).await.unwrap();
            me.cancel("first");
            me.cancel("second");
            assert_eq!(uncancel(), 1);
            cancellable(yield_now()).await
        });
        yield_now().await;
        assert!(task.cancel("one") && task.cancel("two"));
        assert_eq!(cancelled_message(task).await, "second");
    });
}

/// CPython 3.13, `Task.cancel`: a second request during the clean-up after the first interrupts that.
#[test]
fn a_second_request_interrupts_clean_up() {
    run(async {
        let task = spawn_local(async {
            cancellable(pending::<()>()).await.unwrap_err();
            cancellable(pending::<()>()).await
        });
        yield_now().await;
        task.cancel("first");
        yield_now().await;
        task.cancel("second");
        assert_eq!(cancelled_message(task).await, "second");
    });
}

/// CPython 3.13, `Task.cancel`: "Return False if the Task is done".
#[test]
fn a_task_that_has_ended_takes_no_request() {
    run(async {
        let task = spawn_local(cancellable(std::future::ready(())));
        let canceller = task.canceller().unwrap();
        yield_now().await;
        assert!(!task.cancel("late") && !canceller.cancel("late"));
        assert_eq!(task.await, Ok(Ok(())));
    });
}

/// Where Ferry differs from asyncio, which would throw the item away.
#[test]
fn a_wait_that_has_ended_keeps_its_value() {
    run(async {
        let (promise, future) = promise();
        let task = spawn_local(async move {
            let got = cancellable(future).await;
            (got.unwrap().unwrap(), cancellable(yield_now()).await)
        });
        yield_now().await;
        promise.complete("item").unwrap();
        task.cancel("late");
        assert_eq!(task.await.unwrap(), ("item", Err(Cancelled::new("late"))));
    });
}

#[test]
fn the_innermost_of_nested_waits_gets_the_request() {
    run(async {
        let task = spawn_local(cancellable(async {
            let inner = cancellable(pending::<()>()).await;
            sleep(SECOND).await;
            inner
        }));
        yield_now().await;
        task.cancel("once");
        assert_eq!(task.await.unwrap(), Ok(Err(Cancelled::new("once"))));
    });
}

#[test]
fn a_task_that_has_not_opted_in_is_dropped_where_it_waits() {
    let (say, said) = mpsc::channel();
    run(async {
        let owned = OnDrop(say.clone(), "waiting");
        let task = spawn_local(async move {
            let _owned = owned;
            sleep(SECOND).await;
            cancellable(pending::<()>()).await
        });
        let owned = OnDrop(say.clone(), "new");
        let new = spawn_local(async move {
            let _owned = owned;
            cancellable(pending::<()>()).await
        });
        // CPython 3.13, `Task.cancel`: one that has not begun never does.
        new.cancel("before it began");
        assert_eq!(new.await, Err(AsyncError::Cancelled("before it began".to_owned())));
        assert!(task.cancel("why"));
        assert_eq!(task.await, Err(AsyncError::Cancelled("why".to_owned())));
    });
    assert_eq!(said.try_iter().collect::<Vec<_>>(), ["new", "waiting"]);
}

#[test]
fn one_that_has_opted_in_gets_the_request_at_its_next_cancellable() {
    run(async {
        let task = spawn_local(async {
            cancellable(yield_now()).await.unwrap();
            sleep(SECOND).await;
            cancellable(pending::<()>()).await
        });
        sleep(SECOND / 2).await;
        let start = Instant::now();
        task.cancel("later");
        assert_eq!(cancelled_message(task).await, "later");
        assert_eq!(start.elapsed(), SECOND / 2);
    });
}

#[test]
fn an_abort_ends_one_that_has_opted_in_too() {
    run(async {
        let task = spawn_local(cancellable(pending::<()>()));
        yield_now().await;
        task.abort();
        assert_eq!(task.await, Err(AsyncError::Cancelled("the task was aborted".to_owned())));
    });
}

#[test]
fn requests_come_from_other_threads() {
    run(async {
        let opted_in = spawn_local(cancellable(pending::<()>()));
        let plain = spawn_local(pending::<()>());
        yield_now().await;
        let cancellers = [opted_in.canceller().unwrap(), plain.canceller().unwrap()];
        thread::spawn(move || cancellers.map(|canceller| assert!(canceller.cancel("there")))).join().unwrap();
        assert_eq!(cancelled_message(opted_in).await, "there");
        assert_eq!(plain.await, Err(AsyncError::Cancelled("there".to_owned())));
    });
}

#[test]
fn a_late_request_does_not_hit_the_task_that_took_the_slot() {
    run(async {
        let first = spawn_local(cancellable(yield_now()));
        let stale = first.canceller().unwrap();
        first.await.unwrap().unwrap();
        let second = spawn_local(cancellable(yield_now()));
        thread::spawn(move || stale.cancel("stale")).join().unwrap();
        assert_eq!(second.await.unwrap(), Ok(()));
    });
}

#[test]
#[cfg_attr(miri, ignore = "the pool needs I/O that Miri does not have")]
fn tasks_of_the_pool_are_cancelled_from_any_thread() {
    AsyncRuntime::block_on(async {
        let (promise, began) = promise();
        let opted_in = spawn(async move {
            let mut waits = pin!(cancellable(pending::<()>()));
            assert_eq!(poll_once(&mut waits).await, None);
            promise.complete(()).unwrap();
            let ended = waits.await;
            assert_eq!((cancelling(), uncancel()), (1, 0));
            sleep(Duration::from_millis(1)).await;
            ended
        });
        began.await.unwrap();
        let canceller = opted_in.canceller().unwrap();
        assert_eq!(spawn_blocking(move || canceller.cancel("pool")).await, Ok(true));
        assert_eq!(cancelled_message(opted_in).await, "pool");
        let plain = spawn(pending::<()>());
        assert!(plain.cancel("why"));
        assert_eq!(plain.await, Err(AsyncError::Cancelled("why".to_owned())));
    });
}

#[test]
fn the_main_future_is_cancelled_by_a_task_of_its_loop() {
    let ended = run(async {
        let main = Canceller::current().unwrap();
        drop(spawn_local(async move { main.cancel("from below") }));
        cancellable(pending::<()>()).await
    });
    assert_eq!(ended, Err(Cancelled::new("from below")));
    assert!(Canceller::current().is_none());
    assert_eq!((cancelling(), uncancel()), (0, 0));
}

/// The loop of a `block_on` inside foreign code that is polled by a task is not that task.
#[test]
fn a_loop_has_its_own_tasks() {
    let mut scope = None;
    scope::inside(scope::Layer::Own, &mut scope, || {
        let there = Canceller::current().unwrap();
        run(async {
            there.cancel("not here");
            cancellable(yield_now()).await.unwrap();
            assert_eq!(cancelling(), 0);
        });
        assert_eq!(cancelling(), 1);
    });
}

#[test]
fn off_every_task_no_request_comes() {
    assert_eq!(futures_lite::future::block_on(cancellable(yield_now())), Ok(()));
}

#[test]
fn a_request_passes_through_a_timeout_into_its_body() {
    run(async {
        let task = spawn_local(timeout(100 * SECOND, async {
            let inner = cancellable(pending::<()>()).await;
            sleep(SECOND).await;
            inner
        }));
        yield_now().await;
        task.cancel("through");
        assert_eq!(task.await.unwrap().unwrap(), Err(Cancelled::new("through")));
    });
}

#[test]
fn a_request_that_did_not_arrive_in_a_body_goes_back_to_its_task() {
    run(async {
        let task = spawn_local(async {
            let body = async {
                cancellable(yield_now()).await.unwrap();
                sleep(SECOND).await;
            };
            timeout(100 * SECOND, body).await.unwrap();
            assert_eq!(cancelling(), 1);
            cancellable(pending::<()>()).await
        });
        sleep(SECOND / 2).await;
        task.cancel("put back");
        assert_eq!(cancelled_message(task).await, "put back");
    });
}

/// Whatever order the tasks of a tick have, each of many tasks gets its request exactly once.
#[test]
fn each_request_arrives_once_in_every_order() {
    for seed in 0..if cfg!(miri) { 3 } else { 200 } {
        let arrived = run_by_hand(Some(Order::Seeded(seed)), async {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    spawn_local(async {
                        let mut arrived = 0;
                        for _ in 0..6 {
                            if cancellable(yield_now()).await.is_err() {
                                arrived += 1;
                                uncancel();
                            }
                        }
                        arrived
                    })
                })
                .collect();
            for _ in 0..2 {
                yield_now().await;
            }
            for task in &tasks {
                task.cancel("");
            }
            let mut arrived = Vec::new();
            for task in tasks {
                arrived.push(task.await.unwrap());
            }
            arrived
        });
        assert_eq!(arrived, [1; 8], "seed {seed}");
    }
}

#[test]
fn an_error_that_was_caused_by_a_cancellation_is_one() {
    let cancelled = Cancelled::new("m");
    assert_eq!(Cancelled::of(&cancelled), Some(cancelled.clone()));
    assert_eq!(Cancelled::of(&AsyncError::from(cancelled.clone())), Some(cancelled.clone()));
    assert_eq!(Cancelled::of(&Failure::from_error(cancelled.clone())), Some(cancelled.clone()));
    let other = Failure::from_error(AsyncError::Other("m".to_owned()));
    assert_eq!(Cancelled::of(&other), None);
}
