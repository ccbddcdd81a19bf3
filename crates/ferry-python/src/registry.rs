//! `register`: functions that are known by a name, to whoever submits them.
//!
//! The registry is that of the module `asyncferry` in this interpreter, also for a function that another extension
//! module registers, which has a bridge of its own inside.

use crate::glue;
use pyo3::{
    exceptions::{PyImportError, PyLookupError, PyTypeError, PyValueError},
    prelude::*,
    types::PyCFunction,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A function that is known by its name.
pub(crate) enum Registered {
    Python(Py<PyAny>),
    /// It starts its work by itself, and is called where it's submitted.
    Rust(Py<PyAny>),
}

/// So many names are listed in an error.
const LISTED: usize = 20;

static REGISTERED: Mutex<BTreeMap<String, Arc<Registered>>> = Mutex::new(BTreeMap::new());

/// Makes the Rust function `function` known to Python's `asyncferry.submit` by `name`.
///
/// It's called when it's submitted, with the arguments that were given to `submit`, and what it starts (what
/// [`future_to_awaitable`](crate::future_to_awaitable) and its like give) is the job. A module that was loaded again
/// may register its functions again.
///
/// ```
/// use asyncferry_python::{Job, future_to_awaitable, interpreter, register};
/// use pyo3::{ffi::c_str, prelude::*};
///
/// #[pyfunction]
/// fn double(py: Python<'_>, number: i64) -> PyResult<Bound<'_, Job>> {
///     future_to_awaitable(py, async move { Ok::<_, std::io::Error>(2 * number) })
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         register(py, "double", wrap_pyfunction!(double, py)?)?;
///         py.run(c_str!("import asyncferry\nassert asyncferry.submit('double', 21).result() == 42"), None, None)
///     })
/// }
/// ```
///
/// # Errors
/// `ImportError` when the Python package `asyncferry` isn't there (a program that embeds Python has it built
/// in), `ValueError` when another function has the name.
pub fn register(py: Python<'_>, name: &str, function: Bound<'_, PyCFunction>) -> PyResult<()> {
    let module = py.import("asyncferry").map_err(|error| {
        let missing = PyImportError::new_err(format!(
            "to register '{name}', the Python package asyncferry is needed: pip install asyncferry"
        ));
        missing.set_cause(py, Some(error));
        missing
    })?;
    let native = match module.getattr("_native") {
        Ok(native) => native,
        Err(_) => module.into_any(),
    };
    native.call_method1("_register_from_rust", (name, function)).map(drop)
}

/// Makes a function known to submit() by a name, wherever in this process that is called.
///
/// Raises ValueError when another function has the name; a function of a module that was reloaded takes the place
/// of its former self.
#[pyfunction(name = "register")]
#[pyo3(signature = (name, function, /))]
pub(crate) fn register_from_python(name: String, function: Bound<'_, PyAny>) -> PyResult<()> {
    add(name, &function, Registered::Python(function.clone().unbind()))
}

#[pyfunction]
#[pyo3(name = "_register_from_rust", signature = (name, function, /))]
pub(crate) fn register_from_rust(name: String, function: Bound<'_, PyAny>) -> PyResult<()> {
    add(name, &function, Registered::Rust(function.clone().unbind()))
}

/// The function of this name.
///
/// # Errors
/// `LookupError`, with the names that there are.
pub(crate) fn find(name: &str) -> PyResult<Arc<Registered>> {
    let registered = registered();
    if let Some(function) = registered.get(name) {
        return Ok(function.clone());
    }
    let mut known = registered.keys().take(LISTED).map(|name| format!("'{name}'")).collect::<Vec<_>>();
    if registered.len() > LISTED {
        known.push(format!("and {} more", registered.len() - LISTED));
    }
    let known = if known.is_empty() { "there are none yet".to_owned() } else { known.join(", ") };
    Err(PyLookupError::new_err(format!("no function is registered as '{name}'; registered are: {known}")))
}

fn add(name: String, function: &Bound<'_, PyAny>, new: Registered) -> PyResult<()> {
    let py = function.py();
    if !function.is_callable() {
        return Err(PyTypeError::new_err(format!("'{name}' can't be registered: it's not a function")));
    }
    let former = registered().get(&name).cloned();
    if let Some(former) = former {
        let (Registered::Python(former) | Registered::Rust(former)) = &*former;
        if !glue::call(py, "is_same", (function, former))?.is_truthy()? {
            return Err(PyValueError::new_err(format!(
                "another function is registered as '{name}' already: {}",
                former.bind(py).repr()?
            )));
        }
    }
    let former = registered().insert(name, Arc::new(new));
    // Dropped when the lock is free.
    drop(former);
    Ok(())
}

fn registered() -> MutexGuard<'static, BTreeMap<String, Arc<Registered>>> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}
