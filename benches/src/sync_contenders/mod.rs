//! The same programs on each contender's own API, and the loops that they run on.
//!
//! A program is some tasks, which do a number of operations together. Every contender's tasks are boxed, so
//! that programs of one task and of several kinds of tasks look alike.

pub mod ferry;
pub mod peers;
pub mod tokio_ct;

use asyncferry::{AsyncRuntime, spawn_local};
use ferry_benches::Clock;
use std::{future::Future, pin::Pin, thread};
use tokio::runtime::Builder;

/// How many operations a round has.
pub const OPS: usize = 100_000;
/// How many items the queues hold.
pub const BOUND: usize = 128;
/// How many tasks want the same lock or semaphore.
pub const TASKS: usize = 100;
/// How often each of them takes it, and keeps it while all others have a turn.
pub const TURNS: usize = OPS / TASKS;
/// How many of them the semaphore admits.
pub const PERMITS: usize = 10;
/// How many children are gathered.
pub const CHILDREN: usize = 10_000;

/// One task of a program.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs `tasks` on one of Ferry's loops; CPU time, in nanoseconds, of one of their `operations`.
pub fn on_ferry(operations: usize, tasks: impl IntoIterator<Item = Task>) -> f64 {
    AsyncRuntime::block_on(async {
        let start = Clock::Cpu.now();
        let handles: Vec<_> = tasks.into_iter().map(spawn_local).collect();
        for handle in handles {
            handle.await.unwrap();
        }
        (Clock::Cpu.now() - start) / operations as f64
    })
}

/// As [`on_ferry`], on tokio's current-thread runtime.
pub fn on_tokio(operations: usize, tasks: impl IntoIterator<Item = Task>) -> f64 {
    Builder::new_current_thread().build().unwrap().block_on(async {
        let start = Clock::Cpu.now();
        let handles: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
        for handle in handles {
            handle.await.unwrap();
        }
        (Clock::Cpu.now() - start) / operations as f64
    })
}

/// Runs each of `tasks` on a thread and a loop of its own, which `run` is; CPU time of all threads, in
/// nanoseconds, of one of `operations`. Starting the threads and loops is part of it, and small beside the rest.
pub fn on_threads<const N: usize>(
    run: fn(usize, [Task; 1]) -> f64,
    operations: usize,
    tasks: [Task; N],
) -> f64 {
    let start = Clock::Cpu.now();
    thread::scope(|scope| {
        for task in tasks {
            scope.spawn(move || run(operations, [task]));
        }
    });
    (Clock::Cpu.now() - start) / operations as f64
}

/// A program of `count` tasks that are alike.
pub fn alike<F: Future<Output = ()> + Send + 'static>(count: usize, task: impl Fn() -> F) -> Vec<Task> {
    (0..count).map(|_| Box::pin(task()) as Task).collect()
}
