//! [`Call`]: where something stands that Rust awaits and Python runs, known to both of its sides.
//!
//! ```text
//!   New ──runs──▶ Running(task) ──ended──▶ Done
//!    └─────ask, or the Rust side goes────▶ Dropped
//! ```
//!
//! Who is asked to stop from another thread is told by letter. A request that was made counts: a coroutine that
//! returns a value before the letter comes ends cancelled all the same, as a task of asyncio does that returns in its
//! last step.
//!
//! A task that is told may wait for something that waits for its own job, and so ask again: there the ring of those
//! who wait for each other is opened, by ending that job.

use crate::{calling, glue, names};
use pyo3::{
    PyTraverseError, PyVisit, intern,
    prelude::*,
    types::{PyDict, PyString, PyWeakrefMethods, PyWeakrefReference},
};
use std::borrow::Cow;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Where a call stands, known to both of its sides.
pub(crate) struct Call {
    state: Mutex<CallState>,
    hold: Hold,
    /// A future of Rust waits for it, and not Python by way of a job.
    is_rusts: AtomicBool,
}

#[derive(Default)]
struct CallState {
    stage: CallStage,
    /// It was asked to stop, and its task has not been told.
    request: Option<Message>,
    /// What whoever gave it up said.
    farewell: Cow<'static, str>,
    /// Its task is just being told. Whoever asks on the same thread was asked by that task.
    is_being_told: bool,
}

/// What a cancellation says.
type Message = Option<Py<PyAny>>;

/// Whether who awaits a call keeps its task alive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// A task that nothing else refers to, its loop included, goes, and who awaits hears of it.
    Weakly,
    /// It lives as long as it's awaited. Who awaits shows it to the garbage collector, if that's an object of Python.
    Strongly,
}

#[derive(Default)]
enum CallStage {
    #[default]
    New,
    /// The task or future of Python is on its way.
    Running(Held),
    /// The Python side has ended.
    Done,
    /// The Rust side is gone.
    Dropped,
}

/// What is to be done to stop the Python side of a call.
pub(crate) enum Asked {
    /// Nothing: it will not start.
    NotStarted,
    /// Its task is [to be told](Call::tell).
    Running,
    Over,
}

/// Where somebody asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// On the thread of the call's loop.
    AtHome,
    Elsewhere,
}

/// How a call holds its task.
pub(crate) enum Held {
    Weak(Py<PyWeakrefReference>),
    /// Also a future of somebody's own that can't be held weakly.
    Strong(Py<PyAny>),
}

impl Held {
    fn new(task: &Bound<'_, PyAny>, hold: Hold) -> Self {
        let weak = if hold == Hold::Weakly { PyWeakrefReference::new(task).ok() } else { None };
        weak.map_or_else(|| Self::Strong(task.clone().unbind()), |weak| Self::Weak(weak.unbind()))
    }

    fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match self {
            Self::Weak(weak) => weak.bind(py).upgrade(),
            Self::Strong(task) => Some(task.bind(py).clone()),
        }
    }

    pub(crate) fn cancel(&self, py: Python<'_>, message: &str) -> PyResult<()> {
        let message = PyString::new(py, message).into_any().unbind();
        self.get(py).map_or(Ok(()), |task| cancel_task(&task, Some(message)).map(drop))
    }
}

