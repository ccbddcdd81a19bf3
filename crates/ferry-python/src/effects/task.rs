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

use super::{
    chain::Chain,
    foreign,
    future::Future,
    glue,
    kind::{Kind, as_a},
    machine::Next,
    program::Call,
    run::{self, Run},
    semaphore::Semaphore,
    stack::{Frame, Stack},
    waitable::{Outcome, Settle, Waitable, wake_all},
};
use crate::{coroutine, gil_cell::GilCell, names, source::End};
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

/// What a parked task waits for.
pub(super) enum Wait {
    One(Waitable),
    All {
        items: Vec<Waitable>,
        left: usize,
    },
    First(Vec<Waitable>),
    Permit(Py<Semaphore>),
    /// What is awaited, and is cancelled with it.
    Awaited {
        object: Py<PyAny>,
        future: Py<Future>,
        asked: Option<Option<Py<PyAny>>>,
    },
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

/// A few of the things that something waits for, and how many there are.
struct Names {
    some: Vec<Waitable>,
    count: usize,
    other: Option<String>,
}

impl Names {
    fn describe(&self, py: Python<'_>) -> String {
        if let Some(other) = &self.other {
            return other.clone();
        }
        let some: Vec<_> = self.some.iter().map(|waitable| waitable.describe(py)).collect();
        let more = self.count - some.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", some.join(", "))
    }
}

impl Wait {
    /// Has those that it waits for wake the task, or gives what it goes on with at once.
    pub(super) fn register(&mut self, task: &Bound<'_, Task>) -> Option<Next> {
        let py = task.py();
        let ticket = task.get().ticket(py);
        match self {
            Self::One(waitable) => settled(py, waitable, task, ticket).map(Outcome::into_next),
            Self::Awaited { future, .. } => {
                let waitable = Waitable::Future(future.clone_ref(py));
                settled(py, &waitable, task, ticket).map(Outcome::into_next)
            }
            Self::First(items) => {
                let first = items.iter().enumerate().find_map(|(place, item)| {
                    settled(py, item, task, ticket).map(|outcome| (place, outcome))
                });
                let (place, outcome) = first?;
                items[..place].iter().for_each(|item| item.lose(task));
                Some(outcome.into_next())
            }
            Self::All { items, left } => {
                for place in 0..items.len() {
                    match settled(py, &items[place], task, ticket) {
                        None => *left += 1,
                        Some(Outcome::Value(_)) => {}
                        Some(error) => {
                            items[..place].iter().for_each(|item| item.lose(task));
                            return Some(error.into_next());
                        }
                    }
                }
                (*left == 0).then(|| Next::Collect(std::mem::take(items)))
            }
            Self::Permit(semaphore) => {
                semaphore.get().wait(task, ticket);
                None
            }
        }
    }

