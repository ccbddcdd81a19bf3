//! `submit`: functions as jobs, whatever their language.
//!
//! | a function is | it runs |
//! |---|---|
//! | a plain callable of Python | on one of [Ferry's Python threads](crate::threads) |
//! | an `async def` | as a task of the event loop of this thread; where none runs, of the [background loop](crate::background) |
//! | the name of one that was registered | as it would otherwise |
//! | registered from Rust ([`register`](crate::register)) | here and now; it gives the job of what it started |
//!
//! In each case it sees the caller's `contextvars`.

use crate::{
    activity::Activity,
    background,
    call::Hold,
    calling,
    context::current_context,
    coroutine::{Inherit, PyFuture, start, start_here},
    coroutine_job::CoroutineWork,
    glue,
    home::Home,
    job::Job,
    names, orphans,
    registry::{self, Registered},
    source::{Ending, Work},
    threads,
};
use asyncferry::promise;
use pyo3::{
    exceptions::PyTypeError,
    intern,
    prelude::*,
    types::{PyCFunction, PyDict, PyFunction, PyString, PyTuple},
};
use std::sync::Arc;

/// Runs a function as a job: a callable, an async function, or the name of a registered one.
///
/// A plain callable runs on one of Ferry's threads, an async function on the event loop that runs here (or, where
/// none does, on one in the background). It's called in a copy of this context. The job may be awaited any
/// number of times, on any event loop; result() waits for it without one. A job that is dropped before it
/// is done is cancelled: keep it, or detach() it.
#[pyfunction]
#[pyo3(signature = (function, /, *args, **kwargs))]
pub(crate) fn submit<'py>(
    function: Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, Job>> {
    submit_as(Activity::default(), function, args, kwargs)
}

/// As [`submit`], a part of what runs here and now: what it reports is the progress of that.
#[pyfunction]
#[pyo3(signature = (function, /, *args))]
pub(crate) fn submit_part<'py>(
    function: Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, Job>> {
    submit_as(Activity::of_a_part(function.py())?, function, args, None)
}

fn submit_as<'py>(
    activity: Activity,
    function: Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, Job>> {
    let py = function.py();
    orphans::report(py);
    let Ok(name) = function.cast::<PyString>() else {
        let name = name_of(&function)?;
        return submit_callable(activity, &function, &name, args, kwargs);
    };
    let name = name.to_str()?;
    match &*registry::find(name)? {
        Registered::Python(function) => submit_callable(activity, function.bind(py), name, args, kwargs),
        Registered::Rust(function) => job_of(calling::call(function.bind(py), args, kwargs)?, name),
    }
}

/// Runs `function` with `arguments` as a job.
pub(crate) fn submit_callable<'py>(
    activity: Activity,
    function: &Bound<'py, PyAny>,
    name: &str,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, Job>> {
    let py = function.py();
    match Kind::of(function)? {
        Kind::Async => {
            let place = Place::of_this_thread(py)?;
            let activity = Arc::new(activity);
            let context = activity.context(py)?;
            let coroutine = calling::call(function, arguments, keywords)?;
            Job::of(py, Some(name), CoroutineWork::new(place.start(&coroutine, context)?), Some(activity))
        }
        Kind::Plain => submit_to_threads(Arc::new(activity), function, name, arguments, keywords),
    }
}

fn submit_to_threads<'py>(
    activity: Arc<Activity>,
    function: &Bound<'py, PyAny>,
    name: &str,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, Job>> {
    let py = function.py();
    let (promise, outcome) = promise();
    let all = std::iter::once(function.clone()).chain(arguments.iter()).collect::<Vec<_>>();
    let what = threads::What::Python {
        function_and_arguments: PyTuple::new(py, all)?.unbind(),
        keywords: keywords.map(|keywords| keywords.clone().unbind()),
    };
    let called = threads::Called {
        name: name.to_owned(),
        what,
        context: Some(activity.context(py)?),
        home: Home::of_running_loop(py)?,
    };
    let metered = threads::metered(name);
    let call = threads::Call { called: Arc::new(called), activity: activity.clone(), promise, metered };
    let job = Job::of(py, Some(name), Work::new(outcome, None).with(activity.clone()).out(), Some(activity))?;
    threads::submit(py, call)?;
    Ok(job)
}

/// A job for what a function gave that was registered from Rust.
fn job_of<'py>(given: Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, Job>> {
    let py = given.py();
    let given = match given.cast_into::<Job>() {
        Ok(job) => return Ok(job),
        Err(other) => other.into_inner(),
    };
    if !names::is_awaitable(&given)? {
        return Job::ended(py, Some(name), Ending::Value(given.unbind()));
    }
    // It's of another extension module, with a bridge of its own, or a coroutine.
    let future = Place::of_this_thread(py)?.start(&given, current_context(py)?)?;
    Job::of(py, Some(name), CoroutineWork::new(future), None)
}

/// Where something is started that is awaited. It's asked for before that is made, as it may be refused.
enum Place {
    /// On the loop that runs on this thread.
    Here(Arc<Home>),
    /// On the background loop.
    Elsewhere(Arc<Home>),
}

impl Place {
    fn of_this_thread(py: Python<'_>) -> PyResult<Self> {
        match Home::of_running_loop(py)? {
            Some(home) => Ok(Self::Here(home)),
            None => background::home(py).map(Self::Elsewhere),
        }
    }

    fn start(&self, awaitable: &Bound<'_, PyAny>, context: Py<PyAny>) -> PyResult<PyFuture> {
        match self {
            Self::Here(home) => start_here(home, awaitable, context),
            Self::Elsewhere(home) => {
                Ok(start(home, awaitable.clone().unbind(), Inherit::Context(context), Hold::Strongly))
            }
        }
    }
}

/// How a function is to be run.
enum Kind {
    Async,
    Plain,
}

impl Kind {
    fn of(function: &Bound<'_, PyAny>) -> PyResult<Self> {
        /// `inspect.CO_COROUTINE`
        const COROUTINE: u32 = 0x80;
        let py = function.py();
        if function.is_exact_instance_of::<PyCFunction>() {
            return Ok(Self::Plain);
        }
        if function.is_exact_instance_of::<PyFunction>() {
            let code = function.getattr(intern!(py, "__code__"))?;
            if code.getattr(intern!(py, "co_flags"))?.extract::<u32>()? & COROUTINE != 0 {
                return Ok(Self::Async);
            }
        }
        if !function.is_callable() {
            return Err(not_a_function(function));
        }
        Ok(if glue::call(py, "is_async", (function,))?.is_truthy()? { Self::Async } else { Self::Plain })
    }
}

pub(crate) fn not_a_function(object: &Bound<'_, PyAny>) -> PyErr {
    let class = object.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    if names::is_coroutine(object) {
        // Closed, it doesn't warn that it was never awaited.
        let _ = object.call_method0(intern!(object.py(), "close"));
        return PyTypeError::new_err(
            "submit() takes a function and its arguments, not a coroutine: submit(fetch, url) instead of \
             submit(fetch(url))",
        );
    }
    PyTypeError::new_err(format!(
        "submit() takes a function, or the name of a registered one, not an object of type '{class}'"
    ))
}

pub(crate) fn name_of(function: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = function.py();
    match function.getattr(intern!(py, "__qualname__")).and_then(|name| name.extract()) {
        Ok(name) => Ok(name),
        Err(_) => glue::call(py, "name_of", (function,))?.extract(),
    }
}
