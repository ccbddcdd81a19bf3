//! [`Reading`]: what a job waits for that gives an iterator's next item.
//!
//! It keeps the iterator, which does the counting or closing that ends the wait. In `list(as_completed(…))` and
//! `anext(job.progress())` nobody else does.

use crate::{
    home::Home,
    source::{Deliver, Ending, Source, Watch, Work},
};
use asyncferry::{Future, State};
use pyo3::{PyClass, PyTraverseError, PyVisit, prelude::*, pyclass::boolean_struct::True};
use std::{
    sync::Arc,
    task::{Context, Poll},
};

pub(crate) struct Reading<T, I> {
    work: Work<T>,
    iterator: Py<I>,
}

/// An iterator whose items jobs give.
pub(crate) trait Iterated: PyClass<Frozen = True> + Send + Sync {
    /// How many pieces of work its next item waits for. See [`Source::jobs_out`].
    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize;
}

impl<T, I> Reading<T, I> {
    pub(crate) fn new(item: Future<T>, iterator: &Bound<'_, I>) -> Self {
        Self { work: Work::new(item, None), iterator: iterator.clone().unbind() }
    }
}

impl<T: Deliver, I: Iterated> Source for Reading<T, I> {
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

    fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> usize {
        self.iterator.get().jobs_out(py, home)
    }

    fn put_back(&self) -> bool {
        self.work.put_back()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.iterator)
    }
}
