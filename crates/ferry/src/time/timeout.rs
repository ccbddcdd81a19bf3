//! [`timeout`] and [`timeout_at`]: how long something may take.
//!
//! ```text
//!             the body ends                                    the body ends
//!   running ────────────────▶ Ok(output)          expiring ─────────────────────▶ Err(Timeout)
//!      │                                             ▲   │ it called `uncancel`, ended before the
//!      │ time is up, the body has opted in to        │   │ request arrived, or was cancelled from
//!      ├── `cancellable`: it is asked to cancel ─────┘   │ outside as well
//!      │                                                 └────────────────────▶ Ok(output)
//!      └── it has not: it is dropped ──▶ Err(Timeout)
//! ```

use super::{Instant, Sleep, sleep, sleep_until};
use crate::{
    cancel::{Cancelled, nested::Nested},
    error::AsyncError,
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// Gives `future` at most `duration`, then stops it and gives [`AsyncError::Timeout`].
///
/// A zero duration means that there is no time: the future is never polled, even if it would be ready, as
/// asyncio's [`wait_for`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.wait_for) (CPython 3.13)
/// never starts a coroutine then. The time is counted from when the future first had to wait, so a future that is
/// ready at once costs no look at the clock. A duration beyond 292 years never ends.
///
/// A future that has polled a [`cancellable`](crate::cancellable) is not dropped when the time is up: it gets a
/// request to cancel, and may clean up for as long as it takes, as in asyncio; the timeout then ends as one. If it
/// calls [`uncancel`](crate::uncancel), ends before the request arrives, or is cancelled from outside as well, its
/// output counts.
///
/// # Errors
/// [`AsyncError::Timeout`] when the time ran out first.
///
/// # Cancel safety
/// Dropping it drops `future` and takes the timer back.
///
/// ```
/// use asyncferry::{AsyncError, AsyncRuntime, Cancelled, Instant, Order, cancellable, sleep, timeout};
/// use std::time::Duration;
///
/// let (short, long) = (Duration::from_secs(1), Duration::from_secs(60));
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     assert_eq!(timeout(long, sleep(short)).await, Ok(()));
///     assert_eq!(timeout(short, sleep(long)).await, Err(AsyncError::Timeout(short)));
///
///     let begun = Instant::now();
///     let careful = async {
///         let done = cancellable(sleep(long)).await;
///         sleep(short).await; // clean-up may await
///         done
///     };
///     assert_eq!(timeout(short, careful).await, Err(AsyncError::Timeout(short)));
///     assert_eq!(begun.elapsed(), short * 2);
/// });
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    let limit = if duration.is_zero() { Limit::None } else { Limit::After };
    Timeout { body: Nested::new(future), limit, time: duration, sleep: None, expiring: false }
}

/// As [`timeout`], with the moment when the time is up; `None`: it never is. A moment that is past leaves the
/// future one poll, up to where it first waits, as asyncio's
/// [`timeout_at`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.timeout_at) (CPython 3.13). One
/// whose moment can be moved is [`Deadline`](crate::Deadline).
///
/// # Errors
/// [`AsyncError::Timeout`] with the time that there was, when it ran out first.
///
/// # Cancel safety
/// As [`timeout`].
///
/// ```
/// use asyncferry::{AsyncError, AsyncRuntime, Instant, Order, sleep, timeout_at};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let noon = Instant::now() + Duration::from_secs(60);
///     for _ in 0..5 {
///         assert_eq!(timeout_at(noon, sleep(Duration::from_secs(10))).await, Ok(()));
///     }
///     let left = Duration::from_secs(10);
///     assert_eq!(timeout_at(noon, sleep(2 * left)).await, Err(AsyncError::Timeout(left)));
///     assert_eq!(timeout_at(None, sleep(left)).await, Ok(()));
/// });
/// ```
pub fn timeout_at<F: Future>(when: impl Into<Option<Instant>>, future: F) -> Timeout<F> {
    let limit = when.into().map_or(Limit::Never, Limit::At);
    Timeout { body: Nested::new(future), limit, time: Duration::MAX, sleep: None, expiring: false }
}

pin_project! {
    /// What [`timeout`] and [`timeout_at`] return.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F> {
        #[pin]
        body: Nested<F>,
        limit: Limit,
        // How long it may take.
        time: Duration,
        sleep: Option<Sleep>,
        expiring: bool,
    }
}

#[derive(Clone, Copy)]
enum Limit {
    /// There is no time.
    None,
    /// The time counts from the first wait.
    After,
    /// Until this moment; the time is what there is from the first wait.
    At(Instant),
    Never,
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, AsyncError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Limit::None = this.limit {
            return Poll::Ready(Err(AsyncError::Timeout(*this.time)));
        }
        loop {
            if let Poll::Ready(output) = this.body.as_mut().poll(cx) {
                let timed_out = *this.expiring && this.body.as_mut().gave_up();
                return Poll::Ready(if timed_out {
                    Err(AsyncError::Timeout(*this.time))
                } else {
                    Ok(output)
                });
            }
            if *this.expiring {
                return Poll::Pending;
            }
            ready!(poll_time(*this.limit, this.time, this.sleep, cx));
            if !this.body.as_mut().request(Cancelled::default()) {
                return Poll::Ready(Err(AsyncError::Timeout(*this.time)));
            }
            *this.expiring = true;
        }
    }
}

/// Ready when the time is up, which begins to count at the first call.
fn poll_time(limit: Limit, time: &mut Duration, armed: &mut Option<Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    if armed.is_none() {
        *armed = match limit {
            Limit::After => Some(sleep(*time)),
            Limit::At(when) => {
                *time = when - Instant::now();
                Some(sleep_until(when))
            }
            Limit::None | Limit::Never => return Poll::Pending,
        };
    }
    armed.as_mut().map_or(Poll::Pending, |sleep| Pin::new(sleep).poll(cx))
}

impl<F> std::fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timeout")
            .field("sleep", &self.sleep)
            .field("expiring", &self.expiring)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
