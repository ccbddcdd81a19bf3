//! Programs: lazy values that say what is to be done. Nothing runs before [`run`](super::run) or a `yield`.
//!
//! They are trees of any depth, so they are evaluated by the [machine](super::machine) and dropped by
//! [`grave`](super::grave), neither of which recurses.

use super::{glue, grave::Link, handler::Handler, kind::Kind};
use pyo3::{
    PyClass, PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
    types::{PyDict, PyTuple, PyType},
};
use std::sync::atomic::{AtomicBool, Ordering};

/// What can be run, or yielded by a program: the base of programs, and of effects, each of which is one.
#[pyclass(subclass, frozen, module = "asyncferry.effects")]
pub(super) struct Program;

#[pymethods]
impl Program {
    /// A program that gives what `function` makes of this one's value.
    #[pyo3(signature = (function, /))]
    fn map<'py>(slf: &Bound<'py, Self>, function: Bound<'py, PyAny>) -> PyResult<Bound<'py, Mapped>> {
        let function = callable("map", function)?;
        let source = Link::new(slf.clone().into_any().unbind());
        Bound::new(slf.py(), node(Mapped { source, function }))
    }

    /// A program that goes on with the program that `function` makes of this one's value.
    #[pyo3(signature = (function, /))]
    fn flat_map<'py>(slf: &Bound<'py, Self>, function: Bound<'py, PyAny>) -> PyResult<Bound<'py, Chained>> {
        let function = callable("flat_map", function)?;
        let source = Link::new(slf.clone().into_any().unbind());
        Bound::new(slf.py(), node(Chained { source, function }))
    }

    /// For `yield from`, which means the same as `yield`.
    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Yielding>> {
        let program = slf.clone().into_any().unbind();
        Bound::new(slf.py(), Yielding { program, is_yielded: AtomicBool::new(false) })
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }
}

fn callable(what: &str, function: Bound<'_, PyAny>) -> PyResult<Link> {
    if function.is_callable() {
        return Ok(Link::new(function.unbind()));
    }
    let class = glue::class_name(&function);
    Err(PyTypeError::new_err(format!("{what}() takes a function of the program's value, not {class}")))
}

/// A new object of a class that is derived from [`Program`] directly.
pub(super) fn node<T: PyClass<BaseType = Program>>(node: T) -> PyClassInitializer<T> {
    PyClassInitializer::from(Program).add_subclass(node)
}

/// The call of a `@do` function.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct Call {
    pub(super) function: Py<PyAny>,
    pub(super) arguments: Py<PyTuple>,
    pub(super) keywords: Option<Py<PyDict>>,
    pub(super) is_generator: bool,
}

#[pymethods]
impl Call {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<program {}>", glue::name_of(self.function.bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.arguments)?;
        self.keywords.as_ref().map_or(Ok(()), |keywords| visit.call(keywords))
    }
}

/// A program that gives a value, and does nothing else.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct Pure {
    #[pyo3(get)]
    pub(super) value: Py<PyAny>,
}

#[pymethods]
impl Pure {
    #[new]
    fn new(value: Py<PyAny>) -> PyClassInitializer<Self> {
        node(Self { value })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Pure({})", self.value.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.value)
    }
}

/// What [`Program.map`](Program) gives.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects", name = "_Mapped")]
pub(super) struct Mapped {
    pub(super) source: Link,
    pub(super) function: Link,
}

#[pymethods]
impl Mapped {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<a program, mapped by {}>", glue::name_of(self.function.get().bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.source.get())?;
        visit.call(self.function.get())
    }
}

/// What [`Program.flat_map`](Program) gives.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects", name = "_Chained")]
pub(super) struct Chained {
    pub(super) source: Link,
    pub(super) function: Link,
}

#[pymethods]
impl Chained {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<a program, followed by {}>", glue::name_of(self.function.get().bind(py)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.source.get())?;
        visit.call(self.function.get())
    }
}

/// A program inside a handler.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects", name = "_Handled")]
pub(super) struct Handled {
    pub(super) handler: Handler,
    pub(super) body: Link,
}

#[pymethods]
impl Handled {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<a program in {}>", self.handler.name(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.handler.traverse(&visit)?;
        visit.call(self.body.get())
    }
}

/// A program that performs one effect: what gives a dataclass of your own `map` and `flat_map`.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct Perform {
    #[pyo3(get)]
    pub(super) effect: Py<PyAny>,
}

#[pymethods]
impl Perform {
    #[new]
    fn new(effect: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        if !glue::is_effect(&effect)? {
            return Err(glue::not_a_program("Perform() takes an effect", &effect));
        }
        Ok(node(Self { effect: effect.unbind() }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Perform({})", self.effect.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.effect)
    }
}

/// The iterator of `yield from program`: yields the program, and returns what is sent.
#[pyclass(frozen, module = "asyncferry.effects", name = "_Yielding")]
pub(super) struct Yielding {
    program: Py<PyAny>,
    is_yielded: AtomicBool,
}

#[pymethods]
impl Yielding {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.send(py.None(), py)
    }

    #[pyo3(signature = (value, /))]
    fn send(&self, value: Py<PyAny>, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if !self.is_yielded.swap(true, Ordering::Relaxed) {
            return Ok(Some(self.program.clone_ref(py)));
        }
        crate::job::stop_iteration(py, value)?;
        Err(PyErr::take(py).unwrap_or_else(|| PyRuntimeError::new_err("it has ended")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.program)
    }
}

/// Whether `object` can be run: a program, or any effect.
pub(super) fn is_program(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_known = Kind::of(object) != Kind::Other || object.is_instance_of::<Program>();
    Ok(is_known || glue::is_effect(object)?)
}

/// Refuses what can't be run, with a hint.
pub(super) fn expect(what: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
    if is_program(object)? { Ok(()) } else { Err(glue::not_a_program(what, object)) }
}
