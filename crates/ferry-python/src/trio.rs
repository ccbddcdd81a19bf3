//! Jobs under trio. Its runs have no event loop, and its tasks wait by other means than asyncio's; the stand-in of
//! [`glue_trio.py`](../src/glue_trio.py) makes up for both, so that all of the bridge serves there too.
//!
//! A trio run inside of an asyncio loop ("guest mode") is not told from that loop: jobs can't be awaited there.

use crate::{calling, glue::Module, job::Job, names};
use pyo3::{intern, prelude::*, sync::PyOnceLock, types::PyDict};

static GLUE: Module =
    Module::new(c"<asyncferry, trio>", c"_asyncferry_trio", crate::glue::source!("glue_trio.py"));

/// What the stand-in's class says of where it's from.
pub(crate) const MODULE: &str = "_asyncferry_trio";

/// What stands for an event loop in the trio run of this thread, if there is one.
pub(crate) fn running_loop(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    if !is_imported(py)? {
        return Ok(None);
    }
    let running = calling::call(&GLUE.get(py, "running_loop")?, (), None)?;
    Ok((!running.is_none()).then_some(running))
}

/// How the trio task that awaits `job` waits for it; `None` where no trio task does.
pub(crate) fn waiting<'py>(job: &Bound<'py, Job>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = job.py();
    if !is_imported(py)? || names::asyncio_loop(py)?.is_some() || running_loop(py)?.is_none() {
        return Ok(None);
    }
    let waiting = calling::call(&GLUE.get(py, "wait")?, (job,), None)?;
    calling::call_method(&waiting, intern!(py, "__await__"), ()).map(Some)
}

/// Whether a cancel of its scope reaches a task that is parked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Park {
    Open,
    Shielded,
}

/// A coroutine that parks the trio task which runs it until `pause` calls back.
pub(crate) fn parking<'py>(pause: &Bound<'py, PyAny>, park: Park) -> PyResult<Bound<'py, PyAny>> {
    let name = match park {
        Park::Open => "park",
        Park::Shielded => "park_shielded",
    };
    calling::call(&GLUE.get(pause.py(), name)?, (pause,), None)
}

/// Whether anybody has imported trio; only then can it run. `None` in its place says that nobody may.
fn is_imported(py: Python<'_>) -> PyResult<bool> {
    static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let modules = MODULES.import(py, "sys", "modules")?;
    Ok(modules.get_item(intern!(py, "trio"))?.is_some_and(|module| !module.is_none()))
}
