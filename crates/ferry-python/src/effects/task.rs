//! [`Task`]: a program that runs beside others, and its stages.
//!
//! ```text
//!   New ──▶ Running ──▶ Done          the outcome stands in `settle`, and who waited is woken
//!    │       │  ▲
//!    │       ▼  │ woken, or cancelled, or its turn is over
//!    │     Parked ──▶ Ready           in the run's queue, with what it goes on with
//!    └──────────────▶ Done            cancelled before it began
//! ```
//!
//! | cancel comes when it's | then |
//! |---|---|
//! | New | it's over, and nothing of it ran |
//! | Ready | TaskCancelledError is what it goes on with; a permit that was handed to it is handed on |
//! | Parked at what belongs to the run | as above; it doesn't wait any more |
//! | Parked at an Await | what is awaited is asked to cancel; the task goes on when that has ended, with what it gave |
//! | Running | it's raised when it next would wait, or its turn is over |
//!
//! Waking is told from a ticket: whoever was to wake a task that waits for something else by now does nothing.

mod stopping;
mod wait;
mod waking;

pub(super) use stopping::{discard, request_cancel, throw};
pub(super) use wait::Wait;
pub(super) use waking::{granted, woken};

use super::{
    chain::Chain,
    foreign, glue,
    kind::{Kind, as_a},
    machine::Next,
    program::Call,
    run::{self, Run},
    semaphore::Semaphore,
    stack::{Frame, Stack},
    waitable::{Outcome, Settle, wake_all},
};
use crate::{gil_cell::GilCell, names, source::End};
use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    types::{PyString, PyType},
};

/// A spawned program. Wait for it in a program; await it in a coroutine, or in Rust.
#[pyclass(frozen, weakref, module = "asyncferry.effects")]
pub(super) struct Task {
    id: u64,
    run: Py<Run>,
    name: Option<Py<PyString>>,
    /// The function whose call it runs, or what else it's named after.
    origin: Py<PyAny>,
    /// The code that spawned it, and how far that was.
    spawned: Option<(Py<PyAny>, u32)>,
    pub(super) priority: i32,
    pub(super) is_daemon: bool,
    state: GilCell<State>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    settle: Settle,
    /// Changed whenever it stops waiting.
    ticket: u32,
    /// A cancel that is still to be raised, with its message.
    cancel: Option<Option<Py<PyAny>>>,
    /// Where the run keeps it.
    slot: usize,
}

#[derive(Default)]
enum Stage {
    New {
        program: Py<PyAny>,
        chain: Chain,
    },
    Ready {
        stack: Stack,
        next: Next,
        grant: Option<Py<Semaphore>>,
    },
    Parked {
        stack: Stack,
        wait: Wait,
        priority: Option<i32>,
    },
    Running,
    #[default]
    Done,
}

/// What a new task is made of.
pub(super) struct New<'py> {
    pub(super) program: Bound<'py, PyAny>,
    pub(super) chain: Chain,
    pub(super) name: Option<Py<PyString>>,
    pub(super) spawned: Option<(Py<PyAny>, u32)>,
    pub(super) priority: i32,
    pub(super) is_daemon: bool,
}

