//! Ferry's loop.

use super::{OPS, SLEEPERS, TIMERS, spread};
use crate::per_op;
use asyncferry::{AsyncRuntime, promise, sleep, spawn_local, timeout, yield_now};
use ferry_benches::{Clock, median};
use std::{future::ready, pin::Pin, time::Duration};

pub fn spawn_await() -> f64 {
    AsyncRuntime::block_on(async {
        let start = Clock::Cpu.now();
        for i in 0..OPS {
            spawn_local(async move { i }).await.unwrap();
        }
        (Clock::Cpu.now() - start) / OPS as f64
    })
}

pub fn spawn_join_10k() -> f64 {
    AsyncRuntime::block_on(async {
        let start = Clock::Cpu.now();
        let tasks: Vec<_> = (0..10_000).map(|i| spawn_local(async move { i })).collect();
        for task in tasks {
            task.await.unwrap();
        }
        (Clock::Cpu.now() - start) / 10_000.0
    })
}

pub fn yield_one() -> f64 {
    per_op(10 * OPS, || {
        AsyncRuntime::block_on(async {
            for _ in 0..10 * OPS {
                yield_now().await;
            }
        });
    })
}

pub fn yield_1000() -> f64 {
    AsyncRuntime::block_on(async {
        let yielder = || async {
            for _ in 0..200 {
                yield_now().await;
            }
        };
        let start = Clock::Cpu.now();
        let tasks: Vec<_> = (0..1000).map(|_| spawn_local(yielder())).collect();
        for task in tasks {
            task.await.unwrap();
        }
        (Clock::Cpu.now() - start) / 200_000.0
    })
}

pub fn request_reply() -> f64 {
    AsyncRuntime::block_on(async {
        let start = Clock::Cpu.now();
        for i in 0..OPS {
            let (promise, reply) = promise();
            drop(spawn_local(async move { promise.complete(i).unwrap() }));
            reply.await.unwrap();
        }
        (Clock::Cpu.now() - start) / OPS as f64
    })
}

pub fn sleep_overshoot_1ms() -> f64 {
    AsyncRuntime::block_on(async {
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
        AsyncRuntime::block_on(async {
            for i in 0..10 * OPS {
                timeout(Duration::from_secs(1), ready(std::hint::black_box(i))).await.unwrap();
            }
        });
    })
}

pub fn timeout_pending() -> f64 {
    per_op(OPS, || {
        AsyncRuntime::block_on(async {
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
    AsyncRuntime::block_on(async {
        let mut timers = Vec::with_capacity(TIMERS);
        let start = Clock::Cpu.now();
        for i in 0..TIMERS {
            timers.push(sleep(Duration::from_nanos(1_000_000_000 + spread(i, 60_000_000_000))));
            let timer = Pin::new(&mut timers[i]);
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
    AsyncRuntime::block_on(async {
        let start = Clock::Cpu.now();
        let sleeper = |i| sleep(Duration::from_nanos(spread(i, 1_000_000_000)));
        let tasks: Vec<_> = (0..SLEEPERS).map(|i| spawn_local(sleeper(i))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        (Clock::Cpu.now() - start) / SLEEPERS as f64
    })
}
