//! `asyncferry.Event`.

use super::{object, refuse_arguments, repr_with, values::name_error, waiters};
use crate::{
    operation::{Begun, Operation, add_method, yes},
    turn,
};
use asyncferry::sync::{Event, named};
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};
use std::{ffi::CStr, sync::Arc};

/// A flag that tasks wait for, of any event loop and thread: as asyncio.Event.
#[pyclass(frozen, subclass, weakref, module = "asyncferry", name = "Event")]
pub struct PyEvent {
    event: Arc<Event>,
}

impl PyEvent {
    fn plain() -> Self {
        Self { event: Arc::new(Event::new()) }
    }

    /// The Python object for an event of Rust's.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, event: Arc<Event>) -> PyResult<Bound<'_, Self>> {
        object(py, Self { event })
    }

    /// The event itself, for Rust.
    pub fn shared(&self) -> &Arc<Event> {
        &self.event
    }
}

#[pymethods]
impl PyEvent {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*args, **kwargs), text_signature = "()")]
    fn new(
        class: &Bound<'_, PyType>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        refuse_arguments::<Self>(class, args, kwargs)?;
        Ok(Self::plain())
    }

    /// The event of this name, which everybody in the process has, in whichever language.
    ///
    /// ValueError if the name is another thing's.
    #[staticmethod]
    fn named<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, Self>> {
        Self::of(py, named::event(name).map_err(name_error)?)
    }

    /// Whether it is set.
    fn is_set(&self) -> bool {
        self.event.is_set()
    }

    /// Sets it, and wakes all who wait. Can be called from any thread.
    fn set(&self, py: Python<'_>) {
        turn::attached(py, || self.event.set());
    }

    /// Clears it: who waits from now on waits for the next set().
    fn clear(&self) {
        self.event.clear();
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let event = &slf.get().event;
        let set = if event.is_set() { "set" } else { "unset" };
        repr_with(slf, &format!("{set}{}", waiters(event.waiters())))
    }
}

struct WaitOperation;

impl Operation for WaitOperation {
    type Owner = PyEvent;
    const METHOD: &'static CStr = c"wait";
    const NAME: &'static str = "Event.wait";
    const DOC: &'static CStr = c"wait($self, /)\n--\n\nWaits until it is set, and gives True.";

    fn begin<'py>(owner: &Bound<'py, PyEvent>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let event = &owner.get().event;
        if event.is_set() {
            return Ok(Begun::yes(owner.py()));
        }
        let event = event.clone();
        Ok(Begun::waits(async move { event.wait().await }, |py, ()| Ok(yes(py).unbind())))
    }
}

pub(super) fn complete(py: Python<'_>) -> PyResult<()> {
    add_method::<WaitOperation>(&py.get_type::<PyEvent>())
}
