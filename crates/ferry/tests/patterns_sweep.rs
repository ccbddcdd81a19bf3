//! Who waits in a pattern is cancelled at each of its await points, under many orders: no answer, job or item is lost,
//! no key or name is left behind, and those that stay get what they wait for. Each test says how many schedules it ran;
//! one that fails names its seed, and `FERRY_SEED` runs that again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    Cancelled,
    patterns::{
        Answer, BackgroundTasks, PendingRequests, Readiness, Shutdown, SubmitError, WorkerPool, map_limited,
    },
    sleep, spawn_local,
    sync::Queue,
    testing::{self, CancelPoint},
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io::Write,
    rc::Rc,
    time::Duration,
};

const SEEDS: u64 = 50;
const SECOND: Duration = Duration::from_secs(1);

/// Sweeps `scenario`. Its report goes past the test harness, which would keep it to itself.
fn sweep<F: Future<Output = ()>>(name: &str, scenario: impl FnMut(CancelPoint) -> F) {
    let schedules = testing::seeds(SEEDS).sweep(scenario);
    let mut stderr = std::io::stderr();
    writeln!(stderr, "cancellation sweep, {name}: {schedules} schedules").unwrap();
}

#[test]
fn a_request() {
    sweep("PendingRequests, request", |point| async move {
        let requests = PendingRequests::new();
        let waits = [1, 2, 3].map(|key| {
            let (requests, point) = (requests.clone(), point.clone());
            spawn_local(async move { point.cancel(requests.request(key, 60 * SECOND)).await })
        });
        sleep(SECOND).await;
        let answers = [1, 2, 3].map(|key| requests.answer(&key, key * 10));
        let mut got = Vec::new();
        for (wait, key) in waits.into_iter().zip(1..) {
            got.extend(wait.await.unwrap().map(|answer| (key, answer.unwrap())));
        }
        // Each answer is at its request, was kept when that went unread, or came back as late.
        got.extend(requests.take_unread());
        got.extend(answers.into_iter().zip(1..).filter_map(|(answer, key)| match answer {
            Answer::Delivered => None,
            Answer::Late(value) => Some((key, value)),
            Answer::Unknown(_) => panic!("it was asked"),
        }));
        got.sort_unstable();
        assert_eq!(got, [(1, 10), (2, 20), (3, 30)]);
        assert!(requests.is_empty());
    });
}

#[test]
fn a_wait_of_a_registered_request() {
    sweep("PendingRequests, wait", |point| async move {
        let requests = PendingRequests::new();
        let mut pending = requests.register("key").unwrap();
        let there = requests.clone();
        let answering = spawn_local(async move {
            yield_now().await;
            there.answer(&"key", 42)
        });
        let answer = match point.cancel(pending.wait(SECOND)).await {
            Some(answer) => answer,
            // A wait that was cancelled ends nothing: the next has the answer.
            None => pending.wait(SECOND).await,
        };
        assert_eq!(answer.unwrap(), 42);
        assert_eq!(answering.await.unwrap(), Answer::Delivered);
    });
}

#[test]
fn who_waits_for_background_tasks() {
    sweep("BackgroundTasks, join and drain", |point| async move {
        let background = BackgroundTasks::new();
        let done = Rc::new(Cell::new(0));
        for name in ["a", "b"] {
            let done = done.clone();
            let work = async move {
                sleep(SECOND).await;
                done.set(done.get() + 1);
                Ok::<_, Cancelled>(())
            };
            background.spawn_local(name, work).unwrap();
        }
        let joins = background.clone();
        let joins = spawn_local(async move { joins.join().await });
        point.cancel(background.drain(60 * SECOND)).await;
        joins.await.unwrap();
        assert_eq!((done.get(), background.len()), (2, 0));
    });
}