impl Task {
    pub(super) fn new<'py>(run: &Bound<'py, Run>, id: u64, new: New<'py>) -> PyResult<Bound<'py, Self>> {
        let py = run.py();
        let origin = match Kind::of(&new.program) {
            Kind::Call => as_a::<Call>(&new.program).get().function.clone_ref(py),
            _ => new.program.get_type().into_any().unbind(),
        };
        let stage = Stage::New { program: new.program.unbind(), chain: new.chain };
        let state = GilCell::of(State { stage, ..State::default() });
        Bound::new(
            py,
            Self {
                id,
                run: run.clone().unbind(),
                name: new.name,
                origin,
                spawned: new.spawned,
                priority: new.priority,
                is_daemon: new.is_daemon,
                state,
            },
        )
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn run(&self) -> &Py<Run> {
        &self.run
    }

    pub(super) fn set_slot(&self, py: Python<'_>, slot: usize) {
        self.state.with(py, |state| state.slot = slot);
    }

    pub(super) fn settling<R>(&self, py: Python<'_>, act: impl FnOnce(&mut Settle) -> R) -> R {
        self.state.with(py, |state| act(&mut state.settle))
    }

    pub(super) fn is_done(&self, py: Python<'_>) -> bool {
        self.settling(py, |settle| settle.is_settled())
    }

    /// Takes what it has to do, if it can go on.
    pub(super) fn begin(&self, py: Python<'_>) -> Option<(Stack, Next)> {
        let stage = self.state.with(py, |state| match &state.stage {
            Stage::New { .. } | Stage::Ready { .. } => std::mem::replace(&mut state.stage, Stage::Running),
            _ => Stage::Done,
        });
        match stage {
            Stage::New { program, chain } => Some((Stack::new(chain), Next::Eval(program))),
            Stage::Ready { stack, next, .. } => Some((stack, next)),
            _ => None,
        }
    }

    /// The end of a turn: it's ready to go on.
    pub(super) fn pause(&self, py: Python<'_>, stack: Stack, next: Next) {
        let raised = self.pending_cancel(py);
        self.state.with(py, |state| {
            state.stage = Stage::Ready { stack, next: raised.map_or(next, Next::Throw), grant: None };
        });
    }

    /// The cancel that came while it ran, as an exception to raise.
    fn pending_cancel(&self, py: Python<'_>) -> Option<Py<pyo3::exceptions::PyBaseException>> {
        let message = self.state.with(py, |state| state.cancel.take())?;
        Some(glue::cancelled(py, message.as_ref()).into_value(py))
    }

    pub(super) fn ticket(&self, py: Python<'_>) -> u32 {
        self.state.with(py, |state| state.ticket)
    }

    /// It waits, as whoever will wake it knows already.
    pub(super) fn park(
        slf: &Bound<'_, Self>,
        stack: Stack,
        wait: Wait,
        priority: Option<i32>,
    ) -> PyResult<()> {
        let py = slf.py();
        let cancel = slf.get().state.with(py, |state| {
            state.stage = Stage::Parked { stack, wait, priority };
            state.cancel.take()
        });
        // It came while the task ran.
        cancel.map_or(Ok(()), |message| request_cancel(slf, message))
    }

    /// It's over. Gives what it was told to be, for the run to look at.
    pub(super) fn finish(slf: &Bound<'_, Self>, outcome: Outcome) {
        let py = slf.py();
        let own = slf.get();
        own.annotate(py, &outcome);
        let told = outcome.clone_ref(py);
        let (stage, waiters, slot) = own.state.with(py, |state| {
            let stage = std::mem::take(&mut state.stage);
            (stage, state.settle.settle(outcome).unwrap_or_default(), state.slot)
        });
        drop(stage);
        wake_all(py, waiters, &told);
        run::ended(own.run.bind(py), slf, slot, &told);
    }

    /// Tells somebody outside of the run how it ends.
    pub(super) fn watched(slf: &Bound<'_, Self>) -> asyncferry::Future<End> {
        slf.get().settling(slf.py(), |settle| settle.watched(slf.py()))
    }

    /// Asks it to stop, from outside of the run and from any thread. Gives whether it hadn't ended.
    pub(super) fn ask(slf: &Bound<'_, Self>, message: Option<Py<PyAny>>) -> PyResult<bool> {
        let py = slf.py();
        if slf.get().is_done(py) {
            return Ok(false);
        }
        let run = slf.get().run.get();
        if run.is_at_home() {
            request_cancel(slf, message)?;
        } else {
            // What it awaits is cancelled on its own thread.
            let task = slf.clone().unbind();
            run.mailbox().post(move |py| request_cancel(task.bind(py), message));
        }
        Ok(true)
    }

    /// Says of an error where it comes from.
    fn annotate(&self, py: Python<'_>, outcome: &Outcome) {
        let Outcome::Error(error) = outcome else { return };
        if names::is_cancelled_error(error.bind(py)).unwrap_or(true) {
            return;
        }
        let spawned = self
            .spawned
            .as_ref()
            .and_then(|(code, place)| glue::call(py, "spawn_place", (code, *place)).ok().map(Bound::unbind));
        // An exception that takes no notes is raised all the same.
        let _ = glue::call(py, "add_note", (error, self.describe(py), spawned));
    }

    pub(super) fn title(&self, py: Python<'_>) -> String {
        match &self.name {
            Some(name) => name.to_string(),
            None => glue::name_of(self.origin.bind(py)),
        }
    }

    pub(super) fn describe(&self, py: Python<'_>) -> String {
        let title = self.title(py);
        if self.id == 0 { format!("the program '{title}'") } else { format!("task {} '{title}'", self.id) }
    }

    /// What it waits for and where, as a part of a sentence.
    pub(super) fn describe_wait(&self, py: Python<'_>) -> String {
        let (waits, generator) = self.state.with(py, |state| match &state.stage {
            Stage::Parked { stack, wait, .. } => (Some(wait.names(py)), top_generator(py, stack)),
            Stage::Ready { stack, .. } => (None, top_generator(py, stack)),
            _ => (None, None),
        });
        let place = generator.map(|generator| format!(" in {}", glue::place_of(generator.bind(py))));
        let place = place.unwrap_or_default();
        let own = self.describe(py);
        match waits {
            Some(waits) => format!("{own} waits for {}{place}", waits.describe(py)),
            None => format!("{own} was at work{place}"),
        }
    }
}

/// The innermost generator of a task that doesn't run.
fn top_generator(py: Python<'_>, stack: &Stack) -> Option<Py<PyAny>> {
    let frames = stack.segments.iter().rev().flat_map(|segment| segment.frames.iter().rev());
    frames.into_iter().find_map(|frame| match frame {
        Frame::Generator(generator) | Frame::Handling { generator, .. } => Some(generator.clone_ref(py)),
        _ => None,
    })
}

#[pymethods]
impl Task {
    #[getter]
    fn task_id(&self) -> u64 {
        self.id
    }

