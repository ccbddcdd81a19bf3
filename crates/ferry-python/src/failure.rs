//! What Rust's failures are in Python: the exceptions that the bridge raises.
//!
//! | in Rust | in Python |
//! |---|---|
//! | a `PyErr`, itself or anywhere among the sources of an error | the same exception object, with its traceback |
//! | `AsyncError::Panic` | `asyncferry.PanicError` with the panic's text |
//! | `AsyncError::Timeout` | `TimeoutError` |
//! | the `NamedError` of a job that can't take its arguments | `TypeError` |
//! | any other error | `asyncferry.FerryError` with its text; each source of it is the `__cause__` of the one before |
//! | `Failure::Cancelled` | `asyncio.CancelledError` with its message |
//!
//! The traceback of what comes out of a job that Rust made begins at the place where it was made.
//!
//! Each extension module that has the bridge inside has these two classes of its own, as each has all of the bridge.
//! What it raises is of the package's class too ([`raised`]), so that `except asyncferry.FerryError` catches the
//! errors of all.

use crate::glue;
use asyncferry::{
    AsyncError, Failure,
    jobs::{NamedError, NoRetry},
};
use pyo3::{
    PyTypeInfo, create_exception,
    exceptions::{PyRuntimeError, PyTimeoutError, PyTypeError},
    prelude::*,
    sync::PyOnceLock,
    types::{IntoPyDict, PyTraceback, PyType},
};
use std::{error::Error, panic::Location};

create_exception!(
    asyncferry,
    FerryError,
    PyRuntimeError,
    "An error of Rust code. Its `__cause__` is what caused it."
);
create_exception!(asyncferry, PanicError, FerryError, "Rust code panicked; the text is the panic's.");

/// The exception for `error`.
pub(crate) fn exception_for(py: Python<'_>, error: &(dyn Error + 'static)) -> PyErr {
    let error = bare(error);
    if let Some(exception) = find::<PyErr>(error) {
        return exception.clone_ref(py);
    }
    if let Some(AsyncError::Timeout(_)) = error.downcast_ref::<AsyncError>() {
        return PyTimeoutError::new_err(error.to_string());
    }
    if find::<NamedError>(error).is_some() {
        return PyTypeError::new_err(error.to_string());
    }
    if let Some(AsyncError::Panic(text)) = find::<AsyncError>(error) {
        return panic_error(py, text.clone());
    }
    let chain: Vec<_> = sources(error).take(LONGEST_CHAIN).collect();
    let link = |cause: Option<PyErr>, error: &&(dyn Error + 'static)| {
        static FERRY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let exception = PyErr::from_type(raised::<FerryError>(py, "FerryError", &FERRY), error.to_string());
        exception.set_cause(py, cause);
        Some(exception)
    };
    chain.iter().rev().fold(None, link).unwrap_or_else(|| unreachable!("a chain has at least its error"))
}

/// The error itself, without what says that it's final, or shared.
fn bare<'e>(mut error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    loop {
        error = match (error.downcast_ref::<NoRetry>(), error.downcast_ref::<Failure>()) {
            (Some(last), _) => last.get_ref(),
            (_, Some(Failure::Failed(inner))) => &**inner,
            _ => return error,
        };
    }
}

/// The exception for a panic that said `text`.
pub(crate) fn panic_error(py: Python<'_>, text: String) -> PyErr {
    static PANIC: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    PyErr::from_type(raised::<PanicError>(py, "PanicError", &PANIC), text)
}

/// The same exception, with `place` as where it comes from in its traceback: the Rust code that made the job.
pub(crate) fn from_place(py: Python<'_>, error: PyErr, place: &Location<'_>) -> PyErr {
    let inner = error.traceback(py);
    let traceback = glue::call(py, "rust_traceback", (place.file(), place.line(), inner));
    // An error is told without the place rather than not at all.
    if let Some(traceback) = traceback.ok().and_then(|made| made.cast_into::<PyTraceback>().ok()) {
        error.set_traceback(py, Some(traceback));
    }
    error
}

/// The class of what is raised: `T` itself in the package and where the package isn't installed, and elsewhere one
/// that is both `T` and the package's class of that `name`.
fn raised<'py, T: PyTypeInfo>(
    py: Python<'py>,
    name: &str,
    made: &'static PyOnceLock<Py<PyType>>,
) -> Bound<'py, PyType> {
    let both = || {
        let package = py.import("asyncferry")?.getattr(name)?.cast_into::<PyType>()?;
        let own = py.get_type::<T>();
        if package.is(&own) {
            return Ok(own.unbind());
        }
        let members = [("__module__", "asyncferry")].into_py_dict(py)?;
        let class = py.get_type::<PyType>().call1((name, (own, package), members))?;
        Ok::<_, PyErr>(class.cast_into::<PyType>()?.unbind())
    };
    made.get_or_init(py, || both().unwrap_or_else(|_| py.get_type::<T>().unbind())).bind(py).clone()
}

/// Sources beyond this many are left out: such a chain is a fault of its own.
const LONGEST_CHAIN: usize = 64;

/// The first `T` among `error` and its sources.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    sources(error).take(LONGEST_CHAIN).find_map(|error| error.downcast_ref())
}

fn sources<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

/// Boxes `error` so that what is in it can be found again. anyhow's own conversion hides an error without
/// context behind a type of its own, so a `PyErr` in it would come back as mere text.
#[cfg(feature = "anyhow")]
pub(crate) fn boxed<E>(error: E) -> Box<dyn Error + Send + Sync>
where
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let mut error = Some(error);
    let any: &mut dyn std::any::Any = &mut error;
    if let Some(error) = any.downcast_mut::<Option<anyhow::Error>>().and_then(Option::take) {
        return error.reallocate_into_boxed_dyn_error_without_backtrace();
    }
    error.map_or_else(|| unreachable!("it was not taken"), Into::into)
}

/// Boxes `error`.
#[cfg(not(feature = "anyhow"))]
pub(crate) fn boxed<E>(error: E) -> Box<dyn Error + Send + Sync>
where
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    error.into()
}
