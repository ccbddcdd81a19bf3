//! [`serve`]: a pool works for an engine.
//!
//! ```text
//!   claim ──▶ a job of the pool, by its name ──▶ complete
//!                 │ each third of the heartbeat's time: heartbeat, with its progress
//!                 └ told to stop: the pool's job is cancelled, and its end refused
//! ```

use super::{AttemptEnd, Beat, Claimed, Engine, EngineError};
use crate::{
    cancel::CancellationToken,
    error::Failure,
    jobs::{NoRetry, handle::Job, pool::Pool, registry::NamedError},
    promise::Outcome,
    time::sleep,
    value::Value,
};
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Poll, ready},
    time::Duration,
};

/// How a pool works for an engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Serve {
    /// The functions that it serves; all that are registered with the pool, unless it's set.
    pub names: Option<Vec<Arc<str>>>,
    /// How many jobs it has at once; as many as the pool has workers, unless it's set.
    pub slots: Option<usize>,
    /// How often it tells of an attempt whose engine asks for no heartbeat, so that it hears of cancels: 5 s unless it's set.
    pub heartbeat: Duration,
    /// Cancelled, it claims no more jobs, and ends with those that it has.
    pub stop: CancellationToken,
}

impl Default for Serve {
    fn default() -> Self {
        Self { names: None, slots: None, heartbeat: Duration::from_secs(5), stop: CancellationToken::new() }
    }
}

/// What a pool has done for an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// How many attempts it was given.
    pub claimed: u64,
    /// How many ends of them the engine has accepted.
    pub accepted: u64,
    /// How many ends came too late.
    pub refused: u64,
}

/// Claims jobs from an engine and runs them in `pool`, by the names that are registered there, until the engine has no more or
/// it's told to [stop](Serve::stop). Says what it has done.
///
/// # Errors
/// When the engine can't be asked for the next job. Those that it has are finished before.
///
/// # Cancel safety
/// Dropping it cancels the jobs that it has; the engine hears of that by their heartbeats, or the want of them.
///
/// ```
/// use asyncferry::{
///     AsyncRuntime, Order, Value, spawn_local,
///     jobs::{Engine, JobSpec, Pool, Serve, Update, serve},
/// };
/// use futures_util::StreamExt;
/// use std::{io, sync::Arc};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let clients = Pool::new();
///     let workers = Pool::new();
///     workers.register("double", |n: i64| async move { Ok::<_, io::Error>(2 * n) }).unwrap();
///     let engine = Arc::new(clients.engine());
///
///     let options = Serve::default();
///     let stop = options.stop.clone();
///     let serving = spawn_local({
///         let engine = engine.clone();
///         async move { serve(&*engine, &workers, options).await }
///     });
///     engine.submit(JobSpec::new("a", "double", Value::from(21))).await.unwrap();
///     let last = engine.watch("a").await.unwrap().next().await;
///     assert!(matches!(last, Some(Update::Ended(Ok(Value::Int(42))))));
///     stop.cancel("done");
///     assert_eq!(serving.await.unwrap().unwrap().accepted, 1);
/// });
/// ```
pub async fn serve(engine: &dyn Engine, pool: &Pool, options: Serve) -> Result<Served, EngineError> {
    let names = options.names.clone().unwrap_or_else(|| pool.names());
    let slots = options.slots.unwrap_or_else(|| pool.workers()).max(1);
    let mut served = Served::default();
    let mut running = FuturesUnordered::new();
    let mut failed = None;
    // Kept from one turn to the next, as a job may be on its way to it.
    let mut claiming = Some(Box::pin(claim(engine, &names, &options.stop)));
    let mut is_open = true;
    while claiming.is_some() || !running.is_empty() {
        match turn(&mut claiming, &mut running).await {
            Turn::Ended(is_accepted) => {
                served.accepted += u64::from(is_accepted);
                served.refused += u64::from(!is_accepted);
            }
            Turn::Claimed(Ok(Some(claimed))) => {
                served.claimed += 1;
                running.push(run(engine, pool, claimed, options.heartbeat));
            }
            Turn::Claimed(Ok(None)) => is_open = false,
            Turn::Claimed(Err(error)) => {
                failed = Some(error);
                is_open = false;
            }
        }
        if is_open && claiming.is_none() && running.len() < slots {
            claiming = Some(Box::pin(claim(engine, &names, &options.stop)));
        }
    }
    failed.map_or(Ok(served), Err)
}

