//! What a process has counted of its jobs, for who looks at all of them: [`keep_metrics`] and [`kept_metrics`]; and
//! [`JobMeter`], for work that is run by other means than a pool.

use super::stats::{Ended, JobMetrics, Kinds, Place, Times};
use crate::executor::real;
use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What one pool has counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptMetrics {
    /// The pool's name.
    pub pool: Arc<str>,
    /// A row for each name and priority of its jobs.
    pub jobs: Vec<JobMetrics>,
}

static IS_KEPT: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<Vec<(Arc<str>, Arc<Kinds>)>> = Mutex::new(Vec::new());

/// The counts of so many pools are kept. Those of further ones are not.
const MOST: usize = 1000;

/// From now on, what each new pool counts is kept for [`kept_metrics`], also when the pool is gone.
///
/// ```
/// use asyncferry::{AsyncRuntime, jobs::{Pool, keep_metrics, kept_metrics}};
/// use std::io;
///
/// keep_metrics();
/// let pool = Pool::builder().name("renderers").build();
/// AsyncRuntime::block_on(async {
///     pool.blocking(|_| Ok::<_, io::Error>(1)).submit().await.unwrap().await.unwrap();
/// });
/// drop(pool);
/// let kept = kept_metrics();
/// assert_eq!((&*kept[0].pool, kept[0].jobs[0].done), ("renderers", 1));
/// ```
pub fn keep_metrics() {
    IS_KEPT.store(true, Ordering::Relaxed);
}

/// Whether [`keep_metrics`] was called.
pub fn are_metrics_kept() -> bool {
    IS_KEPT.load(Ordering::Relaxed)
}

/// What the pools have counted that were made since [`keep_metrics`], in the order in which they were made, without those that had no
/// job.
pub fn kept_metrics() -> Vec<KeptMetrics> {
    let kept = kept().clone();
    let read = |(pool, kinds): (Arc<str>, Arc<Kinds>)| KeptMetrics { pool, jobs: kinds.read() };
    kept.into_iter().map(read).filter(|pool| !pool.jobs.is_empty()).collect()
}

fn kept() -> MutexGuard<'static, Vec<(Arc<str>, Arc<Kinds>)>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts for a new pool.
pub(super) fn kinds(pool: &Arc<str>) -> Arc<Kinds> {
    let kinds = Arc::new(Kinds::new());
    if are_metrics_kept() {
        let mut kept = kept();
        if kept.len() < MOST {
            kept.push((pool.clone(), kinds.clone()));
        }
    }
    kinds
}

/// Counts work that is run by other means than a [`Pool`](super::Pool), so that it's seen beside the jobs of those.
///
/// ```
/// use asyncferry::jobs::JobMeter;
///
/// let meter = JobMeter::new("requests");
/// let mut request = meter.submitted("GET", 0);
/// request.begun();
/// request.done();
/// assert_eq!(meter.metrics()[0].done, 1);
/// ```
#[derive(Clone)]
pub struct JobMeter {
    kinds: Arc<Kinds>,
}

impl JobMeter {
    /// One that counts under this name, beside those of pools.
    pub fn new(pool: &str) -> Self {
        Self { kinds: kinds(&pool.into()) }
    }

    /// A piece of work has come that is to be run.
    pub fn submitted(&self, name: &str, priority: i8) -> Metered {
        let place = self.kinds.place(name, priority);
        self.kinds.get(place).submitted();
        Metered { kinds: self.kinds.clone(), place, since: real(), began: None, is_over: false }
    }

    /// What it has counted.
    pub fn metrics(&self) -> Vec<JobMetrics> {
        self.kinds.read()
    }
}

impl fmt::Debug for JobMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobMeter").field(&self.metrics()).finish()
    }
}

/// A piece of work that a [`JobMeter`] counts. Dropping it counts it as cancelled, unless it has ended.
pub struct Metered {
    kinds: Arc<Kinds>,
    place: Place,
    since: u64,
    began: Option<u64>,
    is_over: bool,
}

impl Metered {
    /// It runs from now on.
    pub fn begun(&mut self) {
        if self.began.is_none() {
            self.began = Some(real());
            self.kinds.get(self.place).begun();
        }
    }

    /// It has completed.
    pub fn done(mut self) {
        self.end(Ended::Done);
    }

    /// It has failed.
    pub fn failed(mut self) {
        self.end(Ended::Failed);
    }

    fn end(&mut self, how: Ended) {
        self.is_over = true;
        let kind = self.kinds.get(self.place);
        match self.began {
            Some(began) => {
                let times =
                    Times { wait: began.saturating_sub(self.since), run: real().saturating_sub(began) };
                kind.ended(how, Some(times));
            }
            None if how == Ended::Cancelled => kind.cancelled_unbegun(true),
            None => {
                self.begun();
                self.end(how);
            }
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        if !self.is_over {
            self.end(Ended::Cancelled);
        }
    }
}

impl fmt::Debug for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered").field("name", &self.kinds.get(self.place).name).finish_non_exhaustive()
    }
}
