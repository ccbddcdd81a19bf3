//! [`CancelPoint`]: where one schedule of a sweep cancels.
//!
//! ```text
//!   poll of the future ──Pending, the nth──▶ at once: dropped in this poll
//!                                            a tick later: wakes itself; dropped at the next poll
//!                                            when woken: dropped at the next poll
//! ```

use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// A scenario that has more await points has no end to them, or takes too long to sweep.
const MOST_POINTS: u64 = 1000;

/// The await point at which a schedule of [`Seeds::sweep`](super::Seeds::sweep) cancels. Clones are the same point.
#[derive(Clone, Debug)]
pub struct CancelPoint {
    /// Counted from 1, over all futures that were given to `cancel`.
    number: u64,
    moment: Moment,
    seen: Arc<Seen>,
}

/// When, after a poll that gave `Pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    AtOnce,
    TickLater,
    WhenWoken,
}

#[derive(Debug, Default)]
struct Seen {
    pending: AtomicU64,
    used: AtomicBool,
}

impl CancelPoint {
    /// Runs `future`, and drops it at this point. Gives what it gave, or `None` when it was dropped.
    ///
    /// Await points are counted over all futures that a scenario gives to this. In each schedule one of them is
    /// dropped at most.
    ///
    /// # Cancel safety
    /// Dropping it drops `future`.
    ///
    /// ```
    /// use asyncferry::{sleep, testing};
    /// use std::{cell::Cell, time::Duration};
    ///
    /// let ended = Cell::new(0);
    /// let schedules = testing::seeds(1).sweep(|point| {
    ///     let ended = &ended;
    ///     async move {
    ///         let slept = point.cancel(sleep(Duration::from_secs(1))).await;
    ///         ended.set(ended.get() + u32::from(slept.is_some()));
    ///     }
    /// });
    /// // One await point, cancelled at three moments; then it's let through.
    /// assert_eq!((schedules, ended.get()), (4, 1));
    /// ```
    pub fn cancel<F: Future>(&self, future: F) -> Cancelling<F> {
        self.seen.used.store(true, Ordering::Relaxed);
        Cancelling { future: Some(future), point: self.clone(), is_due: false }
    }

    /// One for each schedule.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let moments = [Moment::AtOnce, Moment::TickLater, Moment::WhenWoken];
        (1..).flat_map(move |number| moments.map(|moment| Self { number, moment, seen: Arc::default() }))
    }

    /// Whether the schedule had no such await point, so that the sweep is over.
    ///
    /// # Errors
    /// Why the sweep makes no sense.
    pub(super) fn is_through(&self) -> Result<bool, String> {
        if !self.seen.used.load(Ordering::Relaxed) {
            return Err("the scenario gave nothing to CancelPoint::cancel".to_owned());
        }
        // One that was there, and whose future was not polled again, is no end.
        let is_there = self.seen.pending.load(Ordering::Relaxed) >= self.number;
        if is_there && self.number > MOST_POINTS {
            return Err(format!("the scenario has more than {MOST_POINTS} await points; give it less to do"));
        }
        Ok(!is_there)
    }
}

impl fmt::Display for CancelPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::AtOnce => "at once",
            Moment::TickLater => "a tick later",
            Moment::WhenWoken => "when it was woken",
        };
        write!(f, "cancelled {moment} at await point {}", self.number)
    }
}

pin_project! {
    /// What [`CancelPoint::cancel`] returns.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Cancelling<F> {
        #[pin]
        future: Option<F>,
        point: CancelPoint,
        // It's dropped at its next poll.
        is_due: bool,
    }
}

impl<F: Future> Future for Cancelling<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if !*this.is_due {
            let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(None) };
            if let Poll::Ready(output) = future.poll(cx) {
                return Poll::Ready(Some(output));
            }
            if this.point.seen.pending.fetch_add(1, Ordering::Relaxed) + 1 != this.point.number {
                return Poll::Pending;
            }
            *this.is_due = true;
            match this.point.moment {
                Moment::AtOnce => {}
                Moment::WhenWoken => return Poll::Pending,
                Moment::TickLater => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
        this.future.set(None);
        Poll::Ready(None)
    }
}
