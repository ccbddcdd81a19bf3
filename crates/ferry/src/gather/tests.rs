//! Gathers, on the virtual clock. What is asyncio's is named by CPython 3.13's sections of
//! <https://docs.python.org/3.13/library/asyncio-task.html>.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    AsyncError, AsyncRuntime, Canceller, Instant, Order, TaskHandle, cancellable, executor::run_by_hand,
    promise, sleep, spawn, spawn_local, timeout, yield_now,
};
use futures_lite::future::{Boxed, poll_once};
use std::{cell::RefCell, future::pending, pin::pin, rc::Rc, thread, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, word: impl ToString) {
        self.0.borrow_mut().push(word.to_string());
    }

    fn said(&self) -> String {
        self.0.borrow().join(" ")
    }
}

struct OnDrop(Log, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.say(self.1);
    }
}

/// Ends after so many seconds: an odd number is an error.
async fn after(log: Log, seconds: u32) -> Result<u32, u32> {
    sleep(SECOND * seconds).await;
    log.say(seconds);
    if seconds.is_multiple_of(2) { Ok(seconds) } else { Err(seconds) }
}

/// CPython 3.13, "asyncio.gather": "The order of result values corresponds to the order of awaitables in aws."
#[test]
fn values_come_in_the_order_of_the_children_which_run_at_once() {
    run(async {
        let (start, log) = (Instant::now(), Log::default());
        let values = gather([4, 2, 6, 2].map(|seconds| after(log.clone(), seconds))).await;
        assert_eq!(values, Ok(vec![4, 2, 6, 2]));
        assert_eq!((start.elapsed(), log.said().as_str()), (SECOND * 6, "2 2 4 6"));
        assert_eq!(gather(Vec::<std::future::Ready<Result<u8, u8>>>::new()).await, Ok(vec![]));
    });
}

/// CPython 3.13, "asyncio.gather": "the first raised exception is immediately propagated to the task that awaits on
/// gather(). Other awaitables in the aws sequence won't be cancelled and will continue to run."
#[test]
fn the_first_error_ends_it_and_the_others_run_on() {
    run(async {
        let (start, log) = (Instant::now(), Log::default());
        let ended = gather([4, 3, 1, 2].map(|seconds| after(log.clone(), seconds))).await;
        assert_eq!((ended, start.elapsed()), (Err(1), SECOND));
        sleep(SECOND * 4).await;
        assert_eq!(log.said(), "1 2 3 4");
    });
}

/// CPython 3.13, "asyncio.gather": "If return_exceptions is True, exceptions are treated the same as successful
/// results, and aggregated in the result list."
#[test]
fn all_outcomes_are_collected() {
    run(async {
        let (start, log) = (Instant::now(), Log::default());
        let outcomes = gather_all([3, 2, 1].map(|seconds| after(log.clone(), seconds))).await;
        assert_eq!((outcomes, start.elapsed()), (vec![Err(3), Ok(2), Err(1)], SECOND * 3));
    });
}

/// CPython 3.13, "asyncio.gather": "If gather() is cancelled, all submitted awaitables (that have not completed yet)
/// are also cancelled."
#[test]
fn dropping_it_cancels_all_children() {
    run(async {
        let log = Log::default();
        let child = |name: &'static str, opts_in: bool| {
            let (log, owned) = (log.clone(), OnDrop(log.clone(), name));
            async move {
                let _owned = owned;
                if opts_in {
                    cancellable(pending::<()>()).await.unwrap_err();
                    sleep(SECOND).await;
                    log.say("clean");
                }
                pending::<Result<(), ()>>().await
            }
        };
        let children = vec![child("first", false), child("second", true), child("third", false)];
        assert!(timeout(SECOND, gather(children)).await.is_err());
        assert_eq!(log.said(), "first third");
        sleep(SECOND * 2).await;
        assert_eq!(log.said(), "first third clean");
    });
}

#[test]
fn dropping_it_asks_the_tasks_of_handles_to_cancel() {
    run(async {
        let spawned = || spawn_local(cancellable(pending::<()>()));
        let (watched, log) = (Rc::new(RefCell::new(Vec::new())), Log::default());
        let plain = OnDrop(log.clone(), "plain");
        let plain = spawn_local(async move {
            let _plain = plain;
            pending::<Result<(), crate::Cancelled>>().await
        });
        let seen = watched.clone();
        let opted_in = spawn_local(async move {
            let ended = cancellable(pending::<()>()).await;
            seen.borrow_mut().push(ended.is_err());
            Ok(())
        });
        assert!(timeout(SECOND, gather_all([plain, opted_in])).await.is_err());
        yield_now().await;
        yield_now().await;
        assert_eq!((log.said().as_str(), watched.take()), ("plain", vec![true]));
        // On an error, tasks run on as they are.
        let failed: TaskHandle<Result<(), crate::Cancelled>> = spawn_local(pending());
        failed.abort();
        let kept = spawned();
        let canceller = kept.canceller().unwrap();
        assert!(gather([kept, failed]).await.is_err());
        assert!(canceller.cancel("it is there"));
    });
}

