//! [`Progress`]: how far a job is, as its work reports it and others iterate over it.
//!
//! ```text
//!   report(value) ──▶ the last KEPT values, numbered ──▶ a reader's place: the number it reads next
//!                └──▶ readers that wait for this number: one promise each
//!   close() ───────▶ readers that wait: StopAsyncIteration
//! ```
//!
//! The values belong to the job, which shows them to the garbage collector and drops them when it goes: whoever reads
//! has the job.
//!
//! A reader moves on when a value is handed out, not when it is asked for: one that is cancelled while it waits
//! gets the same value when it asks again. A reader that is more than [`KEPT`] values behind goes on with the
//! oldest that there is.

use crate::{
    activity::Activity,
    job::Job,
    reading::Reading,
    source::{Deliver, PyValue, Watch},
};
use asyncferry::{Promise, promise};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyStopAsyncIteration, prelude::*};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Wake, Waker},
};

/// So many values are kept for who comes late or reads slowly.
const KEPT: usize = 256;

#[derive(Default)]
pub(crate) struct Progress {
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    /// The number of the first value that is kept.
    first: u64,
    kept: VecDeque<Arc<PyValue>>,
    readers: Vec<(Promise<Told>, Arc<AtomicU64>)>,
    is_closed: bool,
}

impl Progress {
    /// Hands `value` to all who wait, and keeps it for those who come later.
    pub(crate) fn report(&self, value: Arc<PyValue>) {
        let (readers, number, dropped) = {
            let mut ring = self.lock();
            if ring.is_closed {
                return;
            }
            let number = ring.first + ring.kept.len() as u64;
            ring.kept.push_back(value.clone());
            let dropped = if ring.kept.len() > KEPT { ring.kept.pop_front() } else { None };
            ring.first += u64::from(dropped.is_some());
            (std::mem::take(&mut ring.readers), number, dropped)
        };
        for (reader, place) in readers {
            let _ = reader.complete(Told { value: value.clone(), number, place });
        }
        drop(dropped);
    }

    /// There will be no more values.
    pub(crate) fn close(&self) {
        let readers = {
            let mut ring = self.lock();
            ring.is_closed = true;
            std::mem::take(&mut ring.readers)
        };
        for (reader, _) in readers {
            reader.fail(PyStopAsyncIteration::new_err(()));
        }
    }

    /// The job is gone, and with it all who could read.
    pub(crate) fn end(&self) {
        self.close();
        let kept = std::mem::take(&mut self.lock().kept);
        drop(kept);
    }

    /// Shows the garbage collector the values. Only the job may call it, as there is one of those.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Waited for, as the collector must see the same each time it looks in one run. It's never held while Python
        // code runs, and values come with the GIL only.
        self.lock().kept.iter().try_for_each(|value| visit.call(&value.0))
    }

    /// The value at `place`, when there is one.
    fn read(&self, place: &Arc<AtomicU64>) -> asyncferry::Future<Told> {
        let (promise, future) = promise();
        let mut ring = self.lock();
        let number = place.load(Ordering::Relaxed).max(ring.first);
        let value = usize::try_from(number - ring.first).ok().and_then(|index| ring.kept.get(index)).cloned();
        if let Some(value) = value {
            drop(ring);
            let _ = promise.complete(Told { value, number, place: place.clone() });
        } else if ring.is_closed {
            drop(ring);
            promise.fail(PyStopAsyncIteration::new_err(()));
        } else {
            // Those who gave up waiting make room.
            ring.readers.retain(|(reader, _)| reader.state() == asyncferry::State::Pending);
            ring.readers.push((promise, place.clone()));
        }
        future
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value on its way to one reader.
struct Told {
    value: Arc<PyValue>,
    number: u64,
    place: Arc<AtomicU64>,
}

impl Deliver for Told {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.place.fetch_max(self.number + 1, Ordering::Relaxed);
        self.value.deliver(py)
    }

    /// It stays where it is until a reader has taken it.
    fn put_back(&self) -> bool {
        true
    }
}

/// Iterates over what a job reports, with `async for`. It ends when the job does, however that is.
#[pyclass(frozen, module = "asyncferry", name = "_ProgressIterator")]
pub(crate) struct ProgressIterator {
    job: Py<Job>,
    activity: Arc<Activity>,
    place: Arc<AtomicU64>,
    /// Has the progress closed when the job ends.
    _watch: Option<Box<dyn Watch>>,
}

impl ProgressIterator {
    pub(crate) fn of(job: &Bound<'_, Job>) -> Self {
        let activity = job.get().activity().cloned().unwrap_or_default();
        let closer = Waker::from(Arc::new(Closer(activity.clone())));
        let watch = job.get().core().watch(job.py()).and_then(|mut watch| {
            watch.poll_settled(&mut Context::from_waker(&closer)).is_pending().then_some(watch)
        });
        if watch.is_none() {
            activity.progress().close();
        }
        Self { job: job.clone().unbind(), activity, place: Arc::default(), _watch: watch }
    }
}

#[pymethods]
impl ProgressIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Job>> {
        let read = slf.get().activity.progress().read(&slf.get().place);
        let next = Job::of(slf.py(), Some("progress"), Reading::new(read, slf.as_any()), None)?;
        // That there is no more isn't an error, whether somebody hears of it or not.
        next.get().core().hush(next.py());
        Ok(next)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<progress of {}>", self.job.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.job)
    }
}

/// Closes the progress when the job ends.
struct Closer(Arc<Activity>);

impl Wake for Closer {
    fn wake(self: Arc<Self>) {
        self.0.progress().close();
    }
}
