//! [`Count`]: how many of something there may be, as Python gives it.

use pyo3::{
    exceptions::{PyOverflowError, PyValueError},
    prelude::*,
};
use std::num::NonZeroUsize;

/// A whole number that was given, which may be none that can be used: only who takes it knows how to say so.
pub(crate) struct Count(Result<NonZeroUsize, String>);

impl Count {
    pub(crate) const fn of(count: NonZeroUsize) -> Self {
        Self(Ok(count))
    }

    /// The number.
    ///
    /// # Errors
    /// `ValueError` when it's less than one, or more than can be counted; `what` it's for stands there.
    pub(crate) fn get(self, what: &str) -> PyResult<NonZeroUsize> {
        self.0.map_err(|given| {
            PyValueError::new_err(format!("{what} must be from 1 to {}, not {given}", usize::MAX))
        })
    }
}

impl<'py> FromPyObject<'_, 'py> for Count {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let number = match object.extract::<usize>() {
            Ok(number) => NonZeroUsize::new(number),
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => None,
            Err(error) => return Err(error),
        };
        Ok(Self(number.ok_or_else(|| object.to_string())))
    }
}
