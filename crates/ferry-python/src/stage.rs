//! The state of an [`Job`](crate::Job), without the names that Python knows it by.
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
//! conversion runs, which may be Python code and may let other threads look: they see it pending. A letter that
//! comes to an awaitable in Turning is posted again when it's done, and so is one for each callback that is added
//! meanwhile.
//!
//! # Callbacks
//!
//! They stand in a [`Line`] for each loop that added some, and are run there in the order in which they came.
//! While a line has callbacks, its loop keeps the awaitable alive (see [`held`](crate::held)). One that comes
//! when the awaitable is done goes to the end of the line if others still wait for their loop's drain, and
//! otherwise straight to the loop.
//!
//! # Locks
//!
//! The state stands under a lock of its own, because an awaitable may be shared by loops on several threads.
//! Nothing that could run Python code happens under it: no call, no conversion, no drop of a reference. So
//! nobody can wait for the GIL while holding it, and a thread that has the GIL never waits for it long.

use crate::{
    callback::Callback,
    fork::Generation,
    home::{Home, Letter},
    job::Job,
    names,
    source::{Ending, Source, Waits, Watch},
    unseen::{Owner, Unseen},
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
    /// The process that its work runs in.
    born: Generation,
    owner: Owner,
}

#[derive(Default)]
struct Inner {
    stage: Stage,
    /// One for each loop that added callbacks and hasn't run them since the awaitable is done.
    lines: Vec<Line>,
    /// Waiters whose letters came, or whose callbacks were added, while the awaitable was Turning.
    late: Vec<Arc<Waiter>>,
    /// Somebody else answers for an error: it's not reported when nobody retrieves it.
    quiet: bool,
}

/// The callbacks that are to run at one home, and the waiter that has their turn come.
struct Line {
    waiter: Arc<Waiter>,
    callbacks: VecDeque<Callback>,
    wake: Wake,
}

/// What wakes a line's waiter when the source is settled.
enum Wake {
    /// Nothing yet.
    Nothing,
    /// The source itself, which wakes one.
    Source,
    /// A watch of its own; none is left when the source is settled.
    Watch { _watch: Option<Box<dyn Watch>> },
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
    /// There as long as nobody has retrieved it.
    unseen: Option<Unseen>,
}

/// A look at an awaitable that is not pending.
pub(crate) enum Seen {
    Value(Py<PyAny>),
    Error { exception: Py<PyBaseException>, traceback: Option<Py<PyTraceback>> },
    Cancelled(Option<Py<PyAny>>),
}

impl Core {
    pub(crate) fn pending(source: Box<dyn Source>, owner: Owner) -> Self {
        Self::at(Stage::Pending(source), owner)
    }

    pub(crate) fn ended(py: Python<'_>, ending: Ending, owner: Owner) -> Self {
        Self::at(Stage::of(py, ending, Some(&owner)), owner)
    }

