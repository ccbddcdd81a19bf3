//! The names of Python's library that the bridge needs, each imported once.

use crate::{calling, trio};
use asyncferry::State;
use pyo3::{
    exceptions::{PyBaseException, PyKeyboardInterrupt, PySystemExit},
    prelude::*,
    sync::PyOnceLock,
    types::{IntoPyDict, PyString, PyType},
};

/// The loop that runs on this thread, if one does, or what stands for it in a trio run.
pub(crate) fn running_loop(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    match asyncio_loop(py)? {
        Some(running) => Ok(Some(running)),
        None => trio::running_loop(py),
    }
}

/// asyncio's loop that runs on this thread, if one does.
pub(crate) fn asyncio_loop(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    static GET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let running = GET.import(py, "asyncio", "_get_running_loop")?.call0()?;
    Ok((!running.is_none()).then_some(running))
}

/// `asyncio.ensure_future(awaitable, loop=event_loop)`.
pub(crate) fn ensure_future<'py>(
    awaitable: &Bound<'py, PyAny>,
    event_loop: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static ENSURE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = awaitable.py();
    let keywords = [(pyo3::intern!(py, "loop"), event_loop)];
    let keywords = pyo3::types::IntoPyDict::into_py_dict(keywords, py)?;
    calling::call(ENSURE.import(py, "asyncio", "ensure_future")?, (awaitable,), Some(&keywords))
}

/// `asyncio.isfuture(object)`.
pub(crate) fn is_future(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static IS_FUTURE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    calling::call_with(IS_FUTURE.import(object.py(), "asyncio", "isfuture")?, object)?.is_truthy()
}

/// Whether `await object` is allowed, or `object` is a future of asyncio's kind.
pub(crate) fn is_awaitable(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static IS_AWAITABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = object.py();
    if is_coroutine(object) || object.get_type().hasattr(pyo3::intern!(py, "__await__"))? {
        return Ok(true);
    }
    if is_future(object)? {
        return Ok(true);
    }
    calling::call_with(IS_AWAITABLE.import(py, "inspect", "isawaitable")?, object)?.is_truthy()
}

/// Whether `object` is what calling an `async def` gives.
#[cfg(not(Py_LIMITED_API))]
pub(crate) fn is_coroutine(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the pointer is that of a live object, and the check only reads its type.
    unsafe { pyo3::ffi::PyCoro_CheckExact(object.as_ptr()) != 0 }
}

/// Whether `object` is what calling an `async def` gives.
#[cfg(Py_LIMITED_API)]
pub(crate) fn is_coroutine(object: &Bound<'_, PyAny>) -> bool {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.import(object.py(), "types", "CoroutineType").is_ok_and(|class| object.get_type().is(class))
}

/// `asyncio.CancelledError(message)`.
pub(crate) fn cancelled_error(py: Python<'_>, message: Option<Py<PyAny>>) -> PyErr {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = TYPE.import(py, "asyncio", "CancelledError").and_then(|class| match message {
        Some(message) => class.call1((message,)),
        None => class.call0(),
    });
    made.map_or_else(|error| error, PyErr::from_value)
}

/// `asyncio.InvalidStateError(message)`.
pub(crate) fn invalid_state(py: Python<'_>, message: &str) -> PyErr {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match TYPE.import(py, "asyncio", "InvalidStateError") {
        Ok(class) => PyErr::from_type(class.clone(), (message.to_owned(),)),
        Err(error) => error,
    }
}

/// `asyncio.BrokenBarrierError(message)`.
pub(crate) fn broken_barrier(py: Python<'_>, message: &str) -> PyErr {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match TYPE.import(py, "asyncio", "BrokenBarrierError") {
        Ok(class) => PyErr::from_type(class.clone(), (message.to_owned(),)),
        Err(error) => error,
    }
}

/// What can be wrong with a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueError {
    Full,
    Empty,
    ShutDown,
}

impl QueueError {
    const ALL: [Self; 3] = [Self::Full, Self::Empty, Self::ShutDown];

    fn name(self) -> &'static str {
        match self {
            Self::Full => "QueueFull",
            Self::Empty => "QueueEmpty",
            Self::ShutDown => "QueueShutDown",
        }
    }

    /// asyncio's own class; before Python 3.13, `QueueShutDown` is one of ours.
    fn class(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        static CLASSES: [PyOnceLock<Py<PyType>>; 3] = [const { PyOnceLock::new() }; 3];
        let find = || {
            if let Some(class) = py.import("asyncio")?.getattr_opt(self.name())? {
                return Ok(class.cast_into::<PyType>()?.unbind());
            }
            let name = std::ffi::CString::new(format!("asyncferry.{}", self.name()))?;
            PyErr::new_type(py, &name, Some(c"Raised by a queue that was shut down."), None, None)
        };
        CLASSES[self as usize].get_or_try_init(py, find).map(|class| class.bind(py))
    }
}

/// An exception of a queue, which has no text, as asyncio's have none.
pub(crate) fn queue_error(py: Python<'_>, error: QueueError) -> PyErr {
    match error.class(py) {
        Ok(class) => PyErr::from_type(class.clone(), ()),
        Err(error) => error,
    }
}

/// Adds the exceptions that primitives raise: asyncio's, where it has them.
pub(crate) fn add_errors(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    for error in QueueError::ALL {
        module.add(error.name(), error.class(py)?)?;
    }
    module.add("BrokenBarrierError", py.import("asyncio")?.getattr("BrokenBarrierError")?)
}

/// Whether `error` is an `asyncio.CancelledError`.
pub(crate) fn is_cancelled_error(error: &Bound<'_, PyBaseException>) -> PyResult<bool> {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    error.is_instance(TYPE.import(error.py(), "asyncio", "CancelledError")?)
}

/// Whether `error` is a wish to stop (Ctrl-C, `sys.exit`), which no part of the bridge may keep to itself.
pub(crate) fn stops_the_program(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py)
}

/// `types.GenericAlias(class, item)`: what `Job[int]` means to a type checker.
pub(crate) fn generic_alias<'py>(
    class: &Bound<'py, PyType>,
    item: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static ALIAS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    ALIAS.import(class.py(), "types", "GenericAlias")?.call1((class, item))
}

/// `reprlib.repr(object)`: its representation, cut to a readable length.
pub(crate) fn short_repr<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    static REPR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    Ok(calling::call_with(REPR.import(object.py(), "reprlib", "repr")?, object)?.cast_into()?)
}

/// The member of `asyncferry.State`.
pub(crate) fn state(py: Python<'_>, state: State) -> PyResult<Bound<'_, PyAny>> {
    state_class(py)?.call1((state as u8,))
}

/// `asyncferry.State`.
pub(crate) fn state_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        let members = [
            ("PENDING", State::Pending),
            ("COMPLETED", State::Completed),
            ("FAILED", State::Failed),
            ("CANCELLED", State::Cancelled),
        ];
        let members = members.map(|(name, state)| (name, state as u8)).to_vec();
        let keywords = [("module", "asyncferry")].into_py_dict(py)?;
        let class = py.import("enum")?.getattr("IntEnum")?.call(("State", members), Some(&keywords))?;
        class.setattr("__doc__", "How far a job is. In every language of Ferry the numbers are these.")?;
        Ok::<_, PyErr>(class.unbind())
    };
    Ok(CLASS.get_or_try_init(py, make)?.bind(py))
}
