//! Several threads and several loops at once: no wake-up is lost, and what outlives its loop disturbs no other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::async_yields_async, reason = "handles and sleeps leave their loop on purpose")]

use asyncferry::{
    AsyncRuntime, Instant, Sleep, TaskHandle, promise, sleep, spawn, spawn_blocking, spawn_local, timeout,
    yield_now,
};
use std::{
    cell::Cell,
    future::{pending, poll_fn},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::Duration,
};

/// Long enough for the slowest machine: a test that would hang fails instead.
const TOO_LONG: Duration = Duration::from_secs(120);

#[test]
fn a_hundred_thousand_wakes_from_two_threads_lose_none() {
    AsyncRuntime::block_on(async {
        let (mut tasks, mut halves) = (Vec::new(), [Vec::new(), Vec::new()]);
        for number in 0..100_000_usize {
            let (promise, future) = promise();
            halves[number % 2].push((promise, number));
            tasks.push(spawn_local(future));
        }
        yield_now().await;
        let settling = halves.map(|half| {
            thread::spawn(move || {
                half.into_iter().for_each(|(promise, number)| promise.complete(number).unwrap())
            })
        });
        let all = async {
            for (number, task) in tasks.into_iter().enumerate() {
                assert_eq!(task.await.unwrap().unwrap(), number);
            }
        };
        timeout(TOO_LONG, all).await.expect("a wake-up was lost");
        settling.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_loop_about_to_sleep_misses_no_wake() {
    AsyncRuntime::block_on(async {
        let tasks = [(); 2].map(|()| {
            let (ask, asked) = mpsc::channel::<Waker>();
            let answering = thread::spawn(move || asked.into_iter().for_each(Waker::wake));
            spawn_local(async move {
                // One wake for each poll, often while the loop falls asleep: one that is lost stops both.
                for _ in 0..10_000 {
                    let mut sent = false;
                    poll_fn(|cx| {
                        if std::mem::replace(&mut sent, true) {
                            return Poll::Ready(());
                        }
                        ask.send(cx.waker().clone()).unwrap();
                        Poll::Pending
                    })
                    .await;
                }
                drop(ask);
                answering.join().unwrap();
            })
        });
        for task in tasks {
            timeout(TOO_LONG, task).await.expect("a wake-up was lost").unwrap();
        }
    });
}

#[test]
fn a_task_woken_many_times_before_its_turn_runs_once() {
    AsyncRuntime::block_on(async {
        let (waker_out, wakers) = mpsc::channel();
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        drop(spawn_local(poll_fn(move |cx| {
            counted.set(counted.get() + 1);
            waker_out.send(cx.waker().clone()).unwrap();
            Poll::<()>::Pending
        })));
        yield_now().await;
        let waker = wakers.recv().unwrap();
        let wake = |waker: Waker| move || (0..1_000).for_each(|_| waker.wake_by_ref());
        let waking = [thread::spawn(wake(waker.clone())), thread::spawn(wake(waker))];
        waking.into_iter().for_each(|thread| thread.join().unwrap());
        yield_now().await;
        yield_now().await;
        assert_eq!(polls.get(), 2);
    });
}

/// Polls a sleep once, so that it's armed where this is called.
async fn armed(duration: Duration) -> Sleep {
    let mut sleeping = sleep(duration);
    assert!(futures_lite::future::poll_once(&mut sleeping).await.is_none());
    sleeping
}

#[test]
fn a_sleep_moves_to_another_threads_loop_with_its_deadline() {
    let start = Instant::now();
    let wait = Duration::from_millis(3);
    let sleeping = AsyncRuntime::block_on(armed(wait));
    let elapsed = thread::spawn(move || {
        AsyncRuntime::block_on(async move {
            sleeping.await;
            start.elapsed()
        })
    });
    assert!(elapsed.join().unwrap() >= wait);
}

#[test]
fn a_sleep_moves_between_two_loops_that_both_run() {
    let (sleeps, arrived) = mpsc::channel::<Sleep>();
    let (done, ended) = promise();
    let other = thread::spawn(move || {
        AsyncRuntime::block_on(async {
            for sleeping in arrived {
                let deadline = sleeping.deadline();
                sleeping.await;
                assert!(Instant::now() >= deadline);
            }
            done.complete(()).unwrap();
        });
    });
    AsyncRuntime::block_on(async {
        for micros in 0..200 {
            sleeps.send(armed(Duration::from_micros(micros + 1)).await).unwrap();
            sleep(Duration::from_micros(micros % 7)).await;
        }
        drop(sleeps);
        timeout(TOO_LONG, ended).await.expect("a sleep was lost").unwrap();
    });
    other.join().unwrap();
}

#[test]
fn a_sleep_moves_off_every_loop() {
    let start = Instant::now();
    let wait = Duration::from_millis(2);
    let sleeping = AsyncRuntime::block_on(armed(wait));
    futures_lite::future::block_on(sleeping);
    assert!(start.elapsed() >= wait);
    let sleeping = AsyncRuntime::block_on(armed(wait));
    futures_lite::future::block_on(spawn(sleeping)).unwrap();
    assert!(start.elapsed() >= 2 * wait);
}

#[test]
fn what_outlives_its_loop_disturbs_none_that_follows() {
    for _ in 0..50 {
        let (late_waker, waker_in) = mpsc::channel();
        let (sleeping, handle) = AsyncRuntime::block_on(async move {
            let handle = spawn_local(poll_fn(move |cx| {
                late_waker.send(cx.waker().clone()).unwrap();
                Poll::<()>::Pending
            }));
            yield_now().await;
            (armed(Duration::from_secs(3600)).await, handle)
        });
        let waker: Waker = waker_in.recv().unwrap();
        AsyncRuntime::block_on(async move {
            let polls = Rc::new(Cell::new(0));
            let counted = polls.clone();
            // Has the same slot as the old task, and its timer the same as the old timer.
            let task = spawn_local(poll_fn(move |_| {
                counted.set(counted.get() + 1);
                Poll::<()>::Pending
            }));
            let own = spawn_local(sleep(Duration::from_millis(1)));
            yield_now().await;
            handle.abort();
            waker.wake_by_ref();
            let elsewhere = thread::spawn(move || {
                waker.wake();
                handle.abort();
                drop(sleeping);
            });
            elsewhere.join().unwrap();
            for _ in 0..3 {
                yield_now().await;
            }
            assert_eq!((polls.get(), task.is_finished()), (1, false));
            timeout(TOO_LONG, own).await.expect("another loop's sleep took this one's timer along").unwrap();
        });
    }
}

#[test]
fn a_dead_loops_sleep_does_not_end_in_the_loop_that_took_its_place() {
    AsyncRuntime::block_on(async {});
    let mut old = AsyncRuntime::block_on(armed(Duration::from_secs(3600)));
    AsyncRuntime::block_on(async {
        // Takes the same place, and ends: were the key all that counts, the old one would be over.
        let short = armed(Duration::from_micros(50)).await;
        sleep(Duration::from_millis(1)).await;
        assert!(futures_lite::future::poll_once(&mut old).await.is_none());
        short.await;
        assert!(futures_lite::future::poll_once(&mut old).await.is_none());
    });
}

#[test]
fn four_threads_run_two_hundred_loops_each() {
    let ended = Arc::new(AtomicUsize::new(0));
    let threads = [(); 4].map(|()| {
        let ended = ended.clone();
        thread::spawn(move || {
            for round in 0..200 {
                let sum = AsyncRuntime::block_on(async {
                    let (promise, future) = promise();
                    let local = spawn_local(future);
                    let sent = spawn(async move { promise.complete(round).unwrap() });
                    drop(spawn_local(pending::<()>()));
                    sleep(Duration::from_micros(round % 5 * 20)).await;
                    sent.await.unwrap();
                    local.await.unwrap().unwrap() + spawn_blocking(|| 1).await.unwrap()
                });
                assert_eq!(sum, round + 1);
                ended.fetch_add(1, SeqCst);
            }
        })
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(ended.load(SeqCst), 800);
}

#[test]
fn a_future_is_awaited_on_two_loops_and_settled_on_a_third_thread() {
    let (promise, future) = promise();
    let waiting = [future.clone(), future].map(|future| {
        thread::spawn(move || {
            AsyncRuntime::block_on(async {
                let tasks: Vec<TaskHandle<_>> = (0..100).map(|_| spawn_local(future.clone())).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += timeout(TOO_LONG, task).await.expect("a waiter was forgotten").unwrap().unwrap();
                }
                sum
            })
        })
    });
    thread::spawn(move || promise.complete(1).unwrap()).join().unwrap();
    assert_eq!(waiting.map(|thread| thread.join().unwrap()), [100, 100]);
}

#[test]
fn a_pool_task_stops_when_the_loop_that_waits_for_it_is_gone() {
    let (promise, future) = promise::<u32>();
    let worker = spawn(async move { promise.settled().await });
    AsyncRuntime::block_on(async {
        drop(spawn_local(future));
        yield_now().await;
    });
    assert_eq!(futures_lite::future::block_on(worker), Ok(asyncferry::State::Cancelled));
}
