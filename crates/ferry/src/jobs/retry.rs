//! [`Retry`]: how often a job that fails is tried, and how long it waits in between.

use super::registry::NamedError;
use crate::error::{AsyncError, Failure};
use std::{error::Error, fmt, sync::Arc, time::Duration};

type Judge = Arc<dyn Fn(&(dyn Error + Send + Sync + 'static)) -> bool + Send + Sync>;

/// How often a job is tried in all, and how long it waits before each further attempt.
///
/// The wait before attempt n + 1 is `delay * factor^(n - 1)`, at most [`max_delay`](Self::max_delay), of which a random
/// part is taken off, up to [`jitter`](Self::jitter): so that those which failed together don't come back together. Under a
/// virtual clock the loop's seed decides that part.
///
/// A job that was cancelled is never tried again; one that failed, panicked or took too long is, unless
/// [`only_if`](Self::only_if) says otherwise.
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, jobs::{Pool, Retry}};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let second = Duration::from_secs(1);
///     let pool = Pool::new();
///     let retry = Retry::new(3).delay(second).jitter(0.0);
///     let begun = Instant::now();
///     let job = pool.task_again(retry, |job| async move {
///         if job.attempt() < 3 { Err("not yet") } else { Ok(job.attempt()) }
///     });
///     assert_eq!(job.submit().await.unwrap().await.unwrap(), 3);
///     assert_eq!(begun.elapsed(), second * 3, "1 second, then 2");
/// });
/// ```
#[derive(Clone)]
pub struct Retry {
    attempts: u32,
    delay: Duration,
    factor: f64,
    max_delay: Duration,
    jitter: f64,
    only_if: Option<Judge>,
}

impl Retry {
    /// At most so many attempts in all, with waits of 100 ms, 200 ms and so on up to 30 s, of which up to half is
    /// taken off.
    ///
    /// # Panics
    /// When `attempts` is 0.
    pub fn new(attempts: u32) -> Self {
        assert!(attempts > 0, "a job needs at least one attempt");
        Self {
            attempts,
            delay: Duration::from_millis(100),
            factor: 2.0,
            max_delay: Duration::from_secs(30),
            jitter: 0.5,
            only_if: None,
        }
    }

    /// The wait before the second attempt.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// How many times longer each wait is than the one before. 1 makes all alike.
    ///
    /// # Panics
    /// When it's less than 1, or no number.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        assert!(factor >= 1.0 && factor.is_finite(), "waits grow by a factor of 1 or more, not of {factor}");
        self.factor = factor;
        self
    }

    /// No wait is longer than that.
    #[must_use]
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Which part of a wait may be taken off, from 0 for none to 1 for all.
    ///
    /// # Panics
    /// When it's not from 0 to 1.
    #[must_use]
    pub fn jitter(mut self, jitter: f64) -> Self {
        assert!((0.0..=1.0).contains(&jitter), "the jitter is a part from 0 to 1, not {jitter}");
        self.jitter = jitter;
        self
    }

    /// Tries again only after an error for which `judge` says `true`. One that panics counts as `false`.
    #[must_use]
    pub fn only_if(
        mut self,
        judge: impl Fn(&(dyn Error + Send + Sync + 'static)) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.only_if = Some(Arc::new(judge));
        self
    }

    /// How many attempts there are in all.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long to wait after this attempt has failed; `None` when no other follows. `random` is any number.
    pub(super) fn after(&self, attempt: u32, failure: &Failure, random: u64) -> Option<Duration> {
        let Failure::Failed(error) = failure else { return None };
        if attempt >= self.attempts || error.is::<NoRetry>() || error.is::<NamedError>() {
            return None;
        }
        let judged = || self.only_if.as_ref().is_none_or(|judge| judge(&**error));
        let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(judged)).unwrap_or(false);
        again.then(|| self.wait(attempt, random))
    }

    fn wait(&self, attempt: u32, random: u64) -> Duration {
        let grown = self.delay.as_secs_f64() * self.factor.powf(f64::from(attempt - 1));
        let part = (random >> 11) as f64 / (1_u64 << 53) as f64;
        let seconds = grown.min(self.max_delay.as_secs_f64()) * (1.0 - self.jitter * part);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max_delay)
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("attempts", &self.attempts)
            .field("delay", &self.delay)
            .field("factor", &self.factor)
            .field("max_delay", &self.max_delay)
            .field("jitter", &self.jitter)
            .finish_non_exhaustive()
    }
}

/// An error after which a job is not tried again, whatever its [`Retry`] says: the same would happen again.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, jobs::{NoRetry, Pool, Retry}};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let pool = Pool::new();
///     let job = pool.blocking_again(Retry::new(5), |job| {
///         Err::<(), _>(NoRetry::new(format!("attempt {}: there is no such file", job.attempt())))
///     });
///     let error = job.submit().await.unwrap().await.unwrap_err();
///     assert_eq!(error.to_string(), "attempt 1: there is no such file");
/// });
/// ```
#[derive(Debug)]
pub struct NoRetry(Box<dyn Error + Send + Sync>);

impl NoRetry {
    /// Wraps `error`, which may be a text.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// The error itself.
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }

    /// The error itself.
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.0
    }
}

impl fmt::Display for NoRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for NoRetry {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// The error of an attempt that took too long.
pub(super) fn timed_out(limit: Duration) -> Failure {
    AsyncError::Timeout(limit).into()
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit() {
        let retry =
            Retry::new(10).delay(Duration::from_secs(1)).max_delay(Duration::from_secs(5)).jitter(0.0);
        let waits: Vec<_> = (1..6).map(|attempt| retry.wait(attempt, u64::MAX).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        assert_eq!(retry.wait(u32::MAX, 0), Duration::from_secs(5), "not even infinity is too much");
    }

    #[test]
    fn jitter_takes_a_part_off() {
        let retry = Retry::new(2).delay(Duration::from_secs(8)).jitter(0.5);
        assert_eq!(retry.wait(1, 0), Duration::from_secs(8));
        assert_eq!(retry.wait(1, 1 << 63), Duration::from_secs(6));
        assert!(retry.wait(1, u64::MAX) >= Duration::from_secs(4));
    }

    #[test]
    fn only_what_failed_is_tried_again_and_not_too_often() {
        let check = |retry: &Retry, attempt, failure: Failure| retry.after(attempt, &failure, 0).is_some();
        let retry = Retry::new(2);
        assert!(check(&retry, 1, Failure::from_error("it failed")));
        assert!(!check(&retry, 2, Failure::from_error("it failed")));
        assert!(!check(&retry, 1, Failure::cancelled("enough")));
        assert!(!check(&retry, 1, Failure::from_error(NoRetry::new("hopeless"))));
        let picky = retry.only_if(|error| error.to_string() == "busy");
        assert!(check(&picky, 1, Failure::from_error("busy")));
        assert!(!check(&picky, 1, Failure::from_error("gone")));
    }
}
