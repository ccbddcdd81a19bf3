//! [`Job`]: a piece of Rust work, as Python awaits it.
//!
//! It's future-like and coroutine-like at once. asyncio tells the two apart by what an object can do:
//!
//! | asyncio asks for | because | so these take it |
//! |---|---|---|
//! | `_asyncio_future_blocking`, `get_loop`, `add_done_callback`, `result`, … | it's a future | `await`, `ensure_future`, `gather`, `wait_for`, `shield`, `as_completed` |
//! | `__await__`, `send`, `throw`, `close` | it's a coroutine | `create_task`, `TaskGroup`, `run`, `run_coroutine_threadsafe` |
//!
//! `asyncio.wait` is the one that refuses whatever is a coroutine; give it tasks, as it says.
//!
//! Unlike either, it may be awaited any number of times, by several tasks, on several loops: `get_loop`
//! answers with the loop that asks, and each callback is called on the loop that added it. See
//! [`stage`](crate::stage) for its states and [`home`](crate::home) for how a completion travels.
//!
//! # Who stops what
//!
//! - `cancel()` cancels the work, and so does cancelling a task that awaits it, as with asyncio's futures
//!   (use `asyncio.shield` against that). It's cancelled at once; the work is dropped soon after.
//! - An awaitable that nobody refers to any more stops its work. An event loop refers to those that have
//!   callbacks to call there when they are done: a task that waits goes on, as one that waits for asyncio's own
//!   futures does, until its loop is gone.
//! - `close()` and `throw()` do nothing to the work: they come to each of many waiting coroutines.

use crate::{
    activity::Activity,
    background, blocking,
    callback::Callback,
    context::current_context,
    glue,
    home::Home,
    names, orphans,
    progress::ProgressIterator,
    source::{Ending, Source},
    stage::{Core, Retrieve, Seen},
    submit::submit_callable,
    trio,
    unseen::{Owner, is_finalizing},
};
use asyncferry::State;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyException, PyRuntimeError, PyStopIteration, PyTypeError},
    ffi,
    prelude::*,
    types::{PyString, PyTuple, PyType},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// A piece of Rust work that can be awaited, any number of times and on any event loop.
///
/// It has the methods of an asyncio.Future, except those that settle it: that is Rust's to do.
#[pyclass(frozen, weakref, module = "asyncferry")]
pub struct Job {
    core: Core,
    /// What its work tells of itself, if it does.
    activity: Option<Arc<Activity>>,
    is_detached: AtomicBool,
    /// How many links a chain has to here, which its name ends with.
    links: AtomicU32,
}

impl Job {
    /// A job that waits for `source`, or is done if that is settled already.
    pub(crate) fn of<'py>(
        py: Python<'py>,
        name: Option<&str>,
        source: impl Source + 'static,
        activity: Option<Arc<Activity>>,
    ) -> PyResult<Bound<'py, Self>> {
        if source.state() != State::Pending {
            return Self::ended(py, name, source.ending(py));
        }
        let home = Home::of_running_loop(py)?;
        Self::new(py, Core::pending(Box::new(source), owner(name, home)), activity)
    }

    /// A job that is done from the beginning.
    pub(crate) fn ended<'py>(
        py: Python<'py>,
        name: Option<&str>,
        ending: Ending,
    ) -> PyResult<Bound<'py, Self>> {
        // Only an error may need a loop: the one to which it's reported when nobody retrieves it.
        let home = if matches!(ending, Ending::Error(_)) { Home::of_running_loop(py)? } else { None };
        Self::new(py, Core::ended(py, ending, owner(name, home)), None)
    }

    fn new<'py>(py: Python<'py>, core: Core, activity: Option<Arc<Activity>>) -> PyResult<Bound<'py, Self>> {
        Bound::new(py, Self { core, activity, is_detached: AtomicBool::new(false), links: AtomicU32::new(0) })
    }

    pub(crate) fn activity(&self) -> Option<&Arc<Activity>> {
        self.activity.as_ref()
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    fn home_here(&self, py: Python<'_>) -> PyResult<(Arc<Home>, Whereabouts)> {
        if let Some(home) = Home::of_running_loop(py)? {
            return Ok((home, Whereabouts::Here));
        }
        // Where its own loop is closed, nothing would be called there any more.
        let own = self.core.owner().home.clone().filter(|home| !home.is_over(py));
        Ok((own.map_or_else(|| background::home(py), Ok)?, Whereabouts::Elsewhere))
    }

    /// What the next link of its chain is called, and how many links there are then: `fetch.then`, `fetch.catch×2`.
    /// However long the chain, the name is not.
    fn name_of_next(&self, link: &str) -> (String, u32) {
        let name = self.display_name();
        match self.links.load(Ordering::Relaxed) {
            0 => (format!("{name}.{link}"), 1),
            links => {
                let first = name.rsplit_once('.').map_or(name, |(first, _)| first);
                (format!("{first}.{link}×{}", links.saturating_add(1)), links.saturating_add(1))
            }
        }
    }

    fn display_name(&self) -> &str {
        self.core.owner().name.as_deref().unwrap_or("Job")
    }
}