enum Turn {
    /// An attempt has ended; whether that was accepted.
    Ended(bool),
    Claimed(Result<Option<Claimed>, EngineError>),
}

/// Waits for the end of an attempt, or for the next job.
async fn turn<C, R>(claiming: &mut Option<Pin<Box<C>>>, running: &mut FuturesUnordered<R>) -> Turn
where
    C: Future<Output = Result<Option<Claimed>, EngineError>>,
    R: Future<Output = bool>,
{
    poll_fn(|cx| {
        if let Poll::Ready(Some(is_accepted)) = running.poll_next_unpin(cx) {
            return Poll::Ready(Turn::Ended(is_accepted));
        }
        let Some(waits) = claiming.as_mut() else { return Poll::Pending };
        let claimed = ready!(waits.as_mut().poll(cx));
        *claiming = None;
        Poll::Ready(Turn::Claimed(claimed))
    })
    .await
}

/// The next job; nothing when there will be none, or it's told to stop.
async fn claim(
    engine: &dyn Engine,
    names: &[Arc<str>],
    stop: &CancellationToken,
) -> Result<Option<Claimed>, EngineError> {
    match select(pin!(stop.cancelled()), engine.claim(names)).await {
        Either::Left(_) => Ok(None),
        Either::Right((claimed, _)) => claimed,
    }
}

/// Runs an attempt; whether its end was accepted.
async fn run(engine: &dyn Engine, pool: &Pool, claimed: Claimed, heartbeat: Duration) -> bool {
    let end = match pool.named(&claimed.name, claimed.arguments.clone()).submit().await {
        Ok(job) => follow(engine, &claimed, job, heartbeat).await,
        // Another worker may know it.
        Err(error) => AttemptEnd::Failed { error: error.to_string(), may_retry: true },
    };
    // What an engine that can't be reached does not hear of comes back as another attempt.
    matches!(engine.complete(&claimed.fence, end).await, Ok(super::Acceptance::Accepted))
}

/// Waits for the pool's job, and tells the engine meanwhile.
async fn follow(engine: &dyn Engine, claimed: &Claimed, job: Job<Value>, heartbeat: Duration) -> AttemptEnd {
    struct CancelOnDrop<'a>(&'a crate::jobs::JobCanceller);

    impl Drop for CancelOnDrop<'_> {
        fn drop(&mut self) {
            self.0.cancel("its worker was stopped");
        }
    }

    let every = claimed.heartbeat_timeout.map_or(heartbeat, |timeout| timeout / 3);
    let canceller = job.canceller();
    let _cancels = CancelOnDrop(&canceller);
    let shared = job.share();
    let beats = async {
        let mut told = None;
        loop {
            sleep(every).await;
            let progress = job.progress();
            let is_new = progress != told;
            told.clone_from(&progress);
            let beat = engine.heartbeat(&claimed.fence, progress.filter(|_| is_new)).await;
            if let Ok(Beat::Stop(message)) = beat {
                canceller.cancel(&message);
            }
        }
    };
    let outcome = match select(shared, pin!(beats)).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((never, _)) => never,
    };
    end(outcome)
}

fn end(outcome: Outcome<Value>) -> AttemptEnd {
    match outcome {
        Ok(value) => AttemptEnd::Completed(value),
        Err(Failure::Cancelled(message)) => {
            AttemptEnd::Cancelled(message.as_deref().unwrap_or_default().to_owned())
        }
        Err(Failure::Failed(error)) => AttemptEnd::Failed {
            may_retry: !error.is::<NoRetry>() && !error.is::<NamedError>(),
            error: error.to_string(),
        },
    }
}
