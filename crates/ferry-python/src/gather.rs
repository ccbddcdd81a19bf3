//! [`gather_impl`]: one awaitable of many, counted down in Rust.
//!
//! ```text
//!   a child of ours is settled ──ChildWaker──▶ Tally: one less ──at zero, or a failure──▶ the gather's promise
//!   a future of Python is done ──ChildDone───▶                                              └▶ one letter home
//! ```
//!
//! The children's threads only count; the loop is woken once. The results are collected when the gather is
//! looked at, from the children, which it owns.
//!
//! A child's waker owns a watch of that child (to see how it ended), which owns the waker through the child's
//! promise. The ring is opened when the child is settled, or by [`Gathering`] when it's dropped.
//!
//! Errors are asyncio's: the first ends the gather at once, and the others run on, their errors unreported.
//! Cancelling the gather cancels all children, and it ends when the first of them does.

use crate::{
    awaitable::Awaitable,
    home::Home,
    names,
    source::{Deliver, Ending, Source, Watch, Work},
    stage::{Retrieve, Seen},
};
use asyncferry::{Promise, State, promise};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyTypeError,
    intern,
    prelude::*,
    types::{PyDict, PyList, PyString},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// An awaitable of the list of the results of `awaitables`, in their order.
///
/// Awaitables of Ferry are counted down in Rust; coroutines, futures and tasks of Python are taken as
/// `asyncio.gather` takes them. The same awaitable may stand at several places.
///
/// ```
/// use asyncferry_python::{Awaitable, gather_impl, interpreter};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// #[pyfunction]
/// fn all<'py>(py: Python<'py>, awaitables: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, Awaitable>> {
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
/// needs a running event loop, and none runs.
pub fn gather_impl<'py>(
    py: Python<'py>,
    awaitables: Vec<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Awaitable>> {
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
) -> PyResult<Bound<'py, Awaitable>> {
    for (place, object) in awaitables.iter().enumerate() {
        if !object.is_exact_instance_of::<Awaitable>() && !names::is_awaitable(object)? {
            let name: Bound<'_, PyString> = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "gather() takes awaitables, but argument {} is of type '{name}'; call it, if it's a function",
                place + 1
            )));
        }
    }
    if awaitables.is_empty() {
        return Awaitable::ended(py, Some("gather"), Ending::Value(PyList::empty(py).into_any().unbind()));
    }
    let children = as_futures(py, awaitables)?;
    let (promise, outcome) = promise();
    let tally = Arc::new(Tally { left: AtomicUsize::new(children.len()), promise, on_error });
    let wakers = children.iter().enumerate().map(|(place, child)| tally.count(place, child));
    let wakers = wakers.filter_map(Result::transpose).collect::<PyResult<Vec<_>>>()?;
    let children = children.into_iter().map(Bound::unbind).collect();
    let children = Arc::new(Children { list: children, on_error });
    Awaitable::pending(py, Some("gather"), Gathering { work: Work::new(outcome, None), children, wakers })
}

/// Makes tasks of coroutines, once each.
fn as_futures<'py>(py: Python<'py>, awaitables: Vec<Bound<'py, PyAny>>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut foreign = None;
    let future = |object: Bound<'py, PyAny>| {
        if object.is_exact_instance_of::<Awaitable>() {
            return Ok(object);
        }
        if foreign.is_none() {
            let event_loop = Home::here(py)?.event_loop(py);
            foreign = event_loop.map(|event_loop| (event_loop, PyDict::new(py)));
        }
        let Some((event_loop, known)) = &foreign else { return Ok(object) };
        if let Some(future) = known.get_item(&object)? {
            return Ok(future);
        }
        let future = names::ensure_future(&object, event_loop)?;
        known.set_item(object, &future)?;
        Ok(future)
    };
    awaitables.into_iter().map(future).collect()
}

/// How far the gather is.
struct Tally {
    left: AtomicUsize,
    promise: Promise<Verdict>,
    on_error: OnError,
}

/// What ended the gather.
enum Verdict {
    AllDone,
    /// The child at this place failed or was cancelled.
    Failed(usize),
}