    /// What it's called: as Spawn was told, or as the function that it runs.
    #[getter]
    fn name(&self, py: Python<'_>) -> String {
        self.title(py)
    }

    /// Whether it has ended.
    fn done(&self, py: Python<'_>) -> bool {
        self.is_done(py)
    }

    /// Whether it has ended by being cancelled.
    fn cancelled(&self, py: Python<'_>) -> bool {
        self.settling(py, |settle| settle.peek().map(|outcome| outcome.clone_ref(py)))
            .is_some_and(|outcome| outcome.end(py) == End::Cancelled)
    }

    /// The value, or raises the error. One that has not ended raises asyncio.InvalidStateError.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let outcome = self.settling(py, |settle| settle.look(py));
        outcome.map_or_else(
            || Err(names::invalid_state(py, "the task has not ended")),
            |end| end.into_result(py),
        )
    }

    /// The error, or None. One that has not ended raises asyncio.InvalidStateError.
    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.settling(py, |settle| settle.look(py)) {
            None => Err(names::invalid_state(py, "the task has not ended")),
            Some(Outcome::Value(_)) => Ok(None),
            Some(outcome) if outcome.end(py) == End::Cancelled => outcome.into_result(py).map(Some),
            Some(Outcome::Error(error)) => Ok(Some(error.into_any())),
        }
    }

    /// Asks it to stop, as Cancel does, from outside of the run and from any thread. Gives whether it hadn't ended.
    #[pyo3(signature = (msg = None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        Self::ask(slf, msg)
    }

    /// Awaited in a coroutine, it gives the value or raises the error. Cancelling that cancels the task.
    fn __await__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, end) = (slf.py(), Self::watched(slf));
        foreign::awaited(py, &slf.get().title(py), foreign::Awaited::Task(slf.clone().unbind()), end)
    }

    #[classmethod]
    #[pyo3(signature = (item, /))]
    fn __class_getitem__<'py>(
        cls: &Bound<'py, PyType>,
        item: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        crate::names::generic_alias(cls, item)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let state = match self.settling(py, |settle| settle.peek().map(|outcome| outcome.clone_ref(py))) {
            None => "",
            Some(outcome) => match outcome.end(py) {
                End::Value => ", done",
                End::Error => ", failed",
                End::Cancelled => ", cancelled",
            },
        };
        format!("<Task {} '{}'{state}>", self.id, self.title(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.run)?;
        visit.call(&self.origin)?;
        if let Some((code, _)) = &self.spawned {
            visit.call(code)?;
        }
        let traverse = |state: &mut State| {
            match &state.stage {
                Stage::New { program, chain } => {
                    visit.call(program)?;
                    if let Some(chain) = chain {
                        visit.call(chain)?;
                    }
                }
                Stage::Ready { stack, next, grant } => {
                    stack.traverse(&visit)?;
                    next.traverse(&visit)?;
                    if let Some(semaphore) = grant {
                        visit.call(semaphore)?;
                    }
                }
                Stage::Parked { stack, wait, .. } => {
                    stack.traverse(&visit)?;
                    wait.traverse(&visit)?;
                }
                Stage::Running | Stage::Done => {}
            }
            if let Some(Some(message)) = &state.cancel {
                visit.call(message)?;
            }
            state.settle.traverse(&visit)
        };
        self.state.visit(traverse).unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let stage = self.state.visit(|state| std::mem::take(&mut state.stage));
        drop(stage);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let lost = self.state.visit(|state| !state.settle.is_retrieved && state.settle.is_settled());
        if lost != Some(true) {
            return;
        }
        glue::as_it_goes(|py| {
            let outcome = self.settling(py, |settle| settle.look(py));
            if let Some(outcome) = outcome
                && outcome.end(py) == End::Error
                && let Outcome::Error(error) = outcome
            {
                let text = format!("the exception of {} was never retrieved", self.describe(py));
                self.run.get().report(py, &text, PyErr::from_value(error.into_bound(py).into_any()));
            }
        });
    }
}