/// Whether this thread runs the loop in question.
#[derive(PartialEq)]
enum Whereabouts {
    Here,
    Elsewhere,
}

#[pymethods]
impl Job {
    // The coroutine's side.

    fn __await__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        match trio::waiting(&slf)? {
            Some(waiting) => Ok(waiting),
            None => Ok(slf.into_any()),
        }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(slf: Bound<'_, Self>) -> PyResult<Option<Bound<'_, Self>>> {
        let py = slf.py();
        match slf.get().core.look(py, Retrieve::Take) {
            None => Ok(Some(slf)),
            Some(Seen::Value(value)) => {
                stop_iteration(py, value)?;
                Ok(None)
            }
            Some(other) => Err(other.into_result(py).err().unwrap_or_else(|| unreachable!("it's no value"))),
        }
    }

    /// Begins or resumes waiting: gives the awaitable itself while it's pending, and then raises
    /// StopIteration with the value, or the error.
    #[pyo3(signature = (value, /))]
    fn send<'py>(slf: Bound<'py, Self>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let _ = value;
        let py = slf.py();
        match Self::__next__(slf)? {
            Some(itself) => Ok(itself),
            None => Err(PyErr::fetch(py)),
        }
    }

    /// Raises the given exception, in the coroutine that awaits.
    #[pyo3(signature = (typ, val = None, tb = None, /))]
    fn throw(
        &self,
        typ: &Bound<'_, PyAny>,
        val: Option<Bound<'_, PyAny>>,
        tb: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Err(thrown(typ, val, tb)?)
    }

    /// Does nothing: whoever awaits this may stop doing so at any time.
    fn close(&self) {}

    /// What it's called: the function that was submitted, or what Rust named it.
    #[getter]
    fn name(&self) -> &str {
        self.display_name()
    }

    #[getter]
    fn __name__(&self) -> &str {
        self.display_name()
    }

    #[getter]
    fn __qualname__(&self) -> &str {
        self.display_name()
    }

    // The future's side.