    fn names(&self, py: Python<'_>) -> Names {
        let clone = |waitable: &Waitable| match waitable {
            Waitable::Task(task) => Waitable::Task(task.clone_ref(py)),
            Waitable::Future(future) => Waitable::Future(future.clone_ref(py)),
        };
        match self {
            Self::One(waitable) => Names { some: vec![clone(waitable)], count: 1, other: None },
            Self::All { items, .. } | Self::First(items) => {
                let pending = || items.iter().filter(|item| !item.is_settled(py));
                let count = pending().count();
                Names { some: pending().take(3).map(clone).collect(), count, other: None }
            }
            Self::Permit(semaphore) => Names {
                some: Vec::new(),
                count: 0,
                other: Some(format!("a permit of {}", semaphore.get().describe())),
            },
            Self::Awaited { .. } => Names { some: Vec::new(), count: 0, other: Some("an Await".to_owned()) },
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::One(waitable) => waitable.traverse(visit),
            Self::All { items, .. } | Self::First(items) => {
                items.iter().try_for_each(|item| item.traverse(visit))
            }
            Self::Permit(semaphore) => visit.call(semaphore),
            Self::Awaited { object, future, asked } => {
                visit.call(object)?;
                if let Some(Some(message)) = asked {
                    visit.call(message)?;
                }
                visit.call(future)
            }
        }
    }
}

/// How `waitable` ended, or nothing, and `task` waits for it.
fn settled(py: Python<'_>, waitable: &Waitable, task: &Bound<'_, Task>, ticket: u32) -> Option<Outcome> {
    if waitable.add(task, ticket) { None } else { waitable.look(py) }
}

/// Something that a task waited for, with that ticket, has ended. Gives whether the task goes on for it.
pub(super) fn woken(task: &Bound<'_, Task>, ticket: u32, outcome: &Outcome) -> bool {
    let py = task.py();
    let own = task.get();
    let woken = own.state.with(py, |state| {
        if state.ticket != ticket {
            return None;
        }
        let Stage::Parked { wait, .. } = &mut state.stage else { return None };
        if let (Wait::All { left, .. }, Outcome::Value(_)) = (&mut *wait, outcome) {
            *left -= 1;
            if *left > 0 {
                return None;
            }
        }
        state.ticket = state.ticket.wrapping_add(1);
        let Stage::Parked { stack, wait, priority } = std::mem::replace(&mut state.stage, Stage::Running)
        else {
            unreachable!("it was looked at")
        };
        Some((stack, wait, priority, state.cancel.take()))
    });
    let Some((stack, mut wait, priority, cancel)) = woken else { return false };
    let next = match (&mut wait, outcome) {
        (Wait::All { items, .. }, Outcome::Value(_)) => Next::Collect(std::mem::take(items)),
        _ => outcome.clone_ref(py).into_next(),
    };
    let next = after_cancel(py, &mut wait, next, cancel);
    seen(py, &wait);
    if let Wait::All { items, .. } | Wait::First(items) = &wait {
        items.iter().for_each(|item| item.lose(task));
    }
    own.state.with(py, |state| state.stage = Stage::Ready { stack, next, grant: None });
    run::push(own.run.bind(py), task, priority.unwrap_or(own.priority));
    true
}

/// Whoever waited sees how it ended.
fn seen(py: Python<'_>, wait: &Wait) {
    let look = |waitable: &Waitable| {
        waitable.look(py);
    };
    match wait {
        Wait::One(waitable) => look(waitable),
        Wait::All { items, .. } | Wait::First(items) => items.iter().for_each(look),
        Wait::Permit(_) | Wait::Awaited { .. } => {}
    }
}

/// What it goes on with where a cancel is on its way.
fn after_cancel(py: Python<'_>, wait: &mut Wait, next: Next, cancel: Option<Option<Py<PyAny>>>) -> Next {
    let asked = if let Wait::Awaited { asked, .. } = wait { asked.take() } else { None };
    let is_cancelled = |next: &Next| match next {
        Next::Throw(error) => names::is_cancelled_error(error.bind(py)).unwrap_or(false),
        _ => false,
    };
    let message = match (asked, cancel) {
        // It was too late for what was awaited: the task itself is cancelled.
        (_, Some(message)) => message,
        (Some(message), None) if is_cancelled(&next) => message,
        // What was awaited has refused, or has failed meanwhile.
        _ => return next,
    };
    let error = glue::cancelled(py, message.as_ref()).into_value(py);
    if let Next::Throw(lost) = &next {
        let _ = glue::call(py, "with_context", (&error, lost));
    }
    Next::Throw(error)
}

/// A permit for a task that waits for one with that ticket. `false` if it doesn't any more.
pub(super) fn granted(task: &Bound<'_, Task>, ticket: u32, semaphore: &Bound<'_, Semaphore>) -> bool {
    let py = task.py();
    let own = task.get();
    let waited = own.state.with(py, |state| {
        if state.ticket != ticket || !matches!(state.stage, Stage::Parked { .. }) {
            return None;
        }
        state.ticket = state.ticket.wrapping_add(1);
        let Stage::Parked { stack, wait, .. } = std::mem::replace(&mut state.stage, Stage::Running) else {
            unreachable!("it was looked at")
        };
        let grant = Some(semaphore.clone().unbind());
        state.stage = Stage::Ready { stack, next: Next::Value(py.None()), grant };
        Some(wait)
    });
    let Some(waited) = waited else { return false };
    drop(waited);
    run::push(own.run.bind(py), task, own.priority);
    true
}

/// Asks a task to stop, see the table above.
///
/// # Errors
/// What callbacks of `on_cancel`, or the `cancel` of what is awaited, have raised.
pub(super) fn request_cancel(task: &Bound<'_, Task>, message: Option<Py<PyAny>>) -> PyResult<()> {
    let py = task.py();
    let own = task.get();
    let awaited = own.state.with(py, |state| match &mut state.stage {
        Stage::Parked { wait: Wait::Awaited { object, asked, .. }, .. } => {
            *asked = Some(message.as_ref().map(|message| message.clone_ref(py)));
            Some(object.clone_ref(py))
        }
        _ => None,
    });
    if let Some(object) = awaited {
        let is_asked = foreign::cancel(object.bind(py), message.as_ref())?;
        if !is_asked {
            // It has ended, and the task will go on with the cancel.
            own.state.with(py, |state| state.cancel = Some(message));
        }
        return Ok(());
    }
    let stage = own.state.with(py, |state| match state.stage {
        Stage::Running => {
            state.cancel = Some(message.as_ref().map(|message| message.clone_ref(py)));
            Stage::Done
        }
        Stage::Done => Stage::Done,
        _ => {
            state.ticket = state.ticket.wrapping_add(1);
            std::mem::replace(&mut state.stage, Stage::Running)
        }
    });
    match stage {
        Stage::New { program, .. } => {
            close_unstarted(program.bind(py))?;
            Task::finish(task, Outcome::Error(glue::cancelled(py, message.as_ref()).into_value(py)));
            Ok(())
        }
        Stage::Ready { stack, next, grant } => {
            let error = glue::cancelled(py, message.as_ref()).into_value(py);
            if let Next::Throw(lost) = &next {
                let _ = glue::call(py, "with_context", (&error, lost));
            }
            // It's in the queue already.
            own.state.with(py, |state| {
                state.stage = Stage::Ready { stack, next: Next::Throw(error), grant: None }
            });
            grant.map_or(Ok(()), |semaphore| Semaphore::release(semaphore.bind(py)))
        }
        Stage::Parked { stack, wait, .. } => {
            let error = glue::cancelled(py, message.as_ref()).into_value(py);
            own.state.with(py, |state| {
                state.stage = Stage::Ready { stack, next: Next::Throw(error), grant: None }
            });
            run::push(own.run.bind(py), task, own.priority);
            forget(task, &wait)
        }
        Stage::Running | Stage::Done => Ok(()),
    }
}

/// What it waited for is told that it doesn't any more.
fn forget(task: &Bound<'_, Task>, wait: &Wait) -> PyResult<()> {
    match wait {
        Wait::One(waitable) => waitable.forget(task),
        Wait::All { items, .. } | Wait::First(items) => {
            let outcomes: Vec<_> = items.iter().map(|item| item.forget(task)).collect();
            outcomes.into_iter().collect()
        }
        Wait::Permit(semaphore) => {
            semaphore.get().forget(task);
            Ok(())
        }
        Wait::Awaited { future, .. } => Waitable::Future(future.clone_ref(task.py())).forget(task),
    }
}

/// Raises `error` where a task waits, or with what it would go on.
pub(super) fn throw(task: &Bound<'_, Task>, error: PyErr) {
    let py = task.py();
    let own = task.get();
    let stage = own.state.with(py, |state| match state.stage {
        Stage::Running | Stage::Done => Stage::Done,
        _ => {
            state.ticket = state.ticket.wrapping_add(1);
            std::mem::replace(&mut state.stage, Stage::Running)
        }
    });
    let next = Next::Throw(error.into_value(py));
    let (stack, waited, is_queued) = match stage {
        Stage::New { chain, .. } => (Stack::new(chain), None, true),
        Stage::Ready { stack, .. } => (stack, None, true),
        Stage::Parked { stack, wait, .. } => (stack, Some(wait), false),
        Stage::Running | Stage::Done => return,
    };
    own.state.with(py, |state| state.stage = Stage::Ready { stack, next, grant: None });
    if !is_queued {
        run::push(own.run.bind(py), task, own.priority);
    }
    if let Some(wait) = waited
        && let Err(error) = forget(task, &wait)
    {
        own.run.get().report(py, "a callback of on_cancel has failed", error);
    }
}

/// Ends a task without unwinding it.
///
/// # Errors
/// As [`request_cancel`].
pub(super) fn discard(task: &Bound<'_, Task>) -> PyResult<()> {
    let py = task.py();
    let own = task.get();
    let stage = own.state.with(py, |state| match state.stage {
        Stage::Running | Stage::Done => Stage::Done,
        _ => {
            state.ticket = state.ticket.wrapping_add(1);
            std::mem::replace(&mut state.stage, Stage::Running)
        }
    });
    let told = match &stage {
        Stage::New { program, .. } => close_unstarted(program.bind(py)),
        Stage::Ready { grant: Some(semaphore), .. } => Semaphore::release(semaphore.bind(py)),
        Stage::Parked { wait, .. } => {
            let asked = match wait {
                Wait::Awaited { object, .. } => foreign::cancel(object.bind(py), None).map(drop),
                _ => Ok(()),
            };
            forget(task, wait).and(asked)
        }
        Stage::Ready { .. } => Ok(()),
        Stage::Running | Stage::Done => return Ok(()),
    };
    drop(stage);
    Task::finish(task, Outcome::Error(glue::cancelled(py, None).into_value(py)));
    told
}

/// A coroutine that nobody will await is closed, so that it doesn't warn.
fn close_unstarted(program: &Bound<'_, PyAny>) -> PyResult<()> {
    match Kind::of(program) {
        Kind::Await => {
            coroutine::never_started(as_a::<super::effect::Await>(program).get().awaitable.bind(program.py()))
        }
        _ => Ok(()),
    }
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
