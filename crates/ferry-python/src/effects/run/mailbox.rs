//! [`Mailbox`]: where other threads send what is to be done in a run.

use crate::home::Home;
use pyo3::prelude::*;
use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, Thread},
};

/// Where other threads send what is to be done in a run.
#[derive(Clone)]
pub(in crate::effects) enum Mailbox {
    Loop(Arc<Home>),
    Thread(Arc<Inbox>),
}

pub(super) type Errand = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// The mailbox of a thread without a loop.
pub(in crate::effects) struct Inbox {
    thread: Thread,
    errands: Mutex<Vec<Errand>>,
}

impl Mailbox {
    /// Has `errand` done on the run's thread. Works without the GIL. When the loop is gone, it's dropped.
    pub(in crate::effects) fn post(&self, errand: impl FnOnce(Python<'_>) -> PyResult<()> + Send + 'static) {
        match self {
            Self::Loop(home) => {
                home.run(|py, _| errand(py));
            }
            Self::Thread(inbox) => {
                inbox.errands.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(errand));
                inbox.thread.unpark();
            }
        }
    }
}

impl Inbox {
    /// That of this thread.
    pub(super) fn here() -> Self {
        Self { thread: thread::current(), errands: Mutex::default() }
    }

    pub(super) fn thread(&self) -> &Thread {
        &self.thread
    }

    pub(super) fn take(&self) -> Vec<Errand> {
        std::mem::take(&mut *self.errands.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errands.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
