//! [`K`]: the rest of a program, as the handler of an effect has it.
//!
//! It can be used once. What it holds is what was captured, the handler's own segment at its bottom, as handlers are
//! deep: what is resumed has the handler again.

use super::{
    glue,
    grave::{Grave, bury},
    stack::{Segment, traverse_all},
};
use crate::gil_cell::GilCell;
use pyo3::{PyTraverseError, PyVisit, prelude::*};

/// The rest of the program that performed an effect, up to the handler. Resume, Transfer, ResumeThrow, TransferThrow or
/// Pass use it, once.
#[pyclass(frozen, module = "asyncferry.effects")]
pub(super) struct K(GilCell<Rest>);

#[derive(Default)]
enum Rest {
    Whole(Vec<Segment>),
    #[default]
    Used,
    /// Its handler failed, or ended without it.
    Unwound,
}

impl K {
    pub(super) fn new(py: Python<'_>, segments: Vec<Segment>) -> PyResult<Py<Self>> {
        Py::new(py, Self(GilCell::of(Rest::Whole(segments))))
    }

    /// Takes what was captured.
    ///
    /// # Errors
    /// `ContinuationError` when it was used before.
    pub(super) fn take(&self, py: Python<'_>) -> PyResult<Vec<Segment>> {
        let rest = self.0.with(py, |rest| match rest {
            Rest::Whole(segments) => {
                let segments = std::mem::take(segments);
                *rest = Rest::Used;
                Ok(segments)
            }
            Rest::Used => Err("the continuation k was used already: a program can be resumed once"),
            Rest::Unwound => {
                Err("the continuation k is over: its handler ended without it, so the program was unwound")
            }
        });
        rest.map_err(|text| {
            let class = glue::get(py, "ContinuationError");
            class.and_then(|class| class.call1((text,))).map_or_else(|error| error, PyErr::from_value)
        })
    }

    /// Takes what was captured, if nobody has used it.
    pub(super) fn abandon(&self, py: Python<'_>) -> Option<Vec<Segment>> {
        self.0.with(py, |rest| match rest {
            Rest::Whole(segments) => {
                let segments = std::mem::take(segments);
                *rest = Rest::Unwound;
                Some(segments)
            }
            _ => None,
        })
    }
}

#[pymethods]
impl K {
    fn __repr__(&self, py: Python<'_>) -> &'static str {
        self.0.with(py, |rest| match rest {
            Rest::Whole(_) => "<a continuation>",
            Rest::Used => "<a continuation that was used>",
            Rest::Unwound => "<a continuation that was unwound>",
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let traverse = |rest: &mut Rest| match rest {
            Rest::Whole(segments) => traverse_all(segments, &visit),
            _ => Ok(()),
        };
        self.0.visit(traverse).unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let rest = self.0.visit(std::mem::take);
        drop(rest);
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Self::Whole(segments) = self
            && !segments.is_empty()
        {
            bury(Grave::Segments(std::mem::take(segments)));
        }
    }
}
