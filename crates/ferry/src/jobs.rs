//! Jobs: work that somebody else runs and anybody awaits, whatever language either is written in.
//!
//! A [`Pool`] has workers, and a queue with a bound, in which jobs wait by priority and age. A job is a function, async or
//! not, that is given to it, or one that was [registered](Pool::register) and is called by its name, with arguments that are plain
//! [values](crate::Value). Whoever submits one has a [`Job`] to await, to look at and to cancel; or, in scripts, a [bare number](Pool::ids).
//! A [latent](LatentRef) job starts by itself in time for its deadline.
//!
//! ```
//! use asyncferry::{AsyncRuntime, jobs::{Pool, Retry}, value::to_value};
//! use std::{io, time::Duration};
//!
//! let pool = Pool::builder().workers(2).max_queued(100).build();
//! pool.register_blocking("square", |_, n: i64| Ok::<_, io::Error>(n * n)).unwrap();
//! AsyncRuntime::block_on(async {
//!     let sum = pool.blocking(|_| Ok::<_, io::Error>((1..=100).sum::<i64>())).priority(5).submit().await.unwrap();
//!     let flaky = pool.task_again(Retry::new(3), |job| async move {
//!         if job.attempt() == 1 { Err("the first attempt fails") } else { Ok(job.attempt()) }
//!     });
//!     let flaky = flaky.timeout(Duration::from_secs(5)).submit().await.unwrap();
//!     let square = pool.named("square", to_value(&[7]).unwrap()).submit().await.unwrap();
//!     assert_eq!((sum.await.unwrap(), flaky.await.unwrap()), (5050, 2));
//!     assert_eq!(square.await.unwrap().as_i64(), Some(49));
//! });
//! ```
//!
//! For many inputs of one kind, with one function for all, there is [`WorkerPool`](crate::patterns::WorkerPool); for one blocking call in an
//! async function [`spawn_blocking`](crate::spawn_blocking), which has no queue to be full.
//!
//! # How it's built
//!
//! ```text
//!   submit ──▶ inbox ──▶ line, by priority and age ──▶ a body claims it ──▶ attempt ──▶ outcome
//!                ▲                                                             │
//!                └──────────── its next attempt is due ◀── the steward ◀───────┘ failed, and may be tried again
//! ```
//!
//! - An *entry* (`entry.rs`) is a job: its *phase* (`phase.rs`), its work, and the promise of its outcome, in one allocation that
//!   the queue, the worker and the handles share. Each step of its life is one change of the phase, which one wins.
//! - The *core* (`core.rs` and what is in it) has the inbox (`inbox.rs`), the line (`queue.rs`), the slots and the threads
//!   (`state.rs`); *bodies* (`worker.rs`), which are threads of the pool or tasks of the runtime, work them.
//! - The *steward* (`steward.rs`) is a task that does what is due at a time (`alarms.rs`): timeouts, further attempts, latent
//!   jobs, results that nobody fetched.
//! - A pool that lives on a loop (`home.rs`), as under a virtual clock and where there are no threads, has tasks only.

mod alarms;
mod builder;
mod clock;
mod context;
mod core;
mod engine;
mod entry;
mod handle;
mod home;
mod ids;
mod inbox;
mod kept;
mod latent;
#[cfg(all(test, ferry_loom))]
mod loom_tests;
mod park;
mod phase;
mod pool;
mod queue;
mod registry;
mod retained;
mod retry;
mod settings;
mod state;
mod stats;
mod steward;
mod submit_error;
mod work;
mod worker;

pub use builder::{JobBuilder, Submit};
pub use clock::{BeatClock, DeadlineClock, SecondsClock};
pub use context::JobContext;
pub use engine::{
    Acceptance, AttemptEnd, Beat, Claimed, Engine, EngineError, EngineFuture, EngineStream, Fence, InProcess,
    JobSpec, Serve, Served, Submission, Update, serve,
};
pub use handle::{Job, JobCanceller, JobEnded, JobId, ProgressStream, Stage};
pub use ids::{IdError, IdWait, JobIds};
pub use kept::{JobMeter, KeptMetrics, Metered, are_metrics_kept, keep_metrics, kept_metrics};
pub use latent::LatentRef;
pub use pool::Pool;
pub use registry::{AlreadyRegistered, NamedError};
pub use retry::{NoRetry, Retry};
pub use settings::{PoolBuilder, WhenFull};
pub use stats::JobMetrics;
pub use submit_error::SubmitError;
