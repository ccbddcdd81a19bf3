//! The module `_native`, as Python sees it.

use pyo3::prelude::*;

/// Rust work as Python awaitables, on any event loop.
// It says that it uses the GIL: the bridge was not tested on builds of Python without one.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    asyncferry_python::fill_module(module)
}
