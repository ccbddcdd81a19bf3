//! The effects that the scheduler of a run answers: tasks, promises and semaphores.

use super::{
    effect::{EffectBase, effect},
    future::{ExternalPromise, Promise},
    glue,
    grave::Link,
    program,
    ready::PRIORITY_NORMAL,
    semaphore::Semaphore,
    task::Task,
    waitable,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyTypeError, PyValueError},
    prelude::*,
    types::{PyString, PyTuple},
};

/// Starts a program as a task beside this one, and gives the Task at once. It has the handlers that are here.
///
/// Any program or effect can be spawned. Tasks of a higher priority come first, though nobody is left waiting for ever. A
/// daemon is cancelled without a word when the run's own program ends.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Spawn {
    pub(super) program: Link,
    #[pyo3(get)]
    pub(super) priority: i32,
    #[pyo3(get)]
    pub(super) daemon: bool,
    #[pyo3(get)]
    pub(super) name: Option<Py<PyString>>,
}

#[pymethods]
impl Spawn {
    #[new]
    #[pyo3(
        signature = (program, priority = PRIORITY_NORMAL, daemon = false, *, name = None),
        text_signature = "(program, priority=10, daemon=False, *, name=None)"
    )]
    fn new(
        program: Bound<'_, PyAny>,
        priority: i32,
        daemon: bool,
        name: Option<Py<PyString>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        program::expect("Spawn() takes a program", &program)?;
        Ok(effect(Self { program: Link::new(program.unbind()), priority, daemon, name }))
    }

    #[getter]
    fn program(&self, py: Python<'_>) -> Py<PyAny> {
        self.program.get().clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Spawn({})", self.program.get().bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.program.get())
    }
}

/// Waits for a Task or a Future, and gives its value or raises its error; for a Job, or what asyncio awaits, too.
///
/// Who is cancelled while it waits leaves alone what it waited for; Await cancels it. It goes on at `priority`, if one is
/// given, and otherwise at its task's own.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Wait {
    #[pyo3(get)]
    pub(super) task: Py<PyAny>,
    #[pyo3(get)]
    pub(super) priority: Option<i32>,
}

