//! What of the bridge is best said in Python, [`glue.py`](../src/glue.py), and how Rust calls it.

use crate::calling;
use pyo3::{prelude::*, sync::PyOnceLock, types::PyModule};
use std::ffi::CStr;

/// Calls the function `name` of `glue.py`.
pub(crate) fn call<'py>(
    py: Python<'py>,
    name: &str,
    arguments: impl calling::Arguments<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    calling::call(&get(py, name)?, arguments, None)
}

/// The function `name` of `glue.py`.
pub(crate) fn get<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static GLUE: Module = Module::new(c"<asyncferry>", c"_asyncferry_glue", source!("glue.py"));
    GLUE.get(py, name)
}

/// Python code that is a part of this crate, run when it's first needed.
pub(crate) struct Module {
    file: &'static CStr,
    name: &'static CStr,
    source: &'static CStr,
    made: PyOnceLock<Py<PyModule>>,
}

impl Module {
    pub(crate) const fn new(file: &'static CStr, name: &'static CStr, source: &'static CStr) -> Self {
        Self { file, name, source, made: PyOnceLock::new() }
    }

    /// What the code calls `name`.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let make = || PyModule::from_code(py, self.source, self.file, self.name).map(Bound::unbind);
        self.made.get_or_try_init(py, make)?.bind(py).getattr(name)
    }
}

/// The text of a file, as C has it. It's a macro as `include_str` needs a literal.
macro_rules! source {
    ($file:literal) => {
        match std::ffi::CStr::from_bytes_with_nul(concat!(include_str!($file), "\0").as_bytes()) {
            Ok(source) => source,
            Err(_) => panic!("there is a NUL in a file of Python code"),
        }
    };
}
pub(crate) use source;
