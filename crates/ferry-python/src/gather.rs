//! [`gather_impl`]: one awaitable of many, counted down in Rust (see [`group`](crate::group)).
//!
//! Errors are asyncio's: the first ends the gather at once, and the others run on, their errors unreported.
//! Cancelling the gather cancels all children, and it ends when the first of them does. A gather that was asked
//! to stop never gives a list: when its children suppress that, or stand in the list as errors, it's cancelled
//! when all are done ([`Stop`]).

use crate::{
    group::{Counter, Group, Order, Wakers},
    home::Home,
    job::Job,
    names,
    source::{Deliver, End, Ending, Request, Source, Watch, Work},
};
use asyncferry::{Promise, State, promise};
use pyo3::{PyTraverseError, PyVisit, prelude::*, types::PyList};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

/// An awaitable of the list of the results of `awaitables`, in their order.
///
/// Awaitables of Ferry are counted down in Rust; coroutines, futures and tasks of Python are taken as
/// `asyncio.gather` takes them. The same awaitable may stand at several places.
///
/// ```
/// use asyncferry_python::{Job, gather_impl, interpreter};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// #[pyfunction]
/// fn all<'py>(py: Python<'py>, awaitables: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, Job>> {
///     gather_impl(py, awaitables)
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let globals = [("all", wrap_pyfunction!(all, py)?)].into_py_dict(py)?;
///         let program = c_str!("import asyncio\nasync def main():\n    assert await all([asyncio.sleep(0, 1), asyncio.sleep(0, 2)]) == [1, 2]\nasyncio.run(main())");
///         py.run(program, Some(&globals), None)
///     })
/// }
/// ```
///
/// # Errors
/// `TypeError` when one of them can't be awaited; nothing is started then. `RuntimeError` when one of them
/// needs a running event loop, and none runs. `RecursionError` when pending gathers stand in each other more
/// than 200 deep.
pub fn gather_impl<'py>(py: Python<'py>, awaitables: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, Job>> {
    gather(py, awaitables, OnError::Raise)
}

/// What becomes of a child's error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// It ends the gather.
    Raise,
    /// It stands in the list like a result.
    Return,
}

pub(crate) fn gather<'py>(
    py: Python<'py>,
    awaitables: Vec<Bound<'py, PyAny>>,
    on_error: OnError,
) -> PyResult<Bound<'py, Job>> {
    let group = Group::of(py, "gather", awaitables, Order::AsGiven)?;
    if group.len() == 0 {
        return Job::ended(py, Some("gather"), Ending::Value(PyList::empty(py).into_any().unbind()));
    }
    let request = Arc::new(Stop::default());
    let (promise, outcome) = promise();
    let left = AtomicUsize::new(group.len());
    let tally = Arc::new(Tally { left, promise, on_error, request: request.clone() });
    let wakers = group.count(py, &tally)?;
    let children = Arc::new(Children { group, on_error, request, message: Mutex::default() });
    Job::of(py, Some("gather"), Gathering { work: Work::new(outcome, None), children, wakers }, None)
}

/// How far the gather is.
struct Tally {
    left: AtomicUsize,
    promise: Promise<Verdict>,
    on_error: OnError,
    request: Arc<Stop>,
}

impl Counter for Tally {
    fn child_done(&self, place: usize, end: End) {
        if end != End::Value && self.on_error == OnError::Raise {
            // A gather that has ended already stays as it is.
            let _ = self.promise.complete(Verdict::Failed(place));
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let verdict = if self.request.decide() { Verdict::Cancelled } else { Verdict::AllDone };
            let _ = self.promise.complete(verdict);
        }
    }

    fn asks_for_errors(&self) -> bool {
        self.on_error == OnError::Raise
    }
}

/// Whether the gather was asked to stop before all its children were done: decided in one atomic step, as the
/// last child may end on another thread while Python cancels.
///
/// ```text
///   0 ──ask──▶ ASKED ──decide──▶ ASKED + DECIDED: it's cancelled
///   │ ◀─withdraw─┘
///   └──decide──▶ DECIDED: it has its list
/// ```
#[derive(Default)]
struct Stop(AtomicU8);

