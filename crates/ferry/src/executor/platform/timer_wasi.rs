//! The pump's alarm on WASI: tokio's timer, which is up to a millisecond late, for all but the last bit, and a nap for
//! that. With one thread nothing of Ferry's can come meanwhile, and tokio's own timers are late by the nap at most.

use super::reactor;
use crate::executor::{clock::base, real};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::Context,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    time::{Sleep, sleep_until},
};

/// tokio's timers reach about two years; the pump looks again at the latest after a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// How much of a wait is left to the nap: what tokio may be late by, and a bit.
const NAP: Duration = Duration::from_micros(1_200);

/// The longest wait while tokio has tasks of its own.
const SLICE: Duration = Duration::from_micros(200);

/// An alarm of one pump.
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    has_warned: bool,
}

impl Alarm {
    /// An alarm on the tokio runtime whose context this is called in.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { sleep: None, has_warned: false })
    }

    /// Sees to it that the task of `cx` is woken when the alarm goes off; whether it went off before.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        reactor::look();
        let rang = self.sleep.as_mut().is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
        if rang {
            self.sleep = None;
        }
        rang
    }

    /// Sets the alarm to `deadline`, in nanoseconds of the real clock, or takes the nap before it; while something of the
    /// host's is awaited, it waits here for whichever comes first; `None` leaves it as
    /// it is.
    pub(super) fn set(&mut self, deadline: Option<u64>, cx: &mut Context<'_>) {
        let left = deadline.map(|deadline| Duration::from_nanos(deadline.saturating_sub(real())));
        // Tasks that were given to tokio get their turn in between.
        let others = Handle::current().metrics().num_alive_tasks() > 0;
        if reactor::wait(left, if others { SLICE } else { reactor::SLICE }) {
            return cx.waker().wake_by_ref();
        }
        let (Some(deadline), Some(left)) = (deadline, left) else {
            if !others {
                self.warn();
            }
            return;
        };
        if left <= NAP {
            thread::sleep(if others { left.min(SLICE) } else { left });
            return cx.waker().wake_by_ref();
        }
        let at = (base() + Duration::from_nanos(deadline) - NAP).min(Instant::now() + LONGEST).into();
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

    /// Says once that the program stands still, where tokio will say no more than that it can't wait.
    fn warn(&mut self) {
        if self.sleep.is_none() && !std::mem::replace(&mut self.has_warned, true) {
            eprintln!(
                "ferry: every task waits, and for no timer of Ferry's. Unless a timer of tokio's is awaited, nothing can \
                 wake this program, as there are no threads here: it stops now."
            );
        }
    }
}
