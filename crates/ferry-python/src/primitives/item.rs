//! [`Item`]: what lies in a queue that Rust and Python share.

use super::queue::Element;
use pyo3::{IntoPyObjectExt, prelude::*};
use std::{any::Any, fmt};

/// What lies in a queue that Rust and Python share: a Python object, or a value of Rust's, which becomes one when Python
/// takes it.
///
/// ```
/// use asyncferry_python::primitives::Item;
///
/// let item = Item::new(7u32);
/// let Err(item) = item.take::<String>() else { panic!("it's no text") };
/// assert_eq!(item.take::<u32>().ok(), Some(7));
/// ```
pub struct Item(Content);

enum Content {
    Python(Py<PyAny>),
    Rust(Box<dyn Native>),
}

/// A value of Rust's, whatever its type.
trait Native: Send {
    fn into_python(self: Box<Self>, py: Python<'_>) -> PyResult<Py<PyAny>>;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    fn is(&self, wanted: std::any::TypeId) -> bool;
    fn type_name(&self) -> &'static str;
}

impl<T: for<'py> IntoPyObject<'py> + Send + 'static> Native for T {
    fn into_python(self: Box<Self>, py: Python<'_>) -> PyResult<Py<PyAny>> {
        (*self).into_py_any(py)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn is(&self, wanted: std::any::TypeId) -> bool {
        std::any::TypeId::of::<T>() == wanted
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<T>()
    }
}

impl Item {
    /// A value of Rust's.
    pub fn new(value: impl for<'py> IntoPyObject<'py> + Send + 'static) -> Self {
        Self(Content::Rust(Box::new(value)))
    }

    /// The value that Rust put in, back.
    ///
    /// # Errors
    /// The item comes back when it's a Python object, or a value of another type.
    pub fn take<T: 'static>(self) -> Result<T, Self> {
        match self.0 {
            Content::Rust(value) if value.is(std::any::TypeId::of::<T>()) => {
                match value.into_any().downcast::<T>() {
                    Ok(value) => Ok(*value),
                    Err(_) => unreachable!("its type was looked at"),
                }
            }
            other => Err(Self(other)),
        }
    }

    /// The Python object, or what the value becomes in Python.
    ///
    /// # Errors
    /// What the value's conversion fails with.
    pub fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self.0 {
            Content::Python(object) => Ok(object.into_bound(py)),
            Content::Rust(value) => value.into_python(py).map(|object| object.into_bound(py)),
        }
    }

    /// The Python object, if it is one.
    pub fn object(&self) -> Option<&Py<PyAny>> {
        match &self.0 {
            Content::Python(object) => Some(object),
            Content::Rust(_) => None,
        }
    }

    fn type_name(&self) -> &'static str {
        match &self.0 {
            Content::Python(_) => "a Python object",
            Content::Rust(value) => value.type_name(),
        }
    }
}

impl Element for Item {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(object.clone().unbind().into())
    }

    fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        Self::into_python(self, py)
    }

    fn object(&self) -> Option<&Py<PyAny>> {
        Self::object(self)
    }

    fn shown(&self) -> String {
        format!("<{} of Rust>", self.type_name())
    }
}

impl From<Py<PyAny>> for Item {
    fn from(object: Py<PyAny>) -> Self {
        Self(Content::Python(object))
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({})", self.type_name())
    }
}
