//! [`InProcess`]: the engine that a pool is.

use super::{
    Acceptance, AttemptEnd, Beat, Claimed, Engine, EngineError, EngineFuture, EngineStream, Fence, JobSpec,
    Submission, Update,
    lanes::{self, Next, Remote},
};
use crate::{
    error::Failure,
    jobs::{NoRetry, builder::JobBuilder, core::Core, handle::Job, pool::Pool, submit_error::SubmitError},
    model::{Mutex, lock},
    patterns::Watchers,
    promise::{Outcome, Place},
    value::Value,
};
use futures_util::{StreamExt, stream};
use std::{collections::HashSet, fmt, future::poll_fn, sync::Arc};

/// A pool as an [`Engine`]: what [`Pool::engine`] gives. Jobs of names that are registered with the pool are run by its own
/// workers; all others by whoever claims them. It remembers jobs by their ids as long as the pool remembers
/// [bare numbers](Pool::ids).
#[derive(Clone)]
pub struct InProcess {
    pool: Pool,
}

/// Ids of jobs that wait for room.
#[derive(Default)]
pub(in crate::jobs) struct Reserved {
    ids: Mutex<(HashSet<Arc<str>>, Watchers)>,
}

/// An id that is reserved.
struct Reservation<'a> {
    reserved: &'a Reserved,
    id: Arc<str>,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut ids = lock(&self.reserved.ids);
            ids.0.remove(&self.id);
            ids.1.take()
        };
        waiting.tell();
    }
}

impl InProcess {
    pub(in crate::jobs) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    fn core(&self) -> &Arc<Core> {
        self.pool.core()
    }

    fn ageing(&self) -> Option<u64> {
        self.core().settings.ageing.map(crate::executor::nanoseconds)
    }

    /// The job of this id, when it's not just being submitted.
    async fn find(&self, id: &str) -> Result<Arc<Job<Value>>, EngineError> {
        let id: Arc<str> = id.into();
        loop {
            if let Some(job) = self.pool.keyed().get(&id) {
                return Ok(job);
            }
            let next = {
                let mut ids = lock(&self.pool.reserved().ids);
                if !ids.0.contains(&id) {
                    // It may have come in between.
                    return self.pool.keyed().get(&id).ok_or(EngineError::Unknown(id.clone()));
                }
                ids.1.watch()
            };
            let _ = next.await;
        }
    }

    fn job(&self, spec: &JobSpec) -> JobBuilder<Value> {
        let retry = spec.retry.clone();
        let arguments = spec.arguments.clone();
        let job = if self.pool.names().contains(&spec.name) {
            match retry {
                Some(retry) => self.pool.named_again(retry, &spec.name, arguments),
                None => self.pool.named(&spec.name, arguments),
            }
        } else {
            let name = spec.name.clone();
            let remote = Remote { name, arguments, heartbeat_timeout: spec.heartbeat_timeout };
            let job = JobBuilder::remote(self.core(), remote).name(&spec.name);
            match retry {
                Some(retry) => job.retry(retry),
                None => job,
            }
        };
        let job = job.priority(spec.priority);
        match spec.timeout {
            Some(timeout) => job.timeout(timeout),
            None => job,
        }
    }
}