#[test]
fn children_are_polled_in_the_order_of_their_wakes_and_only_when_woken() {
    run(async {
        let log = Log::default();
        let (promises, futures): (Vec<_>, Vec<_>) = (0..4).map(|_| promise::<()>()).unzip();
        let children = (0..4).zip(futures).map(|(number, future)| {
            let log = log.clone();
            async move {
                let mut future = pin!(future);
                std::future::poll_fn(|cx| {
                    log.say(number);
                    future.as_mut().poll(cx)
                })
                .await
            }
        });
        let mut gathered = pin!(gather(children));
        assert!(poll_once(&mut gathered).await.is_none());
        assert!(poll_once(&mut gathered).await.is_none());
        assert_eq!(log.said(), "0 1 2 3");
        for number in [2, 0, 3, 1] {
            promises[number].complete(()).unwrap();
        }
        gathered.await.unwrap();
        assert_eq!(log.said(), "0 1 2 3 2 0 3 1");
    });
}

/// A child that yields over and over gives others their turn, in the gather and beside it.
#[test]
fn a_yield_of_a_child_lets_the_rest_of_the_loop_run() {
    run(async {
        let log = Log::default();
        let beside = log.clone();
        let beside = spawn_local(async move {
            for _ in 0..3 {
                beside.say("beside");
                yield_now().await;
            }
        });
        let children = ["a", "b"].map(|name| {
            let log = log.clone();
            async move {
                for _ in 0..3 {
                    log.say(name);
                    yield_now().await;
                }
                Ok::<_, ()>(())
            }
        });
        gather(children).await.unwrap();
        beside.await.unwrap();
        assert_eq!(log.said(), "a b beside a b beside a b beside");
    });
}

#[test]
fn each_child_is_cancelled_on_its_own() {
    run(async {
        let (promise, canceller) = promise();
        let first = async move {
            promise.complete(Canceller::current().unwrap()).unwrap();
            cancellable(pending::<()>()).await
        };
        let second = async move {
            canceller.await.unwrap().cancel("you");
            cancellable(yield_now()).await
        };
        let children: Vec<futures_lite::future::BoxedLocal<_>> = vec![Box::pin(first), Box::pin(second)];
        assert_eq!(gather_all(children).await, [Err(crate::Cancelled::new("you")), Ok(())]);
        assert_eq!(crate::cancelling(), 0);
    });
}

/// A request to the task that awaits a gather ends the wait, and the children with it.
#[test]
fn a_request_to_the_task_cancels_the_gather() {
    run(async {
        let log = Log::default();
        let there = log.clone();
        let task = spawn_local(async move {
            let child = async move {
                cancellable(pending::<()>()).await.unwrap_err();
                there.say("child");
                Ok::<_, ()>(())
            };
            cancellable(gather([child])).await
        });
        yield_now().await;
        task.cancel("all");
        assert_eq!(task.await.unwrap().unwrap_err().message(), "all");
        yield_now().await;
        assert_eq!(log.said(), "child");
    });
}

#[test]
fn a_panic_of_a_child_goes_through_and_one_that_runs_on_ends_alone() {
    run(async {
        let task = spawn_local(gather([async { if true { panic!("child") } else { Ok::<(), ()>(()) } }]));
        assert_eq!(task.await, Err(AsyncError::Panic("child".to_owned())));
        let log = Log::default();
        let child = |number: u32| {
            let log = log.clone();
            async move {
                sleep(SECOND * number).await;
                log.say(number);
                match number {
                    0 => Err("ended"),
                    1 => panic!("runs on"),
                    _ => Ok(()),
                }
            }
        };
        assert_eq!(gather((0..3).map(child)).await, Err("ended"));
        sleep(SECOND * 3).await;
        assert_eq!(log.said(), "0 1 2");
    });
}

#[test]
#[cfg_attr(miri, ignore = "the pool needs I/O that Miri does not have")]
fn children_run_on_in_the_pool() {
    AsyncRuntime::block_on(async {
        let (promise, done) = promise();
        let (go, gone) = crate::promise();
        let slow: Boxed<Result<(), &str>> = Box::pin(async move {
            let _: Result<(), _> = gone.await;
            promise.complete(()).unwrap();
            Ok(())
        });
        let fails: Boxed<Result<(), &str>> = Box::pin(std::future::ready(Err("ended")));
        assert_eq!(spawn(gather([slow, fails]).on_pool()).await.unwrap(), Err("ended"));
        go.complete(()).unwrap();
        done.await.unwrap();
    });
}