#[test]
fn the_head_of_a_loop_that_ends_at_a_shutdown() {
    sweep("Shutdown, run_until", |point| async move {
        let (shutdown, queue) = (Shutdown::new(), Rc::new(Queue::new(10)));
        let got = Rc::new(RefCell::new(Vec::new()));
        let loops = [0, 1].map(|_| {
            let (shutdown, queue, got, point) = (shutdown.clone(), queue.clone(), got.clone(), point.clone());
            spawn_local(async move {
                while let Some(Some(Ok(item))) = point.cancel(shutdown.run_until(queue.get())).await {
                    got.borrow_mut().push(item);
                    yield_now().await;
                }
            })
        });
        yield_now().await;
        for item in 0..4 {
            queue.put(item).await.unwrap();
            yield_now().await;
        }
        assert!(shutdown.drain(SECOND).await.is_finished());
        for ended in loops {
            ended.await.unwrap();
        }
        // What nobody got is in the queue still.
        while let Ok(item) = queue.get_nowait() {
            got.borrow_mut().push(item);
        }
        got.borrow_mut().sort_unstable();
        assert_eq!(*got.borrow(), [0, 1, 2, 3]);
    });
}

#[test]
fn work_in_flight_and_who_drains() {
    sweep("Shutdown, track and drain", |point| async move {
        let shutdown = Shutdown::new();
        let works = [1, 2].map(|seconds| {
            let (shutdown, point) = (shutdown.clone(), point.clone());
            let work = shutdown.track("work", sleep(SECOND * seconds));
            spawn_local(async move { point.cancel(work).await })
        });
        // A drain that is dropped may be followed by another.
        point.cancel(shutdown.drain(60 * SECOND)).await;
        assert!(shutdown.drain(60 * SECOND).await.is_finished());
        assert!(shutdown.in_flight().is_empty());
        for work in works {
            assert!(matches!(work.await.unwrap(), None | Some(Ok(()))));
        }
    });
}

#[test]
fn who_waits_for_readiness() {
    sweep("Readiness", |point| async move {
        let readiness = Readiness::new(["a", "b"]);
        let waits = [0, 1, 2].map(|_| {
            let (readiness, point) = (readiness.clone(), point.clone());
            spawn_local(async move { point.cancel(readiness.wait(60 * SECOND)).await })
        });
        yield_now().await;
        readiness.set_ready("a").unwrap();
        yield_now().await;
        readiness.set_ready("b").unwrap();
        let mut ready = 0;
        for wait in waits {
            ready += usize::from(wait.await.unwrap().is_some_and(|ended| ended.is_ok()));
        }
        assert!(ready >= 2);
    });
}

#[test]
fn a_limited_map() {
    sweep("map_limited", |point| async move {
        struct Inside(Rc<Cell<usize>>);
        impl Drop for Inside {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let inside = Rc::new(Cell::new(0));
        let count = inside.clone();
        let mapped = map_limited(2, 0..5, move |item| {
            count.set(count.get() + 1);
            let here = Inside(count.clone());
            assert!(count.get() <= 2);
            async move {
                let _here = here;
                yield_now().await;
                Ok::<_, Cancelled>(item)
            }
        });
        let values = point.cancel(mapped).await;
        assert!(values.is_none_or(|values| values.unwrap() == [0, 1, 2, 3, 4]));
        assert_eq!(inside.get(), 0, "no call runs on");
    });
}

#[test]
fn who_submits_to_a_pool_and_who_waits_for_a_job() {
    sweep("WorkerPool", |point| async move {
        let done = Rc::new(RefCell::new(Vec::new()));
        let worked = done.clone();
        let pool = Rc::new(WorkerPool::new(1, 1, move |job: usize| {
            let worked = worked.clone();
            async move {
                yield_now().await;
                worked.borrow_mut().push(job);
                Ok::<_, Cancelled>(job)
            }
        }));
        let submits = [0, 1, 2].map(|job| {
            let (pool, point) = (pool.clone(), point.clone());
            spawn_local(async move {
                let submitted = point.cancel(pool.submit(job)).await?.unwrap();
                // Whoever drops this leaves the job where it is.
                drop(point.cancel(submitted).await);
                Some(job)
            })
        });
        let mut submitted = Vec::new();
        for submit in submits {
            submitted.extend(submit.await.unwrap());
        }
        pool.join().await;
        point.cancel(pool.shutdown(60 * SECOND)).await;
        assert!(pool.shutdown(60 * SECOND).await.is_finished());
        done.borrow_mut().sort_unstable();
        assert_eq!(*done.borrow(), submitted, "a job runs if and only if it was submitted");
        assert!(matches!(pool.submit(9).await, Err(SubmitError::ShutDown(9))));
    });
}
