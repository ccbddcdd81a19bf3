//! The clocks that deadlines of latent jobs are told by: [`DeadlineClock`], in seconds ([`SecondsClock`]) or in musical
//! beats ([`BeatClock`]).

use crate::{
    model::{Mutex, lock},
    time::Instant,
};
use std::{fmt, sync::Arc, time::Duration};

/// By what the deadlines of latent jobs are told: any measure of time that moves forward with the clock, at a pace that may
/// change.
pub trait DeadlineClock: Send + Sync + 'static {
    /// What the clock shows at this moment.
    fn at(&self, now: Instant) -> f64;

    /// How long it is until the clock shows `deadline`, as things are at this moment; zero when that is past. A clock that
    /// stands still gives [`Duration::MAX`].
    fn until(&self, deadline: f64, now: Instant) -> Duration;

    /// Has `changed` called whenever the clock's pace or position is changed, so that plans are made anew. It gives `false`
    /// when nobody listens any more, and is to be forgotten then. A clock that is never changed need not keep it.
    fn on_change(&self, changed: Box<dyn Fn() -> bool + Send + Sync>) {
        drop(changed);
    }
}

/// Seconds on the clock of the pool, which is the real one or a virtual one: those of [`Instant`], counted from a moment
/// of the program's choice.
///
/// ```
/// use asyncferry::jobs::SecondsClock;
///
/// // Deadlines are told as seconds since 1970.
/// let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
/// let clock = SecondsClock::showing(since_1970);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SecondsClock {
    /// What is added to the seconds of an instant.
    offset: f64,
}

impl SecondsClock {
    /// A clock that shows `seconds` now.
    pub fn showing(seconds: f64) -> Self {
        Self { offset: seconds - Instant::now().seconds() }
    }
}

impl DeadlineClock for SecondsClock {
    fn at(&self, now: Instant) -> f64 {
        now.seconds() + self.offset
    }

    fn until(&self, deadline: f64, now: Instant) -> Duration {
        duration(deadline - self.at(now))
    }
}

/// Beats at a tempo, which may change while jobs wait for their deadlines. Clones are the same clock.
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, jobs::{BeatClock, Pool}};
/// use std::{io, time::Duration};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let clock = BeatClock::new(120.0);
///     let pool = Pool::builder().clock(clock.clone()).build();
///     let begun = Instant::now();
///     let bar = pool.blocking(move |_| Ok::<_, io::Error>(begun.elapsed())).latent("fill", "drums", 4.0).unwrap();
///     clock.set_tempo(60.0);
///     assert_eq!(bar.await.unwrap(), Duration::from_secs(4));
/// });
/// ```
#[derive(Clone)]
pub struct BeatClock {
    shared: Arc<Mutex<Beats>>,
}

struct Beats {
    per_minute: f64,
    /// What it showed, and when.
    beat: f64,
    at: Instant,
    listeners: Vec<Arc<dyn Fn() -> bool + Send + Sync>>,
}

impl Beats {
    fn at(&self, now: Instant) -> f64 {
        self.beat + (now - self.at).as_secs_f64() * self.per_minute / 60.0
    }
}

impl BeatClock {
    /// A clock that shows beat 0 now and runs at so many beats a minute. At 0 it stands still.
    ///
    /// # Panics
    /// When the tempo is negative, or no number.
    pub fn new(per_minute: f64) -> Self {
        check_tempo(per_minute);
        let beats = Beats { per_minute, beat: 0.0, at: Instant::now(), listeners: Vec::new() };
        Self { shared: Arc::new(Mutex::new(beats)) }
    }

    /// How many beats a minute has.
    pub fn tempo(&self) -> f64 {
        lock(&self.shared).per_minute
    }

    /// Changes the tempo from now on.
    ///
    /// # Panics
    /// When it's negative, or no number.
    pub fn set_tempo(&self, per_minute: f64) {
        check_tempo(per_minute);
        self.change(|beats, now| {
            beats.beat = beats.at(now);
            beats.per_minute = per_minute;
        });
    }

    /// The beat that it shows now.
    pub fn beat(&self) -> f64 {
        lock(&self.shared).at(Instant::now())
    }

    /// Makes it show this beat now: a jump to another place of the music.
    ///
    /// # Panics
    /// When it's no number.
    pub fn set_beat(&self, beat: f64) {
        assert!(beat.is_finite(), "a clock can't show the beat {beat}");
        self.change(|beats, _| beats.beat = beat);
    }

    fn change(&self, change: impl FnOnce(&mut Beats, Instant)) {
        let now = Instant::now();
        let listeners = {
            let mut beats = lock(&self.shared);
            change(&mut beats, now);
            beats.at = now;
            beats.listeners.clone()
        };
        // Called when the lock is free, as they look at the clock.
        let deaf: Vec<_> = listeners.into_iter().filter(|listener| !listener()).collect();
        if !deaf.is_empty() {
            let is_deaf = |listener: &Arc<_>| deaf.iter().any(|deaf| Arc::ptr_eq(deaf, listener));
            lock(&self.shared).listeners.retain(|listener| !is_deaf(listener));
        }
    }
}

impl DeadlineClock for BeatClock {
    fn at(&self, now: Instant) -> f64 {
        lock(&self.shared).at(now)
    }

    fn until(&self, deadline: f64, now: Instant) -> Duration {
        let beats = lock(&self.shared);
        let left = deadline - beats.at(now);
        if left <= 0.0 {
            return Duration::ZERO;
        }
        if beats.per_minute == 0.0 { Duration::MAX } else { duration(left * 60.0 / beats.per_minute) }
    }

    fn on_change(&self, changed: Box<dyn Fn() -> bool + Send + Sync>) {
        lock(&self.shared).listeners.push(changed.into());
    }
}

impl fmt::Debug for BeatClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BeatClock").field("tempo", &self.tempo()).field("beat", &self.beat()).finish()
    }
}

fn check_tempo(per_minute: f64) {
    assert!(per_minute >= 0.0 && per_minute.is_finite(), "a tempo can't be {per_minute} beats a minute");
}

/// So many seconds; none if it's less, and for ever if it's too much.
fn duration(seconds: f64) -> Duration {
    if seconds <= 0.0 {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}
