//! Time: [`sleep`], [`interval`], [`timeout`], [`Deadline`], [`Instant`], and holding a virtual clock.
//!
//! Deadlines are in nanoseconds. On a loop they stand in the loop's own heap and come by (deadline, order of
//! arming); in a task of the pool, or on a thread without a loop, tokio's timer serves, which rounds up to a
//! millisecond. Under [`block_on_virtual`](crate::AsyncRuntime::block_on_virtual) all of this uses the virtual
//! clock.

mod deadline;
mod interval;
mod timeout;

pub use deadline::{Deadline, DeadlineRun};
pub use interval::{Interval, MissedTicks, interval, interval_at};
pub use timeout::{Timeout, timeout, timeout_at};

use crate::executor::{
    Key, Letter, Loop, LoopRef, NEVER, nanoseconds,
    platform::{self, LooplessSleep},
    real, try_with_loop, with_loop,
};
use std::{
    future::Future,
    ops::{Add, Sub},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A moment on the clock of the loop that runs on this thread, or on the real clock where none does.
///
/// Moments of the real and of a virtual clock have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// Now.
    pub fn now() -> Self {
        Self(try_with_loop(|home| home.now()).unwrap_or_else(real))
    }

    /// At this count, on its clock.
    pub(crate) fn at(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// In seconds, on its clock.
    pub(crate) fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// As a count, on its clock.
    #[allow(dead_code, reason = "in the browser nobody else has such a clock")]
    pub(crate) fn nanoseconds(self) -> u64 {
        self.0
    }

    /// How long ago this moment was; zero if it's still to come.
    pub fn elapsed(self) -> Duration {
        Self::now() - self
    }
}

/// Saturates after 292 years: a moment that never comes.
impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(duration)).min(NEVER))
    }
}

/// Zero when `earlier` is the later one.
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Waits for `duration` from now, to what the system can do (some 50 µs); when more than 50 timers fire in a
/// millisecond, up to 200 µs later, so that waking up does not cost more than the work. Zero gives other
/// tasks one turn, as `asyncio.sleep(0)` does; beyond 292 years it never ends.
///
/// # Cancel safety
/// Dropping it takes its timer back.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, sleep};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async { sleep(Duration::from_secs(60)).await });
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    if duration.is_zero() {
        return Sleep { deadline: Instant::now(), stage: Stage::Yield };
    }
    sleep_until(Instant::now() + duration)
}

/// Waits until `deadline`. One that is past ends at the loop's next tick.
///
/// # Cancel safety
/// Dropping it takes its timer back.
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, sleep_until};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let noon = Instant::now() + Duration::from_secs(3600);
///     sleep_until(noon).await;
///     assert_eq!(Instant::now(), noon);
/// });
/// ```
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, stage: Stage::New }
}

/// What [`sleep`] and [`sleep_until`] return. It may be polled anywhere, and moved to another thread when it
/// was polled already: its timer moves with it.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    deadline: Instant,
    stage: Stage,
}

enum Stage {
    New,
    /// To be over at the next tick.
    Yield,
    /// Armed on this loop.
    Armed(LoopRef, Key),
    /// Off every loop.
    Loopless(LooplessSleep),
    Done,
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    fn start(&mut self, waker: &Waker) {
        let deadline = self.deadline.0;
        self.stage = match platform::here() {
            Some(here) => Stage::Armed(here, with_loop(|home| home.arm(deadline, waker))),
            None => Stage::Loopless(LooplessSleep::until(deadline)),
        };
    }

    /// Takes the timer back.
    fn stop(&mut self) {
        if let Stage::Armed(home, key) = std::mem::replace(&mut self.stage, Stage::New) {
            let disarm = |here: &Loop| here.is_here(home.id).then(|| here.disarm(key));
            if try_with_loop(disarm).flatten().is_none() {
                home.remote.post(Letter::Disarm { id: home.id, key });
            }
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.stage {
            Stage::Yield => {
                self.stage = Stage::Done;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Stage::Done => Poll::Ready(()),
            Stage::New => {
                self.start(cx.waker());
                // The platform's sleep waits only once it was polled.
                if let Stage::Loopless(_) = self.stage { self.poll(cx) } else { Poll::Pending }
            }
            Stage::Loopless(sleep) => {
                let polled = Pin::new(sleep).poll(cx);
                if polled.is_ready() {
                    self.stage = Stage::Done;
                }
                polled
            }
            &mut Stage::Armed(home, key) => {
                let polled =
                    with_loop(
                        |here| if here.is_here(home.id) { here.poll_timer(key, cx.waker()) } else { None },
                    );
                match polled {
                    Some(Poll::Pending) => Poll::Pending,
                    Some(Poll::Ready(())) => {
                        self.stage = Stage::Done;
                        Poll::Ready(())
                    }
                    // It was armed on another loop, which may have ended: it moves here.
                    None => {
                        self.stop();
                        self.poll(cx)
                    }
                }
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::New => "New",
            Self::Yield => "Yield",
            Self::Armed(..) => "Armed",
            Self::Loopless(_) => "Loopless",
            Self::Done => "Done",
        })
    }
}

/// Keeps the virtual clock of this thread's loop from jumping until the hold is dropped, on any thread: for
/// work that is out of the loop's sight. On the real clock it does nothing. A hold that is never dropped keeps
/// a few hundred bytes of its loop for the life of the process.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, hold_clock, promise, timeout};
/// use std::time::Duration;
///
/// let answer = AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let (promise, future) = promise();
///     let hold = hold_clock();
///     std::thread::spawn(move || {
///         promise.complete(42).unwrap();
///         drop(hold);
///     });
///     timeout(Duration::from_secs(1), future).await.expect("the clock stood still").unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
pub fn hold_clock() -> ClockHold {
    let held = with_loop(|home| home.here().filter(|_| home.is_virtual()));
    if let Some(home) = held {
        home.remote.hold();
    }
    ClockHold(held)
}

/// What [`hold_clock`] returns.
#[must_use = "the clock runs on when the hold is dropped"]
pub struct ClockHold(Option<LoopRef>);

impl Drop for ClockHold {
    fn drop(&mut self) {
        if let Some(home) = self.0 {
            home.remote.let_go();
        }
    }
}
