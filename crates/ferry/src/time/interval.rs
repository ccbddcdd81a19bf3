//! [`Interval`]: ticks at equal distances.
//!
//! ```text
//!   due    |       |       |       |       |       |       |        one `period` apart
//!   Burst  |       |       work work work||  |     |       |        all come, as fast as they are taken
//!   Skip   |       |       work work work|         |       |        those that are past are left out
//!   Delay  |       |       work work work|       |       |          from there on, a period apart
//! ```

use super::{Instant, Sleep, nanoseconds, sleep_until};
use crate::stream::Stream;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// A tick counts as missed when it's taken so much too late, or a whole period. That's tokio's measure; timers alone may
/// be some milliseconds late in a browser.
const MISSED_AFTER: Duration = Duration::from_millis(5);

/// Ticks every `period`, at first at once. As
/// [`tokio::time::interval`](https://docs.rs/tokio/1/tokio/time/fn.interval.html) (1.54).
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, interval, sleep};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let begun = Instant::now();
///     let mut beat = interval(second);
///     for _ in 0..=3 {
///         beat.tick().await;
///         sleep(second / 2).await; // work takes its time from the pause
///     }
///     assert_eq!(begun.elapsed(), second * 3 + second / 2);
/// });
/// ```
///
/// # Panics
/// When `period` is zero.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks every `period`, at first at `start`; at once if that is past.
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, interval_at};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let noon = Instant::now() + second * 60;
///     let mut chimes = interval_at(noon, second);
///     assert_eq!((chimes.tick().await, chimes.tick().await), (noon, noon + second));
/// });
/// ```
///
/// # Panics
/// When `period` is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "the period of an interval must be longer than zero");
    Interval { period, missed: MissedTicks::default(), next: sleep_until(start) }
}

/// What becomes of ticks that nobody took in time: because work between them took longer than a period, say. A tick is missed
/// when it is taken more than 5 ms, or more than a period, after it was due. The names and the meaning are those of
/// [`tokio::time::MissedTickBehavior`](https://docs.rs/tokio/1/tokio/time/enum.MissedTickBehavior.html) (1.54).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTicks {
    /// They come one after another, until the interval has caught up: as many ticks as periods.
    #[default]
    Burst,
    /// The next tick comes a period after the late one was taken, and so on: never two sooner than a period apart.
    Delay,
    /// They are left out. The next tick comes when it would have come anyway: always whole periods from the start.
    Skip,
}

/// What [`interval`] and [`interval_at`] return. It is a [`Stream`] as well, which never ends.
///
/// It may be moved to another thread or loop, as a [`Sleep`] may.
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    missed: MissedTicks,
    next: Sleep,
}

impl Interval {
    /// Waits for the next tick, and says when it was due. One that is due already gives other tasks one turn.
    ///
    /// # Cancel safety
    /// Dropping it half-way takes no tick.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, interval, timeout};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let mut beat = interval(second);
    ///     let first = beat.tick().await;
    ///     assert!(timeout(second / 2, beat.tick()).await.is_err());
    ///     assert_eq!(beat.tick().await - first, second);
    /// });
    /// ```
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// [`tick`](Self::tick) for who writes a `poll` by hand: ready with when the tick was due, or the task is woken when
    /// it is.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.next).poll(cx));
        let due = self.next.deadline();
        self.next = sleep_until(self.after(due, Instant::now()));
        Poll::Ready(due)
    }

    /// The next tick comes a period from now, and so on from there.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Instant, Order, interval, sleep};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let mut idle = interval(second);
    ///     idle.tick().await;
    ///     sleep(second / 2).await;
    ///     idle.reset();
    ///     let reset = Instant::now();
    ///     assert_eq!(idle.tick().await - reset, second);
    /// });
    /// ```
    pub fn reset(&mut self) {
        self.reset_at(Instant::now() + self.period);
    }

    /// The next tick comes at `next`, and so on from there.
    pub fn reset_at(&mut self, next: Instant) {
        self.next = sleep_until(next);
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// What becomes of ticks that are missed.
    pub fn missed_ticks(&self) -> MissedTicks {
        self.missed
    }

    /// Sets what becomes of ticks that are missed, from the next one on; [`MissedTicks::Burst`] unless it's set.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Instant, MissedTicks, Order, interval, sleep};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// let due = |missed| AsyncRuntime::block_on_virtual(Order::Fifo, async move {
    ///     let mut beat = interval(second);
    ///     beat.set_missed_ticks(missed);
    ///     let begun = beat.tick().await;
    ///     sleep(second * 5 / 2).await;
    ///     [beat.tick().await - begun, beat.tick().await - begun, beat.tick().await - begun]
    /// });
    /// assert_eq!(due(MissedTicks::Burst), [second, second * 2, second * 3]);
    /// assert_eq!(due(MissedTicks::Skip), [second, second * 3, second * 4]);
    /// assert_eq!(due(MissedTicks::Delay), [second, second * 7 / 2, second * 9 / 2]);
    /// ```
    pub fn set_missed_ticks(&mut self, missed: MissedTicks) {
        self.missed = missed;
    }

    /// When the tick after that of `due` is due, as that one is taken now.
    fn after(&self, due: Instant, now: Instant) -> Instant {
        let late = now - due;
        match self.missed {
            MissedTicks::Delay if late > self.period.min(MISSED_AFTER) => now + self.period,
            MissedTicks::Skip if late >= self.period => {
                // In nanoseconds, which last for 584 years.
                let into_period = nanoseconds(late) % nanoseconds(self.period);
                now + (self.period - Duration::from_nanos(into_period))
            }
            _ => due + self.period,
        }
    }
}

/// Each item is what [`tick`](Interval::tick) gives.
impl Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