    /// Always true: it tells asyncio's tasks that this object, out of an `await`, is a future to wait for.
    /// asyncio's own futures raise and lower it; here several loops, on several threads, may wait at once.
    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        true
    }

    #[setter(_asyncio_future_blocking)]
    fn set_asyncio_future_blocking(&self, value: bool) {
        let _ = value;
    }

    /// The event loop that runs on this thread; where none does, the one that this was made on.
    fn get_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let own = || self.core.owner().home.as_ref().and_then(|home| home.event_loop(py));
        names::running_loop(py)?.or_else(own).ok_or_else(|| {
            PyRuntimeError::new_err(
                "no running event loop, and this job was not made on one: await it in a coroutine, or call result()",
            )
        })
    }

    /// Calls `callback` with this awaitable, on this thread's event loop, when it's done.
    #[pyo3(signature = (callback, /, *, context = None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let (home, whereabouts) = slf.get().home_here(py)?;
        let context = context.map_or_else(|| current_context(py), Ok)?;
        let callback = Callback { function: callback, context, home: home.clone() };
        match slf.get().core.add(slf, callback) {
            None => Ok(()),
            Some(callback) if whereabouts == Whereabouts::Here => callback.call_soon(slf),
            Some(callback) => {
                let awaitable = slf.clone().unbind();
                home.run(move |py, _| callback.run(awaitable.bind(py)));
                Ok(())
            }
        }
    }

    /// Takes back all callbacks that equal `callback`, and says how many.
    #[pyo3(signature = (callback, /))]
    fn remove_done_callback(&self, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut removed = 0;
        for function in self.core.functions(callback.py()) {
            if callback.eq(&function)? {
                removed += self.core.remove(&function);
            }
        }
        Ok(removed)
    }

    /// Cancels the work, and says whether that came in time.
    #[pyo3(signature = (msg = None))]
    fn cancel(&self, py: Python<'_>, msg: Option<Bound<'_, PyAny>>) -> PyResult<bool> {
        // What can't be shown as text is no reason not to stop: Rust sees what can be had of it.
        let text = msg.as_ref().and_then(|msg| msg.str().ok());
        let text = text.as_ref().map(|text| text.to_string_lossy()).unwrap_or_default();
        self.core.cancel(py, msg.map(Bound::unbind), &text)
    }

    /// Whether it was cancelled.
    fn cancelled(&self, py: Python<'_>) -> bool {
        self.core.is_cancelled(py)
    }

    /// Whether it is done: it has a result or an exception, or was cancelled.
    fn done(&self, py: Python<'_>) -> bool {
        self.core.is_done(py)
    }

    /// How far it is: State.PENDING, COMPLETED, FAILED or CANCELLED.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let state = match self.core.look(py, Retrieve::Leave) {
            None => State::Pending,
            Some(Seen::Value(_)) => State::Completed,
            Some(Seen::Error { .. }) => State::Failed,
            Some(Seen::Cancelled(_)) => State::Cancelled,
        };
        names::state(py, state)
    }

    /// The result; raises the exception if it failed.
    ///
    /// Where no event loop runs, it waits until the job is done, so many seconds at most (TimeoutError), while
    /// other threads go on. On a loop's thread that would stop the loop: there, a pending job raises
    /// asyncio.InvalidStateError.
    #[pyo3(signature = (timeout = None))]
    fn result(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        blocking::wait_for(slf, timeout)?;
        match slf.get().core.look(py, Retrieve::Take) {
            Some(seen) => seen.into_result(py),
            None => Err(names::invalid_state(py, "Result is not set.")),
        }
    }

    /// The exception, or None if there's a result. Waits as result() does.
    #[pyo3(signature = (timeout = None))]
    fn exception(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<Option<Py<PyAny>>> {
        let py = slf.py();
        blocking::wait_for(slf, timeout)?;
        match slf.get().core.look(py, Retrieve::Take) {
            Some(Seen::Value(_)) => Ok(None),
            Some(Seen::Error { exception, .. }) => Ok(Some(exception.into_any())),
            Some(Seen::Cancelled(message)) => Err(names::cancelled_error(py, message)),
            None => Err(names::invalid_state(py, "Exception is not set.")),
        }
    }

    /// A job that gives what `function` makes of this one's value; what it returns may be awaitable.
    ///
    /// The function is called on the event loop that runs here, or on the background loop where none does.
    /// Cancelling that job cancels this one, as cancelling a task does that awaits it. One that is dropped never calls
    /// the function: await it, or detach() it. The same is true of catch() and finally_().
    #[pyo3(signature = (function, /))]
    fn then<'py>(slf: &Bound<'py, Self>, function: Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        chain(slf, "then", &function, None)
    }

    /// A job that gives this one's value, or what `function` makes of its exception, if that is of the class `on`
    /// (or of one of a tuple of classes). Await it, or detach() it: one that is dropped never calls the function.
    #[pyo3(signature = (function, /, *, on = None))]
    fn catch<'py>(
        slf: &Bound<'py, Self>,
        function: Bound<'py, PyAny>,
        on: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let on = on.unwrap_or_else(|| slf.py().get_type::<PyException>().into_any());
        let are_exceptions = match on.cast::<PyTuple>() {
            Ok(several) => several.iter().all(|class| is_exception_class(&class)),
            Err(_) => is_exception_class(&on),
        };
        if !are_exceptions {
            return Err(PyTypeError::new_err(format!(
                "catch() takes a class of exceptions, or a tuple of such, as what it's on: not {}",
                names::short_repr(&on)?
            )));
        }
        chain(slf, "catch", &function, Some(&on))
    }

    /// A job that ends as this one does, once `function`, which takes no arguments, has run. Await it, or detach() it:
    /// one that is dropped never calls the function.
    #[pyo3(signature = (function, /))]
    fn finally_<'py>(slf: &Bound<'py, Self>, function: Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        chain(slf, "finally_", &function, None)
    }

    /// Iterates, with `async for`, over what its work gives to report_progress(), until the job is done.
    fn progress(slf: &Bound<'_, Self>) -> ProgressIterator {
        ProgressIterator::of(slf)
    }

    /// Lets it go on when nobody refers to it any more. If it fails then, that is reported. Gives the job itself.
    fn detach(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf.get().is_detached.store(true, Ordering::Relaxed);
        slf
    }

    #[getter]
    fn _cancel_message(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self.core.look(py, Retrieve::Leave) {
            Some(Seen::Cancelled(message)) => message,
            _ => None,
        }
    }

    /// asyncio.gather calls this.
    fn _make_cancelled_error(&self, py: Python<'_>) -> Py<PyAny> {
        names::cancelled_error(py, self._cancel_message(py)).into_value(py).into_any()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let state = match self.core.look(py, Retrieve::Leave) {
            None => match self.core.waits_for().describe(py) {
                Some(what) => format!("pending: {what}"),
                None => "pending".to_owned(),
            },
            Some(Seen::Value(value)) => format!("finished result={}", names::short_repr(value.bind(py))?),
            Some(Seen::Error { exception, .. }) => {
                format!("finished exception={}", names::short_repr(exception.bind(py))?)
            }
            Some(Seen::Cancelled(_)) => "cancelled".to_owned(),
        };
        Ok(match &self.core.owner().name {
            Some(name) => format!("<Job '{name}' {state}>"),
            None => format!("<Job {state}>"),
        })
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        names::generic_alias(class, item)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(activity) = &self.activity {
            activity.progress().traverse(&visit)?;
        }
        self.core.traverse(&visit)
    }

    fn __clear__(&self) {
        if let Some(activity) = &self.activity {
            activity.progress().end();
        }
        self.core.clear();
    }
}

