//! Effects: what a program asks for by `yield`. Those of the reader, the state and the writer, `Try` and `Await`; what
//! the scheduler answers is in [`requests`](super::requests).

use super::{
    glue,
    grave::Link,
    program::{self, Program},
};
use pyo3::{
    PyClass, PyTraverseError, PyVisit,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};

/// The base of effects. Derive from it, or make your effect a frozen dataclass.
#[pyclass(subclass, frozen, extends = Program, module = "asyncferry.effects")]
pub(super) struct EffectBase;

#[pymethods]
impl EffectBase {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*args, **kwargs))]
    fn new(
        cls: &Bound<'_, PyType>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        // A class with an __init__ of its own keeps them; any other would lose them.
        let has_arguments = !args.is_empty() || kwargs.is_some();
        if has_arguments && !glue::has_init(cls)? {
            return Err(PyTypeError::new_err(format!(
                "{0}() takes no arguments: give {0} an __init__ that keeps them, or make it a frozen dataclass",
                cls.name()?
            )));
        }
        Ok(node(Program))
    }
}

/// The base part of an effect.
fn node(program: Program) -> PyClassInitializer<EffectBase> {
    PyClassInitializer::from(program).add_subclass(EffectBase)
}

/// A new object of a class that is derived from [`EffectBase`] directly.
pub(super) fn effect<T: PyClass<BaseType = EffectBase>>(effect: T) -> PyClassInitializer<T> {
    node(Program).add_subclass(effect)
}

/// Gives the state's value of `key`, or None where there is none. `state()` answers it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Get {
    #[pyo3(get)]
    pub(super) key: Py<PyAny>,
}

#[pymethods]
impl Get {
    #[new]
    fn new(key: Py<PyAny>) -> PyClassInitializer<Self> {
        effect(Self { key })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Get({})", self.key.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)
    }
}

/// Sets the state's value of `key`. `state()` answers it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Put {
    #[pyo3(get)]
    pub(super) key: Py<PyAny>,
    #[pyo3(get)]
    pub(super) value: Py<PyAny>,
}

#[pymethods]
impl Put {
    #[new]
    fn new(key: Py<PyAny>, value: Py<PyAny>) -> PyClassInitializer<Self> {
        effect(Self { key, value })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Put({}, {})", self.key.bind(py).repr()?, self.value.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)?;
        visit.call(&self.value)
    }
}

/// Sets the state's value of `key` to what `function` makes of it, and gives that. Nobody else sees the state in
/// between. `state()` answers it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Modify {
    #[pyo3(get)]
    pub(super) key: Py<PyAny>,
    #[pyo3(get)]
    pub(super) function: Py<PyAny>,
}

#[pymethods]
impl Modify {
    #[new]
    fn new(key: Py<PyAny>, function: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        if !function.is_callable() {
            let class = glue::class_name(&function);
            return Err(PyTypeError::new_err(format!(
                "Modify() takes a function of the old value, not {class}"
            )));
        }
        Ok(effect(Self { key, function: function.unbind() }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Modify({}, {})", self.key.bind(py).repr()?, self.function.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)?;
        visit.call(&self.function)
    }
}

/// Gives the environment's value of `key`; MissingEnvKeyError where there is none. `reader()` answers it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Ask {
    #[pyo3(get)]
    pub(super) key: Py<PyAny>,
}

#[pymethods]
impl Ask {
    #[new]
    fn new(key: Py<PyAny>) -> PyClassInitializer<Self> {
        effect(Self { key })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Ask({})", self.key.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.key)
    }
}

/// Runs a program in an environment with other values for some keys, and gives its value.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Local {
    #[pyo3(get)]
    pub(super) env: Py<PyAny>,
    pub(super) program: Link,
}

#[pymethods]
impl Local {
    #[new]
    fn new(env: Bound<'_, PyAny>, program: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        program::expect("Local() takes the values and a program", &program)?;
        Ok(effect(Self {
            env: glue::mapping("Local()", &env)?.unbind(),
            program: Link::new(program.unbind()),
        }))
    }

