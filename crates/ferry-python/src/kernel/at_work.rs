//! [`AtWork`]: whether a cell's step is in the middle of code that others depend on.

use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString},
};
use std::ffi::c_ulong;

/// Looks at the stack of a kernel's thread, from any thread.
pub(super) struct AtWork {
    /// The thread, as Python numbers it.
    thread: c_ulong,
    /// `sys._current_frames`.
    frames: Py<PyAny>,
    /// Code that runs steps: frames from there on are the loop's own.
    outside: [Py<PyAny>; 2],
    /// Where asyncio's files are.
    asyncio: String,
    /// `cells.py`.
    cells: String,
}

impl AtWork {
    /// `run` is the function of `cells.py` that runs a cell.
    pub(super) fn of_thread(thread: c_ulong, run: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = run.py();
        let handle = py.import("asyncio")?.getattr("Handle")?.getattr("_run")?.getattr("__code__")?;
        let run = run.getattr("__code__")?;
        let asyncio: String = handle.getattr("co_filename")?.extract()?;
        Ok(Self {
            thread,
            frames: py.import("sys")?.getattr("_current_frames")?.unbind(),
            asyncio: asyncio.rsplit_once('/').map_or_else(String::new, |(folder, _)| format!("{folder}/")),
            cells: run.getattr("co_filename")?.extract()?,
            outside: [handle.unbind(), run.unbind()],
        })
    }

    /// Whether the step that runs now has called code of asyncio's, or of `cells.py`.
    ///
    /// No bytecode runs in here, unless the garbage collector does, so the thread still stands there when this
    /// returns.
    pub(super) fn is_in_step(&self, py: Python<'_>) -> PyResult<bool> {
        let frames = self.frames.call0(py)?.into_bound(py).cast_into::<PyDict>()?;
        let mut frame = frames.get_item(self.thread)?;
        while let Some(inner) = frame.filter(|frame| !frame.is_none()) {
            let code = inner.getattr(intern!(py, "f_code"))?;
            if self.outside.iter().any(|outside| code.is(outside)) {
                return Ok(false);
            }
            let file = code.getattr(intern!(py, "co_filename"))?;
            let file = file.cast::<PyString>()?.to_string_lossy();
            if file == self.cells || !self.asyncio.is_empty() && file.starts_with(&self.asyncio) {
                return Ok(true);
            }
            frame = Some(inner.getattr(intern!(py, "f_back"))?);
        }
        Ok(false)
    }
}
