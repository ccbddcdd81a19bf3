//! What a pool counts: [`Kinds`], one for each name and priority, and what others read of them, [`JobMetrics`].

use crate::{
    model::{Apart, AtomicU64, Mutex, Ordering, lock},
    sync::latch::Latch,
};
use hdrhistogram::Histogram;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// So many names and priorities are told apart. What comes later is counted as [`OTHERS`].
const MOST: usize = 1024;

/// The times of so many of a kind are all counted.
const FEW: u64 = 1000;

/// The name of all that are too many to be told apart.
pub(super) const OTHERS: &str = "(others)";

/// The name of jobs that were given none.
pub(super) const PLAIN: &str = "job";

/// What a pool has counted of the jobs of one name and priority; see [`Pool::metrics`](super::Pool::metrics).
///
/// `queued` and `running` are as they are now, `waiting` counts those whose next attempt is not due yet, and the others
/// count since the pool was made. An attempt that was given up is no more counted as running, although its code may not have
/// come back yet.
///
/// The times are those of the first thousand attempts, and from then on of one in 16, as reading the clock is dear beside a short job;
/// under a virtual clock of all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobMetrics {
    /// The name that the jobs were given; `job` where they have none.
    pub name: Arc<str>,
    /// Their priority.
    pub priority: i8,
    /// How many wait in the queue.
    pub queued: u64,
    /// How many run.
    pub running: u64,
    /// How many wait until their next attempt is due.
    pub waiting: u64,
    /// How many have completed.
    pub done: u64,
    /// How many have failed for good.
    pub failed: u64,
    /// How many were cancelled.
    pub cancelled: u64,
    /// How many attempts failed and were followed by another.
    pub retried: u64,
    /// How long an attempt waited in the queue, the median of all.
    pub wait_p50: Duration,
    /// The 99th percentile of that.
    pub wait_p99: Duration,
    /// How long an attempt ran, the median of all.
    pub run_p50: Duration,
    /// The 99th percentile of that.
    pub run_p99: Duration,
}

/// Those of one name and priority.
pub(super) struct Kind {
    pub(super) name: Arc<str>,
    pub(super) priority: i8,
    submitted: Apart<AtomicU64>,
    begun: Apart<AtomicU64>,
    ends: Apart<Latch<Ends>>,
}

struct Ends {
    /// Attempts that have ended, whichever way.
    attempts: u64,
    done: u64,
    failed: u64,
    cancelled: u64,
    retried: u64,
    /// Attempts that came after another, and are in the queue or were.
    again: u64,
    /// Of those that were cancelled, which had not begun.
    unbegun: u64,
    wait: Histogram<u32>,
    run: Histogram<u32>,
}

/// How long an attempt was in the queue, and ran, in nanoseconds.
pub(super) struct Times {
    pub(super) wait: u64,
    pub(super) run: u64,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    Failed,
    Cancelled,
    /// It failed, and another follows.
    Retried,
}

impl Kind {
    fn new(name: Arc<str>, priority: i8) -> Self {
        let ends = Ends {
            attempts: 0,
            done: 0,
            failed: 0,
            cancelled: 0,
            retried: 0,
            again: 0,
            unbegun: 0,
            wait: histogram(),
            run: histogram(),
        };
        Self {
            name,
            priority,
            submitted: Apart(AtomicU64::new(0)),
            begun: Apart(AtomicU64::new(0)),
            ends: Apart(Latch::new(ends)),
        }
    }

