//! What `gather`, `wait`, `race` and `as_completed` have in common: a group of children, each of which a
//! [`Counter`] hears of once, when it's done.
//!
//! ```text
//!   a child of ours is settled ──ChildWaker──▶ Counter::child_done(place, end) ──▶ the group's promise
//!   a future of Python is done ──ChildDone───▶                                     └▶ one letter home
//! ```
//!
//! The children's threads only count; the loop is woken when the counter has heard enough. Results are collected
//! from the children when the group's job is looked at.
//!
//! A child's waker owns a watch of that child (to see how it ended), which owns the waker through the child's
//! promise. The ring is opened when the child is settled, or by [`Wakers`] when they're dropped.
//!
//! Groups may stand in groups, [`MAX_DEPTH`] deep: settling, converting, cancelling and dropping each go from
//! one to the next on the stack.

use crate::{
    calling,
    home::Home,
    job::Job,
    names,
    source::{End, Watch},
    stage::{Retrieve, Seen},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRecursionError, PyTypeError},
    intern,
    prelude::*,
    types::{PyDict, PySet, PyString},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Hears of each child that is done, on whatever thread that happens.
pub(crate) trait Counter: Send + Sync + 'static {
    fn child_done(&self, place: usize, end: End);

    /// Whether it must know of a child's error. An exception of Python's futures counts as retrieved once it was
    /// asked for, so who doesn't answer for it must not ask.
    fn asks_for_errors(&self) -> bool;
}

/// The children of a group, in the order in which they were given.
pub(crate) struct Group {
    list: Vec<Py<PyAny>>,
    depth: usize,
    /// It has ended, and answers for its children's errors.
    answers: Arc<AtomicBool>,
}

/// Whether the children of a group stand in the order in which its caller was given them.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    AsGiven,
    Any,
}

/// How deep pending groups may stand in each other: less than half of what a stack of 2 MiB, the least that
/// threads usually have, has room for in an unoptimized build.
const MAX_DEPTH: usize = 200;

impl Group {
    /// The group of `awaitables`, of which coroutines become tasks. `caller` is who is told to blame in errors.
    ///
    /// # Errors
    /// `TypeError` when one of them can't be awaited (nothing is started then), `RuntimeError` when one of them
    /// needs an event loop and none runs, `RecursionError`.
    pub(crate) fn of<'py>(
        py: Python<'py>,
        caller: &str,
        awaitables: Vec<Bound<'py, PyAny>>,
        order: Order,
    ) -> PyResult<Arc<Self>> {
        for (place, object) in awaitables.iter().enumerate() {
            if !object.is_exact_instance_of::<Job>() && !names::is_awaitable(object)? {
                let name: Bound<'_, PyString> = object.get_type().name()?;
                let which = match order {
                    Order::AsGiven => format!("argument {}", place + 1),
                    Order::Any => "one that it was given".to_owned(),
                };
                return Err(PyTypeError::new_err(format!(
                    "{caller}() takes awaitables, but {which} is of type '{name}'; call it, if it's a function"
                )));
            }
        }
        let list = as_futures(py, awaitables)?;
        let depth = depth(caller, &list)?;
        let list = list.into_iter().map(Bound::unbind).collect();
        Ok(Arc::new(Self { list, depth, answers: Arc::default() }))
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// How deep it is in groups: 1, if no child of it is one.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn child<'py>(&self, py: Python<'py>, place: usize) -> &Bound<'py, PyAny> {
        self.list[place].bind(py)
    }

    /// It has ended, with an error of its children perhaps. From now on none of theirs is reported; those of a group
    /// that goes before it has ended are.
    pub(crate) fn answer_for_errors(&self, py: Python<'_>) {
        self.answers.store(true, Ordering::Relaxed);
        let jobs = self.list.iter().filter_map(|child| child.bind(py).cast_exact::<Job>().ok());
        jobs.for_each(|job| job.get().core().hush(py));
    }

    /// Has `counter` told of each child, of those that are done already too.
    pub(crate) fn count<C: Counter>(&self, py: Python<'_>, counter: &Arc<C>) -> PyResult<Wakers<C>> {
        let places = self.list.iter().enumerate();
        let wakers = places
            .filter_map(|(place, child)| count(counter, &self.answers, place, child.bind(py)).transpose());
        Ok(Wakers { wakers: wakers.collect::<PyResult<_>>()?, _counter: counter.clone() })
    }

    /// Whether the child at `place` is done.
    pub(crate) fn is_done(&self, py: Python<'_>, place: usize) -> PyResult<bool> {
        let child = self.child(py, place);
        match child.cast_exact::<Job>() {
            Ok(job) => Ok(job.get().core().is_done(py)),
            Err(_) => calling::call_method(child, intern!(py, "done"), ())?.is_truthy(),
        }
    }

    /// What the child at `place`, which is done, gave or raises.
    pub(crate) fn result(&self, py: Python<'_>, place: usize) -> PyResult<Py<PyAny>> {
        let child = self.child(py, place);
        match child.cast_exact::<Job>() {
            Ok(job) => match job.get().core().look(py, Retrieve::Take) {
                Some(seen) => seen.into_result(py),
                None => Err(names::invalid_state(py, "a job of a group is not done")),
            },
            Err(_) => calling::call_method(child, intern!(py, "result"), ()).map(Bound::unbind),
        }
    }

    /// Cancels all children at `places`; whether one of them took it.
    pub(crate) fn cancel(
        &self,
        py: Python<'_>,
        places: impl Iterator<Item = usize>,
        message: Option<&Py<PyAny>>,
        text: &str,
    ) -> PyResult<bool> {
        let keywords = PyDict::new(py);
        if let Some(message) = message {
            keywords.set_item(intern!(py, "msg"), message)?;
        }
        let mut any = false;
        for place in places {
            let child = self.child(py, place);
            any |= match child.cast_exact::<Job>() {
                Ok(job) => {
                    let message = message.map(|message| message.clone_ref(py));
                    job.get().core().cancel(py, message, text)?
                }
                Err(_) => {
                    calling::call(&child.getattr(intern!(py, "cancel"))?, (), Some(&keywords))?.is_truthy()?
                }
            };
        }
        Ok(any)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.list.iter().try_for_each(|child| visit.call(child))
    }
}

