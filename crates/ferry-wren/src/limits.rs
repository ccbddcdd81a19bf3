//! How long a script may run: in all, and at a stretch. The machine's guard asks here every two thousand steps or so.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use web_time::Instant;

/// The time that code takes which runs in a machine. What it waits for doesn't count.
#[derive(Clone, Default)]
pub(crate) struct Stopwatch(Arc<Mutex<Times>>);

#[derive(Default)]
struct Times {
    /// What is left of all.
    left: Option<Duration>,
    /// What may be taken at a stretch.
    stretch: Option<Duration>,
    began: Option<Instant>,
}

impl Stopwatch {
    pub(crate) fn new(time: Option<Duration>, stretch: Option<Duration>) -> Self {
        Self(Arc::new(Mutex::new(Times { left: time, stretch, began: None })))
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is anything to watch.
    pub(crate) fn is_needed(&self) -> bool {
        let times = self.times();
        times.left.is_some() || times.stretch.is_some()
    }

    /// Code begins to run.
    pub(crate) fn begin(&self) {
        self.times().began = Some(Instant::now());
    }

    /// Code has come back.
    pub(crate) fn end(&self) {
        let mut times = self.times();
        let Some(began) = times.began.take() else { return };
        if let Some(left) = &mut times.left {
            *left = left.saturating_sub(began.elapsed());
        }
    }

    /// Why the code that runs must stop, if it must.
    pub(crate) fn verdict(&self) -> Option<String> {
        let times = self.times();
        let taken = times.began?.elapsed();
        if times.left.is_some_and(|left| taken > left) {
            return Some("The script used up its time.".to_owned());
        }
        let stretch = times.stretch.filter(|stretch| taken > *stretch)?;
        Some(format!("The script ran for more than {stretch:?} without waiting for anything."))
    }
}
