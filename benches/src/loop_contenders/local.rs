//! async-executor's LocalExecutor, which has no timers of its own.

use super::OPS;
use crate::per_op;
use async_executor::LocalExecutor;
use ferry_benches::Clock;
use futures_lite::future::{block_on, yield_now};
use tokio::sync::oneshot;

pub fn spawn_await() -> f64 {
    let executor = LocalExecutor::new();
    block_on(executor.run(async {
        let start = Clock::Cpu.now();
        for i in 0..OPS {
            executor.spawn(async move { i }).await;
        }
        (Clock::Cpu.now() - start) / OPS as f64
    }))
}

pub fn spawn_join_10k() -> f64 {
    let executor = LocalExecutor::new();
    block_on(executor.run(async {
        let start = Clock::Cpu.now();
        let tasks: Vec<_> = (0..10_000).map(|i| executor.spawn(async move { i })).collect();
        for task in tasks {
            task.await;
        }
        (Clock::Cpu.now() - start) / 10_000.0
    }))
}

/// A spawned task yields, as the future that `run` was given is not one of the executor's own tasks.
pub fn yield_one() -> f64 {
    let executor = LocalExecutor::new();
    per_op(10 * OPS, || {
        block_on(executor.run(executor.spawn(async {
            for _ in 0..10 * OPS {
                yield_now().await;
            }
        })));
    })
}

pub fn yield_1000() -> f64 {
    let executor = LocalExecutor::new();
    block_on(executor.run(async {
        let yielder = || async {
            for _ in 0..200 {
                yield_now().await;
            }
        };
        let start = Clock::Cpu.now();
        let tasks: Vec<_> = (0..1000).map(|_| executor.spawn(yielder())).collect();
        for task in tasks {
            task.await;
        }
        (Clock::Cpu.now() - start) / 200_000.0
    }))
}

pub fn request_reply() -> f64 {
    let executor = LocalExecutor::new();
    block_on(executor.run(async {
        let start = Clock::Cpu.now();
        for i in 0..OPS {
            let (promise, reply) = oneshot::channel();
            executor.spawn(async move { promise.send(i).unwrap() }).detach();
            reply.await.unwrap();
        }
        (Clock::Cpu.now() - start) / OPS as f64
    }))
}
