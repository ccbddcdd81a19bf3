//! asyncio's primitives as Python's classes: each is Rust's own primitive of [`asyncferry::sync`], with the signatures,
//! errors and representations of CPython 3.13.
//!
//! Python gives a primitive to Rust, or Rust to Python; both then use the same object, each in its own way:
//!
//! ```
//! use asyncferry::sync::Queue;
//! use asyncferry_python::{interpreter, primitives::{Item, PyQueue}};
//! use pyo3::{prelude::*, types::IntoPyDict};
//! use std::sync::Arc;
//!
//! interpreter::ensure_started().expect("there is a Python");
//! let queue = Arc::new(Queue::<Item>::new(2));
//! let producer = std::thread::spawn({
//!     let queue = queue.clone();
//!     move || {
//!         asyncferry::AsyncRuntime::block_on(async {
//!             for number in 1..=10 {
//!                 queue.put(Item::new(number)).await.expect("it is open");
//!             }
//!         });
//!     }
//! });
//! Python::attach(|py| -> PyResult<()> {
//!     let globals = [("queue", PyQueue::of(py, queue)?)].into_py_dict(py)?;
//!     let program = c"async def main():\n    assert sum([await queue.get() for _ in range(10)]) == 55\nimport asyncio\nasyncio.run(main())";
//!     py.run(program, Some(&globals), None)
//! }).unwrap();
//! producer.join().unwrap();
//! ```
//!
//! They are Rust's in what asyncio leaves open or does worse: who waits longest is served first, whichever language, loop
//! or thread it's from; and nothing is handed to who has given up. What Python awaits of them is an operation: see
//! `operation.rs`.

mod barrier;
mod condition;
mod event;
mod heap;
mod holding;
mod item;
mod lock;
mod priority_queue;
mod queue;
mod semaphore;
mod values;

pub use barrier::PyBarrier;
pub use condition::PyCondition;
pub use event::PyEvent;
pub use item::Item;
pub use lock::PyLock;
pub use priority_queue::PyPriorityQueue;
pub use queue::{PyLifoQueue, PyQueue};
pub use semaphore::{PyBoundedSemaphore, PySemaphore};

use crate::{calling, names, operation};
use pyo3::{
    PyClass, PyTypeInfo,
    exceptions::{PyRuntimeError, PyTypeError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple, PyType},
};

/// Adds the classes to the module.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    complete(module.py())?;
    module.add_class::<PyEvent>()?;
    module.add_class::<PyLock>()?;
    module.add_class::<PySemaphore>()?;
    module.add_class::<PyBoundedSemaphore>()?;
    module.add_class::<PyCondition>()?;
    module.add_class::<PyBarrier>()?;
    module.add_class::<PyQueue>()?;
    module.add_class::<PyLifoQueue>()?;
    module.add_class::<PyPriorityQueue>()?;
    names::add_errors(module)
}

/// Gives the classes their awaited methods, once: before Python sees the first object of one, which may be Rust's.
fn complete(py: Python<'_>) -> PyResult<()> {
    static COMPLETE: PyOnceLock<()> = PyOnceLock::new();
    let complete = || {
        operation::prepare(py)?;
        event::complete(py)?;
        lock::complete(py)?;
        semaphore::complete(py)?;
        condition::complete(py)?;
        barrier::complete(py)?;
        queue::complete(py)
    };
    COMPLETE.get_or_try_init(py, complete).copied()
}

/// A new object of a primitive's class.
fn object<T: PyClass>(py: Python<'_>, made: impl Into<PyClassInitializer<T>>) -> PyResult<Bound<'_, T>> {
    complete(py)?;
    Bound::new(py, made)
}

/// What `object.__repr__` says, with `[extra]` before its end.
fn repr_with(object: &Bound<'_, PyAny>, extra: &str) -> PyResult<String> {
    let py = object.py();
    let repr = py.get_type::<PyAny>().getattr(intern!(py, "__repr__"))?;
    let plain: String = calling::call_with(&repr, object)?.extract()?;
    let plain = plain.strip_suffix('>').unwrap_or(&plain);
    Ok(format!("{plain} [{extra}]>"))
}

/// Refuses arguments to a class that takes none. A subclass passes its own ones, which are for its `__init__`.
fn refuse_arguments<T: PyTypeInfo>(
    class: &Bound<'_, PyType>,
    args: &Bound<'_, PyTuple>,
    kwargs: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    if class.is(class.py().get_type::<T>())
        && (!args.is_empty() || kwargs.is_some_and(|given| !given.is_empty()))
    {
        return Err(PyTypeError::new_err(format!("{}() takes no arguments", class.name()?)));
    }
    Ok(())
}

/// A primitive's `__init__` was called again, which would put another one in its place.
fn initialized_again(class: &str) -> PyErr {
    PyRuntimeError::new_err(format!("{class}.__init__() was called before: make another {class} instead"))
}

/// How asyncio's representations tell of those who wait, if some do.
fn waiters(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", waiters:{count}") }
}

/// `class[item]`, for type checkers.
fn generic<'py>(class: &Bound<'py, PyType>, item: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    names::generic_alias(class, item)
}
