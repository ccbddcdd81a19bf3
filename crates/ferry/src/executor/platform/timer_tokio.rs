//! The pump's alarm where there is no timerfd: tokio's own timer, which rounds up to a millisecond.

use crate::executor::clock::base;
use std::{
    future::Future,
    io,
    pin::Pin,
    task::Context,
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep_until};

/// tokio's timers reach about two years; the pump looks again at the latest after a day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// An alarm of one pump.
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// An alarm on the tokio runtime whose context this is called in.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { sleep: None })
    }

    /// Sees to it that the task of `cx` is woken when the alarm goes off; whether it went off before.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let rang = self.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
        if rang {
            self.sleep = None;
        }
        rang
    }

    /// Sets the alarm to `deadline`, in nanoseconds of the real clock; `None` leaves it as it is.
    pub(super) fn set(&mut self, deadline: Option<u64>, cx: &mut Context<'_>) {
        let Some(deadline) = deadline else { return };
        let at = (base() + Duration::from_nanos(deadline)).min(Instant::now() + LONGEST).into();
        match &mut self.sleep {
            Some(sleep) if sleep.deadline() <= at => {}
            Some(sleep) => sleep.as_mut().reset(at),
            None => self.sleep = Some(Box::pin(sleep_until(at))),
        }
        // tokio's timer waits only once it was polled.
        if self.poll(cx) {
            cx.waker().wake_by_ref();
        }
    }
}
