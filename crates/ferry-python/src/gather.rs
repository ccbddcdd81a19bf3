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
//! Cancelling the gather cancels all children, and it ends when the first of them does. A gather that was asked
//! to stop never gives a list: when its children suppress that, or stand in the list as errors, it's cancelled
//! when all are done ([`Stop`]).
//!
//! Gathers may stand in gathers, [`MAX_DEPTH`] deep: settling, converting, cancelling and dropping each go from
//! one to the next on the stack.

use crate::{
    home::Home,
    job::Job,
    names,
    source::{Deliver, Ending, Request, Source, Watch, Work},
    stage::{Retrieve, Seen},
};
use asyncferry::{Promise, State, promise};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRecursionError, PyTypeError},
    intern,
    prelude::*,
    types::{PyDict, PyList, PyString},
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
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
    for (place, object) in awaitables.iter().enumerate() {
        if !object.is_exact_instance_of::<Job>() && !names::is_awaitable(object)? {
            let name: Bound<'_, PyString> = object.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "gather() takes awaitables, but argument {} is of type '{name}'; call it, if it's a function",
                place + 1
            )));
        }
    }
    if awaitables.is_empty() {
        return Job::ended(py, Some("gather"), Ending::Value(PyList::empty(py).into_any().unbind()));
    }
    let children = as_futures(py, awaitables)?;
    let depth = depth(&children)?;
    let request = Arc::new(Stop::default());
    let (promise, outcome) = promise();
    let left = AtomicUsize::new(children.len());
    let tally = Arc::new(Tally { left, promise, on_error, request: request.clone() });
    let wakers = children.iter().enumerate().map(|(place, child)| tally.count(place, child));
    let wakers = wakers.filter_map(Result::transpose).collect::<PyResult<Vec<_>>>()?;
    let children = children.into_iter().map(Bound::unbind).collect();
    let children = Arc::new(Children { list: children, on_error, depth, request, message: Mutex::default() });
    Job::of(py, Some("gather"), Gathering { work: Work::new(outcome, None), children, wakers }, None)
}

/// How deep pending gathers may stand in each other: less than half of what a stack of 2 MiB, the least that
/// threads usually have, has room for in an unoptimized build.
const MAX_DEPTH: usize = 200;

/// How deep a gather of `children` is: 1, if none of them is one.
fn depth(children: &[Bound<'_, PyAny>]) -> PyResult<usize> {
    let ours = children.iter().filter_map(|child| child.cast_exact::<Job>().ok());
    let depth = 1 + ours.map(|child| child.get().core().depth()).max().unwrap_or(0);
    if depth > MAX_DEPTH {
        return Err(PyRecursionError::new_err(format!(
            "gather() of gather(), {depth} deep, of which {MAX_DEPTH} are allowed: gather all awaitables at once, \
             or make a task of a coroutine that awaits the inner gather"
        )));
    }
    Ok(depth)
}

/// Makes tasks of coroutines, once each.
fn as_futures<'py>(py: Python<'py>, awaitables: Vec<Bound<'py, PyAny>>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let mut foreign = None;
    let future = |object: Bound<'py, PyAny>| {
        if object.is_exact_instance_of::<Job>() {
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
    request: Arc<Stop>,
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

impl Tally {
    /// Counts `child` when it's done: by a waker if it's ours and pending.
    fn count(self: &Arc<Self>, place: usize, child: &Bound<'_, PyAny>) -> PyResult<Option<Arc<ChildWaker>>> {
        let py = child.py();
        if let Ok(ours) = child.cast_exact::<Job>() {
            let core = ours.get().core();
            core.hush();
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
            let verdict = if self.request.decide() { Verdict::Cancelled } else { Verdict::AllDone };
            let _ = self.promise.complete(verdict);
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
    depth: usize,
    request: Arc<Stop>,
    /// What the last request to stop said.
    message: Mutex<Option<Py<PyAny>>>,
}

impl Children {
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }
}

impl Request for Children {
    /// Cancels all of them; `true` if the gather ends cancelled by it, or one of them took it.
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool> {
        // Asked before the children are: the last of them may be done before this returns.
        let asked = self.request.ask();
        let kept = message.as_ref().map(|message| message.clone_ref(py));
        let earlier = std::mem::replace(&mut *self.message(), kept);
        drop(earlier);
        match self.cancel_each(py, message.as_ref(), text) {
            Ok(false) if asked == Asked::First => Ok(!self.request.withdraw()),
            other => other,
        }
    }
}

impl Children {
    fn cancel_each(&self, py: Python<'_>, message: Option<&Py<PyAny>>, text: &str) -> PyResult<bool> {
        let keywords = PyDict::new(py);
        if let Some(message) = message {
            keywords.set_item(intern!(py, "msg"), message)?;
        }
        let mut any = false;
        for child in &self.list {
            let child = child.bind(py);
            any |= match child.cast_exact::<Job>() {
                Ok(ours) => {
                    let message = message.map(|message| message.clone_ref(py));
                    ours.get().core().cancel(py, message, text)?
                }
                Err(_) => child.call_method(intern!(py, "cancel"), (), Some(&keywords))?.is_truthy()?,
            };
        }
        Ok(any)
    }

    fn message(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.message.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn result(&self, py: Python<'_>, place: usize) -> PyResult<Py<PyAny>> {
        let child = self.list[place].bind(py);
        match child.cast_exact::<Job>() {
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
        !matches!(self, Self::AllDone)
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
            Some(Verdict::Cancelled) => {
                let message = self.children.message();
                return Ending::Cancelled(message.as_ref().map(|message| message.clone_ref(py)));
            }
            None => return self.work.ending(py),
        };
        Ending::of(py, ended)
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        Some(self.children.clone())
    }

    fn children(&self) -> Option<&Arc<Children>> {
        Some(&self.children)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.children.list.iter().try_for_each(|child| visit.call(child))?;
        let Ok(message) = self.children.message.try_lock() else { return Ok(()) };
        message.as_ref().map_or(Ok(()), |message| visit.call(message))
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        for waker in &self.wakers {
            drop(waker.take());
        }
    }
}
