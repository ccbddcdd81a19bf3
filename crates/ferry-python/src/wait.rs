//! `wait`: a group that ends as `return_when` has it, or when its time is over, and gives two sets: the children
//! that are done, and those that go on. Cancelling it leaves its children alone, as with asyncio's.

use crate::{
    group::{Counter, Group, Order, Wakers, collection},
    home::Home,
    job::Job,
    names,
    source::{Deliver, End, Ending, Source, Watch, Work},
    timer,
};
use asyncferry::{Promise, State, promise};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PySet, PyTuple},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

/// When all are done, as in `asyncio`.
pub(crate) const ALL_COMPLETED: &str = "ALL_COMPLETED";
/// When one is done, as in `asyncio`.
pub(crate) const FIRST_COMPLETED: &str = "FIRST_COMPLETED";
/// When one has failed or all are done, as in `asyncio`.
pub(crate) const FIRST_EXCEPTION: &str = "FIRST_EXCEPTION";

/// Waits until all of the jobs and futures are done, or as return_when says, or for so many seconds.
///
/// Gives two sets of those that it was given: the done ones and the pending ones, as asyncio.wait does; nothing is
/// raised when the time is over, and nothing is cancelled. Takes no coroutines, whose tasks nobody would have.
#[pyfunction]
#[pyo3(
    signature = (aws, *, timeout = None, return_when = ALL_COMPLETED),
    text_signature = "(aws, *, timeout=None, return_when='ALL_COMPLETED')",
)]
pub(crate) fn wait<'py>(
    aws: &Bound<'py, PyAny>,
    timeout: Option<f64>,
    return_when: &str,
) -> PyResult<Bound<'py, Job>> {
    let py = aws.py();
    let until = Until::named(return_when)?;
    let aws = collection("wait", aws)?;
    if aws.is_empty() {
        return Err(PyValueError::new_err("wait() was given nothing to wait for"));
    }
    if aws.iter().any(names::is_coroutine) {
        return Err(PyTypeError::new_err(
            "wait() takes jobs and futures, not coroutines: make tasks of them, as it gives back what it was given",
        ));
    }
    let group = Group::of(py, "wait", aws, Order::Any)?;
    let (promise, outcome) = promise();
    let over = promise.clone();
    let timer = timer::start(py, timeout, move || drop(over.complete(Enough)))?;
    let left = AtomicUsize::new(group.len());
    let wakers = group.count(py, &Arc::new(WaitCounter { left, until, promise }))?;
    let source = Waiting { work: Work::new(outcome, timer), group, wakers };
    Job::of(py, Some("wait"), source, None)
}

/// What a wait waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    AllCompleted,
    FirstCompleted,
    FirstException,
}

impl Until {
    fn named(name: &str) -> PyResult<Self> {
        match name {
            ALL_COMPLETED => Ok(Self::AllCompleted),
            FIRST_COMPLETED => Ok(Self::FirstCompleted),
            FIRST_EXCEPTION => Ok(Self::FirstException),
            _ => Err(PyValueError::new_err(format!(
                "return_when is one of '{ALL_COMPLETED}', '{FIRST_COMPLETED}' and '{FIRST_EXCEPTION}', not '{name}'"
            ))),
        }
    }
}

struct WaitCounter {
    left: AtomicUsize,
    until: Until,
    promise: Promise<Enough>,
}

impl Counter for WaitCounter {
    fn child_done(&self, _place: usize, end: End) {
        let is_last = self.left.fetch_sub(1, Ordering::AcqRel) == 1;
        let is_enough = match self.until {
            Until::AllCompleted => false,
            Until::FirstCompleted => true,
            Until::FirstException => end == End::Error,
        };
        if is_last || is_enough {
            let _ = self.promise.complete(Enough);
        }
    }

    fn asks_for_errors(&self) -> bool {
        self.until == Until::FirstException
    }
}

/// That a wait may end: what it gives is found out then.
struct Enough;

impl Deliver for Enough {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Err(names::invalid_state(py, "that a wait may end is no result"))
    }
}

struct Waiting {
    work: Work<Enough>,
    group: Arc<Group>,
    wakers: Wakers<WaitCounter>,
}

impl Waiting {
    fn sets(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (done, pending) = (PySet::empty(py)?, PySet::empty(py)?);
        for place in 0..self.group.len() {
            let set = if self.group.is_done(py, place)? { &done } else { &pending };
            set.add(self.group.child(py, place))?;
        }
        Ok(PyTuple::new(py, [done, pending])?.into_any().unbind())
    }
}

impl Source for Waiting {
    fn state(&self) -> State {
        self.work.state()
    }

    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.work.poll_settled(cx)
    }

    fn watch(&self) -> Box<dyn Watch> {
        self.work.watch()
    }

    fn cancel(&self, message: &str) -> bool {
        self.work.cancel(message)
    }

    fn ending(&self, py: Python<'_>) -> Ending {
        match self.work.value() {
            Some(_) => Ending::of(py, self.sets(py)),
            None => self.work.ending(py),
        }
    }

    fn depth(&self) -> usize {
        self.group.depth()
    }

    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        self.wakers.jobs_out(py, &self.group, home)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.group.traverse(visit)
    }
}
