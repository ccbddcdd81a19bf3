//! The background loop: where coroutines run that are submitted on a thread without an event loop, and where
//! callbacks are called that were added on one.
//!
//! It's an asyncio loop on a daemon thread, started when it's first needed. A `sys.exit()` or `KeyboardInterrupt` in what
//! runs there ends only that. When Python exits, its tasks are cancelled, and it ends when they have cleaned up.

use crate::{calling, exit, fork::PerProcess, glue, home::Home};
use pyo3::{intern, prelude::*};
use std::sync::Arc;

static HOME: PerProcess<Arc<Home>> = PerProcess::new();

/// The home of the background loop.
///
/// # Errors
/// `RuntimeError` when Python exits, or the system starts no thread.
pub(crate) fn home(py: Python<'_>) -> PyResult<Arc<Home>> {
    exit::refuse_late("use Ferry's background loop")?;
    // Somebody has closed the loop: it's not there any more for anybody.
    HOME.forget_if(py, |home| home.is_closed());
    HOME.get_or_try_init(py, || {
        let background = glue::call(py, "background", ())?;
        // Before the thread runs the loop, as a home is opened on its loop's own thread.
        let home = Home::of(&background.getattr(intern!(py, "loop"))?)?;
        calling::call_method(&background, intern!(py, "start"), ())?;
        Ok(home)
    })
}

/// Whether `home` is that of the background loop.
pub(crate) fn is_home(home: &Arc<Home>) -> bool {
    HOME.get().is_some_and(|background| Arc::ptr_eq(&background, home))
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
