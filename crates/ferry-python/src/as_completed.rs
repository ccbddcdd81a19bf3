//! `as_completed`: a group whose children are handed out one by one, in the order in which they are done.
//!
//! ```text
//!   child_done(place) ──▶ done ──▶ the reader that waited longest ──▶ its job ends
//!                          ▲                                            │ cancelled or dropped before
//!                          └──────────────── put back ──────────────────┘ anybody took it
//! ```
//!
//! Each reader is a job of its own, for one child. A reader that is cancelled leaves its child to the next, so that
//! none is lost.

use crate::{
    group::{Counter, Group, Order, Wakers, collection},
    home::Home,
    job::Job,
    reading::{Iterated, Reading},
    source::{Deliver, End},
    timer,
};
use asyncferry::{Future, Promise, State, promise};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyStopAsyncIteration, PyTimeoutError},
    prelude::*,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Iterates over jobs, coroutines, tasks and futures in the order in which they are done.
///
/// With `async for` it gives the jobs and futures themselves, as asyncio.as_completed of Python 3.13 does; a
/// coroutine's task stands for it. A plain `for` gives awaitables, each of which gives the result of the next one
/// that is done. When the time is over, a TimeoutError is raised in place of the next one; nothing is cancelled.
#[pyfunction]
#[pyo3(signature = (aws, *, timeout = None))]
pub(crate) fn as_completed(aws: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<AsCompleted> {
    let py = aws.py();
    let group = Group::of(py, "as_completed", collection("as_completed", aws)?, Order::Any)?;
    let line = Arc::new(Line { group, queue: Mutex::default() });
    let wakers = line.group.count(py, &Arc::new(Arrivals(line.clone())))?;
    let late = line.clone();
    let timer = timer::start(py, timeout, move || late.close())?;
    Ok(AsCompleted { line, wakers, _timer: timer })
}

/// Gives children of a group in the order in which they are done.
#[pyclass(frozen, module = "asyncferry", name = "_AsCompleted")]
pub(crate) struct AsCompleted {
    line: Arc<Line>,
    wakers: Wakers<Arrivals>,
    _timer: Option<async_task::Task<()>>,
}

#[pymethods]
impl AsCompleted {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Job>> {
        let next = Self::next(slf, Gives::Child)?;
        next.ok_or_else(|| PyStopAsyncIteration::new_err(()))
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Job>>> {
        Self::next(slf, Gives::Result)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.line.group.traverse(&visit)
    }
}

impl Iterated for AsCompleted {
    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        self.wakers.jobs_out(py, &self.line.group, home)
    }
}

impl AsCompleted {
    /// A job for the next child that is done; `None` when there is one for each already.
    fn next<'py>(slf: &Bound<'py, Self>, gives: Gives) -> PyResult<Option<Bound<'py, Job>>> {
        let Some(future) = slf.get().line.next(gives) else { return Ok(None) };
        let source = Reading::new(future, slf);
        let job = Job::of(slf.py(), Some("as_completed"), source, None)?;
        // Whose error it is, if it's one, the child's own job tells.
        job.get().core().hush(job.py());
        Ok(Some(job))
    }
}

/// The children that are done and those who wait for them.
struct Line {
    group: Arc<Group>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    done: VecDeque<usize>,
    readers: VecDeque<(Promise<Arrived>, Gives)>,
    /// How many were handed out, an error for want of time among them.
    given: usize,
    /// The time is over.
    is_late: bool,
}

/// What a reader gets of a child.
#[derive(Clone, Copy)]
enum Gives {
    Child,
    Result,
}

impl Line {
    /// A reader for the next child that is done; `None` when there is one for each already.
    fn next(self: &Arc<Self>, gives: Gives) -> Option<Future<Arrived>> {
        let (promise, future) = promise();
        {
            let mut queue = self.lock();
            // Those who gave up waiting make room.
            queue.readers.retain(|(reader, _)| reader.state() == State::Pending);
            if queue.given + queue.readers.len() == self.group.len() {
                return None;
            }
            if queue.is_late && queue.done.is_empty() {
                queue.given += 1;
                promise.fail(too_late());
            } else {
                queue.readers.push_back((promise, gives));
            }
        }
        self.serve();
        Some(future)
    }

    /// Gives what is done to those who wait.
    fn serve(self: &Arc<Self>) {
        loop {
            let (place, reader, gives) = {
                let mut queue = self.lock();
                let Some(first) =
                    queue.readers.iter().position(|(reader, _)| reader.state() == State::Pending)
                else {
                    return;
                };
                let Some(place) = queue.done.pop_front() else { return };
                let Some((reader, gives)) = queue.readers.drain(..=first).next_back() else { return };
                queue.given += 1;
                (place, reader, gives)
            };
            // A reader that was cancelled gives it back, which puts it into the line again.
            drop(reader.complete(Arrived {
                line: self.clone(),
                place,
                gives,
                is_taken: AtomicBool::new(false),
            }));
        }
    }

    fn put_back(self: &Arc<Self>, place: usize) {
        {
            let mut queue = self.lock();
            queue.done.push_front(place);
            queue.given -= 1;
        }
        self.serve();
    }

    /// The time is over.
    fn close(&self) {
        let readers = {
            let mut queue = self.lock();
            queue.is_late = true;
            queue.given += queue.readers.len();
            std::mem::take(&mut queue.readers)
        };
        for (reader, _) in readers {
            if !reader.fail(too_late()) {
                // It had given up waiting, and makes room.
                self.lock().given -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_late() -> PyErr {
    PyTimeoutError::new_err("the time for as_completed() is over, and not all are done")
}

/// Tells the line of each child that is done.
struct Arrivals(Arc<Line>);

impl Counter for Arrivals {
    fn child_done(&self, place: usize, _end: End) {
        self.0.lock().done.push_back(place);
        self.0.serve();
    }

    fn asks_for_errors(&self) -> bool {
        false
    }
}

/// A child on its way to one reader.
struct Arrived {
    line: Arc<Line>,
    place: usize,
    gives: Gives,
    is_taken: AtomicBool,
}

impl Deliver for Arrived {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.is_taken.store(true, Ordering::Relaxed);
        match self.gives {
            Gives::Child => Ok(self.line.group.child(py, self.place).clone().unbind()),
            Gives::Result => self.line.group.result(py, self.place),
        }
    }

    fn put_back(&self) -> bool {
        if !self.is_taken.swap(true, Ordering::Relaxed) {
            self.line.put_back(self.place);
        }
        true
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        self.put_back();
    }
}