impl Engine for InProcess {
    fn submit(&self, mut spec: JobSpec) -> EngineFuture<'_, Submission> {
        Box::pin(async move {
            let arguments = std::mem::take(&mut spec.arguments);
            spec.arguments = self
                .core()
                .settings
                .values
                .admit(arguments)
                .map_err(|error| EngineError::Refused(error.to_string()))?;
            let reservation = {
                let mut ids = lock(&self.pool.reserved().ids);
                if self.pool.keyed().get(&spec.id).is_some() || !ids.0.insert(spec.id.clone()) {
                    return Ok(Submission::AlreadyThere);
                }
                Reservation { reserved: self.pool.reserved(), id: spec.id.clone() }
            };
            let job = self.job(&spec).submit().await.map_err(|error| match error {
                SubmitError::ShutDown => EngineError::ShutDown,
                other => EngineError::Refused(other.to_string()),
            })?;
            self.pool.keyed().keep(spec.id, Arc::new(job));
            drop(reservation);
            Ok(Submission::New)
        })
    }

    fn claim<'a>(&'a self, names: &'a [Arc<str>]) -> EngineFuture<'a, Option<Claimed>> {
        Box::pin(async move {
            let core = self.core();
            loop {
                let (entry, attempt) = match core.lanes.next(names, self.ageing()) {
                    Next::Job(entry, attempt) => (entry, attempt),
                    Next::Over => return Ok(None),
                    Next::Wait(next) => {
                        let _ = next.await;
                        continue;
                    }
                };
                core.has_been_claimed(&entry, attempt);
                let Some(remote) = entry.remote() else { unreachable!("only such jobs are in lanes") };
                return Ok(Some(Claimed::new(
                    entry.header().id.to_string().into(),
                    remote.name.clone(),
                    remote.arguments.clone(),
                    attempt,
                    lanes::fence(entry.header().id.number(), attempt),
                    remote.heartbeat_timeout,
                )));
            }
        })
    }

    fn heartbeat<'a>(&'a self, fence: &'a Fence, progress: Option<Value>) -> EngineFuture<'a, Beat> {
        Box::pin(async move {
            let known = self.core().lanes.claimed(fence);
            let Some((entry, attempt)) = known.filter(|(entry, attempt)| entry.header().is_running(*attempt))
            else {
                return Ok(Beat::Stop("the attempt was given up, or its job was cancelled".to_owned()));
            };
            if let Some(progress) = progress {
                entry.header().report(progress);
            }
            self.core().heard_of(&entry, attempt);
            Ok(Beat::GoOn)
        })
    }

    fn complete<'a>(&'a self, fence: &'a Fence, end: AttemptEnd) -> EngineFuture<'a, Acceptance> {
        Box::pin(async move {
            let core = self.core();
            let Some((entry, attempt)) = core.lanes.claimed(fence) else { return Ok(Acceptance::Refused) };
            let is_accepted = match end {
                AttemptEnd::Completed(value) => match core.settings.values.admit(value) {
                    Ok(value) => entry.clone().complete(core, attempt, value),
                    Err(error) => core.has_failed(&entry, attempt, Failure::from_error(NoRetry::new(error))),
                },
                AttemptEnd::Failed { error, may_retry: true } => {
                    core.has_failed(&entry, attempt, Failure::from_error(error))
                }
                AttemptEnd::Failed { error, may_retry: false } => {
                    core.has_failed(&entry, attempt, Failure::from_error(NoRetry::new(error)))
                }
                AttemptEnd::Cancelled(message) => {
                    core.has_failed(&entry, attempt, Failure::cancelled(&message))
                }
            };
            Ok(if is_accepted { Acceptance::Accepted } else { Acceptance::Refused })
        })
    }

    fn cancel<'a>(&'a self, id: &'a str, message: &'a str) -> EngineFuture<'a, bool> {
        Box::pin(async move { Ok(self.find(id).await?.cancel(message)) })
    }

    fn watch<'a>(&'a self, id: &'a str) -> EngineFuture<'a, EngineStream<'static>> {
        Box::pin(async move {
            let job = self.find(id).await?;
            let progress = job.watch_progress().map(Update::Progress);
            let end = stream::once(async move { Update::Ended(ended(&job).await) });
            Ok(Box::pin(progress.chain(end)) as EngineStream<'static>)
        })
    }
}

/// Waits until a job has ended, and gives a copy of its outcome.
async fn ended(job: &Job<Value>) -> Outcome<Value> {
    struct Waits<'a>(&'a Job<Value>, Place);

    impl Drop for Waits<'_> {
        fn drop(&mut self) {
            self.0.entry.outcome().forget(&mut self.1);
        }
    }

    let mut waits = Waits(job, None);
    poll_fn(|cx| waits.0.entry.outcome().poll_settled(&mut waits.1, cx)).await;
    job.outcome().unwrap_or_else(|| Err(Failure::cancelled("its result was given out already")))
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InProcess").field(&self.pool).finish()
    }
}
