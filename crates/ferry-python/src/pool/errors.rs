//! What submitting to a pool raises.

use crate::failure::FerryError;
use asyncferry::jobs::SubmitError;
use pyo3::{
    create_exception,
    exceptions::{PyLookupError, PyRuntimeError, PyValueError},
    prelude::*,
};

create_exception!(asyncferry, PoolFull, FerryError, "As many jobs wait in the pool's queue as may.");
create_exception!(asyncferry, PoolShutDown, FerryError, "The pool was shut down and takes no more jobs.");

/// The exception for `error`.
pub(super) fn refused(error: &SubmitError) -> PyErr {
    let text = error.to_string();
    match error {
        SubmitError::Full { .. } => PoolFull::new_err(
            text.replace("or wait for room", "or await pool.submit_async(), which waits for room"),
        ),
        SubmitError::ShutDown => PoolShutDown::new_err(text),
        SubmitError::UnknownName { .. } => PyLookupError::new_err(text),
        SubmitError::Arguments { .. } | SubmitError::Deadline(_) => PyValueError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}