/// What `caller` was given a collection of, each once.
///
/// # Errors
/// `TypeError` when it's no collection, or one awaitable.
pub(crate) fn collection<'py>(caller: &str, aws: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = aws.py();
    let wrong = |what: &str| {
        PyTypeError::new_err(format!("{caller}() takes a collection of what can be awaited, not {what}"))
    };
    if aws.is_exact_instance_of::<Job>() || names::is_awaitable(aws)? {
        return Err(wrong("just one of them"));
    }
    let items = aws.try_iter().map_err(|error| {
        let class = aws.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
        let wrong = wrong(&format!("an object of type '{class}'"));
        wrong.set_cause(py, Some(error));
        wrong
    })?;
    let set = PySet::new(py, items.collect::<PyResult<Vec<_>>>()?)?;
    Ok(set.iter().collect())
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

fn depth(caller: &str, children: &[Bound<'_, PyAny>]) -> PyResult<usize> {
    let jobs = children.iter().filter_map(|child| child.cast_exact::<Job>().ok());
    let depth = 1 + jobs.map(|job| job.get().core().depth()).max().unwrap_or(0);
    if depth > MAX_DEPTH {
        return Err(PyRecursionError::new_err(format!(
            "{caller}() of {caller}(), {depth} deep, of which {MAX_DEPTH} are allowed: {caller} all awaitables at \
             once, or make a task of a coroutine that awaits the inner one"
        )));
    }
    Ok(depth)
}

/// Counts `child` when it's done: by a waker if it's ours and pending.
fn count<C: Counter>(
    counter: &Arc<C>,
    answers: &Arc<AtomicBool>,
    place: usize,
    child: &Bound<'_, PyAny>,
) -> PyResult<Option<Arc<ChildWaker<C>>>> {
    let py = child.py();
    if let Ok(job) = child.cast_exact::<Job>() {
        let core = job.get().core();
        if let Some(watch) = core.watch(py) {
            let waker = Arc::new(ChildWaker {
                counter: counter.clone(),
                place,
                watch: Mutex::new(None),
                is_counted: AtomicBool::new(false),
            });
            waker.begin(watch);
            return Ok(Some(waker));
        }
        if let Some(seen) = core.look(py, Retrieve::Leave) {
            counter.child_done(place, seen.end());
            return Ok(None);
        }
        // Its value is just being converted, which ends in a callback.
    } else if calling::call_method(child, intern!(py, "done"), ())?.is_truthy()? {
        counter.child_done(place, end_of(counter.asks_for_errors(), child)?);
        return Ok(None);
    }
    let asks_for_errors = counter.asks_for_errors();
    let counter = Arc::downgrade(counter);
    let done = Bound::new(py, ChildDone { counter, asks_for_errors, answers: answers.clone(), place })?;
    calling::call_method(child, intern!(py, "add_done_callback"), (done,))?;
    Ok(None)
}

/// The wakers of a group's pending children, and the counter. Dropping them ends the counting.
pub(crate) struct Wakers<C: Counter> {
    wakers: Vec<Arc<ChildWaker<C>>>,
    _counter: Arc<C>,
}

impl<C: Counter> Wakers<C> {
    /// How many pieces of work the children of `group` wait for that are not counted yet. See
    /// [`Source::jobs_out`](crate::source::Source::jobs_out).
    pub(crate) fn jobs_out(&self, py: Python<'_>, group: &Group, home: &Arc<Home>) -> usize {
        let uncounted = self.wakers.iter().filter(|waker| !waker.is_counted.load(Ordering::Acquire));
        let jobs = uncounted.filter_map(|waker| group.child(py, waker.place).cast_exact::<Job>().ok());
        // A child that is settled is just being counted.
        jobs.map(|job| job.get().core().jobs_out(py, home).unwrap_or(1)).sum()
    }
}

impl<C: Counter> Drop for Wakers<C> {
    fn drop(&mut self) {
        for waker in &self.wakers {
            drop(waker.take());
        }
    }
}

/// Counts a child of ours, on whatever thread it's settled.
struct ChildWaker<C> {
    counter: Arc<C>,
    place: usize,
    watch: Mutex<Option<Box<dyn Watch>>>,
    /// Its child's end has come to the counter.
    is_counted: AtomicBool,
}

impl<C: Counter> ChildWaker<C> {
    fn begin(self: &Arc<Self>, mut watch: Box<dyn Watch>) {
        // A wake that comes before the watch is in its place waits for the lock.
        let mut slot = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let waker = Waker::from(self.clone());
        if watch.poll_settled(&mut Context::from_waker(&waker)) == Poll::Pending {
            *slot = Some(watch);
            return;
        }
        drop(slot);
        self.count(&*watch);
    }

    fn count(&self, watch: &dyn Watch) {
        self.counter.child_done(self.place, watch.end());
        self.is_counted.store(true, Ordering::Release);
    }

    fn take(&self) -> Option<Box<dyn Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<C: Counter> Wake for ChildWaker<C> {
    fn wake(self: Arc<Self>) {
        if let Some(watch) = self.take() {
            self.count(&*watch);
        }
    }
}

/// Counts a future of Python. It's called on the loop's thread.
#[pyclass(frozen, module = "asyncferry", name = "_ChildDone")]
struct ChildDone {
    /// Weak, as a counter may have the group, and with it this future: a ring that Python's collector can't see.
    counter: Weak<dyn Counter>,
    /// The counter must know of an error.
    asks_for_errors: bool,
    /// The group answers for it, although it doesn't count any more.
    answers: Arc<AtomicBool>,
    place: usize,
}

#[pymethods]
impl ChildDone {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.counter.upgrade() {
            Some(counter) => counter.child_done(self.place, end_of(self.asks_for_errors, future)?),
            None => drop(end_of(self.answers.load(Ordering::Relaxed), future)?),
        }
        Ok(())
    }
}

/// How a future of Python that is done ended, as far as its counter asks.
fn end_of(asks_for_errors: bool, future: &Bound<'_, PyAny>) -> PyResult<End> {
    let py = future.py();
    if calling::call_method(future, intern!(py, "cancelled"), ())?.is_truthy()? {
        return Ok(End::Cancelled);
    }
    let failed = asks_for_errors && !calling::call_method(future, intern!(py, "exception"), ())?.is_none();
    Ok(if failed { End::Error } else { End::Value })
}

impl Seen {
    fn end(&self) -> End {
        match self {
            Self::Value(_) => End::Value,
            Self::Error { .. } => End::Error,
            Self::Cancelled(_) => End::Cancelled,
        }
    }
}
