//! Loops on a virtual clock, as those of `asyncferry.testing`: what keeps the clock from jumping.
//!
//! When nothing is ready, such a loop goes on at its next timer, unless something is *out*: at work where the loop
//! can't see it, and about to bring it something. For the jobs that wait to call back at a loop:
//!
//! | a job of | is out |
//! |---|---|
//! | a function on a thread, a future or blocking work of Rust | until its mail is read |
//! | a coroutine | if that runs on another loop: what its task waits for is counted where it waits |
//! | a group, or the next item of an iterator | as its children that are not counted yet |
//! | a promise, a timer of the loop | never: a task of the loop may settle it |
//!
//! Work of Rust may itself wait for a coroutine of the loop, which may wait for the clock. For each such coroutine one
//! piece of work that is out counts as waiting, whichever it is.

use crate::home::Home;
use pyo3::{intern, prelude::*};
use std::sync::Arc;

/// Whether the clock of `event_loop` is virtual: it says so by an attribute of this name.
pub(crate) fn is_virtual(event_loop: &Bound<'_, PyAny>) -> PyResult<bool> {
    event_loop.hasattr(intern!(event_loop.py(), "_asyncferry_virtual_clock"))
}

/// Whether work is out that may bring the loop of `home` something. Call it on its thread.
pub(crate) fn is_work_out(py: Python<'_>, home: &Arc<Home>) -> bool {
    let mut out = 0;
    for job in home.held().all(py) {
        match job.get().core().jobs_out(py, home) {
            Some(jobs) => out += jobs,
            // Its letter has not been read yet.
            None => return true,
        }
    }
    out > home.runs_for_rust()
}
