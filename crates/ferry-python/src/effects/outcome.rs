//! [`Ok`](Good) and [`Err`](Bad), as Python sees them: what `Try` gives.

use super::{glue, grave::Link};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyTypeError},
    prelude::*,
    types::PyType,
};

/// The value of a program that raised nothing.
#[pyclass(frozen, module = "asyncferry.effects", name = "Ok")]
pub(super) struct Good {
    value: Link,
}

impl Good {
    pub(super) fn of(value: Py<PyAny>) -> Self {
        Self { value: Link::new(value) }
    }
}

#[pymethods]
impl Good {
    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("value",)
    }

    #[new]
    fn new(value: Py<PyAny>) -> Self {
        Self::of(value)
    }

    #[getter]
    fn value(&self, py: Python<'_>) -> Py<PyAny> {
        self.value.get().clone_ref(py)
    }

    /// True.
    fn is_ok(&self) -> bool {
        true
    }

    /// False.
    fn is_err(&self) -> bool {
        false
    }

    fn __bool__(&self) -> bool {
        true
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        match other.cast::<Self>() {
            Ok(other) => self.value.get().bind(other.py()).eq(other.get().value.get()),
            Err(_) => Ok(false),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        Ok(self.value.get().bind(py).hash()? ^ 0x4f6b)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Ok({})", self.value.get().bind(py).repr()?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (Py<PyAny>,)) {
        (py.get_type::<Self>(), (self.value(py),))
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.value.get())
    }
}

/// The error of a program that raised one.
#[pyclass(frozen, module = "asyncferry.effects", name = "Err")]
pub(super) struct Bad {
    #[pyo3(get)]
    pub(super) error: Py<PyBaseException>,
}

#[pymethods]
impl Bad {
    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("error",)
    }

    #[new]
    fn new(error: Bound<'_, PyAny>) -> PyResult<Self> {
        let error = error.cast_into::<PyBaseException>().map_err(|other| {
            let class = glue::class_name(&other.into_inner());
            PyTypeError::new_err(format!("Err() takes an exception, not {class}"))
        })?;
        Ok(Self { error: error.unbind() })
    }

    /// False.
    fn is_ok(&self) -> bool {
        false
    }

    /// True.
    fn is_err(&self) -> bool {
        true
    }

    fn __bool__(&self) -> bool {
        false
    }

    /// Whether it's an Err of an equal exception. Exceptions are equal if they are the same, unless their class says more.
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        match other.cast::<Self>() {
            Ok(other) => self.error.bind(other.py()).eq(&other.get().error),
            Err(_) => Ok(false),
        }
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        Ok(self.error.bind(py).hash()? ^ 0x4572)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Err({})", self.error.bind(py).repr()?))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (Py<PyBaseException>,)) {
        (py.get_type::<Self>(), (self.error.clone_ref(py),))
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.error)
    }
}
