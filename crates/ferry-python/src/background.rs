//! The background loop: where coroutines run that are submitted on a thread without an event loop, and where
//! callbacks are called that were added on one.
//!
//! It's an asyncio loop on a daemon thread, started when it's first needed. When Python exits, its tasks are
//! cancelled, and it ends when they have cleaned up.

use crate::{fork::PerProcess, glue, home::Home};
use pyo3::{intern, prelude::*};
use std::sync::Arc;

static HOME: PerProcess<Arc<Home>> = PerProcess::new();

/// The home of the background loop.
///
/// # Errors
/// `RuntimeError` when the system, or a Python that exits, starts no thread.
pub(crate) fn home(py: Python<'_>) -> PyResult<Arc<Home>> {
    HOME.get_or_try_init(py, || {
        let background = glue::call(py, "background", ())?;
        // Before the thread runs the loop, as a home is opened on its loop's own thread.
        let home = Home::of(&background.getattr(intern!(py, "loop"))?)?;
        background.call_method0(intern!(py, "start"))?;
        Ok(home)
    })
}

/// Python exits: cancels the loop's tasks, and waits until they have ended.
///
/// # Errors
/// What Ctrl-C raises, while they do.
pub(crate) fn end(py: Python<'_>) -> PyResult<()> {
    match HOME.get() {
        Some(_) => glue::call(py, "background", ())?.call_method0(intern!(py, "stop")).map(drop),
        None => Ok(()),
    }
}
