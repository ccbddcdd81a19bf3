//! What a handler does with the rest of the program, its continuation `k`: [`Resume`], [`Transfer`], [`ResumeThrow`],
//! [`TransferThrow`] and [`Pass`].
//!
//! | the handler yields | the rest of the program | the handler |
//! |---|---|---|
//! | `Resume(k, value)` | goes on with the value | goes on with what the handled program gives at its end |
//! | `Transfer(k, value)` | goes on with the value | is over; what the handled program gives is its result |
//! | `ResumeThrow(k, error)`, `TransferThrow(k, error)` | goes on with the error | as above |
//! | `Pass(effect, k)` | goes on with what a handler further out answers | is over |
//! | nothing of these, and returns | is unwound: its `finally` blocks run, and may perform effects | gives the result |

use super::{
    continuation::K,
    glue,
    program::{Program, node},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyTypeError},
    prelude::*,
    types::PyType,
};

/// Goes on with the program where it performed the effect, and gives the handler what the program gives at its end.
///
/// As `return (yield Resume(k, value))` it is a Transfer: nothing of the handler is kept.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct Resume {
    #[pyo3(get)]
    pub(super) continuation: Py<K>,
    #[pyo3(get)]
    pub(super) value: Py<PyAny>,
}

#[pymethods]
impl Resume {
    #[new]
    fn new(k: Bound<'_, PyAny>, value: Py<PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(node(Self { continuation: continuation("Resume", k)?, value }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Resume(k, {})", self.value.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.continuation)?;
        visit.call(&self.value)
    }
}

/// Goes on with the program where it performed the effect, for good: the handler is over.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct Transfer {
    #[pyo3(get)]
    pub(super) continuation: Py<K>,
    #[pyo3(get)]
    pub(super) value: Py<PyAny>,
}

#[pymethods]
impl Transfer {
    #[new]
    fn new(k: Bound<'_, PyAny>, value: Py<PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(node(Self { continuation: continuation("Transfer", k)?, value }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Transfer(k, {})", self.value.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.continuation)?;
        visit.call(&self.value)
    }
}

/// Raises an exception where the program performed the effect, and gives the handler what the program gives at its end.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct ResumeThrow {
    #[pyo3(get)]
    pub(super) continuation: Py<K>,
    #[pyo3(get)]
    pub(super) exception: Py<PyBaseException>,
}

#[pymethods]
impl ResumeThrow {
    #[new]
    fn new(k: Bound<'_, PyAny>, exception: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        let exception = raisable("ResumeThrow", exception)?;
        Ok(node(Self { continuation: continuation("ResumeThrow", k)?, exception }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("ResumeThrow(k, {})", self.exception.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.continuation)?;
        visit.call(&self.exception)
    }
}

/// Raises an exception where the program performed the effect, for good: the handler is over.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct TransferThrow {
    #[pyo3(get)]
    pub(super) continuation: Py<K>,
    #[pyo3(get)]
    pub(super) exception: Py<PyBaseException>,
}

#[pymethods]
impl TransferThrow {
    #[new]
    fn new(k: Bound<'_, PyAny>, exception: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        let exception = raisable("TransferThrow", exception)?;
        Ok(node(Self { continuation: continuation("TransferThrow", k)?, exception }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("TransferThrow(k, {})", self.exception.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.continuation)?;
        visit.call(&self.exception)
    }
}

/// Leaves the effect to the handlers further out: the handler is over, as if it hadn't been asked.
#[pyclass(extends = Program, frozen, module = "asyncferry.effects")]
pub(super) struct Pass {
    #[pyo3(get)]
    pub(super) effect: Py<PyAny>,
    #[pyo3(get)]
    pub(super) continuation: Py<K>,
}

#[pymethods]
impl Pass {
    #[new]
    fn new(effect: Bound<'_, PyAny>, k: Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        if !glue::is_effect(&effect)? {
            return Err(glue::not_a_program("Pass() takes the effect and k", &effect));
        }
        Ok(node(Self { effect: effect.unbind(), continuation: continuation("Pass", k)? }))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Pass({}, k)", self.effect.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.effect)?;
        visit.call(&self.continuation)
    }
}

fn continuation(what: &str, k: Bound<'_, PyAny>) -> PyResult<Py<K>> {
    k.cast_into::<K>().map(Bound::unbind).map_err(|other| {
        let class = glue::class_name(&other.into_inner());
        PyTypeError::new_err(format!("{what}() takes the k that the handler was called with, not {class}"))
    })
}

/// An exception, or a class that makes one.
pub(super) fn raisable(what: &str, exception: &Bound<'_, PyAny>) -> PyResult<Py<PyBaseException>> {
    let made = match exception.cast::<PyType>() {
        Ok(class) if class.is_subclass_of::<PyBaseException>()? => class.call0()?,
        _ => exception.clone(),
    };
    made.cast_into::<PyBaseException>().map(Bound::unbind).map_err(|other| {
        let class = glue::class_name(&other.into_inner());
        PyTypeError::new_err(format!("{what}() takes an exception, not {class}"))
    })
}
