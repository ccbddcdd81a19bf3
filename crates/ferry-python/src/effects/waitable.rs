//! [`Waitable`]: what a task can wait for, and who waits for it.

use super::{
    future::{ExternalPromise, Future, Promise},
    glue,
    machine::Next,
    run::Run,
    task::{self, Task},
};
use crate::{names, source::End};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyBaseException, exceptions::PyTypeError, prelude::*};

/// How something ended.
pub(super) enum Outcome {
    Value(Py<PyAny>),
    Error(Py<PyBaseException>),
}

impl Outcome {
    pub(super) fn of(py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> Self {
        match result {
            Ok(value) => Self::Value(value.unbind()),
            Err(error) => Self::Error(error.into_value(py)),
        }
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Value(value) => Self::Value(value.clone_ref(py)),
            Self::Error(error) => Self::Error(error.clone_ref(py)),
        }
    }

    pub(super) fn into_next(self) -> Next {
        match self {
            Self::Value(value) => Next::Value(value),
            Self::Error(error) => Next::Throw(error),
        }
    }

    pub(super) fn into_result(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Error(error) => Err(PyErr::from_value(error.into_bound(py).into_any())),
        }
    }

    pub(super) fn end(&self, py: Python<'_>) -> End {
        match self {
            Self::Value(_) => End::Value,
            Self::Error(error) if names::is_cancelled_error(error.bind(py)).unwrap_or(false) => {
                End::Cancelled
            }
            Self::Error(_) => End::Error,
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Value(value) => visit.call(value),
            Self::Error(error) => visit.call(error),
        }
    }
}

/// Who waits for something.
pub(super) enum Waiter {
    /// A task, if it still waits as it did then.
    Task { task: Py<Task>, ticket: u32 },
    /// Somebody who is no effect program.
    Outside(asyncferry::Promise<End>),
}

impl Waiter {
    fn is(&self, waiting: &Bound<'_, Task>) -> bool {
        matches!(self, Self::Task { task, .. } if task.is(waiting))
    }
}

/// The end of a task or of a future, and who waits for it.
#[derive(Default)]
pub(super) struct Settle {
    outcome: Option<Outcome>,
    waiters: Vec<Waiter>,
    /// Whether anybody has seen how it ended.
    pub(super) is_retrieved: bool,
}

impl Settle {
    pub(super) fn is_settled(&self) -> bool {
        self.outcome.is_some()
    }

    pub(super) fn peek(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// How it ended, for somebody who does something about it.
    pub(super) fn look(&mut self, py: Python<'_>) -> Option<Outcome> {
        let outcome = self.outcome.as_ref()?.clone_ref(py);
        self.is_retrieved = true;
        Some(outcome)
    }

    /// Settles it, if it isn't yet: gives those who waited.
    pub(super) fn settle(&mut self, outcome: Outcome) -> Option<Vec<Waiter>> {
        if self.is_settled() {
            return None;
        }
        self.outcome = Some(outcome);
        Some(std::mem::take(&mut self.waiters))
    }

    /// One more waiter, unless it's settled already.
    pub(super) fn add(&mut self, waiter: Waiter) -> bool {
        if self.is_settled() {
            return false;
        }
        if self.waiters.is_empty() {
            self.waiters.reserve_exact(1);
        }
        self.waiters.push(waiter);
        true
    }

    /// Takes back what `waiting` has added.
    pub(super) fn forget(&mut self, waiting: &Bound<'_, Task>) -> Vec<Waiter> {
        self.waiters.extract_if(.., |waiter| waiter.is(waiting)).collect()
    }

    /// Tells somebody outside of the run how it ends.
    pub(super) fn watched(&mut self, py: Python<'_>) -> asyncferry::Future<End> {
        let (promise, end) = asyncferry::promise();
        self.is_retrieved = true;
        match &self.outcome {
            // Nobody else has the promise.
            Some(outcome) => drop(promise.complete(outcome.end(py))),
            None => drop(self.add(Waiter::Outside(promise))),
        }
        end
    }

    pub(super) fn has_task_waiters(&self) -> bool {
        self.waiters.iter().any(|waiter| matches!(waiter, Waiter::Task { .. }))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(outcome) = &self.outcome {
            outcome.traverse(visit)?;
        }
        self.waiters.iter().try_for_each(|waiter| match waiter {
            Waiter::Task { task, .. } => visit.call(task),
            Waiter::Outside(_) => Ok(()),
        })
    }
}

/// Tells those who waited. Gives whether a task goes on for it.
pub(super) fn wake_all(py: Python<'_>, waiters: Vec<Waiter>, outcome: &Outcome) -> bool {
    let mut has_woken = false;
    for waiter in waiters {
        match waiter {
            Waiter::Task { task, ticket } => has_woken |= task::woken(task.bind(py), ticket, outcome),
            // Settled already: nobody waits any more.
            Waiter::Outside(promise) => drop(promise.complete(outcome.end(py))),
        }
    }
    has_woken
}

/// What a task of a run waits for: something of that run.
pub(super) enum Waitable {
    Task(Py<Task>),
    Future(Py<Future>),
}

impl Waitable {
    /// What stands for `object`, which [`expect`] has let through. What is not of this run is begun to be waited for.
    pub(super) fn of(run: &Bound<'_, Run>, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(task) = object.cast::<Task>()
            && task.get().run().is(run)
        {
            return Ok(Self::Task(task.clone().unbind()));
        }
        if let Ok(future) = object.cast::<Future>() {
            future.get().expect_run(run)?;
            return Ok(Self::Future(future.clone().unbind()));
        }
        super::foreign::followed(run, object).map(Self::Future)
    }