impl Tally {
    /// Counts `child` when it's done: by a waker if it's ours and pending.
    fn count(self: &Arc<Self>, place: usize, child: &Bound<'_, PyAny>) -> PyResult<Option<Arc<ChildWaker>>> {
        let py = child.py();
        if let Ok(ours) = child.cast_exact::<Awaitable>() {
            let core = ours.get().core();
            if let Some(watch) = core.watch(py) {
                let waker = Arc::new(ChildWaker { tally: self.clone(), place, watch: Mutex::new(None) });
                waker.begin(watch);
                return Ok(Some(waker));
            }
            if let Some(seen) = core.look(py, Retrieve::Take) {
                self.child_done(place, !matches!(seen, Seen::Value(_)));
                return Ok(None);
            }
            // Its value is just being converted, which ends in a callback.
        }
        let done = Bound::new(py, ChildDone { tally: self.clone(), place })?;
        child.call_method1(intern!(py, "add_done_callback"), (done,))?;
        Ok(None)
    }

    fn child_done(&self, place: usize, failed: bool) {
        if failed && self.on_error == OnError::Raise {
            // A gather that has ended already stays as it is.
            let _ = self.promise.complete(Verdict::Failed(place));
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _ = self.promise.complete(Verdict::AllDone);
        }
    }
}

/// Counts a child of ours, on whatever thread it's settled.
struct ChildWaker {
    tally: Arc<Tally>,
    place: usize,
    watch: Mutex<Option<Box<dyn Watch>>>,
}

impl ChildWaker {
    fn begin(self: &Arc<Self>, mut watch: Box<dyn Watch>) {
        // A wake that comes before the watch is in its place waits for the lock.
        let mut slot = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let waker = Waker::from(self.clone());
        if watch.poll_settled(&mut Context::from_waker(&waker)) == Poll::Pending {
            *slot = Some(watch);
            return;
        }
        drop(slot);
        self.tally.child_done(self.place, watch.failed());
    }

    fn take(&self) -> Option<Box<dyn Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Wake for ChildWaker {
    fn wake(self: Arc<Self>) {
        if let Some(watch) = self.take() {
            self.tally.child_done(self.place, watch.failed());
        }
    }
}

/// Counts a future of Python. It's called on the loop's thread.
#[pyclass(frozen, module = "asyncferry", name = "_ChildDone")]
struct ChildDone {
    tally: Arc<Tally>,
    place: usize,
}

#[pymethods]
impl ChildDone {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        let failed = future.call_method0(intern!(py, "cancelled"))?.is_truthy()?
            || !future.call_method0(intern!(py, "exception"))?.is_none();
        self.tally.child_done(self.place, failed);
        Ok(())
    }
}

/// The children, which a gather's awaitable owns.
pub(crate) struct Children {
    list: Vec<Py<PyAny>>,
    on_error: OnError,
}

impl Children {
    /// Cancels all of them; `true` if one of them took it.
    pub(crate) fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>) -> PyResult<bool> {
        let mut any = false;
        for child in &self.list {
            let keywords = PyDict::new(py);
            if let Some(message) = &message {
                keywords.set_item(intern!(py, "msg"), message)?;
            }
            let cancelled = child.bind(py).call_method(intern!(py, "cancel"), (), Some(&keywords))?;
            any |= cancelled.is_truthy()?;
        }
        Ok(any)
    }

    fn result(&self, py: Python<'_>, place: usize) -> PyResult<Py<PyAny>> {
        let child = self.list[place].bind(py);
        match child.cast_exact::<Awaitable>() {
            Ok(ours) => match ours.get().core().look(py, Retrieve::Take) {
                Some(seen) => seen.into_result(py),
                None => Err(names::invalid_state(py, "a gathered awaitable is not done")),
            },
            Err(_) => child.call_method0(intern!(py, "result")).map(Bound::unbind),
        }
    }

    fn results(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let result = |place| match self.result(py, place) {
            Err(error) if self.on_error == OnError::Return => Ok(error.into_value(py).into_any()),
            other => other,
        };
        let results = (0..self.list.len()).map(result).collect::<PyResult<Vec<_>>>()?;
        Ok(PyList::new(py, results)?.into_any().unbind())
    }
}

impl Deliver for Verdict {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Err(names::invalid_state(py, "a verdict is no result"))
    }

    fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// What a gather's awaitable waits for.
struct Gathering {
    work: Work<Verdict>,
    children: Arc<Children>,
    wakers: Vec<Arc<ChildWaker>>,
}

impl Source for Gathering {
    fn state(&self) -> State {
        self.work.state()
    }

    fn failed(&self) -> bool {
        self.work.failed() || self.work.value().is_some_and(Deliver::is_failure)
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
            Some(Verdict::Failed(place)) => self.children.result(py, *place),
            None => return self.work.ending(py),
        };
        Ending::of(py, ended)
    }

    fn children(&self) -> Option<&Arc<Children>> {
        Some(&self.children)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.children.list.iter().try_for_each(|child| visit.call(child))
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        for waker in &self.wakers {
            drop(waker.take());
        }
    }
}
