//! The module `word_counts`, as Python sees it.

use crate::{
    callbacks::count_all,
    count::{count, counted},
    fetch::fetch,
};
use asyncferry_python::{FerryError, register};
use pyo3::prelude::*;

/// Word counts of pages and texts, in Rust.
// It says that it uses the GIL, as Ferry's bridge does.
#[pymodule(gil_used = true)]
fn word_counts(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(fetch, module)?)?;
    module.add_function(wrap_pyfunction!(count, module)?)?;
    module.add_function(wrap_pyfunction!(counted, module)?)?;
    module.add_function(wrap_pyfunction!(count_all, module)?)?;
    // For those who catch it without the package, whose class of that name catches it too.
    module.add("FerryError", module.py().get_type::<FerryError>())?;
    // From now on `asyncferry.submit("count_words", texts)` finds it, wherever in this process.
    register(module.py(), "count_words", wrap_pyfunction!(count, module)?)
}
