//! Ferry's runtime: one loop, and one way to wait, for async work of every language.
//!
//! - [`AsyncRuntime`] runs async code; [`spawn_local`], [`spawn`] and [`spawn_blocking`] start more of it, and
//!   give a [`TaskHandle`].
//! - [`sleep`], [`interval`], [`timeout`] and [`Instant`] are its time, precise to what the system can do, or virtual.
//! - [`sync`] has asyncio's primitives and queues; [`task_group`], [`gather`], [`wait`], [`as_completed`] and
//!   [`shield`] are for several tasks at once; [`cancellable`] is where a request to cancel arrives, and a
//!   [`CancellationToken`] stops whatever has it.
//! - [`select!`] takes the first of several futures of any types.
//! - [`channel`] has tokio's channels; [`stream`] is for several values over time, from iterators, channels, queues and
//!   intervals.
//! - [`promise`] makes the two ends of whatever one side finishes and another awaits, on any threads.
//! - [`Mailbox`] hands completions to a host (a Python loop, a script's VM) on the host's own thread.
//! - [`patterns`] are what most async programs write again: pending requests, background tasks, a graceful shutdown.
//! - [`jobs`] is a pool that Rust, Python and scripts share, with a queue, priorities, retries and deadlines; [`Value`] is the
//!   data that crosses with them.
//! - `net` is HTTP (`fetch`) and WebSockets, with the Cargo feature `net`.
//! - [`testing`] runs a scenario under many orders of its tasks, and cancels at each await point.
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, sleep, spawn_local};
//! use std::time::Duration;
//!
//! let log = AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let slow = spawn_local(async {
//!         sleep(Duration::from_micros(20)).await;
//!         "slow"
//!     });
//!     let fast = spawn_local(async {
//!         sleep(Duration::from_micros(10)).await;
//!         "fast"
//!     });
//!     [fast.await, slow.await]
//! });
//! assert_eq!(log, [Ok("fast"), Ok("slow")]);
//! ```

mod cancel;
pub mod channel;
mod error;
mod executor;
pub mod fs;
mod gather;
mod group;
mod hosted;
pub mod jobs;
mod local;
mod mailbox;
mod metrics;
mod model;
#[cfg(feature = "net")]
pub mod net;
#[cfg(doctest)]
mod pages;
pub mod patterns;
mod promise;
mod runtime;
mod select;
pub mod stream;
pub mod sync;
mod task;
pub mod testing;
mod time;
pub mod value;

pub use cancel::{
    Cancellable, CancellationToken, Cancelled, Canceller, RunUntilCancelled, TokenCancelled, TokenGuard,
    cancellable, cancelling, uncancel,
};
pub use error::{AsyncError, Failure};
pub use executor::Order;
#[allow(unused_imports, unreachable_pub, reason = "most platforms have nothing of their own")]
pub use executor::only_here::*;
pub use gather::{
    AsCompleted, Gather, GatherAll, ReturnWhen, Shield, Wait, as_completed, gather, gather_all, shield, wait,
};
pub use group::{GroupError, GroupTask, TaskGroup, task_group};
pub use hosted::{Executor, Work};
pub use local::{NotSet, TaskLocal, TaskLocals, WithLocals};
pub use mailbox::Mailbox;
pub use metrics::{LongestPoll, Metrics, PoolMetrics};
pub use promise::{CallbackKey, Future, Outcome, Promise, Settled, State, promise};
pub use runtime::{AsyncRuntime, RuntimeConfig};
#[doc(hidden)]
pub use select::first_branch;
pub use task::{
    CatchPanic, TaskBuilder, TaskHandle, TaskId, YieldNow, catch_panic, spawn, spawn_blocking, spawn_local,
    yield_now, yield_to_host,
};
pub use time::{
    ClockHold, Deadline, DeadlineRun, Instant, Interval, MissedTicks, Sleep, Timeout, hold_clock, interval,
    interval_at, sleep, sleep_until, timeout, timeout_at,
};
pub use value::{Value, ValueError, ValueLimits};
