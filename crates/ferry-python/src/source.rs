//! [`Source`]: what an awaitable waits for, whatever the type of its value: a promise, with the task that
//! will settle it if the bridge started one.
//!
//! A value is converted to Python at home, with the GIL, once: [`Deliver`] says how. Errors are turned into
//! exceptions there too (see [`failure`]).

use crate::{activity::Activity, call::Call, failure, home::Home, names};
use asyncferry::{Failure, Future, State};
use pyo3::{IntoPyObjectExt, PyTraverseError, PyVisit, prelude::*, types::PyString};
use std::{
    any::TypeId,
    panic::Location,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

/// A value that is handed to Python when it's awaited there.
pub(crate) trait Deliver: Send + Sync + 'static {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>>;

    /// What kind of end this value stands for, where it's that of somebody else.
    fn end(&self) -> End {
        End::Value
    }

    /// An item that was handed out, and that nobody has taken yet: gives it to the next who wants one. `false` for
    /// what is no such item.
    fn put_back(&self) -> bool {
        false
    }
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value,
    Error,
    Cancelled,
}

/// A value that is converted when it's taken, by the one awaitable that there is for it.
pub(crate) struct Once<T>(Mutex<Option<T>>);

impl<T> Once<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T: for<'py> IntoPyObject<'py> + Send + 'static> Deliver for Once<T> {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.take() {
            Some(value) => to_python(py, value),
            None => Err(names::invalid_state(py, "the value was given out already")),
        }
    }
}

/// A value of a promise that may be awaited by others too is copied for each.
impl<T: for<'py> IntoPyObject<'py> + Clone + Send + Sync + 'static> Deliver for T {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        to_python(py, self.clone())
    }
}

/// A value of Python.
pub(crate) struct PyValue(pub(crate) Py<PyAny>);

impl Deliver for PyValue {
    fn deliver(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.0.clone_ref(py))
    }
}

fn to_python<T: for<'py> IntoPyObject<'py> + 'static>(py: Python<'_>, value: T) -> PyResult<Py<PyAny>> {
    // PyO3 makes an empty tuple of `()`; a function without a result gives None in Python.
    if TypeId::of::<T>() == TypeId::of::<()>() { Ok(py.None()) } else { value.into_py_any(py) }
}

/// How an awaitable ends, in Python's terms.
pub(crate) enum Ending {
    Value(Py<PyAny>),
    Error(PyErr),
    Cancelled(Option<Py<PyAny>>),
}

/// What an awaitable waits for. Dropping it says that nobody waits any more, which stops the work.
pub(crate) trait Source: Send + Sync {
    fn state(&self) -> State;

    /// Whether it was settled with an error.
    fn failed(&self) -> bool {
        self.state() == State::Failed
    }

    /// Has the task of `cx` woken when it's settled: one waiter, the last that asked.
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// One more waiter.
    fn watch(&self) -> Box<dyn Watch>;

    /// Cancels the work, unless it's settled.
    fn cancel(&self, message: &str) -> bool;

    /// How it ended. Only called once, when it's settled.
    fn ending(&self, py: Python<'_>) -> Ending;

    /// Who is to be asked to stop, if that takes time or may be refused.
    fn request(&self) -> Option<Arc<dyn Request>> {
        None
    }

    /// What it waits for, told when no lock is held.
    fn waits_for(&self) -> Waits {
        Waits::Unknown
    }

    /// How deep it is in groups of awaitables.
    fn depth(&self) -> usize {
        0
    }

    /// How many pieces of work it waits for that are out, where no task of `home` does them. See
    /// [`virtual_clock`](crate::virtual_clock).
    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        let _ = (py, home);
        0
    }

    /// Gives back the item that it was settled with, if it's such a source and nobody has taken that yet: then a
    /// cancel still comes in time.
    fn put_back(&self) -> bool {
        false
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let _ = visit;
        Ok(())
    }
}

/// How work is stopped that isn't Rust's alone: by asking it, which it may refuse.
pub(crate) trait Request: Send + Sync {
    /// Whether it was asked in time. `text` is what Rust sees of `message`.
    fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool>;
}

/// What a pending job waits for.
pub(crate) enum Waits {
    Unknown,
    Activity(Arc<Activity>),
    Call(Arc<Call>),
}

impl Waits {
    /// Whether it's the end of `call`.
    pub(crate) fn is_for(&self, call: &Arc<Call>) -> bool {
        match self {
            Self::Unknown => false,
            Self::Activity(activity) => activity.is_done_by(call),
            Self::Call(own) => Arc::ptr_eq(own, call),
        }
    }

    /// As a part of a sentence.
    pub(crate) fn describe(&self, py: Python<'_>) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Activity(activity) => activity.describe(py),
            Self::Call(call) => call.describe(py),
        }
    }
}

