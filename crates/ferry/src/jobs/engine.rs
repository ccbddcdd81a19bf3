//! [`Engine`]: where named jobs wait and who may run them, behind one interface: this process, or a service that many
//! machines share.
//!
//! ```text
//!   submit(id, name, arguments) ──▶ queue ──claim(names)──▶ a worker has it, with a fence ──complete(fence)──▶ outcome
//!   watch(id) ◀──── progress ◀──────────────heartbeat(fence)──┘      │ it failed, or was not heard of in time
//!   cancel(id) ─────────────▶ told by the next heartbeat             └──▶ queue, as the next attempt
//! ```
//!
//! Work is done at least once, and a result is accepted exactly once: the *fence* names one attempt, and when another
//! attempt has been decided on, or the job has ended, what comes with the old fence is refused.
//!
//! [`Pool::engine`](super::Pool::engine) is that of this process, and [`serve`] has a pool work for any. The rules that each engine
//! must keep are a suite of tests, [`testing::engines`](crate::testing::engines).

mod in_process;
mod lanes;
mod serve;

pub use in_process::InProcess;
pub(super) use in_process::Reserved;
pub(super) use lanes::{Lanes, Remote};
pub use serve::{Serve, Served, serve};

use super::retry::Retry;
use crate::{promise::Outcome, value::Value};
use futures_util::Stream;
use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

/// What an engine's methods return.
pub type EngineFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + Send + 'a>>;

/// What [`Engine::watch`] returns.
pub type EngineStream<'a> = Pin<Box<dyn Stream<Item = Update> + Send + 'a>>;

/// A job for an engine: what it's called, by which name it's known, and how it's to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobSpec {
    /// Names the job, for as long as the engine remembers it.
    pub id: Arc<str>,
    /// The function that it's a call of.
    pub name: Arc<str>,
    /// A list, by position, or a map, by name.
    pub arguments: Value,
    /// The higher, the sooner.
    pub priority: i8,
    /// How long an attempt may take.
    pub timeout: Option<Duration>,
    /// A worker that is not heard of for so long has lost its attempt.
    pub heartbeat_timeout: Option<Duration>,
    /// How often it's tried.
    pub retry: Option<Retry>,
}

impl JobSpec {
    /// A call of the function `name`, with an id that no other job has, and else nothing set.
    pub fn new(id: &str, name: &str, arguments: Value) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            arguments,
            priority: 0,
            timeout: None,
            heartbeat_timeout: None,
            retry: None,
        }
    }

    /// See [`priority`](Self::priority).
    #[must_use]
    pub fn priority(mut self, priority: i8) -> Self {
        self.priority = priority;
        self
    }

    /// See [`timeout`](Self::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// See [`heartbeat_timeout`](Self::heartbeat_timeout).
    #[must_use]
    pub fn heartbeat_timeout(mut self, timeout: Duration) -> Self {
        self.heartbeat_timeout = Some(timeout);
        self
    }

    /// See [`retry`](Self::retry).
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }
}

/// What became of a job that was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission {
    /// It's in the queue.
    New,
    /// There is or was a job of this id: nothing else is run, and its outcome is that one's.
    AlreadyThere,
}

/// Names one attempt of one job, in the engine's own way. A worker hands it back as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence(Arc<[u8]>);

impl Fence {
    /// One of these bytes, which the engine makes up.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// What the engine made it of.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A job that a worker has to run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claimed {
    /// The job's id.
    pub id: Arc<str>,
    /// The function to call.
    pub name: Arc<str>,
    /// What to call it with.
    pub arguments: Value,
    /// Which attempt it is, from 1 on.
    pub attempt: u32,
    /// What to hand back with each heartbeat, and at the end.
    pub fence: Fence,
    /// A heartbeat is due so often, if at all.
    pub heartbeat_timeout: Option<Duration>,
}

impl Claimed {
    /// What an engine gives a worker.
    pub fn new(
        id: Arc<str>,
        name: Arc<str>,
        arguments: Value,
        attempt: u32,
        fence: Fence,
        heartbeat_timeout: Option<Duration>,
    ) -> Self {
        Self { id, name, arguments, attempt, fence, heartbeat_timeout }
    }
}

