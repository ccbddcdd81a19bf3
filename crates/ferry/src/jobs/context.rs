//! [`JobContext`]: what a job's code knows of the job.

use super::{entry::Entry, handle::JobId};
use crate::{
    cancel::{CancellationToken, Cancelled},
    value::Value,
};
use std::{fmt, sync::Arc};

/// What code that runs as a job knows of it: which attempt it is, and whether anybody still wants its result; and what it
/// tells of itself.
///
/// Code that blocks can't be stopped from outside. It looks now and then:
///
/// ```
/// use asyncferry::{AsyncRuntime, Cancelled, jobs::Pool};
///
/// let pool = Pool::new();
/// let job = pool.blocking(|job| {
///     for done in 0_i64.. {
///         job.check()?;
///         job.report(done);
///     }
///     Ok::<_, Cancelled>(())
/// });
/// AsyncRuntime::block_on(async {
///     let job = job.submit().await.unwrap();
///     job.cancel("enough");
///     assert_eq!(job.await.unwrap_err().to_string(), "cancelled: enough");
/// });
/// ```
#[derive(Clone)]
pub struct JobContext {
    entry: Arc<dyn Entry>,
    attempt: u32,
}

impl JobContext {
    pub(super) fn new(entry: Arc<dyn Entry>, attempt: u32) -> Self {
        Self { entry, attempt }
    }

    /// The job's id.
    pub fn id(&self) -> JobId {
        self.entry.header().id
    }

    /// Which attempt this is, from 1 on.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether nobody wants this attempt's result any more: the job was cancelled, the attempt took longer than its
    /// timeout, or it has ended. For async code this is when it was dropped or has ended; a request to cancel
    /// arrives in it where it waits, as in any task.
    pub fn is_cancelled(&self) -> bool {
        !self.entry.header().is_running(self.attempt)
    }

    /// For code that blocks, to be called now and then.
    ///
    /// # Errors
    /// When [`is_cancelled`](Self::is_cancelled).
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled::new("the job was given up")) } else { Ok(()) }
    }

    /// A token that is cancelled when this attempt is given up: for what the job hands its work on to. An attempt that
    /// ends by itself doesn't cancel it.
    pub fn token(&self) -> CancellationToken {
        self.entry.header().token(self.attempt)
    }

    /// Tells those who look at the job's progress how far it is. Only the last report is kept; those of an attempt that was given
    /// up count for nothing.
    pub fn report(&self, progress: impl Into<Value>) {
        if !self.is_cancelled() {
            self.entry.header().report(progress.into());
        }
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext").field("id", &self.id()).field("attempt", &self.attempt).finish()
    }
}
