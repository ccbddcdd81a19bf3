//! [`Progress`]: how far a job is, as its work reports it and others iterate over it.
//!
//! ```text
//!   report(value) ──▶ the last KEPT values, numbered ──▶ an iterator's place: the number it reads next
//!                └──▶ readers that wait for this number: one promise each
//!   close() ───────▶ readers that wait: StopAsyncIteration
//! ```
//!
//! The values belong to the job, which shows them to the garbage collector and drops them when it goes: whoever reads
//! has the job.
//!
//! An iterator moves on when a value is handed out. A reader that is cancelled before it took the value gives that
//! back, and who reads next from the same iterator gets it. An iterator that is more than [`KEPT`] values behind goes
//! on with the oldest that there is.

use crate::{
    activity::Activity,
    home::Home,
    job::Job,
    reading::{Iterated, Reading},
    source::{Deliver, PyValue, Watch},
};
use asyncferry::{Future, Promise, State, promise};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyStopAsyncIteration, prelude::*};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
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
    readers: Vec<(Promise<Told>, Arc<Place>)>,
    is_closed: bool,
}

/// Where an iterator is. Its lock may be taken while the ring's is held, and never the other way round.
struct Place {
    activity: Arc<Activity>,
    at: Mutex<At>,
}

#[derive(Default)]
struct At {
    /// The number of the value that it reads next,
    next: u64,
    /// after those that came back.
    returned: BTreeSet<u64>,
}

/// What a reader gets.
enum Answer {
    Value(Told),
    /// There is no more.
    End,
}

impl Progress {
    /// Hands `value` to all who wait, and keeps it for those who come later.
    pub(crate) fn report(&self, value: Arc<PyValue>) {
        let dropped = {
            let mut ring = self.lock();
            if ring.is_closed {
                return;
            }
            ring.kept.push_back(value);
            let dropped = if ring.kept.len() > KEPT { ring.kept.pop_front() } else { None };
            ring.first += u64::from(dropped.is_some());
            dropped
        };
        self.serve();
        drop(dropped);
    }

    /// There will be no more values.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.serve();
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

    /// The next value for `place`, when there is one.
    fn read(&self, place: &Arc<Place>) -> Future<Told> {
        let (promise, future) = promise();
        self.lock().readers.push((promise, place.clone()));
        self.serve();
        future
    }

    /// Answers all who wait for something that is there.
    fn serve(&self) {
        let answered = {
            let mut ring = self.lock();
            let mut answered = Vec::new();
            for (reader, place) in std::mem::take(&mut ring.readers) {
                // Those who gave up waiting make room.
                if reader.state() != State::Pending {
                    continue;
                }
                match ring.answer(&place) {
                    Some(answer) => answered.push((reader, answer)),
                    None => ring.readers.push((reader, place)),
                }
            }
            answered
        };
        for (reader, answer) in answered {
            match answer {
                // One that was cancelled meanwhile gives it back.
                Answer::Value(told) => drop(reader.complete(told)),
                Answer::End => drop(reader.fail(PyStopAsyncIteration::new_err(()))),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn answer(&self, place: &Arc<Place>) -> Option<Answer> {
        let mut at = place.lock();
        while let Some(number) = at.returned.pop_first() {
            if let Some(value) = self.value(number) {
                return Some(Answer::Value(Told::new(value, number, place)));
            }
        }
        let number = at.next.max(self.first);
        match self.value(number) {
            Some(value) => {
                at.next = number + 1;
                Some(Answer::Value(Told::new(value, number, place)))
            }
            None => self.is_closed.then_some(Answer::End),
        }
    }

    fn value(&self, number: u64) -> Option<&Arc<PyValue>> {
        self.kept.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
}

impl Place {
    fn lock(&self) -> MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value on its way to one reader.
struct Told {
    value: Arc<PyValue>,
    number: u64,
    place: Arc<Place>,
    is_taken: AtomicBool,
}

impl Told {
    fn new(value: &Arc<PyValue>, number: u64, place: &Arc<Place>) -> Self {
        Self { value: value.clone(), number, place: place.clone(), is_taken: AtomicBool::new(false) }
    }
}

impl Deliver for Told {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.is_taken.store(true, Ordering::Relaxed);
        self.value.deliver(py)
    }

    fn put_back(&self) -> bool {
        if !self.is_taken.swap(true, Ordering::Relaxed) {
            self.place.lock().returned.insert(self.number);
            self.place.activity.progress().serve();
        }
        true
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.put_back();
    }
}

/// Iterates over what a job reports, with `async for`. It ends when the job does, however that is.
#[pyclass(frozen, module = "asyncferry", name = "_ProgressIterator")]
pub(crate) struct ProgressIterator {
    job: Py<Job>,
    place: Arc<Place>,
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
        let place = Arc::new(Place { activity, at: Mutex::default() });
        Self { job: job.clone().unbind(), place, _watch: watch }
    }
}

impl Iterated for ProgressIterator {
    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        // One that is settled is about to close the progress.
        self.job.get().core().jobs_out(py, home).unwrap_or(1)
    }
}

#[pymethods]
impl ProgressIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Job>> {
        let place = &slf.get().place;
        let read = place.activity.progress().read(place);
        let next = Job::of(slf.py(), Some("progress"), Reading::new(read, slf), None)?;
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