/// Children that other threads wake, over and over, all end.
#[test]
fn wakes_from_other_threads_are_not_lost() {
    let rounds = if cfg!(miri) { 3 } else { 300 };
    for _ in 0..rounds {
        let (promises, futures): (Vec<_>, Vec<_>) = (0..8).map(promise_of).unzip();
        let threads: Vec<_> = promises
            .into_iter()
            .enumerate()
            .map(|(number, promise)| thread::spawn(move || promise.complete(number).unwrap()))
            .collect();
        let values = futures_lite::future::block_on(gather(futures)).unwrap();
        assert_eq!(values, (0..8).collect::<Vec<_>>());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

fn promise_of(_: usize) -> (crate::Promise<usize>, crate::Future<usize>) {
    promise()
}

fn numbers<T>(of: &[(usize, T)]) -> Vec<usize> {
    of.iter().map(|(number, _)| *number).collect()
}

/// CPython 3.13, "Waiting Primitives": the three constants of `return_when`, and the timeout, with which "this
/// function does not raise TimeoutError" and "does not cancel the futures".
#[test]
fn a_wait_ends_when_it_is_told_to_and_cancels_nothing() {
    run(async {
        let check = async |when, timeout: Option<u32>, done: &[usize], pending: &[usize]| {
            let log = Log::default();
            let children = [2, 3, 1, 5, 4].map(|seconds| {
                let log = log.clone();
                Box::pin(async move { after(log, if seconds == 1 { 0 } else { seconds }).await })
            });
            let ended = wait(children, when, timeout.map(|seconds| SECOND * seconds)).await;
            assert_eq!((numbers(&ended.0), numbers(&ended.1)), (done.to_vec(), pending.to_vec()), "{when:?}");
            for (_, child) in ended.1 {
                let _ = child.await;
            }
            assert_eq!(log.0.borrow().len(), 5);
        };
        check(ReturnWhen::FirstCompleted, None, &[2], &[0, 1, 3, 4]).await;
        check(ReturnWhen::FirstException, None, &[2, 0, 1], &[3, 4]).await;
        check(ReturnWhen::AllCompleted, None, &[2, 0, 1, 4, 3], &[]).await;
        check(ReturnWhen::AllCompleted, Some(2), &[2, 0], &[1, 3, 4]).await;
        check(ReturnWhen::FirstCompleted, Some(0), &[2], &[0, 1, 3, 4]).await;
        let tasks = [spawn_local(sleep(SECOND * 2))];
        drop(timeout(SECOND, wait(tasks, ReturnWhen::AllCompleted, None)).await.unwrap_err());
        let none: [TaskHandle<()>; 0] = [];
        let (done, pending) = wait(none, ReturnWhen::FirstCompleted, None).await;
        assert!(done.is_empty() && pending.is_empty());
    });
}

/// CPython 3.13, "asyncio.as_completed": "as they complete"; those that were not consumed run on.
#[test]
fn children_come_as_they_end_and_what_is_not_awaited_runs_on() {
    run(async {
        let log = Log::default();
        let mut children = as_completed([4, 1, 3, 2].map(|seconds| after(log.clone(), seconds)));
        assert_eq!((children.next().await, children.left()), (Some((1, Err(1))), 3));
        assert!(timeout(SECOND / 2, children.next()).await.is_err());
        assert_eq!(children.next().await, Some((3, Ok(2))));
        drop(children);
        sleep(SECOND * 4).await;
        assert_eq!(log.said(), "1 2 3 4");
        let mut none = as_completed(Vec::<std::future::Ready<Result<u8, u8>>>::new());
        assert_eq!(none.next().await, None);
    });
}

/// CPython 3.13, "Shielding From Cancellation": "if the coroutine containing it is cancelled, the Task running in
/// something() is not cancelled".
#[test]
fn a_shielded_task_outlives_who_waits_for_it() {
    run(async {
        let shielded = spawn_local(sleep(SECOND * 3));
        let canceller = shielded.canceller().unwrap();
        let waits = spawn_local(cancellable(gather([shield(shielded)])));
        yield_now().await;
        waits.cancel("waiting");
        assert!(waits.await.unwrap().is_err());
        sleep(SECOND).await;
        assert!(canceller.cancel("it ran on"));
        let cancelled = shield(spawn_local(pending::<()>()));
        cancelled.task().cancel("itself");
        assert_eq!(cancelled.await, Err(AsyncError::Cancelled("itself".to_owned())));
    });
}
