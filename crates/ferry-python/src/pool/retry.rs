//! `Retry`: how often a job that fails is tried.

use crate::{count::Count, timer};
use asyncferry::{AsyncError, jobs};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyTimeoutError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyTuple, PyType},
};
use std::error::Error;

/// How often a job is tried in all, and how long it waits before each further attempt: delay seconds, then factor
/// times longer each time, up to max_delay; of which a random part is taken off, up to jitter (0 to 1).
///
/// With retry_on, an exception class or a tuple of some, it's tried again only after those; after a timeout, if TimeoutError
/// is one of them. A job that was cancelled is never tried again.
#[pyclass(frozen, module = "asyncferry")]
pub(crate) struct Retry {
    pub(super) retry: jobs::Retry,
    pub(super) retry_on: Option<Py<PyAny>>,
    shown: String,
}

#[pymethods]
impl Retry {
    #[new]
    #[pyo3(signature = (attempts, /, *, delay = 0.1, factor = 2.0, max_delay = 30.0, jitter = 0.5, retry_on = None))]
    fn new(
        attempts: Count,
        delay: f64,
        factor: f64,
        max_delay: f64,
        jitter: f64,
        retry_on: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let attempts = u32::try_from(attempts.get("attempts")?.get()).unwrap_or(u32::MAX);
        if !(factor >= 1.0 && factor.is_finite()) {
            return Err(PyValueError::new_err(format!("factor must be a number from 1 on, not {factor}")));
        }
        if !(0.0..=1.0).contains(&jitter) {
            return Err(PyValueError::new_err(format!("jitter must be from 0 to 1, not {jitter}")));
        }
        if let Some(classes) = &retry_on
            && !is_exception(classes)?
        {
            return Err(PyTypeError::new_err("retry_on must be an exception class, or a tuple of some"));
        }
        let mut retry = jobs::Retry::new(attempts)
            .delay(timer::duration("wait", delay)?)
            .factor(factor)
            .max_delay(timer::duration("wait", max_delay)?)
            .jitter(jitter);
        if let Some(classes) = &retry_on {
            // Of what the function raises, it's Python that judges.
            let timeout = catches_timeouts(classes)?;
            retry = retry.only_if(move |error| timeout || !is_timeout(error));
        }
        let shown = format!(
            "Retry({attempts}, delay={delay}, factor={factor}, max_delay={max_delay}, jitter={jitter})"
        );
        Ok(Self { retry, retry_on: retry_on.map(Bound::unbind), shown })
    }

    fn __repr__(&self) -> &str {
        &self.shown
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.retry_on)
    }
}

/// Whether these classes are of a TimeoutError too.
fn catches_timeouts(classes: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = classes.py();
    let is_subclass = py.import("builtins")?.getattr("issubclass")?;
    is_subclass.call1((py.get_type::<PyTimeoutError>(), classes))?.extract()
}

/// Whether the pool gave the attempt up, as it took too long.
fn is_timeout(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(AsyncError::Timeout(_)))
}

fn is_exception(classes: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_one = |class: &Bound<'_, PyAny>| match class.cast::<PyType>() {
        Ok(class) => class.is_subclass_of::<pyo3::exceptions::PyBaseException>(),
        Err(_) => Ok(false),
    };
    match classes.cast::<PyTuple>() {
        Ok(classes) => {
            for class in classes.iter() {
                if !is_one(&class)? {
                    return Ok(false);
                }
            }
            Ok(!classes.is_empty())
        }
        Err(_) => is_one(classes),
    }
}
