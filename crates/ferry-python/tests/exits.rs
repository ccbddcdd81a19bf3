//! Python's end with work in flight, in processes of their own: this binary runs itself as the child.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::{AsyncError, Promise, promise};
use asyncferry_python::{Job, future_to_awaitable, interpreter, promise_to_awaitable};
use pyo3::prelude::*;
use std::{
    process::Command,
    sync::{Mutex, PoisonError},
};

const CHILD: &str = "FERRY_TEST_CHILD";

static IN_FLIGHT: Mutex<Vec<Promise<u64>>> = Mutex::new(Vec::new());

#[pymodule]
mod flight {
    use super::*;

    /// A job that another thread completes at some time.
    #[pyfunction]
    fn start(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        let (promise, outcome) = promise();
        IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner).push(promise);
        promise_to_awaitable(py, None, outcome)
    }

    /// A future that tokio's threads poll without end.
    #[pyfunction]
    fn spin(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
        future_to_awaitable(py, async {
            loop {
                asyncferry::yield_now().await;
            }
            #[expect(unreachable_code, reason = "it says what the type would be")]
            Ok::<(), AsyncError>(())
        })
    }

    /// Lets a thread complete what is in flight, from now on and while Python ends.
    #[pyfunction]
    fn complete_from_now_on() {
        std::thread::spawn(|| {
            for value in 0.. {
                let next = IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(promise) = next else { return };
                let _ = promise.complete(value);
                std::thread::yield_now();
            }
        });
    }
}

const PROGRAM: &std::ffi::CStr = c"
import asyncio, sys, threading, flight, asyncferry as ferry
async def wait(aw):
    await aw
async def main():
    global kept
    kept = [flight.start() for _ in range(100)] + [flight.spin() for _ in range(2)]
    kept += [ferry.sleep(n / 1e4) for n in range(98)]
    kept += [asyncio.create_task(wait(aw)) for aw in kept]
    await asyncio.sleep(0)
    if how in ('left open', 'daemon'):
        # asyncio says of each task that it is pending when it is destroyed, as it should.
        kept.append(asyncio.get_running_loop())
        kept[-1].set_exception_handler(lambda loop, context: None)
    flight.complete_from_now_on()
    if how == 'exit': sys.exit(0)
    if how == 'daemon':
        ready.set()
        await asyncio.Event().wait()
if how == 'left open':
    asyncio.new_event_loop().run_until_complete(main())
elif how == 'daemon':
    # The loop runs on, in a thread that Python does not wait for.
    ready = threading.Event()
    threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
    ready.wait()
else:
    asyncio.run(main())
";

#[test]
fn exit_with_200_in_flight_is_always_clean() {
    if let Ok(how) = std::env::var(CHILD) {
        child(&how);
    }
    let this = std::env::current_exe().unwrap();
    for round in 0..40 {
        let how = ["return", "exit", "left open", "daemon"][round % 4];
        let child = Command::new(&this)
            .args(["--exact", "exit_with_200_in_flight_is_always_clean", "--nocapture", "--quiet"])
            .env(CHILD, how)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&child.stderr);
        assert_eq!(child.status.code(), Some(0), "round {round} ({how}): {:?}\n{errors}", child.status);
        assert_eq!(errors, "", "round {round} ({how})");
    }
}

/// Runs the program as Python's main thread, ends Python, and the process.
fn child(how: &str) -> ! {
    pyo3::append_to_inittab!(flight);
    let python = interpreter::start(interpreter::Options::default()).unwrap();
    let ended = Python::attach(|py| {
        let globals = pyo3::types::PyDict::new(py);
        globals.set_item("how", how).unwrap();
        match py.run(PROGRAM, Some(&globals), None) {
            Err(error) if !error.is_instance_of::<pyo3::exceptions::PySystemExit>(py) => {
                error.print(py);
                Err(())
            }
            _ => Ok(()),
        }
    });
    let finished = python.finish();
    std::process::exit(i32::from(ended.is_err() || finished.is_err()))
}
