//! [`Deadline`]: a timeout that can be moved while it runs, and asked how it ended.
//!
//! ```text
//!   Created ──run──▶ Active ──the body ends──▶ Finished
//!                      │ time is up, or the body was rescheduled to a moment that is past
//!                      ▼
//!                   Expiring (the body cleans up) ──the body ends──▶ Expired
//! ```
//!
//! Only an active deadline can be moved.

use super::{Instant, Sleep, sleep_until};
use crate::{
    cancel::{Cancelled, nested::Nested},
    error::AsyncError,
};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

/// A timeout with a moment that can be moved, as asyncio's
/// [`Timeout`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.Timeout) of CPython 3.13: its
/// [`run`](Self::run) stands for the `async with` block.
///
/// ```
/// use asyncferry::{AsyncRuntime, Deadline, Instant, Order, sleep};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let deadline = Deadline::after(second);
///     let ended = deadline
///         .run(async {
///             // There is progress, so there's more time.
///             for _ in 0..10 {
///                 deadline.reschedule(Instant::now() + second)?;
///                 sleep(second / 2).await;
///             }
///             deadline.reschedule(None)?;
///             sleep(100 * second).await;
///             Ok::<_, asyncferry::AsyncError>("done")
///         })
///         .await;
///     assert_eq!((ended, deadline.expired()), (Ok(Ok("done")), false));
/// });
/// ```
pub struct Deadline {
    state: Mutex<State>,
}

struct State {
    when: Option<Instant>,
    phase: Phase,
    /// Of the run, to hear of a new moment.
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Created,
    Active,
    Expiring,
    Expired,
    Finished,
}

impl Deadline {
    /// Until `when`; `None`: no limit, which [`reschedule`](Self::reschedule) may set.
    pub fn at(when: impl Into<Option<Instant>>) -> Self {
        let when = when.into();
        Self { state: Mutex::new(State { when, phase: Phase::Created, waker: None }) }
    }

    /// Until `duration` from now.
    pub fn after(duration: Duration) -> Self {
        Self::at(Instant::now() + duration)
    }

    /// When the time is up, if ever.
    pub fn when(&self) -> Option<Instant> {
        self.state().when
    }

    /// Moves the moment, from any thread; `None` lifts the limit. A moment that is past expires the deadline at
    /// once.
    ///
    /// # Errors
    /// [`AsyncError::Runtime`] when it doesn't run: not yet, not any more, or as it has expired.
    pub fn reschedule(&self, when: impl Into<Option<Instant>>) -> Result<(), AsyncError> {
        let mut state = self.state();
        match state.phase {
            Phase::Active => {}
            Phase::Created => {
                return Err(AsyncError::Runtime(
                    "the deadline has not been entered; `run` does that".to_owned(),
                ));
            }
            phase => {
                let phase = format!("{phase:?}").to_lowercase();
                return Err(AsyncError::Runtime(format!(
                    "a deadline that is {phase} can't be moved; make a new one"
                )));
            }
        }
        state.when = when.into();
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Whether its time ran out while it ran.
    pub fn expired(&self) -> bool {
        matches!(self.state().phase, Phase::Expiring | Phase::Expired)
    }

    /// Runs `body` until it ends or the time is up; what happens then is told at [`timeout`](crate::timeout). A
    /// moment that is past leaves the body one poll. A deadline runs once.
    ///
    /// # Errors
    /// [`AsyncError::Timeout`] with the time that there was, when it ran out first; [`AsyncError::Runtime`] when
    /// the deadline has been run before.
    ///
    /// # Cancel safety
    /// Dropping it half-way drops `body`, and the deadline has finished.
    pub fn run<F: Future>(&self, body: F) -> DeadlineRun<'_, F> {
        DeadlineRun { deadline: self, body: Nested::new(body), sleep: None, entered: None, expiring: false }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The time is up; `false` when the moment was moved meanwhile.
    fn expire(&self, sleep: Option<Sleep>) -> bool {
        let mut state = self.state();
        let is_current = state.when == sleep.as_ref().map(Sleep::deadline);
        if is_current {
            state.phase = Phase::Expiring;
        }
        is_current
    }

    /// Ends the run, in whichever way.
    fn leave(&self) {
        let mut state = self.state();
        state.phase = match state.phase {
            Phase::Active => Phase::Finished,
            Phase::Expiring => Phase::Expired,
            over => over,
        };
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (phase, when) = (self.state().phase, self.when());
        f.debug_struct("Deadline").field("phase", &phase).field("when", &when).finish()
    }
}

pin_project! {
    /// What [`Deadline::run`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct DeadlineRun<'a, F> {
        deadline: &'a Deadline,
        #[pin]
        body: Nested<F>,
        sleep: Option<Sleep>,
        entered: Option<Instant>,
        expiring: bool,
    }

    impl<F> PinnedDrop for DeadlineRun<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            if this.entered.is_some() {
                this.deadline.leave();
            }
        }
    }
}

impl<F: Future> Future for DeadlineRun<'_, F> {
    type Output = Result<F::Output, AsyncError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let entered = match *this.entered {
            Some(entered) => entered,
            None => {
                let mut state = this.deadline.state();
                if state.phase != Phase::Created {
                    return Poll::Ready(Err(AsyncError::Runtime(
                        "the deadline has been entered before; each run needs one of its own".to_owned(),
                    )));
                }
                state.phase = Phase::Active;
                *this.entered.insert(Instant::now())
            }
        };
        loop {
            if let Poll::Ready(output) = this.body.as_mut().poll(cx) {
                this.deadline.leave();
                let timed_out = *this.expiring && this.body.as_mut().gave_up();
                return Poll::Ready(if timed_out { Err(error(this.deadline, entered)) } else { Ok(output) });
            }
            if *this.expiring {
                return Poll::Pending;
            }
            ready!(poll_moment(this.deadline, this.sleep, cx));
            if !this.deadline.expire(this.sleep.take()) {
                continue;
            }
            *this.expiring = true;
            if !this.body.as_mut().request(Cancelled::default()) {
                this.deadline.leave();
                return Poll::Ready(Err(error(this.deadline, entered)));
            }
        }
    }
}

/// Waits for the deadline's moment, which may be moved meanwhile.
fn poll_moment(deadline: &Deadline, sleep: &mut Option<Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    let waker = cx.waker().clone();
    let mut state = deadline.state();
    let when = state.when;
    let stale = state.waker.replace(waker);
    drop(state);
    drop(stale);
    if sleep.as_ref().map(Sleep::deadline) != when {
        *sleep = when.map(sleep_until);
    }
    match sleep {
        None => Poll::Pending,
        Some(sleep) => Pin::new(sleep).poll(cx),
    }
}

fn error(deadline: &Deadline, entered: Instant) -> AsyncError {
    AsyncError::Timeout(deadline.when().map_or(Duration::MAX, |when| when - entered))
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
