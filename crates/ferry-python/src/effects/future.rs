//! [`Future`]: what is settled by others than a task of its own, with its [`Promise`] or [`ExternalPromise`].
//!
//! | kind | settled by | while a task waits for it |
//! |---|---|---|
//! | plain | a program of the run, by CompletePromise | it's no reason to hope: if all wait so, that's a deadlock |
//! | external | anybody, on any thread | something may still come from outside |
//! | foreign | what it stands for: a Job, a task of asyncio's | as above |
//!
//! An external one that its last waiter is cancelled at is cancelled with it, and calls what `on_cancel` was given.

use super::{
    foreign, glue,
    run::Run,
    waitable::{Outcome, Settle, wake_all},
};
use crate::{calling, gil_cell::GilCell, timer};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTimeoutError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyList, PyType},
};

/// What a promise is completed for. Wait for it, or await it in a coroutine.
#[pyclass(frozen, weakref, module = "asyncferry.effects")]
pub(super) struct Future {
    id: u64,
    run: Py<Run>,
    state: GilCell<State>,
}

/// Of those that no program sees.
const UNNUMBERED: u64 = u64::MAX;

#[derive(Default)]
struct State {
    settle: Settle,
    kind: Kind,
    /// Its run counts it among what may still come from outside.
    is_counted: bool,
}

#[derive(Default)]
enum Kind {
    #[default]
    Plain,
    External {
        on_cancel: Vec<Py<PyAny>>,
        /// Rings at the deadline, unless it's dropped before.
        timer: Option<async_task::Task<()>>,
    },
    /// Stands for something of another world. What follows its end lives as long.
    Foreign { follower: Option<Box<dyn std::any::Any + Send>> },
}

impl Future {
    fn new(run: &Bound<'_, Run>, id: u64, kind: Kind) -> PyResult<Py<Self>> {
        let state = GilCell::of(State { kind, ..State::default() });
        Py::new(run.py(), Self { id, run: run.clone().unbind(), state })
    }

    pub(super) fn foreign(run: &Bound<'_, Run>) -> PyResult<Py<Self>> {
        Self::new(run, UNNUMBERED, Kind::Foreign { follower: None })
    }

    /// One that no program sees.
    pub(super) fn hidden(run: &Bound<'_, Run>) -> PyResult<Py<Self>> {
        Self::new(run, UNNUMBERED, Kind::Plain)
    }

    /// Keeps what follows its end.
    pub(super) fn keep(&self, py: Python<'_>, kept: Box<dyn std::any::Any + Send>) {
        self.state.with(py, |state| {
            if let Kind::Foreign { follower } = &mut state.kind {
                *follower = Some(kept);
            }
        });
    }

    pub(super) fn settling<R>(&self, py: Python<'_>, act: impl FnOnce(&mut Settle) -> R) -> R {
        self.state.with(py, |state| act(&mut state.settle))
    }

    /// Settles it, unless it is: gives whether a task goes on for it, and nothing where it was settled.
    pub(super) fn settle(&self, py: Python<'_>, outcome: Outcome) -> Option<bool> {
        let told = outcome.clone_ref(py);
        let (waiters, ended) = self.state.with(py, |state| {
            let waiters = state.settle.settle(outcome);
            let ended = if waiters.is_some() { std::mem::take(&mut state.kind) } else { Kind::Plain };
            (waiters, ended)
        });
        // Told first that nothing is to come any more: the run may look when it's rung.
        self.uncount(py);
        let has_woken = waiters.map(|waiters| wake_all(py, waiters, &told));
        drop(ended);
        has_woken
    }

    fn uncount(&self, py: Python<'_>) {
        if self.state.with(py, |state| std::mem::take(&mut state.is_counted)) {
            super::run::count(self.run.bind(py), -1);
        }
    }

    /// Counts it in its run, or not any more: those that a task waits for, and that something outside settles.
    pub(super) fn recount(&self, py: Python<'_>) {
        let change = self.state.with(py, |state| {
            let is_outside = !matches!(state.kind, Kind::Plain);
            let counts = is_outside && !state.settle.is_settled() && state.settle.has_task_waiters();
            let change = isize::from(counts) - isize::from(state.is_counted);
            state.is_counted = counts;
            change
        });
        if change != 0 {
            super::run::count(self.run.bind(py), change);
        }
    }

