//! Latent jobs: placeholders that start by themselves in time for their deadline.
//!
//! ```text
//!            start by = deadline - estimate * safety, or materialize()
//!   Latent ─────────────────────────────────────────────────────────────▶ Queued, and on as any job
//!      └──────── cancel(), or the pool is shut down ────────────────────▶ Ended: cancelled
//! ```
//!
//! Each of the three that come at once finds the job's [phase](super::phase) and changes it; one of them wins. When the
//! clock's pace changes, all alarms are set anew.

use super::{
    core::{Alarm, Core},
    entry::Entry,
    handle::Job,
    phase::{At, Stage},
    submit_error::SubmitError,
};
use crate::{
    cancel::Cancelled,
    executor::nanoseconds,
    model::{Mutex, lock},
    promise::{Outcome, State},
    time::Instant,
};
use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// A job that is not submitted yet: a placeholder for its result, which starts by itself in time to have it by the deadline.
/// It's made by [`JobBuilder::latent`](super::JobBuilder::latent).
///
/// The job starts when as much time is left as it's [estimated](super::JobBuilder::estimate) to take, times the pool's
/// [safety](super::PoolBuilder::safety); at once when that is past. It has its place in the queue then, however full that is. Its
/// deadline is told by the pool's [clock](super::PoolBuilder::clock).
///
/// Await it for the result; or [`materialize`](Self::materialize) it, if it's needed before. Dropping it leaves the job planned.
///
/// # Cancel safety
/// Dropping it half-way leaves the job planned, or running.
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, jobs::Pool, sleep};
/// use std::{io, time::Duration};
///
/// let second = Duration::from_secs(1);
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let pool = Pool::builder().safety(2.0).build();
///     let begun = Instant::now();
///     let render = pool.task(move |_| async move {
///         let started = begun.elapsed();
///         sleep(second * 3).await;
///         Ok::<_, io::Error>(started)
///     });
///     let deadline = pool.clock_now() + 10.0;
///     let latent = render.estimate(second * 3).latent("render", "stage", deadline).unwrap();
///     assert_eq!(latent.rule_id(), "render");
///     assert_eq!(latent.await.unwrap(), second * 4, "twice the estimate before the deadline");
/// });
/// ```
#[must_use = "a latent job whose reference is dropped stays planned; say so with `drop`"]
pub struct LatentRef<T> {
    rule_id: Arc<str>,
    space: Arc<str>,
    deadline: f64,
    job: Job<T>,
}

impl<T> LatentRef<T> {
    pub(super) fn plan(
        job: Job<T>,
        rule_id: &str,
        space: &str,
        deadline: f64,
        estimate: Duration,
    ) -> Result<Self, SubmitError> {
        if !deadline.is_finite() {
            return Err(SubmitError::Deadline(deadline));
        }
        job.core.plan(&job.erased(), deadline, estimate)?;
        Ok(Self { rule_id: rule_id.into(), space: space.into(), deadline, job })
    }

    /// The rule that asked for it.
    pub fn rule_id(&self) -> &str {
        &self.rule_id
    }

    /// The space that it's for.
    pub fn space(&self) -> &str {
        &self.space
    }

    /// By when its result is needed, on the pool's clock.
    pub fn deadline(&self) -> f64 {
        self.deadline
    }

    /// In how long it starts by itself, as things are now; `None` once it has started or was cancelled.
    pub fn starts_in(&self) -> Option<Duration> {
        self.job.core.starts_in(&self.job.erased())
    }

    /// Starts the job now, unless it has started already, and gives its handle, to be awaited.
    pub fn materialize(self) -> Job<T> {
        self.start();
        self.job
    }

    /// [`materialize`](Self::materialize) that keeps the reference. `false` when the job has started already, or was cancelled.
    pub fn start(&self) -> bool {
        self.job.core.start_held(&self.job.erased())
    }

    /// Withdraws the job, or cancels it if it has started: see [`Job::cancel`]. `false` when it has ended already.
    pub fn cancel(&self, message: &str) -> bool {
        self.job.cancel(message)
    }

    /// Where it stands: one of the four states that every language knows.
    pub fn state(&self) -> State {
        self.job.state()
    }

    /// The job's own handle.
    pub fn job(&self) -> &Job<T> {
        &self.job
    }
}