    #[inline]
    pub(super) fn submitted(&self) {
        self.submitted.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the times of all are counted still.
    #[inline]
    pub(super) fn has_had_few(&self) -> bool {
        self.submitted.0.load(Ordering::Relaxed) < FEW
    }

    #[inline]
    pub(super) fn begun(&self) {
        self.begun.0.fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt has ended that took so long, if its time is counted.
    #[inline]
    pub(super) fn ended(&self, how: Ended, times: Option<Times>) {
        let mut ends = self.ends.0.lock();
        ends.attempts += 1;
        match how {
            Ended::Done => ends.done += 1,
            Ended::Failed => ends.failed += 1,
            Ended::Cancelled => ends.cancelled += 1,
            Ended::Retried => ends.retried += 1,
        }
        if let Some(times) = times {
            // They grow with what they are given.
            let _ = (ends.wait.record(times.wait), ends.run.record(times.run));
        }
    }

    /// An attempt is in the queue that comes after another.
    pub(super) fn again(&self) {
        self.ends.0.lock().again += 1;
    }

    /// A job was cancelled in the queue, or while it waited for its next attempt.
    pub(super) fn cancelled_unbegun(&self, was_queued: bool) {
        let mut ends = self.ends.0.lock();
        ends.cancelled += 1;
        if was_queued {
            ends.unbegun += 1;
        } else {
            // As if the attempt that was to follow had been.
            ends.again += 1;
            ends.unbegun += 1;
        }
    }

    fn read(&self) -> JobMetrics {
        // What comes later in a job's life is read first, so that no difference is negative.
        let ends = self.ends.0.lock();
        let begun = self.begun.0.load(Ordering::Acquire);
        let submitted = self.submitted.0.load(Ordering::Acquire);
        let at = |histogram: &Histogram<u32>, quantile| {
            Duration::from_nanos(histogram.value_at_quantile(quantile))
        };
        JobMetrics {
            name: self.name.clone(),
            priority: self.priority,
            queued: (submitted + ends.again).saturating_sub(begun + ends.unbegun),
            running: begun.saturating_sub(ends.attempts),
            waiting: ends.retried.saturating_sub(ends.again),
            done: ends.done,
            failed: ends.failed,
            cancelled: ends.cancelled,
            retried: ends.retried,
            wait_p50: at(&ends.wait, 0.5),
            wait_p99: at(&ends.wait, 0.99),
            run_p50: at(&ends.run, 0.5),
            run_p99: at(&ends.run, 0.99),
        }
    }
}

/// Of nanoseconds, to two digits. It grows as it needs to, to 30 kB at most.
fn histogram() -> Histogram<u32> {
    Histogram::new(2).unwrap_or_else(|_| unreachable!("two digits can be had"))
}

/// All kinds of a pool. They stay as long as the pool, so a job names its own by its place.
pub(super) struct Kinds {
    table: Box<[OnceLock<Box<Kind>>]>,
    places: Mutex<BTreeMap<(i8, Arc<str>), u16>>,
}

/// Where a kind is in the table.
pub(super) type Place = u16;

impl Kinds {
    pub(super) fn new() -> Self {
        let kinds = Self { table: (0..MOST).map(|_| OnceLock::new()).collect(), places: Mutex::default() };
        // The first place is that of jobs without a name, the last one that of those which are too many.
        kinds.place(PLAIN, 0);
        let _ = kinds.table[MOST - 1].set(Box::new(Kind::new(OTHERS.into(), 0)));
        kinds
    }

    pub(super) fn get(&self, place: Place) -> &Kind {
        self.table[usize::from(place)]
            .get()
            .unwrap_or_else(|| unreachable!("only places of kinds are given out"))
    }

    /// The place of those with this name and priority.
    pub(super) fn place(&self, name: &str, priority: i8) -> Place {
        let mut places = lock(&self.places);
        let next = places.len();
        if let Some(place) = places.get(&(priority, Arc::from(name))) {
            return *place;
        }
        let last = (MOST - 1) as Place;
        if next >= usize::from(last) {
            return last;
        }
        let name: Arc<str> = name.into();
        let _ = self.table[next].set(Box::new(Kind::new(name.clone(), priority)));
        places.insert((priority, name), next as Place);
        next as Place
    }

    /// All that have counted anything, in the order of their first jobs.
    pub(super) fn read(&self) -> Vec<JobMetrics> {
        let used = |kind: &Kind| kind.submitted.0.load(Ordering::Acquire) > 0;
        self.table
            .iter()
            .filter_map(OnceLock::get)
            .filter(|kind| used(kind))
            .map(|kind| kind.read())
            .collect()
    }
}
