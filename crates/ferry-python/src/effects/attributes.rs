//! [`Attributes`]: what an object knows beside its fields, as functions do: a name, a doc string, and what users set.
//!
//! It stands for the `__dict__` that Python would make. CPython makes that when the object is known to its collector
//! already, and before Rust has filled its fields, so that a collection in that moment reads fields that are not there.

use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyString},
};

pub(super) struct Attributes(Py<PyDict>);

impl Attributes {
    pub(super) fn new(py: Python<'_>) -> Self {
        Self(PyDict::new(py).unbind())
    }

    /// `object.name`: of these, or as it would be without them.
    pub(super) fn get<'py, T>(
        &self,
        object: &Bound<'py, T>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = object.py();
        if name == "__dict__" {
            return Ok(self.0.bind(py).clone().into_any());
        }
        if let Some(value) = self.0.bind(py).get_item(name)? {
            return Ok(value);
        }
        // SAFETY: both objects are alive; what comes is a new reference, or NULL with an exception set.
        unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyObject_GenericGetAttr(object.as_ptr(), name.as_ptr()))
        }
    }

    pub(super) fn set(&self, name: &Bound<'_, PyString>, value: Bound<'_, PyAny>) -> PyResult<()> {
        self.0.bind(name.py()).set_item(name, value)
    }

    pub(super) fn delete(&self, name: &Bound<'_, PyString>) -> PyResult<()> {
        let attributes = self.0.bind(name.py());
        if attributes.contains(name)? {
            return attributes.del_item(name);
        }
        Err(pyo3::exceptions::PyAttributeError::new_err(name.to_string()))
    }

    pub(super) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        visit.call(&self.0)
    }
}
