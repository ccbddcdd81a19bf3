//! [`Core`]: what a pool's handles, workers and steward share, and each step of a job's life.

mod attempts;
mod cancelling;
mod claiming;
mod ending;
mod queueing;
mod ringing;

use super::{
    alarms::Alarms,
    engine::Lanes,
    entry::{Entry, Ran},
    home::Home,
    inbox::{Hints, Inbox},
    kept,
    latent::Latents,
    settings::Settings,
    state::State,
    stats::Kinds,
    worker::Body,
};
use crate::{
    executor::{nanoseconds, platform},
    model::{Apart, AtomicBool, AtomicU64, Ordering},
    sync::{
        Event,
        latch::{Latch, LatchGuard},
    },
};
use std::sync::{Arc, Mutex, Once};

pub(super) struct Core {
    state: Apart<Latch<State>>,
    inbox: Apart<Latch<Inbox>>,
    hints: Hints,
    pub(super) kinds: Arc<Kinds>,
    pub(super) alarms: Alarms<Alarm>,
    pub(super) settings: Settings,
    pub(super) home: Home,
    /// Rings when the steward has something new to look at.
    pub(super) bell: Arc<Event>,
    /// Bodies that the steward is to start on the pool's loop.
    pub(super) wanted: Mutex<Vec<Body>>,
    has_steward: AtomicBool,
    pub(super) latents: Latents,
    pub(super) lanes: Lanes,
    /// Done when the clock was asked to tell of its changes.
    pub(super) listens: Once,
    generation: u64,
    threads_started: AtomicU64,
}

/// What is to be done later.
pub(super) enum Alarm {
    /// The attempt has taken too long.
    Timeout(Arc<dyn Entry>, u32),
    /// The attempt after this one is due.
    Again(Arc<dyn Entry>, u32),
    /// A latent job must start.
    Start(Arc<dyn Entry>),
    /// Whatever else.
    Call(Box<dyn FnOnce() + Send + Sync>),
}

/// A job that a body has to run.
pub(super) struct Claim {
    pub(super) entry: Arc<dyn Entry>,
    pub(super) attempt: u32,
}

impl Claim {
    #[inline]
    pub(super) fn run(self, core: &Arc<Core>) -> Ran {
        self.entry.run(core, self.attempt)
    }
}

/// What a body gets that asks for a job.
pub(super) enum Claimed {
    Job(Claim),
    /// There is none, but it keeps its slot, to look around once.
    Nothing,
    /// It has no slot any more, and waits at its seat.
    Rests,
    /// It has no slot any more, and is to end.
    Over,
}

/// Why a job is not taken.
pub(super) enum Refused {
    Full,
    ShutDown,
    Forked,
    NoWorker(Arc<str>),
}

/// What a job is waiting since whose times are not counted.
const UNCOUNTED: u64 = 0;

impl Core {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        let core = Self::at(Home::here(), settings);
        // One that lives on a loop must be started there.
        if !core.home.has_threads() {
            let _ = core.need_steward();
        }
        core
    }

    /// One that nobody works for yet.
    pub(super) fn at(home: Home, settings: Settings) -> Arc<Self> {
        let ageing = settings.ageing.map(nanoseconds);
        Arc::new(Self {
            state: Apart(Latch::new(State::new(settings.workers, ageing))),
            inbox: Apart(Latch::new(Inbox::new(settings.max_queued))),
            hints: Hints::new(),
            kinds: kept::kinds(&settings.name),
            alarms: Alarms::new(),
            home,
            settings,
            bell: Arc::new(Event::new()),
            wanted: Mutex::new(Vec::new()),
            has_steward: AtomicBool::new(false),
            latents: Latents::default(),
            lanes: Lanes::default(),
            listens: Once::new(),
            generation: platform::generation(),
            threads_started: AtomicU64::new(0),
        })
    }

    /// For tests that drive a pool by hand.
    #[cfg(all(test, ferry_loom))]
    pub(super) fn without_steward(workers: usize, max_queued: usize) -> Arc<Self> {
        let settings = Settings { workers, max_queued, ..Settings::default() };
        let core = Self::at(Home::nowhere(), settings);
        core.has_steward.store(true, Ordering::Release);
        core
    }

    #[inline]
    pub(super) fn lock(&self) -> LatchGuard<'_, State> {
        self.state.0.lock()
    }

    #[inline]
    pub(super) fn now(&self) -> u64 {
        self.home.now()
    }

    /// In how many nanoseconds a job gains a priority.
    pub(super) fn ageing(&self) -> Option<u64> {
        self.settings.ageing.map(nanoseconds)
    }

    pub(super) fn has_threads(&self) -> bool {
        self.home.has_threads()
    }

    pub(super) fn next_thread(&self) -> u64 {
        self.threads_started.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether this process was forked since.
    pub(super) fn is_forked(&self) -> bool {
        self.generation != platform::generation()
    }
}

/// Why jobs are cancelled that a pool has at its end.
pub(super) const CLOSED: &str = "the pool was shut down";

impl Drop for Core {
    fn drop(&mut self) {
        // The steward sees that there is no pool any more.
        self.bell.set();
    }
}
