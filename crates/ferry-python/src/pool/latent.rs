//! `LatentRef`: a job that is planned, as Python has it.

use super::attempt::Planned;
use crate::{job::Job, names};
use asyncferry::jobs;
use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    types::{PyString, PyType},
};

/// A placeholder for the result of a job that starts by itself in time for its deadline: what Pool.latent() gives.
///
/// Await it for the result, or call materialize() to have the job start now. One that nobody refers to any more is
/// withdrawn, as a job is.
#[pyclass(frozen, weakref, module = "asyncferry")]
pub(crate) struct LatentRef {
    latent: Planned,
    job: Py<Job>,
}

impl LatentRef {
    pub(super) fn new(latent: Planned, job: Py<Job>) -> Self {
        Self { latent, job }
    }
}

/// What both sorts have.
macro_rules! of {
    ($this:ident, $latent:ident => $answer:expr) => {
        match &$this.latent {
            Planned::Function($latent) => $answer,
            Planned::Named($latent) => $answer,
        }
    };
}

#[pymethods]
impl LatentRef {
    /// The rule that asked for it.
    #[getter]
    fn rule_id(&self) -> &str {
        of!(self, latent => latent.rule_id())
    }

    /// The space that it's for.
    #[getter]
    fn space(&self) -> &str {
        of!(self, latent => latent.space())
    }

    /// By when its result is needed, on the pool's clock.
    #[getter]
    fn deadline(&self) -> f64 {
        of!(self, latent => latent.deadline())
    }

    /// In how many seconds it starts by itself, as things are now; None once it has started or was cancelled.
    fn starts_in(&self) -> Option<f64> {
        of!(self, latent => latent.starts_in()).map(|left| left.as_secs_f64())
    }

    /// Starts the job now, unless it has started, and gives it, to be awaited.
    fn materialize(&self, py: Python<'_>) -> Py<Job> {
        of!(self, latent => latent.start());
        self.job.clone_ref(py)
    }

    /// Withdraws the job, or cancels it if it has started. False when it has ended already.
    #[pyo3(signature = (msg = None))]
    fn cancel<'py>(&self, py: Python<'py>, msg: Option<Bound<'py, PyAny>>) -> PyResult<bool> {
        self.job.bind(py).call_method1("cancel", (msg,))?.extract()
    }

    /// What the job does now: latent, queued, running, waiting or ended.
    #[getter]
    fn stage<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let stage = match of!(self, latent => latent.job().stage()) {
            jobs::Stage::Latent => "latent",
            jobs::Stage::Queued => "queued",
            jobs::Stage::Running => "running",
            jobs::Stage::Waiting => "waiting",
            _ => "ended",
        };
        PyString::new(py, stage)
    }

    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.job.bind(py).call_method0("__await__")
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<String> {
        let show = |name| slf.getattr(name)?.repr();
        let (rule_id, space, deadline) = (show("rule_id")?, show("space")?, show("deadline")?);
        Ok(format!(
            "<LatentRef rule_id={rule_id} space={space} deadline={deadline} {}>",
            slf.getattr("stage")?
        ))
    }

    /// `LatentRef[int]`, for annotations.
    #[classmethod]
    fn __class_getitem__<'py>(
        class: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        names::generic_alias(class, item)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.job)
    }
}