impl Call {
    pub(crate) fn new(hold: Hold) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), hold, is_rusts: AtomicBool::new(false) })
    }

    /// A future of Rust waits for it.
    pub(crate) fn is_for_rust(&self) {
        self.is_rusts.store(true, Ordering::Relaxed);
    }

    /// Whether a future of Rust waits for it.
    pub(crate) fn is_rusts(&self) -> bool {
        self.is_rusts.load(Ordering::Relaxed)
    }

    /// Shows the garbage collector what this holds. Only who awaits may call it, as there is one of those.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Waited for, as the collector must see the same each time it looks in one run. It's never held while Python
        // code runs.
        let state = self.lock();
        if let CallStage::Running(Held::Strong(task)) = &state.stage {
            visit.call(task)?;
        }
        state.request.as_ref().map_or(Ok(()), |message| visit.call(message))
    }

    /// The Python side has ended. Gives how its call does.
    pub(crate) fn ended(&self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        drop(self.change(CallStage::Done));
        match (result, self.take_request()) {
            (Ok(_), Some(message)) => Err(names::cancelled_error(py, message)),
            (result, _) => result,
        }
    }

    /// The Rust side is gone: a start that is still in the mail does nothing. Gives the task that runs, to be cancelled
    /// at home.
    pub(crate) fn give_up(&self, farewell: Cow<'static, str>) -> Option<Held> {
        let before = {
            let mut state = self.lock();
            state.farewell = farewell;
            std::mem::replace(&mut state.stage, CallStage::Dropped)
        };
        match before {
            CallStage::Running(task) => Some(task),
            _ => None,
        }
    }

    /// What its task is told that began when it had been given up, or asked to stop.
    fn last_words(&self, py: Python<'_>) -> Message {
        let state = self.lock();
        match &state.request {
            Some(message) => message.as_ref().map(|message| message.clone_ref(py)),
            None if state.farewell.is_empty() => None,
            None => Some(PyString::new(py, &state.farewell).into_any().unbind()),
        }
    }

    fn change(&self, stage: CallStage) -> CallStage {
        std::mem::replace(&mut self.lock().stage, stage)
    }

    /// What it was asked to stop with, unless its task has been told.
    pub(crate) fn take_request(&self) -> Option<Message> {
        self.lock().request.take()
    }

    fn lock(&self) -> MutexGuard<'_, CallState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The Python side is `task`, which may have run its first step by now, to its end or to where Rust lost
    /// interest. Whether it's still to end.
    pub(crate) fn runs(&self, task: &Bound<'_, PyAny>) -> PyResult<bool> {
        match self.change(CallStage::Running(Held::new(task, self.hold))) {
            CallStage::New | CallStage::Running(_) => return Ok(true),
            CallStage::Done => drop(self.change(CallStage::Done)),
            CallStage::Dropped => {
                drop(self.change(CallStage::Dropped));
                cancel_task(task, self.last_words(task.py()))?;
            }
        }
        Ok(false)
    }

    /// Asks the Python side to stop. One that has not started never will.
    pub(crate) fn ask(&self, message: Message, asker: Asker) -> Asked {
        let mut state = self.lock();
        let asked = match state.stage {
            CallStage::New => {
                state.stage = CallStage::Dropped;
                Asked::NotStarted
            }
            // Its task, which is being told, waits for the call itself, and would for ever.
            CallStage::Running(_) if state.is_being_told && asker == Asker::AtHome => Asked::NotStarted,
            CallStage::Running(_) => Asked::Running,
            CallStage::Done | CallStage::Dropped => return Asked::Over,
        };
        let before = state.request.replace(message);
        drop(state);
        drop(before);
        asked
    }

    /// Has the task cancelled, if there is a request that it has not been told of. Call it at home.
    pub(crate) fn tell(&self, py: Python<'_>) -> PyResult<bool> {
        let (task, message) = {
            let mut state = self.lock();
            let CallStage::Running(task) = &state.stage else { return Ok(false) };
            let Some(task) = task.get(py) else { return Ok(false) };
            let Some(message) = state.request.take() else { return Ok(false) };
            state.is_being_told = true;
            (task, message)
        };
        let told = cancel_task(&task, message);
        self.lock().is_being_told = false;
        told
    }

    /// What it waits for, as a part of a sentence.
    pub(crate) fn describe(&self, py: Python<'_>) -> Option<String> {
        let task = {
            match &self.lock().stage {
                CallStage::New => return Some("starts at its loop's next turn".to_owned()),
                CallStage::Running(task) => task.get(py),
                CallStage::Done | CallStage::Dropped => None,
            }
        };
        glue::call(py, "place_of", (task?,)).ok()?.extract().ok()
    }

    pub(crate) fn is_dropped(&self) -> bool {
        matches!(self.lock().stage, CallStage::Dropped)
    }
}

fn cancel_task(task: &Bound<'_, PyAny>, message: Message) -> PyResult<bool> {
    let py = task.py();
    let keywords = PyDict::new(py);
    if let Some(message) = message {
        keywords.set_item(intern!(py, "msg"), message)?;
    }
    calling::call(&task.getattr(intern!(py, "cancel"))?, (), Some(&keywords))?.is_truthy()
}
