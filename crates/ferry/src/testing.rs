//! Testing async code on the virtual clock, under many orders of its tasks.
//!
//! - [`seeds`] runs a scenario once for each seed, and names the one that fails; `FERRY_SEED` runs that one alone.
//! - [`Seeds::sweep`] also cancels what the scenario says at each of its await points, one after another.
//!
//! Seed 0 is the order of the real loop, first in, first out; each other seed shuffles the tasks of a tick, and
//! gives the same order again. All of it runs on [`block_on_virtual`](crate::AsyncRuntime::block_on_virtual), so
//! no schedule takes time.
//!
//! A scenario that waits for ever fails, instead of hanging: when nothing can run, the clock jumps to an end that
//! lies a hundred years ahead. What is out of the loop's sight, as a thread that will settle a promise, keeps the
//! clock from jumping with [`hold_clock`](crate::hold_clock).

mod cancel_point;
pub mod engines;

pub use cancel_point::{CancelPoint, Cancelling};

use crate::{error::AsyncError, executor::Order, runtime::AsyncRuntime, time::timeout};
use std::{
    error::Error,
    ffi::{OsStr, OsString},
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// The variable that says which seed is to run alone.
const VARIABLE: &str = "FERRY_SEED";

/// So long a scenario may take on the virtual clock: longer than any that ends.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The orders 0 to `count - 1`, to run a scenario under. Seed 0 is first in, first out.
///
/// Where the environment has `FERRY_SEED=n`, seed n alone is run, whatever `count` is.
///
/// ```
/// use asyncferry::{sleep, spawn_local, testing};
/// use std::{cell::RefCell, collections::BTreeSet, time::Duration};
///
/// let seen = RefCell::new(BTreeSet::new());
/// let schedules = testing::seeds(20).run(|| async {
///     let [a, b] = ["a", "b"].map(|name| spawn_local(async move {
///         sleep(Duration::from_secs(3600)).await;
///         name
///     }));
///     let both = format!("{}{}", a.await?, b.await?);
///     seen.borrow_mut().insert(both);
///     Ok::<_, asyncferry::AsyncError>(())
/// });
/// assert_eq!(schedules, 20);
/// assert_eq!(seen.into_inner().len(), 1, "the order of the tasks makes no difference here");
/// ```
pub fn seeds(count: u64) -> Seeds {
    Seeds { count, replay: std::env::var_os(VARIABLE) }
}

/// What [`seeds`] returns.
#[derive(Clone, Debug)]
#[must_use = "it runs nothing by itself"]
pub struct Seeds {
    count: u64,
    replay: Option<OsString>,
}

impl Seeds {
    /// Runs the future that `scenario` makes once under each seed, and says how many schedules that were.
    ///
    /// # Panics
    /// When a schedule panics, gives an `Err` or waits for ever: with the reason, its seed, and how to run it again.
    /// When `FERRY_SEED` is no number, and when there is no seed to run.
    #[track_caller]
    pub fn run<F: Future>(self, scenario: impl FnMut() -> F) -> u64
    where
        F::Output: Verdict,
    {
        self.try_run(scenario).unwrap_or_else(|failed| panic!("{failed}"))
    }

    /// [`run`](Self::run) that gives the failure.
    ///
    /// # Errors
    /// [`FailedSchedule`] where [`run`](Self::run) panics. A panic's message is on stderr nevertheless.
    ///
    /// ```
    /// use asyncferry::testing;
    ///
    /// let failed = testing::seeds(5).try_run(|| async { Err::<(), _>("lost an item") }).unwrap_err();
    /// assert_eq!(failed.seed(), Some(0));
    /// assert!(failed.to_string().contains("lost an item"));
    /// assert!(failed.to_string().contains("FERRY_SEED=0"));
    /// ```
    pub fn try_run<F: Future>(self, mut scenario: impl FnMut() -> F) -> Result<u64, FailedSchedule>
    where
        F::Output: Verdict,
    {
        let mut ran = 0;
        for seed in self.chosen()? {
            ran += 1;
            let failed = |reason| FailedSchedule { seed: Some(seed), at: String::new(), ran, reason };
            attempt(seed, &mut scenario).map_err(failed)?;
        }
        Ok(ran)
    }

    /// Runs the scenario under each seed again and again, and each time cancels at another await point what the
    /// scenario gives to [`CancelPoint::cancel`], until it's through without having met that point. Says how many
    /// schedules that were.
    ///
    /// At each await point (a poll that gave `Pending`) there are three moments to drop the future: at once; a tick
    /// later, when other tasks have run; and when it's woken, with what it was woken for already on its way, as
    /// an item that was handed to it. The scenario checks afterwards, or in between, that nothing was lost.
    ///
    /// ```
    /// use asyncferry::{promise, spawn_local, testing};
    ///
    /// let schedules = testing::seeds(10).sweep(|point| async move {
    ///     let (promise, future) = promise();
    ///     let other = future.clone();
    ///     let cancelled = spawn_local(point.cancel(future));
    ///     let waits = spawn_local(other);
    ///     promise.complete(42).unwrap();
    ///     assert_eq!(waits.await.unwrap().unwrap(), 42, "one that stays has its value");
    ///     assert!(matches!(cancelled.await, Ok(None | Some(Ok(42)))));
    /// });
    /// assert!(schedules >= 10);
    /// ```
    ///
    /// # Panics
    /// As [`run`](Self::run), with the await point as well; and when the scenario cancels nothing.
    #[track_caller]
    pub fn sweep<F: Future>(self, scenario: impl FnMut(CancelPoint) -> F) -> u64
    where
        F::Output: Verdict,
    {
        self.try_sweep(scenario).unwrap_or_else(|failed| panic!("{failed}"))
    }

    /// [`sweep`](Self::sweep) that gives the failure.
    ///
    /// # Errors
    /// [`FailedSchedule`] where [`sweep`](Self::sweep) panics.
    ///
    /// ```
    /// use asyncferry::{testing, yield_now};
    /// use std::cell::Cell;
    ///
    /// let failed = testing::seeds(1).try_sweep(|point| async move {
    ///     let begun = Cell::new(0);
    ///     point.cancel(async {
    ///         begun.set(begun.get() + 1);
    ///         yield_now().await;
    ///         begun.set(begun.get() - 1); // not if it's cancelled before
    ///     }).await;
    ///     if begun.get() == 0 { Ok(()) } else { Err("it's still counted") }
    /// });
    /// assert!(failed.unwrap_err().to_string().contains("at await point 1"));
    /// ```
    pub fn try_sweep<F: Future>(
        self,
        mut scenario: impl FnMut(CancelPoint) -> F,
    ) -> Result<u64, FailedSchedule>
    where
        F::Output: Verdict,
    {
        let mut ran = 0;
        for seed in self.chosen()? {
            for point in CancelPoint::all() {
                ran += 1;
                let failed =
                    |reason| FailedSchedule { seed: Some(seed), at: format!(", {point}"), ran, reason };
                attempt(seed, || scenario(point.clone())).map_err(failed)?;
                if point.is_through().map_err(failed)? {
                    break;
                }
            }
        }
        Ok(ran)
    }

    /// The seeds to run.
    fn chosen(&self) -> Result<std::ops::Range<u64>, FailedSchedule> {
        let refused = |reason| FailedSchedule { seed: None, at: String::new(), ran: 0, reason };
        match self.replay.as_deref().map(parsed).transpose().map_err(refused)? {
            Some(seed) => Ok(seed..seed.saturating_add(1)),
            None if self.count == 0 => {
                Err(refused("there is no seed to run: give seeds() 1 or more".to_owned()))
            }
            None => Ok(0..self.count),
        }
    }
}

/// What a scenario may give: nothing, or a `Result`, whose `Err` says that it failed.
pub trait Verdict {
    /// Why it failed, if it did.
    fn failure(self) -> Option<String>;
}

impl Verdict for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<T: Verdict, E: fmt::Debug> Verdict for Result<T, E> {
    fn failure(self) -> Option<String> {
        match self {
            Ok(inner) => inner.failure(),
            Err(error) => Some(format!("it gave Err({error:?})")),
        }
    }
}

/// The schedule that failed, and how to run it again.
#[derive(Clone, Debug)]
pub struct FailedSchedule {
    seed: Option<u64>,
    at: String,
    ran: u64,
    reason: String,
}

impl FailedSchedule {
    /// The seed that failed; `None` when none was run.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// How many schedules were run, this one included.
    pub fn schedules(&self) -> u64 {
        self.ran
    }
}

impl fmt::Display for FailedSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed: Some(seed), at, ran, reason } = self else { return f.write_str(&self.reason) };
        writeln!(f, "seed {seed}{at}, failed after {} schedules that did not: {reason}", ran - 1)?;
        write!(f, "run it alone with {VARIABLE}={seed} in the environment")
    }
}

impl Error for FailedSchedule {}

/// Runs what `scenario` makes under `seed`; why it failed, if it did.
fn attempt<F: Future>(seed: u64, scenario: impl FnOnce() -> F) -> Result<(), String>
where
    F::Output: Verdict,
{
    let order = if seed == 0 { Order::Fifo } else { Order::Seeded(seed) };
    let bounded = async { timeout(FOR_EVER, scenario()).await };
    // What a panic leaves half-done in the scenario is not looked at any more.
    match catch_unwind(AssertUnwindSafe(|| AsyncRuntime::block_on_virtual(order, bounded))) {
        Ok(Ok(verdict)) => verdict.failure().map_or(Ok(()), Err),
        Ok(Err(_)) => Err("it waits for ever: nothing can run, and no timer is pending".to_owned()),
        Err(payload) => Err(AsyncError::from_panic(payload).to_string()),
    }
}

fn parsed(seed: &OsStr) -> Result<u64, String> {
    let number = seed.to_str().and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| {
        format!("{VARIABLE} is {seed:?}, which is no seed: give a whole number from 0 on, or leave it unset")
    })
}

// Not under Miri, which has not what a loop of the system needs; nothing here is unsafe.
#[cfg(all(test, not(ferry_loom), not(miri)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
