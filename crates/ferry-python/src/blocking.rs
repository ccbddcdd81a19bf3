//! `Job.result(timeout)`: waiting for a job on a thread that runs no event loop.
//!
//! The thread sleeps on a bell of its own, without the GIL, and wakes for the job's end, for the timeout, and for
//! signals: Ctrl-C raises KeyboardInterrupt at once, and leaves the job alone.

use crate::{bell::Bell, home, job::Job, names, timer};
use pyo3::{
    exceptions::{PyOverflowError, PyTimeoutError},
    prelude::*,
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    os::fd::BorrowedFd,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

/// A signal may come to another thread, and this one not wake for it.
const GLANCE: Duration = Duration::from_millis(100);

/// Waits until `job` is done.
///
/// # Errors
/// `TimeoutError` after so many seconds, `ValueError` if they're no number, `asyncio.InvalidStateError` where an
/// event loop runs, which would stand still, and what a signal raises.
pub(crate) fn wait_for(job: &Bound<'_, Job>, timeout: Option<f64>) -> PyResult<()> {
    let py = job.py();
    let core = job.get().core();
    if core.is_done(py) {
        return Ok(());
    }
    if names::running_loop(py)?.is_some() {
        return Err(names::invalid_state(
            py,
            "The job is not done, and waiting for it here would stop this thread's event loop: await it instead.",
        ));
    }
    let deadline = timeout.map(deadline).transpose()?.flatten();
    let bell = Arc::new(Bell::new()?);
    let waker = Waker::from(Arc::new(Ring(bell.clone())));
    // Kept while this waits, as it is what rings.
    let mut watch = core.watch(py);
    if let Some(watch) = &mut watch
        && watch.poll_settled(&mut Context::from_waker(&waker)) == Poll::Ready(())
    {
        bell.ring();
    }
    while !core.is_done(py) {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            let seconds = timeout.unwrap_or_default();
            return Err(PyTimeoutError::new_err(format!("the job is not done after {seconds} seconds")));
        }
        py.detach(|| sleep(&bell, left.map_or(GLANCE, |left| left.min(GLANCE))))?;
        py.check_signals()?;
        // The loop that the job waits for may have been closed: not every class of loops tells its readers.
        home::sweep(py);
    }
    Ok(())
}

/// When `seconds` are over; `None` is never.
fn deadline(seconds: f64) -> PyResult<Option<Instant>> {
    Ok(Instant::now().checked_add(timer::duration("wait", seconds)?))
}

/// Sleeps until the bell rings, a signal comes, or `time` is over.
fn sleep(bell: &Bell, time: Duration) -> PyResult<()> {
    let Some(descriptor) = bell.descriptor() else { return Ok(()) };
    // SAFETY: the bell is open, and nobody closes it: it's this wait's own.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let time = Timespec::try_from(time).map_err(|_| PyOverflowError::new_err("too long a time"))?;
    match poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&time)) {
        // It rang, and the value is on its way through another thread's conversion.
        Ok(1..) => {
            thread::yield_now();
            Ok(())
        }
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

/// Rings when the job is settled.
struct Ring(Arc<Bell>);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}
