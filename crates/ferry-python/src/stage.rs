//! The state of an [`Awaitable`](crate::Awaitable), without the names that Python knows it by.
//!
//! # States
//!
//! ```text
//!             cancel(), from Python
//!   Pending ──────────────────────────────────────┐
//!      │ somebody looks, and the source is settled │
//!      ▼                                           ▼
//!   Turning ──▶ Done(value) | Failed(exception) | Cancelled(message)
//! ```
//!
//! The source may be settled at any time, by any thread; the awaitable leaves Pending when Python next looks
//! at it (`await`, `done()`, a callback's turn), as values are converted at home only. It's Turning while the
//! conversion runs, which may be Python code and may let other threads look: they see it pending.
//!
//! # Locks
//!
//! The state stands under a lock of its own, because an awaitable may be shared by loops on several threads.
//! Nothing that could run Python code happens under it: no call, no conversion, no drop of a reference. So
//! nobody can wait for the GIL while holding it, and a thread that has the GIL never waits for it long.

use crate::{
    callback::Callback,
    home::{Home, Letter},
    names,
    source::{Ending, Source, Watch},
    waiter::Waiter,
};
use asyncferry::State;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyRuntimeError, PyStopIteration},
    prelude::*,
    types::PyTraceback,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

pub(crate) struct Core {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    stage: Stage,
    /// In the order in which they were added. Those of a done awaitable wait for their loop's drain.
    callbacks: VecDeque<Callback>,
    /// The homes that get a letter when the source is settled.
    told: Vec<Arc<Home>>,
    /// The waiters of all homes but the first, which is the source's own.
    watches: Vec<Box<dyn Watch>>,
    /// Waiters that came while the awaitable was Turning.
    late: Vec<Arc<Waiter>>,
    /// Somebody else answers for an error: it's not reported when nobody retrieves it.
    quiet: bool,
}

#[derive(Default)]
enum Stage {
    Pending(Box<dyn Source>),
    #[default]
    Turning,
    Done(Py<PyAny>),
    Failed(Raised),
    Cancelled(Option<Py<PyAny>>),
}

/// An exception as it was when it came. Each raise begins with this traceback, so that many raises of the
/// same object don't pile up in it.
struct Raised {
    exception: Py<PyBaseException>,
    traceback: Option<Py<PyTraceback>>,
    retrieved: bool,
}

/// A look at an awaitable that is not pending.
pub(crate) enum Seen {
    Value(Py<PyAny>),
    Error { exception: Py<PyBaseException>, traceback: Option<Py<PyTraceback>> },
    Cancelled(Option<Py<PyAny>>),
}

impl Core {
    pub(crate) fn pending(source: Box<dyn Source>) -> Self {
        Self::at(Stage::Pending(source))
    }

    pub(crate) fn ended(py: Python<'_>, ending: Ending) -> Self {
        Self::at(Stage::of(py, ending))
    }

    fn at(stage: Stage) -> Self {
        Self { inner: Mutex::new(Inner { stage, ..Inner::default() }) }
    }

    /// How it ended, or `None` while it's pending. An error counts as retrieved from then on if `retrieve`.
    pub(crate) fn look(&self, py: Python<'_>, retrieve: Retrieve) -> Option<Seen> {
        let source = {
            let mut inner = self.lock();
            match &mut inner.stage {
                Stage::Pending(source) if source.state() == State::Pending => return None,
                Stage::Pending(_) => inner.turn(),
                Stage::Turning => return None,
                done => return Some(done.seen(py, retrieve)),
            }
        };
        let ending = source.as_ref().map(|source| source.ending(py));
        self.end(ending.map(|ending| Stage::of(py, ending)), source);
        self.look(py, retrieve)
    }

    pub(crate) fn is_done(&self, py: Python<'_>) -> bool {
        self.settle(py);
        !matches!(self.lock().stage, Stage::Pending(_) | Stage::Turning)
    }

    pub(crate) fn is_cancelled(&self, py: Python<'_>) -> bool {
        self.settle(py);
        matches!(self.lock().stage, Stage::Cancelled(_))
    }

    fn settle(&self, py: Python<'_>) {
        let _ = self.look(py, Retrieve::Leave);
    }

