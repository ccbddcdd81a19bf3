//! `__main__` and `sys.path[0]`, as `python` has them when a program's first line runs.

use std::fs;
use std::path::Path;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::{Program, source};

/// Prepares `__main__` for the program, and returns its globals.
pub(super) fn set_up<'py>(
    py: Python<'py>,
    program: &Program,
    text: &[u8],
    code: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    add_first_path(py, program)?;
    let globals = py.import("__main__")?.dict();
    if let Program::Code(_) = program {
        remember_lines(py, text);
        return Ok(globals);
    }
    let filename = code.getattr("co_filename")?;
    globals.set_item("__file__", &filename)?;
    globals.set_item("__cached__", py.None())?;
    if let Program::File(_) = program {
        // This module is always loaded, unlike importlib.machinery, whose class it is.
        let loader = py.import("_frozen_importlib_external")?.getattr("SourceFileLoader")?;
        globals.set_item("__loader__", loader.call1(("__main__", filename))?)?;
    }
    Ok(globals)
}

/// The folder that the program's own imports come from: the script's (links followed), or the current one.
fn add_first_path(py: Python<'_>, program: &Program) -> PyResult<()> {
    let sys = py.import("sys")?;
    if sys.getattr("flags")?.getattr("safe_path")?.is_truthy()? {
        return Ok(());
    }
    let folder = match program {
        // What cannot be followed (a pipe in /dev/fd) is taken as it is named.
        Program::File(path) => {
            fs::canonicalize(path).unwrap_or_else(|_| path.clone()).parent().map(Path::to_owned)
        }
        Program::Stdin | Program::Code(_) => None,
    };
    let path = sys.getattr("path")?.cast_into::<PyList>()?;
    path.insert(0, folder.unwrap_or_default().into_os_string())
}

/// From 3.13 on, tracebacks show the lines of a program given with `-c`: `linecache` has them, as it has
/// those of files, with no time of change (None) that would make it look for a file of this name. Where
/// that fails they are merely missing.
fn remember_lines(py: Python<'_>, text: &[u8]) {
    if py.version_info() < (3, 13) {
        return;
    }
    let text = String::from_utf8_lossy(text);
    let lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    let entry = (text.chars().count() + 1, py.None(), lines, source::CODE_NAME);
    let _ = py
        .import("linecache")
        .and_then(|linecache| linecache.getattr("cache")?.set_item(source::CODE_NAME, entry));
}
