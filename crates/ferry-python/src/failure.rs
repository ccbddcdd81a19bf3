//! What Rust's failures are in Python: the exceptions that the bridge raises.
//!
//! | in Rust | in Python |
//! |---|---|
//! | a `PyErr`, itself or anywhere among the sources of an error | the same exception object, with its traceback |
//! | `AsyncError::Panic` | `asyncferry.PanicError` with the panic's text |
//! | any other error | `asyncferry.FerryError` with its text; each source of it is the `__cause__` of the one before |
//! | `Failure::Cancelled` | `asyncio.CancelledError` with its message |

use asyncferry::AsyncError;
use pyo3::{create_exception, exceptions::PyRuntimeError, prelude::*};
use std::error::Error;

create_exception!(
    asyncferry,
    FerryError,
    PyRuntimeError,
    "An error of Rust code. Its `__cause__` is what caused it."
);
create_exception!(asyncferry, PanicError, FerryError, "Rust code panicked; the text is the panic's.");

/// The exception for `error`.
pub(crate) fn exception_for(py: Python<'_>, error: &(dyn Error + 'static)) -> PyErr {
    if let Some(exception) = find::<PyErr>(error) {
        return exception.clone_ref(py);
    }
    if let Some(AsyncError::Panic(text)) = find::<AsyncError>(error) {
        return PanicError::new_err(text.clone());
    }
    let chain: Vec<_> = sources(error).take(LONGEST_CHAIN).collect();
    let link = |cause: Option<PyErr>, error: &&(dyn Error + 'static)| {
        let exception = FerryError::new_err(error.to_string());
        exception.set_cause(py, cause);
        Some(exception)
    };
    chain.iter().rev().fold(None, link).unwrap_or_else(|| unreachable!("a chain has at least its error"))
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
