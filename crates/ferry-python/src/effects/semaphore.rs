//! [`Semaphore`]: permits of a run, handed on in the order in which they are asked for.
//!
//! A permit that is handed on is the task's from then on, though the task goes on later: whoever is cancelled in between
//! gives it back.

use super::{
    run::Run,
    task::{self, Task},
};
use crate::gil_cell::GilCell;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
};
use std::collections::VecDeque;

/// Permits. `yield CreateSemaphore(permits)` makes one.
#[pyclass(frozen, weakref, module = "asyncferry.effects")]
pub(super) struct Semaphore {
    id: u64,
    run: Py<Run>,
    permits: usize,
    state: GilCell<State>,
}

#[derive(Default)]
struct State {
    free: usize,
    waiters: VecDeque<(Py<Task>, u32)>,
}

impl Semaphore {
    pub(super) fn new<'py>(run: &Bound<'py, Run>, permits: usize) -> PyResult<Bound<'py, Self>> {
        let py = run.py();
        let state = GilCell::of(State { free: permits, waiters: VecDeque::new() });
        Bound::new(py, Self { id: run.get().next_id(py), run: run.clone().unbind(), permits, state })
    }

    /// Takes a permit if one is free and nobody waits.
    pub(super) fn try_acquire(&self, run: &Bound<'_, Run>) -> PyResult<bool> {
        if !self.run.is(run) {
            return Err(PyRuntimeError::new_err(format!("semaphore {} belongs to another run", self.id)));
        }
        Ok(self.state.with(run.py(), |state| {
            let is_free = state.free > 0 && state.waiters.is_empty();
            state.free -= usize::from(is_free);
            is_free
        }))
    }

    pub(super) fn wait(&self, task: &Bound<'_, Task>, ticket: u32) {
        self.state.with(task.py(), |state| state.waiters.push_back((task.clone().unbind(), ticket)));
    }

    pub(super) fn forget(&self, task: &Bound<'_, Task>) {
        let forgotten = self.state.with(task.py(), |state| {
            let place = state.waiters.iter().position(|(waiting, _)| waiting.is(task))?;
            state.waiters.remove(place)
        });
        drop(forgotten);
    }

    /// Hands a permit on, or has it free.
    ///
    /// # Errors
    /// `RuntimeError` where all permits are free.
    pub(super) fn release(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let own = slf.get();
        if own.state.with(py, |state| state.free == own.permits) {
            return Err(PyRuntimeError::new_err(format!(
                "semaphore {} was released once too often: all of its {} permits are free",
                own.id, own.permits
            )));
        }
        while let Some((waiting, ticket)) = own.state.with(py, |state| state.waiters.pop_front()) {
            if task::granted(waiting.bind(py), ticket, slf) {
                return Ok(());
            }
        }
        own.state.with(py, |state| state.free += 1);
        Ok(())
    }

    pub(super) fn describe(&self) -> String {
        format!("semaphore {}", self.id)
    }
}

#[pymethods]
impl Semaphore {
    #[new]
    fn new_by_hand() -> PyResult<Self> {
        Err(PyTypeError::new_err("a semaphore belongs to a run: semaphore = yield CreateSemaphore(permits)"))
    }

    #[getter]
    fn sem_id(&self) -> u64 {
        self.id
    }

    fn __repr__(&self) -> String {
        format!("Semaphore({})", self.id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.run)?;
        let traverse = |state: &mut State| state.waiters.iter().try_for_each(|(task, _)| visit.call(task));
        self.state.visit(traverse).unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        drop(self.state.visit(std::mem::take));
    }
}
