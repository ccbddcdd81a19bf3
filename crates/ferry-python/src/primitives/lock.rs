//! `asyncferry.Lock`.

use super::{
    holding::{self, Holdable},
    object, refuse_arguments, repr_with,
    values::name_error,
    waiters,
};
use crate::turn;
use asyncferry::sync::{Lock, named};
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};
use std::{ffi::CStr, sync::Arc};

/// One at a time, among tasks of any event loop and thread, in the order of asking: as asyncio.Lock.
#[pyclass(frozen, subclass, weakref, module = "asyncferry", name = "Lock")]
pub struct PyLock {
    lock: Arc<Lock>,
}

impl PyLock {
    pub(super) fn plain() -> Self {
        Self { lock: Arc::new(Lock::new(())) }
    }

    /// The Python object for a lock of Rust's. Python's release() lets it go whoever took it, as asyncio's does.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, lock: Arc<Lock>) -> PyResult<Bound<'_, Self>> {
        object(py, Self { lock })
    }

    /// The lock itself, for Rust.
    pub fn shared(&self) -> &Arc<Lock> {
        &self.lock
    }

    /// Takes it if it's free and nobody waits for it.
    pub(super) fn take_free(&self) -> bool {
        self.lock.try_acquire().map(|guard| guard.forget()).is_some()
    }

    /// Waits in line for it.
    pub(super) fn taking_in_line(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let lock = self.lock.clone();
        async move { lock.acquire().await.forget() }
    }

    /// `locked, waiters:2`.
    pub(super) fn described(&self) -> &'static str {
        if self.lock.locked() { "locked" } else { "unlocked" }
    }
}

#[pymethods]
impl PyLock {
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

    /// The lock of this name, which everybody in the process has, in whichever language.
    ///
    /// ValueError if the name is another thing's.
    #[staticmethod]
    fn named<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, Self>> {
        Self::of(py, named::lock(name).map_err(name_error)?)
    }

    /// Whether somebody holds it.
    pub(super) fn locked(&self) -> bool {
        self.lock.locked()
    }

    /// Lets it go; it goes to who waits longest for it. Can be called from any thread. RuntimeError if nobody holds it.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.let_go(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        repr_with(slf, &format!("{}{}", this.described(), waiters(this.lock.waiters())))
    }
}

impl Holdable for PyLock {
    const ACQUIRE: &'static str = "Lock.acquire";
    const ENTER: &'static str = "Lock.__aenter__";
    const EXIT: &'static str = "Lock.__aexit__";
    const DOC: &'static CStr =
        c"acquire($self, /)\n--\n\nTakes the lock, and gives True; waits while another holds it or \
waits for it already.";

    fn take(&self, _: Python<'_>) -> PyResult<bool> {
        Ok(self.take_free())
    }

    fn taking(&self, _: Python<'_>) -> PyResult<impl Future<Output = ()> + Send + 'static + use<>> {
        Ok(self.taking_in_line())
    }

    fn let_go(&self, py: Python<'_>) -> PyResult<()> {
        let released = turn::attached(py, || self.lock.release());
        released.map_err(|_| PyRuntimeError::new_err("Lock is not acquired."))
    }
}

pub(super) fn complete(py: Python<'_>) -> PyResult<()> {
    holding::complete::<PyLock>(py)
}
