//! Effect programs and Rust: a program waits for what Rust does, and Rust awaits a program and its tasks.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::sleep;
use asyncferry_python::{Job, append_to_inittab, awaitable_to_future, future_to_awaitable, interpreter};
use pyo3::{prelude::*, types::PyDict};
use std::{ffi::CString, io, sync::Once, time::Duration};

/// Rust work that takes a moment.
#[pyfunction]
fn doubled(py: Python<'_>, number: i64) -> PyResult<Bound<'_, Job>> {
    future_to_awaitable(py, async move {
        sleep(Duration::from_millis(1)).await;
        if number < 0 { Err(io::Error::other("it's negative")) } else { Ok(number * 2) }
    })
}

/// Awaits what Python gives, in Rust, and gives it back with a word.
#[pyfunction]
fn relay<'py>(py: Python<'py>, awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, Job>> {
    let given = awaitable_to_future(py, &awaitable)?;
    future_to_awaitable(py, async move {
        let given = given.await?;
        Ok::<_, PyErr>(("by Rust", given))
    })
}

/// Awaits what Python gives for a moment only.
#[pyfunction]
fn give_up<'py>(py: Python<'py>, awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, Job>> {
    let given = awaitable_to_future(py, &awaitable)?;
    future_to_awaitable(py, async move {
        sleep(Duration::from_millis(1)).await;
        drop(given);
        Ok::<_, PyErr>("given up")
    })
}

/// Runs a program, which has the functions above.
fn check(program: &str) {
    static START: Once = Once::new();
    START.call_once(|| {
        append_to_inittab();
        interpreter::ensure_started().unwrap();
    });
    Python::attach(|py| {
        let globals = PyDict::new(py);
        globals.set_item("doubled", wrap_pyfunction!(doubled, py).unwrap()).unwrap();
        globals.set_item("relay", wrap_pyfunction!(relay, py).unwrap()).unwrap();
        globals.set_item("give_up", wrap_pyfunction!(give_up, py).unwrap()).unwrap();
        let program = format!("import asyncio\nfrom asyncferry.effects import *\n{program}");
        let ran = py.run(&CString::new(program).unwrap(), Some(&globals), None);
        ran.inspect_err(|error| error.print(py)).unwrap();
    });
}

#[test]
fn a_program_waits_for_rust() {
    check(
        r#"
@do
def program():
    task = yield Spawn(Await(doubled(1)))
    values = yield Gather(task, doubled(2), doubled(3))
    error = (yield Try(Wait(doubled(-1)))).error
    return values, str(error)

expected = [2, 4, 6], "it's negative"
assert asyncio.run(async_run(program())) == expected
assert run(program()) == expected
"#,
    );
}

#[test]
fn rust_awaits_programs_and_their_tasks() {
    check(
        r#"
@do
def child(value):
    yield Await(asyncio.sleep(0))
    return value

@do
def failing():
    yield Pure(None)
    raise KeyError("bad")

@do
def program():
    task, bad = (yield Spawn(child("task"))), (yield Spawn(failing()))
    error = (yield Try(Await(relay(bad)))).error
    return (yield Await(relay(task))), (yield Await(relay(async_run(child("program"))))), error.args

assert asyncio.run(async_run(program())) == (("by Rust", "task"), ("by Rust", "program"), ("bad",))
"#,
    );
}

#[test]
fn a_task_that_rust_gives_up_is_cancelled() {
    check(
        r#"
log = []

@do
def child():
    try:
        yield Await(asyncio.Event().wait())
    except TaskCancelledError as error:
        log.append(error.args)
        raise

@do
def program():
    task = yield Spawn(child())
    assert (yield Await(give_up(task))) == "given up"
    try:
        yield Wait(task)
    except TaskCancelledError:
        return task.cancelled()

assert asyncio.run(async_run(program())) is True
assert log == [("the Rust future that awaited it was dropped",)], log
"#,
    );
}
