//! The pump's alarm on Linux: one timerfd, which wakes to the nanosecond where tokio's own timer rounds up to
//! a millisecond.

use crate::executor::clock::base;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::{
    io,
    os::fd::OwnedFd,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::io::{Interest, unix::AsyncFd};

/// An alarm of one pump.
pub(super) struct Alarm {
    fd: AsyncFd<OwnedFd>,
    /// The deadline that the kernel knows.
    set: Option<u64>,
}

impl Alarm {
    /// An alarm on the tokio runtime whose context this is called in.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // SAFETY: tokio asks that the descriptor stays the same and open while it is registered; an
        // `OwnedFd` guarantees both, and it is owned by the `AsyncFd` from here on.
        let fd =
            unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }.map_err(io::Error::from)?;
        Ok(Self { fd, set: None })
    }

    /// Sees to it that the task of `cx` is woken when the alarm goes off; whether it went off before.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let mut rang = false;
        // The expiry needs no read: epoll reports each one as a new edge.
        while let Poll::Ready(Ok(mut ready)) = self.fd.poll_read_ready(cx) {
            ready.clear_ready();
            self.set = None;
            rang = true;
        }
        rang
    }

    /// Sets the alarm to `deadline`, in nanoseconds of the real clock; `None` leaves it as it is, as an alarm
    /// too many costs less than a call for each one too few.
    pub(super) fn set(&mut self, deadline: Option<u64>, _cx: &mut Context<'_>) {
        let Some(deadline) = deadline.filter(|deadline| self.set.is_none_or(|set| *deadline < set)) else {
            return;
        };
        self.set = Some(deadline);
        let left = (base() + Duration::from_nanos(deadline)).saturating_duration_since(Instant::now());
        // Zero would switch the timer off.
        let left = left.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() },
        };
        let done = timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &once);
        assert!(done.is_ok(), "setting a timerfd fails only for a wrong value: {done:?}");
    }
}
