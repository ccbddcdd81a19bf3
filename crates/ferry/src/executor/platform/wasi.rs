//! WASI: a loop pumped as natively, by tokio's current-thread runtime, in a program of one thread.

use super::pumped::Engine;
use crate::executor::real;
use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll},
    thread,
    time::Duration,
};

/// The engines that are idle.
pub(super) fn engines() -> MutexGuard<'static, Vec<Engine>> {
    static ENGINES: Mutex<Vec<Engine>> = Mutex::new(Vec::new());
    ENGINES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A sleep where no loop runs, in an executor of somebody else's: as nothing could wake it, it naps when it's polled,
/// and asks to be polled again.
pub(crate) struct LooplessSleep {
    deadline: u64,
}

/// The longest nap, so that other tasks of that executor get their turn.
const NAP: Duration = Duration::from_millis(1);

impl LooplessSleep {
    /// Until `deadline`, in nanoseconds of the real clock.
    pub(crate) fn until(deadline: u64) -> Self {
        Self { deadline }
    }
}

impl Future for LooplessSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let left = Duration::from_nanos(self.deadline.saturating_sub(real()));
        thread::sleep(left.min(NAP));
        if real() >= self.deadline {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
