//! [`Unseen`]: the error of a job that nobody has looked at yet, which is reported when the job goes.
//!
//! It's an object of Python with a `__del__`, which the job owns. Python calls that before its garbage collector
//! takes apart what the job is garbage with, the exception among it; a job's own deallocation comes in the middle of
//! that, and a report that keeps such an exception crashes Python when it's shown.

use crate::{
    calling, glue,
    home::{Home, report_nowhere},
    job::Job,
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyBaseException, ffi, intern, prelude::*, types::PyList};
use std::sync::Arc;

/// Whose job it is.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) name: Option<Box<str>>,
    /// The loop it was made on: that of callbacks and errors that come from no loop.
    pub(crate) home: Option<Arc<Home>>,
}

/// Reports an exception when it's dropped, unless it was disarmed.
pub(crate) struct Unseen(Py<PyAny>);

impl Unseen {
    /// `None` where no report can be prepared; then it's made at once.
    pub(crate) fn of(py: Python<'_>, exception: &Bound<'_, PyBaseException>, owner: &Owner) -> Option<Self> {
        let made = Bound::new(py, Report(owner.clone())).and_then(|report| {
            glue::call(py, "Unseen", (exception, report)).map(|unseen| Self(unseen.unbind()))
        });
        made.inspect_err(|_| owner.report(py, PyErr::from_value(exception.clone().into_any()))).ok()
    }

    /// Somebody has seen it.
    pub(crate) fn disarm(self, py: Python<'_>) {
        // It's an attribute of a class of ours, which can be set.
        let _ = self.0.bind(py).setattr(intern!(py, "report"), py.None());
    }

    /// Reports it now.
    pub(crate) fn tell(self, py: Python<'_>) -> PyResult<()> {
        calling::call_method(self.0.bind(py), intern!(py, "tell"), ()).map(drop)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

impl Owner {
    #[cold]
    fn report(&self, py: Python<'_>, error: PyErr) {
        // Modules are being taken apart: there is nobody to read of it.
        if is_finalizing(py) {
            return;
        }
        let message = match &self.name {
            Some(name) => format!("Job '{name}' failed, and nobody retrieved its exception"),
            None => "Job failed, and nobody retrieved its exception".to_owned(),
        };
        let reported = match &self.home {
            Some(home) => home.report(py, &message, error),
            None => {
                report_nowhere(py, &message, &error);
                Ok(())
            }
        };
        if let Err(error) = reported {
            report_nowhere(py, &message, &error);
        }
    }
}

/// Reports the errors that nobody has looked at of all jobs that there are. Python exits: those that go later, as a
/// module's global does, go when there is nobody to report to.
pub(crate) fn report_all(py: Python<'_>) -> PyResult<()> {
    let objects = py.import("gc")?.call_method0("get_objects")?;
    for object in objects.cast::<PyList>()? {
        if let Ok(job) = object.cast::<Job>() {
            job.get().core().report_unseen(py)?;
        }
    }
    Ok(())
}

/// What is called with the exception.
#[pyclass(frozen, module = "asyncferry", name = "_Report")]
struct Report(Owner);

#[pymethods]
impl Report {
    fn __call__(&self, exception: &Bound<'_, PyBaseException>) {
        self.0.report(exception.py(), PyErr::from_value(exception.clone().into_any()));
    }
}

/// Whether Python ends. Asked without an import, as none may be possible any more.
pub(crate) fn is_finalizing(py: Python<'_>) -> bool {
    // SAFETY: the thread is attached; the name ends with a NUL; what is returned is borrowed, or NULL.
    let ask = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PySys_GetObject(c"is_finalizing".as_ptr())) };
    ask.and_then(|ask| ask.call0().ok()).is_none_or(|answer| answer.is_truthy().unwrap_or(true))
}
