//! What of the bridge is best said in Python, [`glue.py`](../src/glue.py), and how Rust calls it.

use pyo3::{prelude::*, sync::PyOnceLock, types::PyModule};
use std::ffi::CStr;

/// Calls the function `name` of `glue.py`.
pub(crate) fn call<'py>(
    py: Python<'py>,
    name: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    get(py, name)?.call1(arguments)
}

/// The function `name` of `glue.py`.
pub(crate) fn get<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    module(py)?.getattr(name)
}

fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let make = || PyModule::from_code(py, SOURCE, c"<asyncferry>", c"_asyncferry_glue").map(Bound::unbind);
    Ok(MODULE.get_or_try_init(py, make)?.bind(py))
}

const SOURCE: &CStr = match CStr::from_bytes_with_nul(concat!(include_str!("glue.py"), "\0").as_bytes()) {
    Ok(source) => source,
    Err(_) => panic!("there is no NUL in glue.py"),
};
