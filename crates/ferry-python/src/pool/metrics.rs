//! `JobMetrics`: what a pool has counted, as Python has it.

use asyncferry::jobs;
use pyo3::prelude::*;

/// What a pool has counted of the jobs of one name and priority. Times are in seconds.
#[pyclass(frozen, module = "asyncferry")]
pub(crate) struct JobMetrics(pub(super) jobs::JobMetrics);

#[pymethods]
impl JobMetrics {
    /// The jobs' name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Their priority.
    #[getter]
    fn priority(&self) -> i8 {
        self.0.priority
    }

    /// How many wait in the queue.
    #[getter]
    fn queued(&self) -> u64 {
        self.0.queued
    }

    /// How many run.
    #[getter]
    fn running(&self) -> u64 {
        self.0.running
    }

    /// How many wait until their next attempt is due.
    #[getter]
    fn waiting(&self) -> u64 {
        self.0.waiting
    }

    /// How many have completed.
    #[getter]
    fn done(&self) -> u64 {
        self.0.done
    }

    /// How many have failed for good.
    #[getter]
    fn failed(&self) -> u64 {
        self.0.failed
    }

    /// How many were cancelled.
    #[getter]
    fn cancelled(&self) -> u64 {
        self.0.cancelled
    }

    /// How many attempts failed and were followed by another.
    #[getter]
    fn retried(&self) -> u64 {
        self.0.retried
    }

    /// How long an attempt waited in the queue: the median.
    #[getter]
    fn wait_p50(&self) -> f64 {
        self.0.wait_p50.as_secs_f64()
    }

    /// How long an attempt waited in the queue: the 99th percentile.
    #[getter]
    fn wait_p99(&self) -> f64 {
        self.0.wait_p99.as_secs_f64()
    }

    /// How long an attempt ran: the median.
    #[getter]
    fn run_p50(&self) -> f64 {
        self.0.run_p50.as_secs_f64()
    }

    /// How long an attempt ran: the 99th percentile.
    #[getter]
    fn run_p99(&self) -> f64 {
        self.0.run_p99.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        let row = &self.0;
        format!(
            "<JobMetrics {} priority={} queued={} running={} waiting={} done={} failed={} cancelled={} retried={}>",
            row.name,
            row.priority,
            row.queued,
            row.running,
            row.waiting,
            row.done,
            row.failed,
            row.cancelled,
            row.retried
        )
    }
}
