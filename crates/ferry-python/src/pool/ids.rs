//! `Pool.ids`: jobs by bare numbers, with the words that scripts see.

use super::{Pool, errors::refused};
use crate::{
    expose::future_to_awaitable,
    failure::{FerryError, boxed, exception_for},
    job::Job,
    names, value,
    value::Crossing,
};
use asyncferry::jobs::{IdError, JobId};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyLookupError, PyRuntimeError},
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};

/// Jobs of a pool by bare numbers, for those who can't hold a Job: other processes, scripts, requests.
///
/// One that was called has its number until it's cleaned up, or for a time (retain_for) after it has ended.
#[pyclass(frozen, module = "asyncferry", name = "_JobIds")]
pub(crate) struct JobIds {
    pub(super) pool: Py<Pool>,
}

impl JobIds {
    fn ids(&self) -> &asyncferry::jobs::JobIds {
        self.pool.get().pool.ids()
    }
}

#[pymethods]
impl JobIds {
    /// Submits the job that is registered with this name, and gives its number.
    #[pyo3(signature = (name, /, *args, **kwargs))]
    fn call(
        &self,
        name: &str,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        let arguments = value::arguments(args, kwargs, &asyncferry::ValueLimits::default())?;
        let job = self.pool.get().pool.named(name, arguments);
        self.ids().submit_nowait(job).map(JobId::number).map_err(|error| raised(args.py(), error))
    }

    /// Waits until the job has ended, and gives its result, as often as one likes.
    #[pyo3(signature = (id, /))]
    fn wait<'py>(&self, py: Python<'py>, id: u64) -> PyResult<Bound<'py, Job>> {
        let waits = self.ids().wait(number(id)?);
        future_to_awaitable(py, async move {
            match waits.await {
                Ok(value) => Ok(Crossing(value)),
                Err(error) => Err(settled(error)),
            }
        })
    }

    /// Whether wait() would not wait.
    #[pyo3(signature = (id, /))]
    fn is_ready(&self, py: Python<'_>, id: u64) -> PyResult<bool> {
        self.ids().is_ready(number(id)?).map_err(|error| raised(py, error))
    }

    /// The job's result. Raises RuntimeError('future not ready') when it has not ended.
    #[pyo3(signature = (id, /))]
    fn get<'py>(&self, py: Python<'py>, id: u64) -> PyResult<Bound<'py, PyAny>> {
        let value = self.ids().get(number(id)?).map_err(|error| raised(py, error))?;
        value::to_python(py, &value)
    }

    /// Cancels the job. False when it has ended already.
    #[pyo3(signature = (id, msg = "", /))]
    fn cancel(&self, py: Python<'_>, id: u64, msg: &str) -> PyResult<bool> {
        self.ids().cancel(number(id)?, msg).map_err(|error| raised(py, error))
    }

    /// Where the job stands: a State.
    #[pyo3(signature = (id, /))]
    fn state<'py>(&self, py: Python<'py>, id: u64) -> PyResult<Bound<'py, PyAny>> {
        names::state(py, self.ids().state(number(id)?).map_err(|error| raised(py, error))?)
    }

    /// What the job has last told of its progress, if anything.
    #[pyo3(signature = (id, /))]
    fn progress<'py>(&self, py: Python<'py>, id: u64) -> PyResult<Option<Bound<'py, PyAny>>> {
        let told = self.ids().progress(number(id)?).map_err(|error| raised(py, error))?;
        told.map(|value| value::to_python(py, &value)).transpose()
    }

    /// Forgets a job that has ended, and its result.
    #[pyo3(signature = (id, /))]
    fn cleanup(&self, py: Python<'_>, id: u64) -> PyResult<()> {
        self.ids().cleanup(number(id)?).map_err(|error| raised(py, error))
    }

    fn __len__(&self) -> usize {
        self.ids().len()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pool)
    }
}

fn number(id: u64) -> PyResult<JobId> {
    JobId::of(id).ok_or_else(|| PyLookupError::new_err(IdError::NotFound.to_string()))
}

/// The exception for `error`.
fn raised(py: Python<'_>, error: IdError) -> PyErr {
    match error {
        IdError::NotFound => PyLookupError::new_err(error.to_string()),
        IdError::Cancelled(_) => {
            names::cancelled_error(py, Some(PyString::new(py, &error.to_string()).into_any().unbind()))
        }
        IdError::Failed(failure) => exception_for(py, &failure),
        IdError::Refused(error) => refused(&error),
        IdError::ShuttingDown => super::PoolShutDown::new_err(error.to_string()),
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}

/// As [`raised`], where there is no Python yet.
fn settled(error: IdError) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        IdError::Failed(asyncferry::Failure::Failed(error)) => asyncferry::Failure::Failed(error).into(),
        IdError::Cancelled(_) => asyncferry::Failure::cancelled(&error.to_string()).into(),
        IdError::NotFound => boxed(PyLookupError::new_err(error.to_string())),
        other => boxed(FerryError::new_err(other.to_string())),
    }
}
