//! What work inherits when it crosses: `contextvars` through Rust, and task-locals through Python.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::{TaskLocal, spawn, yield_now};
use asyncferry_python::{
    Home, Job, blocking_to_awaitable, future_to_awaitable, interpreter, start_awaitable,
};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyDict};
use std::{ffi::CString, sync::Once};

static NUMBER: TaskLocal<u32> = TaskLocal::new();

/// Awaits a coroutine in a task of the pool, which another one spawned.
#[pyfunction]
fn far_away<'py>(py: Python<'py>, make: Py<PyAny>) -> PyResult<Bound<'py, Job>> {
    let home = Home::here(py)?;
    future_to_awaitable(py, async move {
        yield_now().await;
        let inner = spawn(async move {
            spawn(async move {
                let coroutine = Python::attach(|py| make.call0(py))?;
                start_awaitable(&home, coroutine).await
            })
            .await
        });
        let joined = inner.await.and_then(|inner| inner);
        joined.unwrap_or_else(|error| Err(PyRuntimeError::new_err(error.to_string())))
    })
}

/// Sets the task-local, and awaits a coroutine.
#[pyfunction]
fn with_number<'py>(py: Python<'py>, number: u32, make: Py<PyAny>) -> PyResult<Bound<'py, Job>> {
    let home = Home::here(py)?;
    future_to_awaitable(
        py,
        NUMBER.scope(number, async move {
            yield_now().await;
            let coroutine = Python::attach(|py| make.call0(py))?;
            start_awaitable(&home, coroutine).await
        }),
    )
}

/// The task-local, as Rust work that Python awaits sees it.
#[pyfunction]
fn number(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
    future_to_awaitable(py, async {
        yield_now().await;
        Ok::<_, PyErr>(NUMBER.get())
    })
}

#[pyfunction]
fn number_on_a_thread(py: Python<'_>) -> PyResult<Bound<'_, Job>> {
    blocking_to_awaitable(py, |_| Ok::<_, PyErr>(NUMBER.get()))
}

fn check(program: &str) {
    static START: Once = Once::new();
    START.call_once(|| {
        asyncferry_python::append_to_inittab();
        interpreter::ensure_started().unwrap();
    });
    Python::attach(|py| {
        let globals = PyDict::new(py);
        for function in [
            wrap_pyfunction!(far_away, py).unwrap(),
            wrap_pyfunction!(with_number, py).unwrap(),
            wrap_pyfunction!(number, py).unwrap(),
            wrap_pyfunction!(number_on_a_thread, py).unwrap(),
        ] {
            globals.set_item(function.getattr("__name__").unwrap(), function).unwrap();
        }
        let program = format!(
            "import asyncio, contextvars\nvar = contextvars.ContextVar('var', default='unset')\n{program}\nasyncio.run(main())"
        );
        if let Err(error) = py.run(&CString::new(program).unwrap(), Some(&globals), None) {
            let trace = error.traceback(py).map(|trace| trace.format().unwrap()).unwrap_or_default();
            panic!("{trace}{error}");
        }
    });
}

#[test]
fn a_coroutine_that_rust_starts_has_the_context_of_who_awaits_the_work() {
    check(
        r"
async def look():
    await asyncio.sleep(0)
    seen = var.get()
    var.set('changed')
    return seen

async def one(value):
    var.set(value)
    seen = await far_away(look)
    assert seen == value, seen
    assert var.get() == value

async def main():
    await asyncio.gather(*(one(value) for value in range(20)))
    assert await far_away(look) == 'unset'
",
    );
}

#[test]
fn a_task_local_reaches_rust_work_through_a_coroutine() {
    check(
        r"
async def through():
    await asyncio.sleep(0)
    own = await number(), await number_on_a_thread()
    child = await asyncio.create_task(child_task())
    return own, child

async def child_task():
    return await number()

async def main():
    seen = await asyncio.gather(*(with_number(value, through) for value in range(1, 20)))
    assert seen == [((value, value), value) for value in range(1, 20)], seen
    assert await number() is None
    var.set('something')
    assert await number() is None
    assert await with_number(7, through) == ((7, 7), 7)
",
    );
}

#[test]
fn both_are_carried_together() {
    check(
        r"
async def inner():
    return var.get(), await number(), await far_away(look)

async def look():
    return var.get(), await number()

async def main():
    var.set('outer')
    assert await with_number(3, inner) == ('outer', 3, ('outer', 3))
",
    );
}

#[test]
fn a_chain_of_starts_keeps_no_context_of_those_before() {
    check(
        r"
import gc, weakref

class Value:
    pass

async def step(left):
    value = Value()
    alive.add(value)
    var.set(value)
    del value
    if left:
        asyncio.get_running_loop().call_soon(go_on, left - 1)

def go_on(left):
    job = far_away(lambda: step(left))
    job.add_done_callback(lambda job: over.set() if not left else None)

async def main():
    global alive, over
    alive, over = weakref.WeakSet(), asyncio.Event()
    var.set(Value())
    go_on(200)
    await over.wait()
    gc.collect()
    assert len(alive) <= 5, len(alive)
",
    );
}
