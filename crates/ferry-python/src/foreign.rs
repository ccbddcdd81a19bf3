//! Objects that several languages share, as Python has them: primitives are Ferry's own classes, a script's task is awaited, its functions
//! are called. What Python knows nothing of it hands on as a [`Foreign`].

use crate::{
    expose::future_to_awaitable,
    job::Job,
    primitives::{PyEvent, PyLock, PyQueue, PySemaphore},
    value::{self, Crossing},
};
use asyncferry::{
    Failure, Future, Value, ValueLimits,
    sync::{Event, Lock, Queue, Semaphore},
    value::{Callback as Function, Foreign as Shared},
};
use pyo3::{prelude::*, types::PyTuple};

/// An object of another language's, to be handed on.
#[pyclass(frozen, module = "asyncferry")]
pub struct Foreign(Shared);

#[pymethods]
impl Foreign {
    /// What it is, in words.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        slf.get().0.kind().len()
    }

    fn __repr__(&self) -> String {
        format!("<Foreign {}>", self.0.kind())
    }
}

/// A function of another language's. Calling it begins the call, and gives what is awaited.
#[pyclass(frozen, module = "asyncferry")]
pub struct Callback(Function);

#[pymethods]
impl Callback {
    /// What it's called in errors.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[pyo3(signature = (*args))]
    fn __call__<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, Job>> {
        let arguments = value::to_value(args, &ValueLimits::default())?;
        let function = self.0.clone();
        future_to_awaitable(args.py(), async move {
            let arguments = if let Value::List(arguments) = arguments { arguments } else { Vec::new() };
            function.call(arguments).await.map(Crossing)
        })
    }

    fn __repr__(&self) -> String {
        format!("<Callback {}>", self.0.name())
    }
}

/// The Python object for a shared one.
pub(crate) fn to_python<'py>(py: Python<'py>, object: &Shared) -> PyResult<Bound<'py, PyAny>> {
    if let Some(event) = object.get::<Event>() {
        return PyEvent::of(py, event).map(Bound::into_any);
    }
    if let Some(lock) = object.get::<Lock>() {
        return PyLock::of(py, lock).map(Bound::into_any);
    }
    if let Some(semaphore) = object.get::<Semaphore>() {
        return PySemaphore::of(py, semaphore).map(Bound::into_any);
    }
    if let Some(queue) = object.get::<Queue<Value>>() {
        return PyQueue::of_values(py, queue).map(Bound::into_any);
    }
    if let Some(future) = object.get::<Future<Value>>() {
        let future = (*future).clone();
        let awaited = async move { future.await.map(Crossing) };
        return future_to_awaitable::<_, _, Failure>(py, awaited).map(Bound::into_any);
    }
    if let Some(function) = Function::of(object) {
        return Bound::new(py, Callback(function)).map(Bound::into_any);
    }
    Bound::new(py, Foreign(object.clone())).map(Bound::into_any)
}

/// The shared object that a Python object is, if it's one.
pub(crate) fn of_python(object: &Bound<'_, PyAny>) -> Option<Shared> {
    if let Ok(event) = object.cast::<PyEvent>() {
        return Some(Shared::new("Event", event.get().shared().clone()));
    }
    if let Ok(lock) = object.cast::<PyLock>() {
        return Some(Shared::new("Lock", lock.get().shared().clone()));
    }
    if let Ok(semaphore) = object.cast::<PySemaphore>() {
        return semaphore.get().shared().map(|semaphore| Shared::new("Semaphore", semaphore.clone()));
    }
    if let Ok(queue) = object.cast::<PyQueue>() {
        return queue.get().shared_values().map(|queue| Shared::new("Queue", queue.clone()));
    }
    if let Ok(function) = object.cast::<Callback>() {
        return Some(function.get().0.clone().into());
    }
    object.cast::<Foreign>().ok().map(|foreign| foreign.get().0.clone())
}