    /// A task that waited was cancelled. The last of them takes an external promise with it.
    ///
    /// # Errors
    /// What callbacks of `on_cancel` have raised.
    pub(super) fn unwanted(&self, py: Python<'_>) -> PyResult<()> {
        let callbacks = self.state.with(py, |state| {
            let is_wanted = state.settle.is_settled() || state.settle.has_task_waiters();
            match &mut state.kind {
                Kind::External { on_cancel, .. } if !is_wanted => Some(std::mem::take(on_cancel)),
                _ => None,
            }
        });
        let Some(callbacks) = callbacks else { return Ok(()) };
        let error = glue::cancelled(py, None).into_value(py);
        let _ = self.settle(py, Outcome::Error(error));
        let errors: Vec<_> = callbacks
            .iter()
            .filter_map(|callback| calling::call(callback.bind(py), (), None).err())
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        if let Some(place) = errors.iter().position(|error| crate::names::stops_the_program(py, error)) {
            return Err(errors[place].clone_ref(py));
        }
        let errors = PyList::new(py, errors.into_iter().map(|error| error.into_value(py)))?;
        let class = glue::get(py, "ExternalPromiseCancelCallbackError")?;
        Err(PyErr::from_value(class.call1((errors,))?))
    }

    /// Refuses what belongs to another run.
    pub(super) fn expect_run(&self, run: &Bound<'_, Run>) -> PyResult<()> {
        if self.run.is(run) {
            return Ok(());
        }
        Err(PyRuntimeError::new_err(format!(
            "future {} belongs to another run: programs of one run wait for its promises, others await a Task",
            self.id
        )))
    }

    pub(super) fn describe(&self, py: Python<'_>) -> String {
        self.state.with(py, |state| match state.kind {
            Kind::Plain => format!("promise {}", self.id),
            Kind::External { .. } => format!("external promise {}", self.id),
            Kind::Foreign { .. } => "something outside of the run".to_owned(),
        })
    }
}

#[pymethods]
impl Future {
    /// The number of its promise.
    #[getter]
    fn promise_id(&self) -> u64 {
        self.id
    }

    /// Whether it was completed or failed.
    fn done(&self, py: Python<'_>) -> bool {
        self.settling(py, |settle| settle.is_settled())
    }

    /// Awaited in a coroutine, it's as awaiting a Task. Cancelling that leaves the promise alone.
    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let end = slf.get().settling(py, |settle| settle.watched(py));
        foreign::awaited(py, slf.repr()?.to_str()?, foreign::Awaited::Future(slf.clone().unbind()), end)
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }

    fn __repr__(&self) -> String {
        format!("Future({})", self.id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.run)?;
        let traverse = |state: &mut State| {
            state.settle.traverse(&visit)?;
            match &state.kind {
                Kind::External { on_cancel, .. } => {
                    on_cancel.iter().try_for_each(|callback| visit.call(callback))
                }
                _ => Ok(()),
            }
        };
        self.state.visit(traverse).unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        drop(self.state.visit(std::mem::take));
    }
}

/// What a program completes with CompletePromise, or fails with FailPromise.
#[pyclass(frozen, weakref, module = "asyncferry.effects")]
pub(super) struct Promise {
    pub(super) future: Py<Future>,
}

impl Promise {
    pub(super) fn new<'py>(run: &Bound<'py, Run>) -> PyResult<Bound<'py, Self>> {
        Bound::new(run.py(), Self { future: Future::new(run, run.get().next_id(run.py()), Kind::Plain)? })
    }
}

#[pymethods]
impl Promise {
    #[getter]
    fn promise_id(&self) -> u64 {
        self.future.get().id
    }

    /// What is waited for.
    #[getter]
    fn future(&self, py: Python<'_>) -> Py<Future> {
        self.future.clone_ref(py)
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }

