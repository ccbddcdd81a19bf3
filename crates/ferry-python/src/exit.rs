//! What the bridge does when Python exits, in `atexit`: while all of Python still works, and before its threads
//! may not take the GIL any more.

use crate::{background, home, orphans, threads};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyCFunction};

/// Has [`leave`] called when Python exits. Called whenever something is made that must not outlive it.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static REGISTERED: PyOnceLock<()> = PyOnceLock::new();
    let register = || {
        let leave = PyCFunction::new_closure(py, None, None, |arguments, _| leave(arguments.py()))?;
        py.import("atexit")?.call_method1("register", (leave,)).map(drop)
    };
    REGISTERED.get_or_try_init(py, register).copied()
}

/// Ends Ferry's threads, lets what they ran clean up, tells of errors that nobody saw, and drops the rest.
fn leave(py: Python<'_>) -> PyResult<()> {
    if let Err(interrupt) = threads::end(py).and_then(|()| background::end(py)) {
        return Err(stop_at_once(py, interrupt));
    }
    orphans::report(py);
    home::retire_all(py);
    Ok(())
}

/// Ctrl-C, while submitted functions still run: their threads can't be stopped, and would crash the process
/// if they came back to a Python that is gone.
fn stop_at_once(py: Python<'_>, interrupt: PyErr) -> PyErr {
    let stop = || {
        interrupt.display(py);
        let sys = py.import("sys")?;
        for stream in ["stdout", "stderr"] {
            sys.getattr(stream)?.call_method0("flush")?;
        }
        py.import("os")?.call_method1("_exit", (INTERRUPTED,)).map(drop)
    };
    stop().err().unwrap_or(interrupt)
}

/// The exit code of a program that Ctrl-C ended, as shells have it.
const INTERRUPTED: u8 = 130;
