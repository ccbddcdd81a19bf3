//! `os.fork`: a child has none of its parent's threads, so a job that was started there would never end. It
//! gets an error instead.

use asyncferry::AsyncRuntime;
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyCFunction, PyDict},
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// This process was forked from one whose pool ran.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Fails where jobs can't run. Called before each one is started; the first call has Python tell of forks.
pub(crate) fn check(py: Python<'_>) -> PyResult<()> {
    static WATCHED: PyOnceLock<()> = PyOnceLock::new();
    WATCHED.get_or_try_init(py, || watch(py))?;
    if FORKED.load(Ordering::Relaxed) {
        return Err(PyRuntimeError::new_err(
            "Ferry's threads did not come along into this forked process, so no job can run here; \
             fork before the first job, or run the jobs in the parent",
        ));
    }
    Ok(())
}

fn watch(py: Python<'_>) -> PyResult<()> {
    let in_child = PyCFunction::new_closure(py, None, None, |_, _| {
        if AsyncRuntime::has_pool() {
            FORKED.store(true, Ordering::Relaxed);
        }
    })?;
    let keywords = PyDict::new(py);
    keywords.set_item("after_in_child", in_child)?;
    py.import("os")?.call_method("register_at_fork", (), Some(&keywords)).map(drop)
}

/// A value that belongs to one process.
pub(crate) struct PerProcess<T> {
    slot: Mutex<Option<T>>,
}

impl<T: Clone> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { slot: Mutex::new(None) }
    }

    pub(crate) fn get(&self) -> Option<T> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn get_or_try_init(&self, _py: Python<'_>, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let value = make()?;
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value.clone());
        Ok(value)
    }
}