    fn __repr__(&self) -> String {
        format!("Promise({})", self.future.get().id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.future)
    }
}

/// What any thread completes or fails, once; a second time is ignored. If it's dropped before, it has failed.
#[pyclass(frozen, weakref, module = "asyncferry.effects")]
pub(super) struct ExternalPromise {
    future: Py<Future>,
}

impl ExternalPromise {
    pub(super) fn new<'py>(run: &Bound<'py, Run>, deadline: Option<f64>) -> PyResult<Bound<'py, Self>> {
        let py = run.py();
        let kind = Kind::External { on_cancel: Vec::new(), timer: None };
        let future = Future::new(run, run.get().next_id(py), kind)?;
        if let Some(deadline) = deadline {
            Self::arm(py, &future, deadline)?;
        }
        Bound::new(py, Self { future })
    }

    fn arm(py: Python<'_>, future: &Py<Future>, deadline: f64) -> PyResult<()> {
        static NOW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let left = deadline - NOW.import(py, "time", "monotonic")?.call0()?.extract::<f64>()?;
        let expiring = future.bind(py).clone().unbind();
        let mailbox = future.get().run.get().mailbox();
        let ring = move || {
            mailbox.post(move |py| {
                let text = "nobody completed the external promise before its deadline";
                let error = PyTimeoutError::new_err(text).into_value(py);
                let _ = expiring.get().settle(py, Outcome::Error(error));
                Ok(())
            });
        };
        let armed = timer::start(py, Some(left), ring)?;
        future.get().state.with(py, |state| {
            if let Kind::External { timer, .. } = &mut state.kind {
                *timer = armed;
            }
        });
        Ok(())
    }
}

#[pymethods]
impl ExternalPromise {
    #[getter]
    fn promise_id(&self) -> u64 {
        self.future.get().id
    }

    /// What is waited for.
    #[getter]
    fn future(&self, py: Python<'_>) -> Py<Future> {
        self.future.clone_ref(py)
    }

    /// Completes it with a value, from any thread. Gives whether it came in time.
    fn complete(&self, py: Python<'_>, value: Py<PyAny>) -> bool {
        self.future.get().settle(py, Outcome::Value(value)).is_some()
    }

    /// Fails it with an exception, from any thread. Gives whether it came in time.
    fn fail(&self, py: Python<'_>, error: &Bound<'_, PyAny>) -> PyResult<bool> {
        let error = super::control::raisable("fail", error)?;
        Ok(self.future.get().settle(py, Outcome::Error(error)).is_some())
    }

    /// Has `callback` called when the last task that waits for it is cancelled: it stops who would complete it.
    ///
    /// Where that has happened already, it's called at once.
    fn on_cancel(&self, callback: Bound<'_, PyAny>) -> PyResult<()> {
        let py = callback.py();
        if !callback.is_callable() {
            return Err(pyo3::exceptions::PyTypeError::new_err(format!(
                "on_cancel() takes a function, not {}",
                glue::class_name(&callback)
            )));
        }
        let was_cancelled = self.future.get().state.with(py, |state| {
            if let Kind::External { on_cancel, .. } = &mut state.kind {
                on_cancel.push(callback.clone().unbind());
            }
            match state.settle.peek() {
                Some(Outcome::Error(error)) => Some(error.clone_ref(py)),
                _ => None,
            }
        });
        let class = glue::cancelled_class(py)?;
        match was_cancelled {
            Some(error) if error.bind(py).is_instance(class)? => calling::call(&callback, (), None).map(drop),
            _ => Ok(()),
        }
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }

    fn __repr__(&self) -> String {
        format!("ExternalPromise({})", self.future.get().id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.future)
    }
}

impl Drop for ExternalPromise {
    fn drop(&mut self) {
        if self.future.get().state.visit(|state| state.settle.is_settled()) == Some(true) {
            return;
        }
        glue::as_it_goes(|py| {
            let text = intern!(py, "the external promise was dropped before anybody completed it");
            let error = PyRuntimeError::new_err(text.clone().unbind()).into_value(py);
            let _ = self.future.get().settle(py, Outcome::Error(error));
        });
    }
}