    /// Cancels it, unless it's done. `text` is what Rust sees of `message`.
    pub(crate) fn cancel(&self, py: Python<'_>, message: Option<Py<PyAny>>, text: &str) -> PyResult<bool> {
        self.settle(py);
        let (source, children) = {
            let mut inner = self.lock();
            match &inner.stage {
                Stage::Pending(source) => match source.children().cloned() {
                    Some(children) => (None, Some(children)),
                    None => (inner.turn(), None),
                },
                _ => (None, None),
            }
        };
        if let Some(children) = children {
            return children.cancel(py, message);
        }
        let Some(source) = source else { return Ok(false) };
        // The source decides: it may have been settled by another thread in this moment.
        let cancelled = source.cancel(text);
        let stage = if cancelled { Stage::Cancelled(message) } else { Stage::of(py, source.ending(py)) };
        self.end(Some(stage), Some(source));
        Ok(cancelled)
    }

    /// Leaves Turning, and drops what the awaitable waited for.
    fn end(&self, stage: Option<Stage>, source: Option<Box<dyn Source>>) {
        let (watches, late, told) = {
            let mut inner = self.lock();
            if let Some(stage) = stage {
                inner.stage = stage;
            }
            let inner = &mut *inner;
            (
                std::mem::take(&mut inner.watches),
                std::mem::take(&mut inner.late),
                std::mem::take(&mut inner.told),
            )
        };
        for waiter in late {
            waiter.home().clone().post(Letter::Settled(waiter));
        }
        drop((watches, told, source));
    }

    /// Adds `callback`, or gives it back when the awaitable is done. `waiter` makes what gets the letter for
    /// a home that isn't told yet.
    pub(crate) fn add(
        &self,
        py: Python<'_>,
        callback: Callback,
        waiter: impl FnOnce() -> PyResult<Waiter>,
    ) -> PyResult<Option<Callback>> {
        if self.is_done(py) {
            return Ok(Some(callback));
        }
        let home = callback.home.clone();
        let told = self.lock().told.iter().any(|told| Arc::ptr_eq(told, &home));
        let waiter = if told { None } else { Some(Arc::new(waiter()?)) };
        let mut inner = self.lock();
        if !matches!(inner.stage, Stage::Pending(_) | Stage::Turning) {
            return Ok(Some(callback));
        }
        inner.callbacks.push_back(callback);
        let Some(waiter) = waiter else { return Ok(None) };
        inner.told.push(home.clone());
        let overtaken = inner.wait(&waiter);
        drop(inner);
        if overtaken {
            home.post(Letter::Settled(waiter));
        }
        Ok(None)
    }

    /// The next callback that is to run at `home`, if the awaitable is done.
    pub(crate) fn next_callback(&self, home: &Arc<Home>) -> Option<Callback> {
        let mut inner = self.lock();
        if matches!(inner.stage, Stage::Pending(_) | Stage::Turning) {
            return None;
        }
        let place = inner.callbacks.iter().position(|callback| Arc::ptr_eq(&callback.home, home))?;
        inner.callbacks.remove(place)
    }

    /// The functions of all callbacks.
    pub(crate) fn functions(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        self.lock().callbacks.iter().map(|callback| callback.function.clone_ref(py)).collect()
    }

    /// Takes out all callbacks whose function is this very object.
    pub(crate) fn remove(&self, function: &Py<PyAny>) -> usize {
        let removed: Vec<_> = {
            let mut inner = self.lock();
            let mut callbacks = Vec::from(std::mem::take(&mut inner.callbacks));
            let removed = callbacks.extract_if(.., |callback| callback.function.is(function)).collect();
            inner.callbacks = callbacks.into();
            removed
        };
        removed.len()
    }

    /// One more waiter of the source, unless the awaitable is done.
    pub(crate) fn watch(&self, py: Python<'_>) -> Option<Box<dyn Watch>> {
        self.settle(py);
        let mut inner = self.lock();
        inner.quiet = true;
        match &inner.stage {
            Stage::Pending(source) => Some(source.watch()),
            _ => None,
        }
    }

    /// The error that nobody retrieved, of an awaitable that goes.
    pub(crate) fn unretrieved(&mut self, py: Python<'_>) -> Option<PyErr> {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Stage::Pending(source) = &inner.stage
            && source.failed()
        {
            inner.stage = Stage::of(py, source.ending(py));
        }
        match std::mem::take(&mut inner.stage) {
            Stage::Failed(raised) if !raised.retrieved && !inner.quiet => {
                Some(PyErr::from_value(raised.exception.into_bound(py).into_any()))
            }
            _ => None,
        }
    }