    fn at(stage: Stage, owner: Owner) -> Self {
        Self { inner: Mutex::new(Inner { stage, ..Inner::default() }), born: Generation::current(), owner }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How it ended, or `None` while it's pending. An error counts as retrieved from then on if `retrieve`.
    pub(crate) fn look(&self, py: Python<'_>, retrieve: Retrieve) -> Option<Seen> {
        let source = {
            let mut inner = self.lock();
            match &mut inner.stage {
                Stage::Pending(source) if source.state() == State::Pending && self.born.is_current() => {
                    return None;
                }
                Stage::Pending(_) => inner.turn(),
                Stage::Turning => return None,
                done => {
                    let seen = done.seen(py);
                    let unseen = if retrieve == Retrieve::Take { done.take_unseen() } else { None };
                    drop(inner);
                    if let Some(unseen) = unseen {
                        unseen.disarm(py);
                    }
                    return Some(seen);
                }
            }
        };
        match source {
            Some(source) if source.state() == State::Pending => self.stay_with_parent(py, source),
            Some(source) => {
                let stage = self.stage_of(py, source.ending(py));
                self.end(Some(stage), Some(source));
            }
            None => {}
        }
        self.look(py, retrieve)
    }

    /// The work goes on in the process that forked this one, and will never end here.
    #[cold]
    fn stay_with_parent(&self, py: Python<'_>, source: Box<dyn Source>) {
        let error = PyRuntimeError::new_err(
            "this job was pending when this process was forked; it ends in the parent process: await it there, or \
             submit it here again",
        );
        let stage = Stage::of(py, Ending::Error(error), None);
        // What it's made of is not touched: see the module `fork`.
        let mut inner = self.lock();
        std::mem::forget((source, inner.take_watches()));
        drop(inner);
        self.end(Some(stage), None);
    }

    fn stage_of(&self, py: Python<'_>, ending: Ending) -> Stage {
        let is_quiet = self.lock().quiet;
        Stage::of(py, ending, (!is_quiet).then_some(&self.owner))
    }

    pub(crate) fn is_done(&self, py: Python<'_>) -> bool {
        self.settle(py);
        self.lock().stage.is_done()
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
        if !self.born.is_current() {
            self.settle(py);
        }
        let (source, request) = {
            let mut inner = self.lock();
            match &inner.stage {
                Stage::Pending(source) if source.state() == State::Pending => match source.request() {
                    Some(request) => (None, Some(request)),
                    None => (inner.turn(), None),
                },
                Stage::Pending(_) => (inner.turn(), None),
                _ => (None, None),
            }
        };
        if let Some(request) = request {
            return request.cancel(py, message, text);
        }
        let Some(source) = source else { return Ok(false) };
        // The source decides: it may be settled already, or by another thread in this moment.
        let cancelled = source.cancel(text) || source.put_back();
        let stage = if cancelled { Stage::Cancelled(message) } else { self.stage_of(py, source.ending(py)) };
        self.end(Some(stage), Some(source));
        Ok(cancelled)
    }

    /// Leaves Turning, and drops what the awaitable waited for.
    fn end(&self, stage: Option<Stage>, source: Option<Box<dyn Source>>) {
        let (watches, late) = {
            let mut inner = self.lock();
            if let Some(stage) = stage {
                inner.stage = stage;
            }
            (inner.take_watches(), std::mem::take(&mut inner.late))
        };
        for waiter in late {
            waiter.home().clone().post(Letter::Settled(waiter));
        }
        drop((watches, source));
    }

    /// Adds `callback` to the core of `awaitable`, or gives it back when that is done and no earlier callback
    /// for the same home still waits.
    pub(crate) fn add(&self, awaitable: &Bound<'_, Job>, callback: Callback) -> Option<Callback> {
        self.settle(awaitable.py());
        let mut inner = self.lock();
        let place = inner.lines.iter().position(|line| Arc::ptr_eq(line.waiter.home(), &callback.home));
        let is_alone = place.is_none_or(|place| inner.lines[place].callbacks.is_empty());
        if is_alone && inner.stage.is_done() {
            drop(inner);
            return Some(callback);
        }
        let (place, closed) = match place {
            Some(place) => (place, Vec::new()),
            None => inner.open_line(callback.home.clone()),
        };
        let line = &mut inner.lines[place];
        line.callbacks.push_back(callback);
        line.waiter.hold(awaitable);
        let waiter = line.waiter.clone();
        let is_settled = inner.wait(place);
        drop(inner);
        drop(closed);
        if is_settled {
            waiter.home().clone().post(Letter::Settled(waiter));
        }
        None
    }

    /// How many callbacks of `waiter`'s line are to run now. A letter that came too early, as the awaitable is
    /// Turning, is not lost: it's posted again.
    pub(crate) fn ready(&self, py: Python<'_>, waiter: &Arc<Waiter>) -> usize {
        self.settle(py);
        let mut inner = self.lock();
        match inner.stage {
            Stage::Pending(_) => 0,
            Stage::Turning => {
                inner.late.push(waiter.clone());
                0
            }
            _ => inner.line(waiter).map_or(0, |place| inner.lines[place].callbacks.len()),
        }
    }

    /// The next callback of `waiter`'s line.
    pub(crate) fn next_callback(&self, waiter: &Arc<Waiter>) -> Option<Callback> {
        let mut inner = self.lock();
        let place = inner.line(waiter)?;
        inner.lines[place].callbacks.pop_front()
    }

    /// Closes the line of `waiter` if all its callbacks have run; those that came meanwhile get a letter.
    pub(crate) fn delivered(&self, waiter: &Arc<Waiter>) {
        let mut inner = self.lock();
        let Some(place) = inner.line(waiter).filter(|_| inner.stage.is_done()) else { return };
        if inner.lines[place].callbacks.is_empty() {
            let closed = (inner.lines.swap_remove(place), waiter.release());
            drop(inner);
            drop(closed);
        } else {
            drop(inner);
            waiter.home().post(Letter::Settled(waiter.clone()));
        }
    }

    /// The functions of all callbacks.
    pub(crate) fn functions(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let inner = self.lock();
        let callbacks = inner.lines.iter().flat_map(|line| &line.callbacks);
        callbacks.map(|callback| callback.function.clone_ref(py)).collect()
    }

    /// Takes out all callbacks whose function is this very object. Call it with the GIL.
    pub(crate) fn remove(&self, function: &Py<PyAny>) -> usize {
        let mut removed = Vec::new();
        let mut released = Vec::new();
        for line in &mut self.lock().lines {
            let mut callbacks = Vec::from(std::mem::take(&mut line.callbacks));
            removed.extend(callbacks.extract_if(.., |callback| callback.function.is(function)));
            line.callbacks = callbacks.into();
            if line.callbacks.is_empty() {
                released.push(line.waiter.release());
            }
        }
        // Dropped when the lock is free.
        drop(released);
        removed.len()
    }

    /// How much work is out for it, where no task of `home` does it; `None` once it's settled, as its mail may be on
    /// the way.
    pub(crate) fn jobs_out(&self, py: Python<'_>, home: &Arc<Home>) -> Option<usize> {
        match &self.lock().stage {
            Stage::Pending(source) if source.state() == State::Pending => Some(source.jobs_out(py, home)),
            _ => None,
        }
    }

    /// How deep it is in groups of awaitables, while it's pending.
    pub(crate) fn depth(&self) -> usize {
        match &self.lock().stage {
            Stage::Pending(source) => source.depth(),
            _ => 0,
        }
    }

    /// Somebody else answers for its error, so it's not reported when nobody retrieves it.
    pub(crate) fn hush(&self, py: Python<'_>) {
        let unseen = {
            let mut inner = self.lock();
            inner.quiet = true;
            inner.stage.take_unseen()
        };
        if let Some(unseen) = unseen {
            unseen.disarm(py);
        }
    }

    /// Reports its error, if nobody has looked at it.
    pub(crate) fn report_unseen(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py);
        let unseen = self.lock().stage.take_unseen();
        unseen.map_or(Ok(()), |unseen| unseen.tell(py))
    }