#[pymethods]
impl Wait {
    #[new]
    #[pyo3(signature = (task, priority = None))]
    fn new(task: Bound<'_, PyAny>, priority: Option<i32>) -> PyResult<PyClassInitializer<Self>> {
        waitable::expect("Wait()", &task)?;
        Ok(effect(Self { task: task.unbind(), priority }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Wait({})", glue::describe(self.task.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)
    }
}

/// Waits for all of them, and gives the list of their values in the order given. The first error is raised at once; the
/// others go on. Of none, it gives an empty list.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Gather {
    #[pyo3(get)]
    pub(super) tasks: Py<PyTuple>,
}

#[pymethods]
impl Gather {
    #[new]
    #[pyo3(signature = (*tasks))]
    fn new(tasks: Bound<'_, PyTuple>) -> PyResult<PyClassInitializer<Self>> {
        tasks.iter().try_for_each(|task| waitable::expect("Gather()", &task))?;
        Ok(effect(Self { tasks: tasks.unbind() }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Gather({} tasks)", self.tasks.bind(py).len())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tasks)
    }
}

/// Waits for the first of them to end, and gives its value or raises its error. The others go on.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Race {
    #[pyo3(get)]
    pub(super) tasks: Py<PyTuple>,
}

#[pymethods]
impl Race {
    #[new]
    #[pyo3(signature = (*tasks))]
    fn new(tasks: Bound<'_, PyTuple>) -> PyResult<PyClassInitializer<Self>> {
        if tasks.is_empty() {
            return Err(PyValueError::new_err("Race() of nothing would never end: give it a task"));
        }
        tasks.iter().try_for_each(|task| waitable::expect("Race()", &task))?;
        Ok(effect(Self { tasks: tasks.unbind() }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Race({} tasks)", self.tasks.bind(py).len())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tasks)
    }
}

/// Asks a task to stop, and goes on. TaskCancelledError is raised where the task waits; its `except` and `finally` may
/// perform effects, and it has ended when they have. One that has not begun never does.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Cancel {
    #[pyo3(get)]
    pub(super) task: Py<Task>,
    #[pyo3(get, name = "msg")]
    pub(super) message: Option<Py<PyAny>>,
}

#[pymethods]
impl Cancel {
    #[new]
    #[pyo3(signature = (task, msg = None))]
    fn new(task: Bound<'_, PyAny>, msg: Option<Py<PyAny>>) -> PyResult<PyClassInitializer<Self>> {
        Ok(effect(Self { task: waitable::task("Cancel()", task)?, message: msg }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Cancel({})", glue::describe(self.task.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)
    }
}

/// Ends a task at once, without unwinding it, as a kill does: no effect of it is performed any more, nothing that it
/// holds is given back. (Python runs plain statements of its `finally` blocks nevertheless.)
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Discard {
    #[pyo3(get)]
    pub(super) task: Py<Task>,
}

#[pymethods]
impl Discard {
    #[new]
    fn new(task: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(effect(Self { task: waitable::task("Discard()", task)? }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Discard({})", glue::describe(self.task.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)
    }
}

/// Makes a Promise, which a program of this run completes. Its `future` is what others wait for.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct CreatePromise;

#[pymethods]
impl CreatePromise {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        effect(Self)
    }

    fn __repr__(&self) -> &'static str {
        "CreatePromise()"
    }
}

/// Completes a promise with a value. Who waits for it goes on before this task does, unless `yield_to_woken` is false.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct CompletePromise {
    #[pyo3(get)]
    pub(super) promise: Py<Promise>,
    #[pyo3(get)]
    pub(super) value: Py<PyAny>,
    #[pyo3(get)]
    pub(super) yield_to_woken: bool,
}

#[pymethods]
impl CompletePromise {
    #[new]
    #[pyo3(signature = (promise, value, *, yield_to_woken = true))]
    fn new(
        promise: Bound<'_, PyAny>,
        value: Py<PyAny>,
        yield_to_woken: bool,
    ) -> PyResult<PyClassInitializer<Self>> {
        Ok(effect(Self { promise: a_promise("CompletePromise()", promise)?, value, yield_to_woken }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("CompletePromise({})", glue::describe(self.promise.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.promise)?;
        visit.call(&self.value)
    }
}

/// Fails a promise: who waits for it has the error raised.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct FailPromise {
    #[pyo3(get)]
    pub(super) promise: Py<Promise>,
    #[pyo3(get)]
    pub(super) error: Py<PyBaseException>,
}

#[pymethods]
impl FailPromise {
    #[new]
    fn new(promise: Bound<'_, PyAny>, error: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        let error = super::control::raisable("FailPromise", error)?;
        Ok(effect(Self { promise: a_promise("FailPromise()", promise)?, error }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("FailPromise({})", glue::describe(self.promise.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.promise)?;
        visit.call(&self.error)
    }
}

fn a_promise(what: &str, promise: Bound<'_, PyAny>) -> PyResult<Py<Promise>> {
    let hint = if promise.is_instance_of::<ExternalPromise>() {
        ": call its complete() or fail()"
    } else {
        ": yield CreatePromise() makes one"
    };
    promise.cast_into::<Promise>().map(Bound::unbind).map_err(|other| {
        let class = glue::class_name(&other.into_inner());
        PyTypeError::new_err(format!("{what} takes a Promise, not {class}{hint}"))
    })
}

/// Makes an ExternalPromise, which any thread may complete. At its `deadline`, an instant of time.monotonic(), it fails
/// with TimeoutError.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct CreateExternalPromise {
    #[pyo3(get)]
    pub(super) deadline: Option<f64>,
}

#[pymethods]
impl CreateExternalPromise {
    #[new]
    #[pyo3(signature = (deadline = None))]
    fn new(deadline: Option<f64>) -> PyResult<PyClassInitializer<Self>> {
        if deadline.is_some_and(f64::is_nan) {
            return Err(PyValueError::new_err(
                "a deadline can't be NaN: give an instant of time.monotonic()",
            ));
        }
        Ok(effect(Self { deadline }))
    }

    fn __repr__(&self) -> &'static str {
        "CreateExternalPromise()"
    }
}

/// Makes a Semaphore of so many permits, one at least.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct CreateSemaphore {
    #[pyo3(get)]
    pub(super) permits: usize,
}

#[pymethods]
impl CreateSemaphore {
    #[new]
    #[pyo3(signature = (permits = 1))]
    fn new(permits: i64) -> PyResult<PyClassInitializer<Self>> {
        match usize::try_from(permits) {
            Ok(permits @ 1..) => Ok(effect(Self { permits })),
            _ => Err(PyValueError::new_err(format!("a semaphore has at least one permit, not {permits}"))),
        }
    }

    fn __repr__(&self) -> String {
        format!("CreateSemaphore({})", self.permits)
    }
}

/// Takes a permit of the semaphore, and waits for one where none is left. Who waits longest is first.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct AcquireSemaphore {
    #[pyo3(get)]
    pub(super) semaphore: Py<Semaphore>,
}

#[pymethods]
impl AcquireSemaphore {
    #[new]
    fn new(semaphore: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(effect(Self { semaphore: a_semaphore("AcquireSemaphore()", semaphore)? }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("AcquireSemaphore({})", glue::describe(self.semaphore.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.semaphore)
    }
}

/// Gives a permit back. More than there are is an error.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct ReleaseSemaphore {
    #[pyo3(get)]
    pub(super) semaphore: Py<Semaphore>,
}

#[pymethods]
impl ReleaseSemaphore {
    #[new]
    fn new(semaphore: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(effect(Self { semaphore: a_semaphore("ReleaseSemaphore()", semaphore)? }))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("ReleaseSemaphore({})", glue::describe(self.semaphore.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.semaphore)
    }
}

fn a_semaphore(what: &str, semaphore: Bound<'_, PyAny>) -> PyResult<Py<Semaphore>> {
    semaphore.cast_into::<Semaphore>().map(Bound::unbind).map_err(|other| {
        let class = glue::class_name(&other.into_inner());
        PyTypeError::new_err(format!(
            "{what} takes a Semaphore, not {class}: yield CreateSemaphore(...) makes one"
        ))
    })
}