    #[getter]
    fn program(&self, py: Python<'_>) -> Py<PyAny> {
        self.program.get().clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Local({}, ...)", self.env.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.env)?;
        visit.call(self.program.get())
    }
}

/// Adds a message to the log. `writer` answers it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Tell {
    #[pyo3(get, name = "msg")]
    pub(super) message: Py<PyAny>,
}

#[pymethods]
impl Tell {
    #[new]
    fn new(message: Py<PyAny>) -> PyClassInitializer<Self> {
        effect(Self { message })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Tell({})", self.message.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.message)
    }
}

/// Gives a copy of the log. `writer` answers it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects", name = "_WriterLog")]
pub(super) struct WriterLog;

#[pymethods]
impl WriterLog {
    fn __repr__(&self) -> &'static str {
        "writer_log()"
    }
}

/// The messages that the innermost `writer` has so far: a new list.
#[pyfunction]
pub(super) fn writer_log(py: Python<'_>) -> PyResult<Bound<'_, WriterLog>> {
    Bound::new(py, effect(WriterLog))
}

/// Runs a program, and gives its value with the effects of the given types that it performed: those of `Tell`, unless
/// others are given. The effects are answered as they would be without it.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Listen {
    pub(super) program: Link,
    #[pyo3(get)]
    pub(super) types: Py<PyTuple>,
}

#[pymethods]
impl Listen {
    #[new]
    #[pyo3(signature = (program, types = None))]
    fn new(
        program: Bound<'_, PyAny>,
        types: Option<Bound<'_, PyTuple>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let py = program.py();
        program::expect("Listen() takes a program", &program)?;
        let types = match types.filter(|types| !types.is_empty()) {
            Some(types) => types,
            None => PyTuple::new(py, [py.get_type::<Tell>()])?,
        };
        if let Some(other) = types.iter().find(|class| !class.is_instance_of::<PyType>()) {
            let class = glue::class_name(&other);
            return Err(PyTypeError::new_err(format!(
                "Listen() takes classes of effects as types, not {class}"
            )));
        }
        Ok(effect(Self { program: Link::new(program.unbind()), types: types.unbind() }))
    }

    #[getter]
    fn program(&self, py: Python<'_>) -> Py<PyAny> {
        self.program.get().clone_ref(py)
    }

    fn __repr__(&self) -> &'static str {
        "Listen(...)"
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.program.get())?;
        visit.call(&self.types)
    }
}

/// Runs a program, and gives Ok(value), or Err(error) for any Exception that it raises. A cancel is none.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Try {
    pub(super) program: Link,
}

#[pymethods]
impl Try {
    #[new]
    fn new(program: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        program::expect("Try() takes a program", &program)?;
        Ok(effect(Self { program: Link::new(program.unbind()) }))
    }

    #[getter]
    fn program(&self, py: Python<'_>) -> Py<PyAny> {
        self.program.get().clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Try({})", self.program.get().bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.program.get())
    }
}

/// Awaits what asyncio (or trio) awaits: a coroutine, a task, a future, a Job. Gives its value, raises its error.
///
/// A coroutine is started here and now, and often ends so. `async_run` answers this in the loop that it runs in; `run`
/// has no loop, and answers it only if it's told how: `run(program, awaits=thread_loop())`. For effect programs that were
/// spawned, see Wait.
#[pyclass(extends = EffectBase, frozen, module = "asyncferry.effects")]
pub(super) struct Await {
    #[pyo3(get, name = "coroutine")]
    pub(super) awaitable: Py<PyAny>,
}

#[pymethods]
impl Await {
    #[new]
    fn new(awaitable: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        if !crate::names::is_awaitable(&awaitable)? {
            return Err(glue::not_awaitable(&awaitable)?);
        }
        Ok(effect(Self { awaitable: awaitable.unbind() }))
    }

    #[getter]
    fn awaitable(&self, py: Python<'_>) -> Py<PyAny> {
        self.awaitable.clone_ref(py)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Await({})", glue::describe(self.awaitable.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.awaitable)
    }
}