    /// What it waits for, while it's pending.
    pub(crate) fn waits_for(&self) -> Waits {
        match &self.lock().stage {
            Stage::Pending(source) => source.waits_for(),
            _ => Waits::Unknown,
        }
    }

    /// What it waits for, if it's pending: for the caller to keep.
    pub(crate) fn take_pending(&mut self) -> Option<Box<dyn Source>> {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner).turn()
    }

    /// Leaves alone what another process waits for, as this one goes.
    pub(crate) fn leave_to_parent(&mut self) {
        if !self.born.is_current() {
            std::mem::forget(self.take_pending());
        }
    }

    /// One more waiter of the source, unless the awaitable is done.
    pub(crate) fn watch(&self, py: Python<'_>) -> Option<Box<dyn Watch>> {
        self.settle(py);
        match &self.lock().stage {
            Stage::Pending(source) => Some(source.watch()),
            _ => None,
        }
    }

    /// Whether it has failed and nobody has looked, so that the error is Rust's yet.
    pub(crate) fn has_failed_unlooked(&mut self) -> bool {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        !inner.quiet && matches!(&inner.stage, Stage::Pending(source) if source.failed())
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While somebody holds the lock, what they do is not visited, and so not collected this time.
        let Ok(inner) = self.inner.try_lock() else { return Ok(()) };
        let mut callbacks = inner.lines.iter().flat_map(|line| &line.callbacks);
        callbacks.try_for_each(|callback| callback.traverse(visit))?;
        match &inner.stage {
            Stage::Pending(source) => source.traverse(visit),
            Stage::Done(value) => visit.call(value),
            Stage::Failed(raised) => {
                visit.call(&raised.exception)?;
                raised.unseen.as_ref().map_or(Ok(()), |unseen| unseen.traverse(visit))?;
                raised.traceback.as_ref().map_or(Ok(()), |traceback| visit.call(traceback))
            }
            Stage::Cancelled(Some(message)) => visit.call(message),
            Stage::Cancelled(None) | Stage::Turning => Ok(()),
        }
    }

    /// Lets go of what could be part of a cycle. The work itself is stopped when the awaitable is dropped.
    pub(crate) fn clear(&self) {
        let (callbacks, stage) = {
            let mut inner = self.lock();
            let callbacks: Vec<_> =
                inner.lines.iter_mut().map(|line| std::mem::take(&mut line.callbacks)).collect();
            // What it gave may be what can't be cleared itself, a tuple.
            let is_done = inner.stage.is_done();
            (callbacks, is_done.then(|| std::mem::replace(&mut inner.stage, Stage::Cancelled(None))))
        };
        drop((callbacks, stage));
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

    fn line(&self, waiter: &Arc<Waiter>) -> Option<usize> {
        self.lines.iter().position(|line| Arc::ptr_eq(&line.waiter, waiter))
    }

    /// A new line, and those that it takes the place of, whose loops are closed: their callbacks will never run.
    fn open_line(&mut self, home: Arc<Home>) -> (usize, Vec<Line>) {
        let closed = self.lines.extract_if(.., |line| line.waiter.home().is_closed()).collect();
        let waiter = Arc::new(Waiter::new(home));
        self.lines.push(Line { waiter, callbacks: VecDeque::new(), wake: Wake::Nothing });
        (self.lines.len() - 1, closed)
    }

    /// Takes out all watches, for the caller to drop.
    fn take_watches(&mut self) -> Vec<Wake> {
        let settled = || Wake::Watch { _watch: None };
        self.lines.iter_mut().map(|line| std::mem::replace(&mut line.wake, settled())).collect()
    }

    /// Has the waiter of the line at `place` woken when the source is settled; `true` when it is settled
    /// already. A line that has its wake coming gets no second one.
    fn wait(&mut self, place: usize) -> bool {
        let source_is_taken = self.lines.iter().any(|line| matches!(line.wake, Wake::Source));
        let line = &mut self.lines[place];
        let waker = || Waker::from(line.waiter.clone());
        match (&mut self.stage, &line.wake) {
            (Stage::Turning, _) => self.late.push(line.waiter.clone()),
            (Stage::Pending(source), Wake::Nothing) if !source_is_taken => {
                line.wake = Wake::Source;
                return source.poll_settled(&mut Context::from_waker(&waker())) == Poll::Ready(());
            }
            (Stage::Pending(source), Wake::Nothing) => {
                let mut watch = source.watch();
                let ready = watch.poll_settled(&mut Context::from_waker(&waker())) == Poll::Ready(());
                line.wake = Wake::Watch { _watch: Some(watch) };
                return ready;
            }
            _ => {}
        }
        false
    }
}

