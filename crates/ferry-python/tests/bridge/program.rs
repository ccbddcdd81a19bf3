//! Python programs as tests: each runs on an event loop of its own, in the thread that the test harness gives it.

use crate::probe;
use asyncferry_python::interpreter;
use pyo3::{prelude::*, types::PyDict};
use std::{
    ffi::CString,
    process,
    sync::{
        Once,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// Far more than any of the programs takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a Python program in a namespace of its own. What it raises fails the test, with its traceback.
#[track_caller]
pub(crate) fn check(program: &str) {
    let _watched = watchdog();
    start_python();
    Python::attach(|py| {
        if let Err(error) = run(py, program, "") {
            let trace = error.traceback(py).map(|trace| trace.format().unwrap()).unwrap_or_default();
            panic!("{trace}{error}");
        }
    });
}

/// Runs `program`, which knows `how` by that name.
pub(crate) fn run(py: Python<'_>, program: &str, how: &str) -> PyResult<()> {
    let program = CString::new(program).unwrap();
    let globals = PyDict::new(py);
    globals.set_item("__name__", "__test__")?;
    globals.set_item("how", how)?;
    py.run(c"import asyncio, asyncferry as ferry, probe", Some(&globals), None)?;
    py.run(&program, Some(&globals), None)
}

fn start_python() {
    static START: Once = Once::new();
    START.call_once(|| {
        probe::append_to_inittab();
        interpreter::ensure_started().unwrap();
    });
}

/// Ends the process when what is returned isn't dropped in time: a deadlock may have the GIL, so nothing less
/// would fail the test.
pub(crate) fn watchdog() -> Sender<()> {
    let (guard, gone) = channel();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{test} hangs: it has not ended within {PATIENCE:?}");
            process::abort();
        }
    });
    guard
}