impl Drop for Job {
    /// Reports an error that nobody retrieved. Dropping the core stops the work, unless it was detached.
    fn drop(&mut self) {
        if let Some(activity) = &self.activity {
            activity.progress().end();
        }
        self.core.leave_to_parent();
        if *self.is_detached.get_mut()
            && let Some(source) = self.core.take_pending()
        {
            orphans::adopt(self.display_name(), source, self.core.owner().home.clone());
        }
        if self.core.has_failed_unlooked() {
            Python::attach(|py| take_error(py, self));
        }
    }
}

/// Has the error of a job that goes become an exception of Python, which is reported when it goes with the job.
#[cold]
fn take_error(py: Python<'_>, job: &Job) {
    // Modules are being taken apart: the exception can't be made.
    if is_finalizing(py) {
        return;
    }
    // An object may be collected at any time: while an exception is on its way, for one.
    let on_its_way = PyErr::take(py);
    job.core.look(py, Retrieve::Leave);
    if let Some(error) = on_its_way {
        error.restore(py);
    }
}

fn owner(name: Option<&str>, home: Option<Arc<Home>>) -> Owner {
    Owner { name: name.map(Into::into), home }
}

/// The job of a coroutine of `glue.py` that goes on when `job` is done.
fn chain<'py>(
    job: &Bound<'py, Job>,
    link: &str,
    function: &Bound<'py, PyAny>,
    on: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Job>> {
    let py = job.py();
    if !function.is_callable() {
        return Err(PyTypeError::new_err(format!("{link}() takes a function")));
    }
    let (name, links) = job.get().name_of_next(link);
    let arguments: Vec<_> = [job.as_any(), function].into_iter().chain(on).collect();
    let chained = submit_callable(
        Activity::default(),
        &glue::get(py, link)?,
        &name,
        &PyTuple::new(py, arguments)?,
        None,
    )?;
    chained.get().links.store(links, Ordering::Relaxed);
    Ok(chained)
}

fn is_exception_class(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PyType>().is_ok_and(|class| class.is_subclass_of::<PyBaseException>().unwrap_or(false))
}

/// Sets StopIteration(value), which is how a coroutine returns.
pub(crate) fn stop_iteration(py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
    let value = value.into_bound(py);
    // Python would spread a tuple over StopIteration's arguments, and take an exception for the
    // StopIteration itself.
    let spread = value.is_instance_of::<PyTuple>() || value.is_instance_of::<PyBaseException>();
    let value = if spread { py.get_type::<PyStopIteration>().call1((value,))? } else { value };
    // SAFETY: the thread is attached, and both objects are alive; the function takes references of its own.
    unsafe { ffi::PyErr_SetObject(ffi::PyExc_StopIteration, value.as_ptr()) };
    Ok(())
}

/// The exception that `throw` was given, in any of the three ways that Python allows.
pub(crate) fn thrown(
    class: &Bound<'_, PyAny>,
    value: Option<Bound<'_, PyAny>>,
    traceback: Option<Bound<'_, PyAny>>,
) -> PyResult<PyErr> {
    let exception = match (class.is_instance_of::<PyBaseException>(), value) {
        (true, _) => class.clone(),
        (false, Some(value)) if value.is_instance_of::<PyBaseException>() => value,
        (false, Some(value)) if !value.is_none() => class.call1((value,))?,
        (false, _) => class.call0()?,
    };
    if !exception.is_instance_of::<PyBaseException>() {
        let name: Bound<'_, PyString> = class.get_type().name()?;
        return Err(PyTypeError::new_err(format!("throw() takes an exception, not {name}")));
    }
    let error = PyErr::from_value(exception);
    if let Some(traceback) = traceback.filter(|traceback| !traceback.is_none()) {
        error.set_traceback(class.py(), Some(traceback.cast_into()?));
    }
    Ok(error)
}