/// What a worker hears when it tells that it's alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Go on.
    GoOn,
    /// Nobody wants this attempt any more, for this reason: what comes of it will be refused.
    Stop(String),
}

/// How an attempt ended, as its worker says.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptEnd {
    /// It gave this.
    Completed(Value),
    /// It failed, with this text; whether it may be tried again, if the job may.
    Failed {
        /// What it failed with.
        error: String,
        /// Whether trying again may help.
        may_retry: bool,
    },
    /// Its own code cancelled it, with this message.
    Cancelled(String),
}

/// What became of the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It counts.
    Accepted,
    /// It came too late: the attempt was given up, or has ended already. It changes nothing.
    Refused,
}

/// What there is to know of a job while it's watched.
#[derive(Clone, Debug)]
pub enum Update {
    /// It has come so far.
    Progress(Value),
    /// It has ended. Nothing comes after it.
    Ended(Outcome<Value>),
}

/// Why an engine could not do what it was asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// It knows no job of this id, or not any more.
    Unknown(Arc<str>),
    /// It takes no more jobs.
    ShutDown,
    /// It refused the job; the text says why.
    Refused(String),
    /// It can't be reached; the text says why.
    Unreachable(String),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(id) => write!(f, "the engine knows no job '{id}', or not any more"),
            Self::ShutDown => f.write_str("the engine was shut down and takes no more jobs"),
            Self::Refused(why) => write!(f, "the engine refused the job: {why}"),
            Self::Unreachable(why) => write!(f, "the engine can't be reached: {why}"),
        }
    }
}

impl Error for EngineError {}

/// Where named jobs wait and who may run them. All of it may be called from any thread.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, Value, jobs::{AttemptEnd, Engine, JobSpec, Pool, Update}};
/// use futures_util::StreamExt;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let pool = Pool::new();
///     let engine = pool.engine();
///     engine.submit(JobSpec::new("job-1", "double", Value::from(21))).await.unwrap();
///
///     // A worker, which may be another thread, loop or language.
///     let claimed = engine.claim(&["double".into()]).await.unwrap().unwrap();
///     let doubled = Value::from(2 * claimed.arguments.as_i64().unwrap());
///     engine.complete(&claimed.fence, AttemptEnd::Completed(doubled)).await.unwrap();
///
///     let last = engine.watch("job-1").await.unwrap().next().await;
///     assert!(matches!(last, Some(Update::Ended(Ok(Value::Int(42))))));
/// });
/// ```
pub trait Engine: Send + Sync + 'static {
    /// Puts a job in the queue, and waits for room if there is none.
    ///
    /// # Cancel safety
    /// Dropping it leaves it open whether the job was taken: submitting it again, with the same id, finds out.
    fn submit(&self, job: JobSpec) -> EngineFuture<'_, Submission>;

    /// Waits for a job that is a call of one of these functions. `None`: there will be no more.
    ///
    /// # Cancel safety
    /// A job that was claimed by a call that is dropped is lost to its worker, and comes back when no heartbeat is
    /// heard of it; one that waits is not.
    fn claim<'a>(&'a self, names: &'a [Arc<str>]) -> EngineFuture<'a, Option<Claimed>>;

    /// Says that the attempt is alive, and how far it is; hears whether it's still wanted.
    fn heartbeat<'a>(&'a self, fence: &'a Fence, progress: Option<Value>) -> EngineFuture<'a, Beat>;

    /// Hands in how an attempt ended.
    fn complete<'a>(&'a self, fence: &'a Fence, end: AttemptEnd) -> EngineFuture<'a, Acceptance>;

    /// Cancels a job: for those who watch it at once. `false` when it has ended already.
    fn cancel<'a>(&'a self, id: &'a str, message: &'a str) -> EngineFuture<'a, bool>;

    /// Follows a job, from what is known of it to its end.
    fn watch<'a>(&'a self, id: &'a str) -> EngineFuture<'a, EngineStream<'static>>;
}
