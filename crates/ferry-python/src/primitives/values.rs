//! Plain values in queues: those that Python shares with scripts and Rust by a name. What Python puts crosses at once, so an object that
//! can't is refused where it's put; what it takes is a copy.

use super::queue::Element;
use crate::value;
use asyncferry::{Value, ValueLimits, sync::named::NameError};
use pyo3::{exceptions::PyValueError, prelude::*};

/// What asking for a name fails with.
pub(super) fn name_error(error: NameError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

impl Element for Value {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        value::to_value(object, &ValueLimits::default())
    }

    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        value::to_python(py, &self)
    }

    fn object(&self) -> Option<&Py<PyAny>> {
        None
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}
