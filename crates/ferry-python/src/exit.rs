//! What the bridge does when Python exits, in `atexit`: while all of Python still works, and before its threads
//! may not take the GIL any more.
//!
//! Handlers that were registered before Ferry was first used come after that. They may go on with their own event loops,
//! Rust's jobs among it; Ferry's threads and its background loop are gone for them ([`refuse_late`]).

use crate::{
    background,
    home::{self, report_nowhere},
    names, orphans, pool, threads, unseen,
};
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyRuntimeError},
    prelude::*,
    sync::PyOnceLock,
    types::PyCFunction,
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

static HAS_LEFT: AtomicBool = AtomicBool::new(false);

/// Has [`leave`] called when Python exits. Called whenever something is made that must not outlive it.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static REGISTERED: PyOnceLock<()> = PyOnceLock::new();
    let register = || {
        let leave = PyCFunction::new_closure(py, None, None, |arguments, _| leave(arguments.py()))?;
        py.import("atexit")?.call_method1("register", (leave,)).map(drop)
    };
    REGISTERED.get_or_try_init(py, register).copied()
}

/// Refuses to start what nobody would wait for any more.
///
/// # Errors
/// `RuntimeError` when Python exits, and Ferry has left.
pub(crate) fn refuse_late(what: &str) -> PyResult<()> {
    if HAS_LEFT.load(Ordering::Relaxed) {
        return Err(PyRuntimeError::new_err(format!("can't {what} while Python exits")));
    }
    Ok(())
}

/// Ends Ferry's threads, lets what they ran clean up, and tells of errors that nobody saw.
fn leave(py: Python<'_>) -> PyResult<()> {
    HAS_LEFT.store(true, Ordering::Relaxed);
    until_it_ends(py, pool::end).map_err(|stop| stop_at_once(py, stop))?;
    until_it_ends(py, threads::end).map_err(|stop| stop_at_once(py, stop))?;
    // That one's thread is a daemon, which Python can leave alone.
    until_it_ends(py, background::end)?;
    orphans::report(py);
    home::sweep(py);
    let hooks = std::mem::take(&mut *HOOKS.lock().unwrap_or_else(PoisonError::into_inner));
    hooks.into_iter().for_each(|hook| hook());
    unseen::report_all(py)
}

type Hook = Box<dyn FnOnce() + Send>;

static HOOKS: Mutex<Vec<Hook>> = Mutex::new(Vec::new());

/// Has `hook` called when Python exits, once all that was submitted to Ferry has ended; if anything was.
pub fn at_exit(hook: impl FnOnce() + Send + 'static) {
    HOOKS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(hook));
}

/// Has `end` wait until it's done. What signal handlers raise meanwhile is reported, unless it's a wish to stop: that
/// comes back.
fn until_it_ends(py: Python<'_>, end: fn(Python<'_>) -> PyResult<()>) -> PyResult<()> {
    while let Err(error) = end(py) {
        if names::stops_the_program(py, &error) {
            return Err(error);
        }
        report_nowhere(py, "Exception while Ferry waited for what it runs to end", &error);
    }
    Ok(())
}

/// Ctrl-C or `sys.exit()` out of a signal handler, while submitted functions still run: their threads can't be stopped,
/// and would crash the process if they came back to a Python that is gone.
fn stop_at_once(py: Python<'_>, stop: PyErr) -> PyErr {
    let exit = || {
        let code = exit_code(py, &stop)?;
        let sys = py.import("sys")?;
        for stream in ["stdout", "stderr"] {
            sys.getattr(stream)?.call_method0("flush")?;
        }
        py.import("os")?.call_method1("_exit", (code,)).map(drop)
    };
    exit().err().unwrap_or(stop)
}

/// What the process is to end with, after what Python says of `stop`.
fn exit_code(py: Python<'_>, stop: &PyErr) -> PyResult<i32> {
    /// That of a program that Ctrl-C ended, as shells have it.
    const INTERRUPTED: i32 = 130;
    /// That of `sys.exit("a message")`.
    const FAILED: i32 = 1;
    if stop.is_instance_of::<PyKeyboardInterrupt>(py) {
        stop.display(py);
        return Ok(INTERRUPTED);
    }
    let code = stop.value(py).getattr("code")?;
    if code.is_none() {
        return Ok(0);
    }
    if let Ok(code) = code.extract() {
        return Ok(code);
    }
    py.import("sys")?.getattr("stderr")?.call_method1("write", (format!("{}\n", code.str()?),))?;
    Ok(FAILED)
}