impl Stage {
    fn is_done(&self) -> bool {
        !matches!(self, Self::Pending(_) | Self::Turning)
    }

    /// `owner` is who an error is reported for, if it's to be.
    fn of(py: Python<'_>, ending: Ending, owner: Option<&Owner>) -> Self {
        match ending {
            Ending::Value(value) => Self::Done(value),
            Ending::Error(error) => Self::Failed(Raised::new(py, error, owner)),
            Ending::Cancelled(message) => Self::Cancelled(message),
        }
    }

    fn take_unseen(&mut self) -> Option<Unseen> {
        if let Self::Failed(raised) = self { raised.unseen.take() } else { None }
    }

    fn seen(&self, py: Python<'_>) -> Seen {
        match self {
            Self::Done(value) => Seen::Value(value.clone_ref(py)),
            Self::Failed(raised) => Seen::Error {
                exception: raised.exception.clone_ref(py),
                traceback: raised.traceback.as_ref().map(|traceback| traceback.clone_ref(py)),
            },
            Self::Cancelled(message) => {
                Seen::Cancelled(message.as_ref().map(|message| message.clone_ref(py)))
            }
            Self::Pending(_) | Self::Turning => unreachable!("it is done"),
        }
    }
}

impl Raised {
    fn new(py: Python<'_>, error: PyErr, owner: Option<&Owner>) -> Self {
        // A StopIteration can't be raised out of an `await`: Python would take it for the value.
        let error = if error.is_instance_of::<PyStopIteration>(py) {
            let wrapped = PyRuntimeError::new_err(
                "it failed with StopIteration, which would pass for a result in an await",
            );
            wrapped.set_cause(py, Some(error));
            wrapped
        } else {
            error
        };
        let traceback = error.traceback(py).map(Bound::unbind);
        let exception = error.into_value(py);
        let unseen = owner.and_then(|owner| Unseen::of(py, exception.bind(py), owner));
        Self { exception, traceback, unseen }
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
