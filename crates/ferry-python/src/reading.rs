//! [`Reading`]: what a job waits for that gives an iterator's next item.
//!
//! It keeps the iterator, which does the counting or closing that ends the wait. In `list(as_completed(…))` and
//! `anext(job.progress())` nobody else does.

use crate::source::{Deliver, Ending, Source, Watch, Work};
use asyncferry::{Future, State};
use pyo3::{PyTraverseError, PyVisit, prelude::*};
use std::task::{Context, Poll};

pub(crate) struct Reading<T> {
    work: Work<T>,
    iterator: Py<PyAny>,
}

impl<T> Reading<T> {
    pub(crate) fn new(item: Future<T>, iterator: &Bound<'_, PyAny>) -> Self {
        Self { work: Work::new(item, None), iterator: iterator.clone().unbind() }
    }
}

impl<T: Deliver> Source for Reading<T> {
    fn state(&self) -> State {
        self.work.state()
    }

    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.work.poll_settled(cx)
    }

    fn watch(&self) -> Box<dyn Watch> {
        self.work.watch()
    }

    fn cancel(&self, message: &str) -> bool {
        self.work.cancel(message)
    }

    fn ending(&self, py: Python<'_>) -> Ending {
        self.work.ending(py)
    }

    fn put_back(&self) -> bool {
        self.work.put_back()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.iterator)
    }
}