impl Stop {
    const ASKED: u8 = 1;
    const DECIDED: u8 = 2;

    fn ask(&self) -> Asked {
        match self.0.compare_exchange(0, Self::ASKED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Asked::First,
            Err(_) => Asked::AgainOrLate,
        }
    }

    /// Takes back what no child took; `false` when it was decided on meanwhile.
    fn withdraw(&self) -> bool {
        self.0.compare_exchange(Self::ASKED, 0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// All children are done: was it asked to stop?
    fn decide(&self) -> bool {
        self.0.fetch_or(Self::DECIDED, Ordering::AcqRel) & Self::ASKED != 0
    }
}

/// Whether a request to stop is one that may be taken back.
#[derive(PartialEq)]
enum Asked {
    First,
    AgainOrLate,
}

/// What ended the gather.
enum Verdict {
    AllDone,
    /// All are done, after the gather was asked to stop.
    Cancelled,
    /// The child at this place failed or was cancelled.
    Failed(usize),
}

/// The children, which a gather's awaitable owns.
struct Children {
    group: Arc<Group>,
    on_error: OnError,
    request: Arc<Stop>,
    /// What the last request to stop said.
    message: Mutex<Option<Py<PyAny>>>,
}

impl Request for Children {
    /// Cancels all of them; `true` if the gather ends cancelled by it, or one of them took it.
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool> {
        // Asked before the children are: the last of them may be done before this returns.
        let asked = self.request.ask();
        let kept = message.as_ref().map(|message| message.clone_ref(py));
        let earlier = std::mem::replace(&mut *self.message(), kept);
        drop(earlier);
        match self.group.cancel(py, 0..self.group.len(), message.as_ref(), text) {
            Ok(false) if asked == Asked::First => Ok(!self.request.withdraw()),
            other => other,
        }
    }
}

impl Children {
    fn message(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn results(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let result = |place| match self.group.result(py, place) {
            Err(error) if self.on_error == OnError::Return => Ok(error.into_value(py).into_any()),
            other => other,
        };
        let results = (0..self.group.len()).map(result).collect::<PyResult<Vec<_>>>()?;
        Ok(PyList::new(py, results)?.into_any().unbind())
    }
}

impl Deliver for Verdict {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Err(names::invalid_state(py, "a verdict is no result"))
    }

    fn end(&self) -> End {
        match self {
            Self::AllDone => End::Value,
            Self::Cancelled => End::Cancelled,
            Self::Failed(_) => End::Error,
        }
    }
}

/// What a gather's awaitable waits for.
struct Gathering {
    work: Work<Verdict>,
    children: Arc<Children>,
    wakers: Wakers<Tally>,
}

impl Source for Gathering {
    fn state(&self) -> State {
        self.work.state()
    }

    fn failed(&self) -> bool {
        self.work.failed() || self.work.value().is_some_and(|verdict| verdict.end() != End::Value)
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
        let ended = match self.work.value() {
            Some(Verdict::AllDone) => self.children.results(py),
            Some(Verdict::Failed(place)) => self.children.group.result(py, *place),
            Some(Verdict::Cancelled) => {
                // None of their errors goes unseen: whoever cancels wants none of them.
                drop(self.children.results(py));
                self.children.group.answer_for_errors(py);
                let message = self.children.message();
                return Ending::Cancelled(message.as_ref().map(|message| message.clone_ref(py)));
            }
            None => return self.work.ending(py),
        };
        self.children.group.answer_for_errors(py);
        Ending::of(py, ended)
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        Some(self.children.clone())
    }

    fn depth(&self) -> usize {
        self.children.group.depth()
    }

    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        self.wakers.jobs_out(py, &self.children.group, home)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.children.group.traverse(visit)?;
        let Ok(message) = self.children.message.try_lock() else { return Ok(()) };
        message.as_ref().map_or(Ok(()), |message| visit.call(message))
    }
}