impl<T> Future for LatentRef<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        Pin::new(&mut self.job).poll(cx)
    }
}

impl<T> fmt::Debug for LatentRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatentRef")
            .field("rule_id", &self.rule_id)
            .field("space", &self.space)
            .field("deadline", &self.deadline)
            .field("stage", &self.job.stage())
            .finish()
    }
}

/// Those of a pool that have not started.
#[derive(Default)]
pub(super) struct Latents {
    planned: Mutex<BTreeMap<u64, Planned>>,
}

struct Planned {
    entry: Arc<dyn Entry>,
    deadline: f64,
    /// How long before the deadline it starts.
    lead: Duration,
}

impl Latents {
    /// One has started, or was cancelled.
    pub(super) fn remove(&self, entry: &Arc<dyn Entry>) {
        let gone = lock(&self.planned).remove(&entry.header().id.number());
        drop(gone);
    }
}

impl Core {
    fn plan(
        self: &Arc<Self>,
        entry: &Arc<dyn Entry>,
        deadline: f64,
        estimate: Duration,
    ) -> Result<(), SubmitError> {
        if self.is_forked() {
            return Err(SubmitError::Forked);
        }
        if !self.is_open() {
            return Err(SubmitError::ShutDown);
        }
        self.listen_to_clock();
        self.steward_for_plans()?;
        let lead = estimate.mul_f64(self.settings.safety);
        {
            let mut planned = lock(&self.latents.planned);
            if planned.len() >= self.settings.max_latent {
                return Err(SubmitError::Full { max_queued: self.settings.max_latent });
            }
            planned.insert(entry.header().id.number(), Planned { entry: entry.clone(), deadline, lead });
        }
        self.arm(entry, deadline, lead);
        // If the pool was shut down meanwhile, it may not have seen this one.
        if !self.is_open() {
            self.cancel_latent(super::core::CLOSED);
        }
        Ok(())
    }

    fn arm(self: &Arc<Self>, entry: &Arc<dyn Entry>, deadline: f64, lead: Duration) {
        let now = self.now();
        let left = self.settings.clock.until(deadline, Instant::at(now));
        // What is an eternity away needs no alarm.
        if left != Duration::MAX {
            let when = now.saturating_add(nanoseconds(left.saturating_sub(lead)));
            let key = self.set_alarm(when, Alarm::Start(entry.clone()));
            drop(self.alarms.take_back(entry.header().swap_alarm(key)));
        } else {
            drop(self.alarms.take_back(entry.header().swap_alarm(0)));
        }
    }

    /// Sets all alarms anew, as the clock's pace has changed.
    fn plan_anew(self: &Arc<Self>) {
        let plans: Vec<_> = {
            let planned = lock(&self.latents.planned);
            planned.values().map(|plan| (plan.entry.clone(), plan.deadline, plan.lead)).collect()
        };
        for (entry, deadline, lead) in plans {
            if entry.header().phase.at() == At::HELD {
                self.arm(&entry, deadline, lead);
            }
        }
    }

    /// Has the clock tell of its changes, once.
    fn listen_to_clock(self: &Arc<Self>) {
        self.listens.call_once(|| {
            let core = Arc::downgrade(self);
            self.settings.clock.on_change(Box::new(move || match core.upgrade() {
                Some(core) => {
                    core.plan_anew();
                    true
                }
                None => false,
            }));
        });
    }

    fn starts_in(&self, entry: &Arc<dyn Entry>) -> Option<Duration> {
        let (deadline, lead) = {
            let planned = lock(&self.latents.planned);
            let plan = planned.get(&entry.header().id.number())?;
            (plan.deadline, plan.lead)
        };
        let left = self.settings.clock.until(deadline, Instant::at(self.now()));
        Some(if left == Duration::MAX { left } else { left.saturating_sub(lead) })
    }

    /// Withdraws all that have not started.
    pub(super) fn cancel_latent(self: &Arc<Self>, why: &str) {
        let planned = std::mem::take(&mut *lock(&self.latents.planned));
        for plan in planned.into_values() {
            if plan.entry.header().phase.at().stage == Stage::Held {
                self.cancel(&plan.entry, &Cancelled::new(why));
            }
        }
    }
}