/// A waiter beside the awaitable's own.
pub(crate) trait Watch: Send + Sync {
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// How it was settled.
    fn end(&self) -> End;
}

/// A promise's future, with the task that works for it. Dropping both stops the task.
pub(crate) struct Work<T> {
    future: Future<T>,
    _task: Option<async_task::Task<()>>,
    /// What the work knows of itself, which is told when nobody wants it any more.
    activity: Option<Arc<Activity>>,
    /// The Rust code that made it, if that isn't the bridge's own.
    place: Option<&'static Location<'static>>,
    /// Another thread works for it.
    is_out: bool,
}

impl<T> Work<T> {
    pub(crate) fn new(future: Future<T>, task: Option<async_task::Task<()>>) -> Self {
        Self { future, _task: task, activity: None, place: None, is_out: false }
    }

    /// The same, of Rust code that stands at `place`.
    pub(crate) fn from(mut self, place: &'static Location<'static>) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with another thread that works for it.
    pub(crate) fn out(mut self) -> Self {
        self.is_out = true;
        self
    }

    /// The same, of a function that `activity` keeps track of.
    pub(crate) fn with(mut self, activity: Arc<Activity>) -> Self {
        self.activity = Some(activity);
        self
    }

    /// The value, if it's settled with one.
    pub(crate) fn value(&self) -> Option<&T> {
        self.future.get()?.as_ref().ok()
    }
}

impl<T: Deliver> Source for Work<T> {
    fn state(&self) -> State {
        self.future.state()
    }

    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.future.poll_settled(cx)
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(self.future.clone())
    }

    fn cancel(&self, message: &str) -> bool {
        let cancelled = self.future.cancel(message);
        if let Some(activity) = self.activity.as_ref().filter(|_| cancelled) {
            activity.stop(message);
        }
        cancelled
    }

    fn ending(&self, py: Python<'_>) -> Ending {
        match (ending(py, &self.future), self.place) {
            (Ending::Error(error), Some(place)) => Ending::Error(failure::from_place(py, error, place)),
            (ending, _) => ending,
        }
    }

    fn jobs_out(&self, _py: Python<'_>, _home: &Arc<Home>) -> usize {
        usize::from(self.is_out)
    }

    fn request(&self) -> Option<Arc<dyn Request>> {
        Some(self.activity.as_ref()?.coroutine()?)
    }

    fn put_back(&self) -> bool {
        self.value().is_some_and(Deliver::put_back)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.activity.as_ref().map_or(Ok(()), |activity| activity.traverse(visit))
    }

    fn waits_for(&self) -> Waits {
        self.activity.as_ref().map_or(Waits::Unknown, |activity| Waits::Activity(activity.clone()))
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        if let Some(activity) = &self.activity
            && self.future.state() == State::Pending
        {
            activity.stop("nobody refers to the job any more");
        }
    }
}

impl<T: Deliver> Watch for Future<T> {
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Future::poll_settled(self, cx)
    }

    fn end(&self) -> End {
        match self.get() {
            Some(Ok(value)) => value.end(),
            Some(Err(Failure::Cancelled(_))) => End::Cancelled,
            Some(Err(Failure::Failed(_))) => End::Error,
            None => unreachable!("it is settled"),
        }
    }
}

/// How a settled `future` ended.
pub(crate) fn ending<T: Deliver>(py: Python<'_>, future: &Future<T>) -> Ending {
    match future.get() {
        Some(Ok(value)) => Ending::of(py, value.deliver(py)),
        Some(Err(Failure::Failed(error))) => Ending::of_exception(py, failure::exception_for(py, &**error)),
        Some(Err(Failure::Cancelled(message))) => Ending::cancelled(py, message.as_deref()),
        None => Ending::Error(names::invalid_state(py, "it is not settled yet")),
    }
}

impl Ending {
    pub(crate) fn cancelled(py: Python<'_>, message: Option<&str>) -> Self {
        Self::Cancelled(message.map(|message| PyString::new(py, message).into_any().unbind()))
    }

    pub(crate) fn of(py: Python<'_>, result: PyResult<Py<PyAny>>) -> Self {
        result.map_or_else(|error| Self::of_exception(py, error), Self::Value)
    }

    /// An `asyncio.CancelledError` that comes out of Rust is a cancellation, as that of a coroutine is.
    pub(crate) fn of_exception(py: Python<'_>, error: PyErr) -> Self {
        let value = error.value(py);
        if !names::is_cancelled_error(value).unwrap_or(false) {
            return Self::Error(error);
        }
        let message = value.getattr("args").and_then(|args| args.get_item(0));
        Self::Cancelled(message.ok().filter(|message| !message.is_none()).map(Bound::unbind))
    }
}
