//! `map`: one function for many items, so many at a time.

use crate::{
    activity::Activity,
    count::Count,
    glue,
    job::Job,
    registry,
    submit::{name_of, submit_callable, submit_part},
    wait::wait,
};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyString, PyTuple},
};
use std::num::NonZeroUsize;

/// So many calls at a time, where nothing is said.
const DEFAULT_LIMIT: Count = Count::of(NonZeroUsize::new(100).unwrap());

/// Calls function(item) for each of the items, so many at a time, and gives the list of the results in their order.
///
/// Each call is a job, as submit() makes it. Items are taken from the iterable as calls end, so it may be long and
/// lazy. The first error cancels what runs and is raised; with return_exceptions, errors stand in the list.
#[pyfunction]
#[pyo3(
    signature = (function, items, /, *, limit = DEFAULT_LIMIT, return_exceptions = false),
    text_signature = "(function, items, /, *, limit=100, return_exceptions=False)",
)]
pub(crate) fn map<'py>(
    function: Bound<'py, PyAny>,
    items: &Bound<'py, PyAny>,
    limit: Count,
    return_exceptions: bool,
) -> PyResult<Bound<'py, Job>> {
    let py = function.py();
    let limit = limit.get("map()'s limit")?;
    let name = match function.cast::<PyString>() {
        Ok(name) => {
            registry::find(name.to_str()?)?;
            name.to_string()
        }
        Err(_) if function.is_callable() => name_of(&function)?,
        Err(_) => {
            return Err(PyTypeError::new_err("map() takes a function, or the name of one, and its items"));
        }
    };
    let items = items.try_iter().map_err(|error| {
        let wrong = PyTypeError::new_err("map() takes an iterable of items");
        wrong.set_cause(py, Some(error));
        wrong
    })?;
    let (submit, wait) = (wrap_pyfunction!(submit_part, py)?, wrap_pyfunction!(wait, py)?);
    let arguments = (submit, wait, function, items, limit.get(), return_exceptions).into_pyobject(py)?;
    let arguments: Bound<'_, PyTuple> = arguments;
    submit_callable(Activity::default(), &glue::get(py, "mapped")?, &format!("map({name})"), &arguments, None)
}