    /// Whether [`unretrieved`](Self::unretrieved) needs to be asked.
    pub(crate) fn may_be_unretrieved(&mut self) -> bool {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        match &inner.stage {
            Stage::Pending(source) => source.failed(),
            Stage::Failed(raised) => !raised.retrieved,
            _ => false,
        }
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While somebody holds the lock, what they do is not visited, and so not collected this time.
        let Ok(inner) = self.inner.try_lock() else { return Ok(()) };
        inner.callbacks.iter().try_for_each(|callback| callback.traverse(visit))?;
        match &inner.stage {
            Stage::Pending(source) => source.traverse(visit),
            Stage::Done(value) => visit.call(value),
            Stage::Failed(raised) => {
                visit.call(&raised.exception)?;
                raised.traceback.as_ref().map_or(Ok(()), |traceback| visit.call(traceback))
            }
            Stage::Cancelled(Some(message)) => visit.call(message),
            Stage::Cancelled(None) | Stage::Turning => Ok(()),
        }
    }

    /// Lets go of what could be part of a cycle. The work itself is stopped when the awaitable is dropped.
    pub(crate) fn clear(&self) {
        let callbacks = std::mem::take(&mut self.lock().callbacks);
        drop(callbacks);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a look at an error counts as having retrieved it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retrieve {
    Take,
    Leave,
}

impl Inner {
    /// Pending becomes Turning; gives the source.
    fn turn(&mut self) -> Option<Box<dyn Source>> {
        match std::mem::take(&mut self.stage) {
            Stage::Pending(source) => Some(source),
            other => {
                self.stage = other;
                None
            }
        }
    }

    /// Has `waiter` woken when the source is settled; `true` when it is settled already.
    fn wait(&mut self, waiter: &Arc<Waiter>) -> bool {
        let waker = Waker::from(waiter.clone());
        let mut cx = Context::from_waker(&waker);
        match &mut self.stage {
            Stage::Pending(source) if self.told.len() == 1 => source.poll_settled(&mut cx) == Poll::Ready(()),
            Stage::Pending(source) => {
                let mut watch = source.watch();
                let ready = watch.poll_settled(&mut cx) == Poll::Ready(());
                self.watches.push(watch);
                ready
            }
            _ => {
                self.late.push(waiter.clone());
                false
            }
        }
    }
}

impl Stage {
    fn of(py: Python<'_>, ending: Ending) -> Self {
        match ending {
            Ending::Value(value) => Self::Done(value),
            Ending::Error(error) => Self::Failed(Raised::new(py, error)),
            Ending::Cancelled(message) => Self::Cancelled(message),
        }
    }

    fn seen(&mut self, py: Python<'_>, retrieve: Retrieve) -> Seen {
        match self {
            Self::Done(value) => Seen::Value(value.clone_ref(py)),
            Self::Failed(raised) => {
                raised.retrieved |= retrieve == Retrieve::Take;
                Seen::Error {
                    exception: raised.exception.clone_ref(py),
                    traceback: raised.traceback.as_ref().map(|traceback| traceback.clone_ref(py)),
                }
            }
            Self::Cancelled(message) => {
                Seen::Cancelled(message.as_ref().map(|message| message.clone_ref(py)))
            }
            Self::Pending(_) | Self::Turning => unreachable!("it is done"),
        }
    }
}

impl Raised {
    fn new(py: Python<'_>, error: PyErr) -> Self {
        // A StopIteration can't be raised out of an `await`: Python would take it for the value.
        let error = if error.is_instance_of::<PyStopIteration>(py) {
            let wrapped =
                PyRuntimeError::new_err("Rust code failed with StopIteration, which await can't raise");
            wrapped.set_cause(py, Some(error));
            wrapped
        } else {
            error
        };
        let traceback = error.traceback(py).map(Bound::unbind);
        Self { exception: error.into_value(py), traceback, retrieved: false }
    }
}

impl Seen {
    pub(crate) fn into_result(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Error { exception, traceback } => {
                let error = PyErr::from_value(exception.into_bound(py).into_any());
                error.set_traceback(py, traceback.map(|traceback| traceback.into_bound(py)));
                Err(error)
            }
            Self::Cancelled(message) => Err(names::cancelled_error(py, message)),
        }
    }
}
