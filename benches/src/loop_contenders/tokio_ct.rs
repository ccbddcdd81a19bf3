//! tokio's current-thread runtime. The program is the future that `block_on` was given, as under
//! `#[tokio::main]`, or a task that it spawned, which tokio serves faster.

use super::{OPS, SLEEPERS, TIMERS, spread};
use crate::per_op;
use ferry_benches::{Clock, median};
use std::{
    cell::Cell,
    future::{Future, ready},
    pin::Pin,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    spawn,
    sync::oneshot,
    task::yield_now,
    time::{sleep, timeout},
};

thread_local! {
    static SPAWNED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a measurement with its program as a spawned task.
pub fn spawned(measure: fn() -> f64) -> f64 {
    SPAWNED.set(true);
    let figure = measure();
    SPAWNED.set(false);
    figure
}

fn run<F: Future<Output: Send> + Send + 'static>(program: F) -> F::Output {
    let runtime = runtime();
    if SPAWNED.get() { runtime.block_on(runtime.spawn(program)).unwrap() } else { runtime.block_on(program) }
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn spawn_await() -> f64 {
    run(async {
        let start = Clock::Cpu.now();
        for i in 0..OPS {
            spawn(async move { i }).await.unwrap();
        }
        (Clock::Cpu.now() - start) / OPS as f64
    })
}

pub fn spawn_join_10k() -> f64 {
    run(async {
        let start = Clock::Cpu.now();
        let tasks: Vec<_> = (0..10_000).map(|i| spawn(async move { i })).collect();
        for task in tasks {
            task.await.unwrap();
        }
        (Clock::Cpu.now() - start) / 10_000.0
    })
}

pub fn yield_one() -> f64 {
    per_op(10 * OPS, || {
        run(async {
            for _ in 0..10 * OPS {
                yield_now().await;
            }
        });
    })
}

pub fn yield_1000() -> f64 {
    run(async {
        let yielder = || async {
            for _ in 0..200 {
                yield_now().await;
            }
        };
        let start = Clock::Cpu.now();
        let tasks: Vec<_> = (0..1000).map(|_| spawn(yielder())).collect();
        for task in tasks {
            task.await.unwrap();
        }
        (Clock::Cpu.now() - start) / 200_000.0
    })
}

pub fn request_reply() -> f64 {
    run(async {
        let start = Clock::Cpu.now();
        for i in 0..OPS {
            let (promise, reply) = oneshot::channel();
            drop(spawn(async move { promise.send(i).unwrap() }));
            reply.await.unwrap();
        }
        (Clock::Cpu.now() - start) / OPS as f64
    })
}

pub fn sleep_overshoot_1ms() -> f64 {
    run(async {
        let mut overshoots = Vec::new();
        for _ in 0..200 {
            let start = Clock::Wall.now();
            sleep(Duration::from_millis(1)).await;
            overshoots.push(Clock::Wall.now() - start - 1e6);
        }
        median(overshoots)
    })
}

pub fn timeout_ready() -> f64 {
    per_op(10 * OPS, || {
        run(async {
            for i in 0..10 * OPS {
                timeout(Duration::from_secs(1), ready(std::hint::black_box(i))).await.unwrap();
            }
        });
    })
}

pub fn timeout_pending() -> f64 {
    per_op(OPS, || {
        run(async {
            for _ in 0..OPS {
                timeout(Duration::from_secs(1), yield_now()).await.unwrap();
            }
        });
    })
}

pub fn timers_arm() -> f64 {
    timers().0
}

pub fn timers_cancel() -> f64 {
    timers().1
}

fn timers() -> (f64, f64) {
    run(async {
        let mut timers = Vec::with_capacity(TIMERS);
        let start = Clock::Cpu.now();
        for i in 0..TIMERS {
            timers.push(sleep(Duration::from_nanos(1_000_000_000 + spread(i, 60_000_000_000))));
            // SAFETY: the room was reserved, so no timer moves before it is dropped.
            let timer = unsafe { Pin::new_unchecked(&mut timers[i]) };
            assert!(futures_lite::future::poll_once(timer).await.is_none());
        }
        yield_now().await;
        let armed = Clock::Cpu.now();
        // The room itself goes later: giving memory back to the system is nobody's cancelling.
        timers.clear();
        let cancelled = Clock::Cpu.now();
        ((armed - start) / TIMERS as f64, (cancelled - armed) / TIMERS as f64)
    })
}

pub fn sleepers_200k() -> f64 {
    run(async {
        let start = Clock::Cpu.now();
        let sleeper = |i| sleep(Duration::from_nanos(spread(i, 1_000_000_000)));
        let tasks: Vec<_> = (0..SLEEPERS).map(|i| spawn(sleeper(i))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        (Clock::Cpu.now() - start) / SLEEPERS as f64
    })
}
