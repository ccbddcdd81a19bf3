//! The bridge under an embedded interpreter. Each test runs a Python program on an event loop of its own, in
//! the thread that the test harness gives it; `probe` is the Rust side that the programs talk to.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod awaiting;
mod cancelling;
mod digesting;
mod errors;
mod gathering;
mod loops;
mod probe;
mod relaying;

use pyo3::{prelude::*, types::PyDict};
use std::{
    ffi::CString,
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
fn check(program: &str) {
    let _watched = watchdog();
    start_python();
    Python::attach(|py| {
        let program = CString::new(program).unwrap();
        let globals = PyDict::new(py);
        globals.set_item("__name__", "__test__").unwrap();
        if let Err(error) = py
            .run(c"import asyncio, asyncferry as ferry, probe", Some(&globals), None)
            .and_then(|()| py.run(&program, Some(&globals), None))
        {
            let trace = error.traceback(py).map(|trace| trace.format().unwrap()).unwrap_or_default();
            panic!("{trace}{error}");
        }
    });
}

fn start_python() {
    static START: Once = Once::new();
    START.call_once(|| {
        probe::append_to_inittab();
        asyncferry_python::interpreter::ensure_started().unwrap();
    });
}

/// Ends the process when what is returned isn't dropped in time: a deadlock may have the GIL, so nothing less
/// would fail the test.
fn watchdog() -> Sender<()> {
    let (guard, gone) = channel();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if gone.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{test} hangs: it has not ended within {PATIENCE:?}");
            std::process::abort();
        }
    });
    guard
}
