//! How a pool is set up: [`PoolBuilder`].

use super::{
    clock::{DeadlineClock, SecondsClock},
    pool::Pool,
};
use crate::{time::Instant, value::ValueLimits};
use std::{error::Error, fmt, io::Write, sync::Arc, thread::available_parallelism, time::Duration};

/// What the submitter of a job does when the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Its task waits for room. Other tasks of its loop go on.
    #[default]
    Park,
    /// Its thread waits for room. On the loop that the pool itself lives on, which is so under a virtual clock, that is an
    /// error instead.
    Block,
    /// It gets [`SubmitError::Full`](super::SubmitError::Full) at once.
    Reject,
}

/// What is called with a job's name and its error, when nobody waits for that.
pub(super) type Report = Arc<dyn Fn(&str, &(dyn Error + Send + Sync + 'static)) + Send + Sync>;

pub(super) struct Settings {
    pub(super) name: Arc<str>,
    pub(super) workers: usize,
    pub(super) max_queued: usize,
    pub(super) when_full: WhenFull,
    pub(super) ageing: Option<Duration>,
    pub(super) stack: usize,
    pub(super) on_failure: Report,
    pub(super) clock: Arc<dyn DeadlineClock>,
    pub(super) safety: f64,
    pub(super) max_latent: usize,
    pub(super) values: ValueLimits,
    pub(super) retain_for: Duration,
    pub(super) max_retained: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "pool".into(),
            workers: available_parallelism().map_or(1, usize::from),
            max_queued: 1 << 16,
            when_full: WhenFull::default(),
            ageing: Some(Duration::from_secs(1)),
            stack: 2 << 20,
            on_failure: Arc::new(tell_on_stderr),
            clock: Arc::new(SecondsClock::showing(Instant::now().seconds())),
            safety: 1.5,
            max_latent: 1 << 16,
            values: ValueLimits::default(),
            retain_for: Duration::from_secs(600),
            max_retained: 10_000,
        }
    }
}

pub(super) const NO_WORKERS: &str = "a pool needs at least one worker";

/// Sets up a [`Pool`].
///
/// | | by default |
/// |---|---|
/// | [`name`](Self::name) | `pool` |
/// | [`workers`](Self::workers) | as many as there are processors |
/// | [`max_queued`](Self::max_queued) | 65,536 jobs |
/// | [`when_full`](Self::when_full) | [`WhenFull::Park`] |
/// | [`ageing`](Self::ageing) | one priority a second |
/// | [`on_failure`](Self::on_failure) | a line on stderr |
/// | [`stack_size`](Self::stack_size) | 2 MiB a thread |
/// | [`clock`](Self::clock) | seconds, as [`Pool::clock_now`] shows them |
/// | [`safety`](Self::safety) | 1.5 |
/// | [`max_latent`](Self::max_latent) | 65,536 jobs |
/// | [`values`](Self::values) | 64 deep, 64 MiB |
/// | [`retain_for`](Self::retain_for) | 10 minutes |
/// | [`max_retained`](Self::max_retained) | 10,000 results |
#[derive(Default)]
#[must_use = "build() makes the pool"]
pub struct PoolBuilder {
    settings: Settings,
}

impl PoolBuilder {
    /// Names the pool, for those who look at the metrics of several.
    pub fn name(mut self, name: &str) -> Self {
        self.settings.name = name.into();
        self
    }

    /// How many jobs may run at once.
    ///
    /// # Panics
    /// When it's 0.
    pub fn workers(mut self, workers: usize) -> Self {
        assert!(workers > 0, "{NO_WORKERS}");
        self.settings.workers = workers;
        self
    }

    /// How many jobs may wait, those among them whose next attempt is not due yet. As jobs that run and are to be tried again
    /// go back to the queue whether it's full or not, there may be as many more as there are workers.
    ///
    /// # Panics
    /// When it's 0.
    pub fn max_queued(mut self, max_queued: usize) -> Self {
        assert!(max_queued > 0, "a pool's queue must hold at least one job");
        self.settings.max_queued = max_queued;
        self
    }

    /// What [`submit`](super::JobBuilder::submit) does when the queue is full.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.settings.when_full = when_full;
        self
    }

    /// How long a job waits to gain one priority, so that no job waits for ever behind others of higher ones. `None`: age
    /// counts for nothing.
    ///
    /// # Panics
    /// When it's zero.
    pub fn ageing(mut self, ageing: Option<Duration>) -> Self {
        assert!(
            ageing != Some(Duration::ZERO),
            "a job can't gain priority in no time: give None for no ageing"
        );
        self.settings.ageing = ageing;
        self
    }

    /// Has `report` told of each failure that nobody waits for, with the job's name and its error.
    pub fn on_failure(
        mut self,
        report: impl Fn(&str, &(dyn Error + Send + Sync + 'static)) + Send + Sync + 'static,
    ) -> Self {
        self.settings.on_failure = Arc::new(report);
        self
    }

    /// How much stack each thread of the pool has, in bytes.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack = bytes;
        self
    }

    /// By what the deadlines of latent jobs are told.
    pub fn clock(mut self, clock: impl DeadlineClock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// A latent job starts this many times its estimate before its deadline.
    ///
    /// # Panics
    /// When it's negative, or no number.
    pub fn safety(mut self, safety: f64) -> Self {
        assert!(safety >= 0.0 && safety.is_finite(), "the safety is a factor from 0 on, not {safety}");
        self.settings.safety = safety;
        self
    }

    /// How many latent jobs may be planned at once.
    pub fn max_latent(mut self, max_latent: usize) -> Self {
        self.settings.max_latent = max_latent;
        self
    }

    /// How deep and how large arguments and results of jobs may be that are called by their names.
    pub fn values(mut self, limits: ValueLimits) -> Self {
        self.settings.values = limits;
        self
    }

    /// How long the result of a job that is known by a bare [id](Pool::ids) is kept, after it has ended.
    pub fn retain_for(mut self, time: Duration) -> Self {
        self.settings.retain_for = time;
        self
    }

    /// How many results are kept of jobs that are known by a bare [id](Pool::ids). The oldest go first.
    pub fn max_retained(mut self, max_retained: usize) -> Self {
        self.settings.max_retained = max_retained;
        self
    }

    /// Makes the pool. Threads are started once there is work for them.
    pub fn build(self) -> Pool {
        Pool::with(self.settings)
    }
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("workers", &self.settings.workers)
            .field("max_queued", &self.settings.max_queued)
            .field("when_full", &self.settings.when_full)
            .field("ageing", &self.settings.ageing)
            .finish_non_exhaustive()
    }
}

fn tell_on_stderr(name: &str, error: &(dyn Error + Send + Sync + 'static)) {
    // Where stderr is closed there is nowhere to tell it.
    let _ = writeln!(std::io::stderr(), "the job '{name}' failed, and nobody waits for it: {error}");
}
