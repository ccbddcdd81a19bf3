//! [`Metrics`]: what a loop counts of itself, and its longest poll.
//!
//! Counting costs a few instructions a task, so it's always on. To time polls costs two looks at the clock for each
//! (some 50 ns), so that is [switched on](AsyncRuntime::time_polls) where it's wanted.

use crate::{
    executor::{platform, with_loop},
    runtime::AsyncRuntime,
    task::TaskId,
};
use std::{panic::Location, time::Duration};

/// What the loop of a thread has done since it started, and has before it.
///
/// ```
/// use asyncferry::{AsyncRuntime, sleep, spawn_local, yield_now};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on(async {
///     let sleeper = spawn_local(sleep(Duration::from_millis(1)));
///     yield_now().await;
///     let metrics = AsyncRuntime::metrics().expect("a loop runs here");
///     assert_eq!((metrics.tasks_live, metrics.timers_armed), (2, 1));
///     sleeper.await.unwrap();
/// });
/// assert!(AsyncRuntime::metrics().is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Tasks that have not ended, the main one among them.
    pub tasks_live: usize,
    /// Tasks that were started.
    pub tasks_spawned: u64,
    /// How many times tasks were polled.
    pub polls: u64,
    /// Tasks that are ready and wait for their turn.
    pub queue_depth: usize,
    /// Timers that were armed and have neither fired nor been taken back.
    pub timers_armed: usize,
    /// Timers that have fired.
    pub timers_fired: u64,
    /// By how much the timers that fired last were late: the wake-up's delay, and the turn before them. One that was
    /// armed for a moment in the past counts as late by as much.
    pub timer_lag: Duration,
    /// The most that any timer was late.
    pub timer_lag_max: Duration,
    /// The longest poll since polls are [timed](AsyncRuntime::time_polls).
    pub longest_poll: Option<LongestPoll>,
}

/// A poll of a task that held its loop for longer than all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LongestPoll {
    /// How long it took.
    pub duration: Duration,
    /// The task.
    pub task: TaskId,
    /// Where the task was spawned; `None` for a task that is older than the timing, and for the main one.
    pub spawned_at: Option<&'static Location<'static>>,
}

/// What the pool of threads does, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolMetrics {
    /// Threads that poll tasks.
    pub workers: usize,
    /// Tasks that have not ended.
    pub tasks_live: usize,
    /// Tasks that wait for a thread, but for those in queues of the threads' own.
    pub queue_depth: usize,
}

impl AsyncRuntime {
    /// The metrics of the loop that runs on this thread; `None` where none does.
    pub fn metrics() -> Option<Metrics> {
        platform::here().map(|_| with_loop(|home| home.metrics()))
    }

    /// Switches on or off that each poll of this thread's loop is timed, until the loop ends; outside of a loop it does nothing. Switching it on forgets
    /// the longest poll so far.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, spawn_local};
    ///
    /// AsyncRuntime::block_on(async {
    ///     AsyncRuntime::time_polls(true);
    ///     spawn_local(async { (0..100_000_u64).fold(1, |sum, number| sum ^ number.wrapping_mul(sum)) }).await.unwrap();
    ///     let longest = AsyncRuntime::metrics().unwrap().longest_poll.unwrap();
    ///     let place = longest.spawned_at.unwrap();
    ///     assert!(place.file().ends_with(".rs") && place.line() > 0);
    /// });
    /// ```
    pub fn time_polls(on: bool) {
        if platform::here().is_some() {
            with_loop(|home| home.time_polls(on));
        }
    }

    /// The metrics of the pool; `None` where it has not started, or there are no threads.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, spawn};
    ///
    /// AsyncRuntime::block_on(async { spawn(async {}).await }).unwrap();
    /// assert!(AsyncRuntime::pool_metrics().is_some_and(|pool| pool.workers > 0));
    /// ```
    pub fn pool_metrics() -> Option<PoolMetrics> {
        platform::pool_metrics()
    }
}

#[cfg(all(test, not(ferry_loom), not(miri)))]
mod tests;