    fn with<R>(&self, py: Python<'_>, act: impl FnOnce(&mut Settle) -> R) -> R {
        match self {
            Self::Task(task) => task.get().settling(py, act),
            Self::Future(future) => future.get().settling(py, act),
        }
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Task(task) => Self::Task(task.clone_ref(py)),
            Self::Future(future) => Self::Future(future.clone_ref(py)),
        }
    }

    pub(super) fn look(&self, py: Python<'_>) -> Option<Outcome> {
        self.with(py, |settle| settle.look(py))
    }

    /// The first task waits for it, with this ticket; `false` where it's settled already.
    pub(super) fn add(&self, task: &Bound<'_, Task>, ticket: u32) -> bool {
        let waiter = Waiter::Task { task: task.clone().unbind(), ticket };
        let is_added = self.with(task.py(), |settle| settle.add(waiter));
        if let Self::Future(future) = self {
            future.get().recount(task.py());
        }
        is_added
    }

    /// The task doesn't wait for it any more.
    ///
    /// # Errors
    /// What callbacks of `on_cancel` have raised.
    pub(super) fn forget(&self, task: &Bound<'_, Task>) -> PyResult<()> {
        let py = task.py();
        let forgotten = self.with(py, |settle| settle.forget(task));
        let had_waited = !forgotten.is_empty();
        drop(forgotten);
        match self {
            Self::Future(future) if had_waited => {
                future.get().recount(py);
                future.get().unwanted(py)
            }
            _ => Ok(()),
        }
    }

    /// The others that it was waited for with have come first: it's left alone.
    pub(super) fn lose(&self, task: &Bound<'_, Task>) {
        let py = task.py();
        let forgotten = self.with(py, |settle| settle.forget(task));
        drop(forgotten);
        if let Self::Future(future) = self {
            future.get().recount(py);
        }
    }

    pub(super) fn is_settled(&self, py: Python<'_>) -> bool {
        self.with(py, |settle| settle.is_settled())
    }

    pub(super) fn describe(&self, py: Python<'_>) -> String {
        match self {
            Self::Task(task) => task.get().describe(py),
            Self::Future(future) => future.get().describe(py),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Task(task) => visit.call(task),
            Self::Future(future) => visit.call(future),
        }
    }
}

/// Refuses what can't be waited for, with a hint.
pub(super) fn expect(what: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
    if object.is_instance_of::<Task>() || object.is_instance_of::<Future>() {
        return Ok(());
    }
    if object.is_instance_of::<Promise>() || object.is_instance_of::<ExternalPromise>() {
        return Err(PyTypeError::new_err(format!(
            "{what} takes a promise's future: {what} of promise.future"
        )));
    }
    if super::program::is_program(object)? {
        return Err(PyTypeError::new_err(format!(
            "{what} takes a task, not a program: yield Spawn(program) gives one"
        )));
    }
    if names::is_awaitable(object)? {
        return Ok(());
    }
    Err(glue::not_a_program(&format!("{what} takes a Task or a Future"), object))
}

/// A task, for what can be done to tasks only.
pub(super) fn task(what: &str, object: Bound<'_, PyAny>) -> PyResult<Py<Task>> {
    object.cast_into::<Task>().map(Bound::unbind).map_err(|other| {
        let class = glue::class_name(&other.into_inner());
        PyTypeError::new_err(format!("{what} takes a Task, which yield Spawn(program) gives, not {class}"))
    })
}
