//! `Options`: how jobs are to run, and by that, how they are submitted.

use super::{
    Pool,
    attempt::{Builder, Terms},
    errors::refused,
    latent::LatentRef,
    prepare,
    retry::Retry,
};
use crate::{expose::future_to_awaitable, job::Job, orphans, timer};
use asyncferry::jobs::WhenFull;
use pyo3::{
    IntoPyObjectExt, PyTraverseError, PyVisit,
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::time::Duration;

/// How jobs of a pool are to run: what Pool.options() gives.
#[pyclass(frozen, module = "asyncferry", name = "_PoolOptions")]
pub(crate) struct Options {
    pub(super) pool: Py<Pool>,
    pub(super) name: Option<String>,
    pub(super) priority: i8,
    pub(super) timeout: Option<Duration>,
    pub(super) retry: Option<Py<Retry>>,
}

impl Options {
    /// With nothing said.
    pub(super) fn plain(pool: &Bound<'_, Pool>) -> Self {
        Self { pool: pool.clone().unbind(), name: None, priority: 0, timeout: None, retry: None }
    }

    fn build<'py>(
        &self,
        function: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        estimate: Duration,
    ) -> PyResult<Builder> {
        let py = function.py();
        orphans::report(py);
        let pool = self.pool.bind(py);
        let retry = self.retry.as_ref().map(|retry| retry.bind(py));
        let prepared = prepare(pool, function, args, kwargs, retry)?;
        let terms = Terms {
            name: self.name.clone(),
            priority: self.priority,
            timeout: self.timeout,
            retry: retry.map(|retry| retry.get().retry.clone()),
            estimate,
        };
        Ok(prepared.build(&pool.get().pool, &terms))
    }
}

#[pymethods]
impl Options {
    /// As Pool.submit(), with these options.
    #[pyo3(signature = (function, /, *args, **kwargs))]
    pub(super) fn submit<'py>(
        &self,
        function: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Job>> {
        let py = function.py();
        let builder = self.build(function, args, kwargs, Duration::ZERO)?;
        let blocks = self.pool.get().when_full == WhenFull::Block;
        let submitted = if blocks { py.detach(|| builder.submit(true)) } else { builder.submit(false) };
        submitted.map_err(|error| refused(&error))?.into_pyobject(py)
    }

    /// As Pool.submit_async(), with these options.
    #[pyo3(signature = (function, /, *args, **kwargs))]
    pub(super) fn submit_async<'py>(
        &self,
        function: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Job>> {
        let py = function.py();
        let builder = self.build(function, args, kwargs, Duration::ZERO)?;
        future_to_awaitable(py, builder.submit_async())
    }

    /// As Pool.latent(), with these options.
    #[pyo3(signature = (rule_id, space, deadline, job, /, *args, estimate = 0.0, **kwargs))]
    #[expect(clippy::too_many_arguments, reason = "they are what a latent job has")]
    pub(super) fn latent<'py>(
        &self,
        rule_id: &str,
        space: &str,
        deadline: f64,
        job: Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        estimate: f64,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, LatentRef>> {
        let py = job.py();
        let estimate = timer::duration("estimate", estimate)?;
        let builder = self.build(job, args, kwargs, estimate)?;
        let (latent, job) = builder.latent(py, rule_id, space, deadline)?;
        Bound::new(py, LatentRef::new(latent, job.unbind()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let timeout = self.timeout.map(|timeout| timeout.as_secs_f64()).into_bound_py_any(py)?;
        let name = self.name.as_deref().into_bound_py_any(py)?;
        Ok(format!("<options of a pool: name={name} priority={} timeout={timeout}>", self.priority))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pool)?;
        visit.call(&self.retry)
    }
}
