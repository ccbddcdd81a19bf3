//! [`Run`]: a program, the tasks that it has spawned, and who has the next turn.
//!
//! # Where it runs
//!
//! | [`Host`] | by | a turn is | while all wait |
//! |---|---|---|---|
//! | `Loop` | `async_run` | a callback of the event loop | the loop does its other work |
//! | `Thread` | `run` | a round of the function `run` | the thread sleeps, and wakes for Ctrl-C too |
//!
//! A turn runs ready tasks, [`SLICE`] yields each, until none is ready or [`TURN`] is over. All of this happens with the
//! GIL, and on one thread; other threads complete promises and ring.
//!
//! # How it ends
//!
//! ```text
//!   Live ──the program has ended──▶ Closing ──no task is left──▶ Over: the outcome is told
//!                                     │ tasks that are left are cancelled, and unwind
//!                                     └─the grace is over, or they wait for each other──▶ discarded ──▶ Over
//! ```
//!
//! When no task is ready while it's Live, and nothing can come from outside, it's a deadlock, which is raised in the
//! program itself.

mod ending;
mod mailbox;
mod starting;

pub(super) use ending::ended;
pub(super) use mailbox::Mailbox;
pub(super) use starting::{ThreadLoop, run, start, thread_loop};

use super::{
    foreign,
    future::Future,
    glue,
    machine::{Machine, Pause},
    ready::Ready,
    task::{New, Task},
};
use crate::{calling, gil_cell::GilCell, home::Home, slots::Slots};
use mailbox::Inbox;
use pyo3::{PyTraverseError, PyVisit, exceptions::PyRuntimeError, intern, prelude::*};
use std::{
    sync::Arc,
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

/// So many yields of a task, and others have their turn.
const SLICE: u32 = 128;

/// So long a turn takes, unless a single step takes longer; then the loop has its own. What an Await waits for needs
/// three or four turns of the loop until the program knows.
const TURN: Duration = Duration::from_millis(1);

/// Every so many turns of a program that is busy, one takes longer than the 5 ms after which a thread of Python's that
/// waits for the GIL asks for it. A loop lets go of the GIL for a moment each time it looks at its descriptors, and that
/// begins those 5 ms anew: threads beside a busy program would wait for ever, signals and all.
const LONG_TURN: (u32, Duration) = (8, Duration::from_millis(6));

/// The time is looked at after so many yields.
const LOOK: u32 = 128;

/// A signal may come to another thread, and this one not wake for it.
const GLANCE: Duration = Duration::from_millis(100);

/// A run of a program.
#[pyclass(frozen, weakref, module = "asyncferry.effects", name = "_Run")]
pub(super) struct Run {
    host: Host,
    limits: Limits,
    state: GilCell<State>,
}

/// What a run may do.
struct Limits {
    /// How long what is left over may take to end.
    grace: Duration,
    /// How many tasks there may be at once.
    tasks: usize,
}

pub(super) enum Host {
    Loop { home: Arc<Home>, thread: ThreadId, context: Py<PyAny> },
    Thread { inbox: Arc<Inbox>, awaits: bool },
}

#[derive(Default)]
struct State {
    ready: Ready,
    tasks: Slots<Py<Task>>,
    count: usize,
    next_id: u64,
    /// How many things that tasks wait for may come from outside.
    outside: isize,
    is_turning: bool,
    is_scheduled: bool,
    /// How many turns in a row have ended as their time was over.
    busy_turns: u32,
    phase: Phase,
    root: Option<Py<Task>>,
    /// Settled when all is over.
    end: Option<Py<Future>>,
    /// A wish to stop (Ctrl-C) that came out of a task.
    stops: Option<PyErr>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Live,
    Closing {
        /// What was left over, in words.
        left: Vec<String>,
        /// When the grace is over, where no loop tells.
        until: Option<Instant>,
        _timer: Option<async_task::Task<()>>,
    },
    Over,
}

impl Run {
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn mailbox(&self) -> Mailbox {
        match &self.host {
            Host::Loop { home, .. } => Mailbox::Loop(home.clone()),
            Host::Thread { inbox, .. } => Mailbox::Thread(inbox.clone()),
        }
    }

    pub(super) fn is_at_home(&self) -> bool {
        let here = thread::current().id();
        match &self.host {
            Host::Loop { thread, .. } => *thread == here,
            Host::Thread { inbox, .. } => inbox.thread().id() == here,
        }
    }

    pub(super) fn next_id(&self, py: Python<'_>) -> u64 {
        self.state.with(py, |state| {
            state.next_id += 1;
            state.next_id - 1
        })
    }

    pub(super) fn has_ready(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| !state.ready.is_empty())
    }

    /// Tells an error that nobody waits for.
    pub(super) fn report(&self, py: Python<'_>, message: &str, error: PyErr) {
        let told = match &self.host {
            Host::Loop { home, .. } if !home.is_closed() => home.report(py, message, error),
            _ => glue::call(py, "report_lost", (message, error.into_value(py))).map(drop),
        };
        if let Err(error) = told {
            error.write_unraisable(py, None);
        }
    }

    /// The tasks that have not ended, in the order in which they were spawned.
    fn live(&self, py: Python<'_>) -> Vec<Py<Task>> {
        let mut live: Vec<_> =
            self.state.with(py, |state| state.tasks.iter().map(|task| task.clone_ref(py)).collect());
        live.retain(|task: &Py<Task>| !task.get().is_done(py));
        live.sort_by_key(|task| task.get().id());
        live
    }

    fn is_over(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| matches!(state.phase, Phase::Over))
    }
}

#[pymethods]
impl Run {
    /// A turn, as the loop calls it.
    fn __call__(slf: &Bound<'_, Self>) -> PyResult<()> {
        turn(slf)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.state.with(py, |state| format!("<a run of {} tasks>", state.count))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Host::Loop { context, .. } = &self.host {
            visit.call(context)?;
        }
        let traverse = |state: &mut State| {
            state.ready.iter().try_for_each(|task| visit.call(task))?;
            state.tasks.iter().try_for_each(|task| visit.call(task))?;
            if let Some(root) = &state.root {
                visit.call(root)?;
            }
            state.end.as_ref().map_or(Ok(()), |end| visit.call(end))
        };
        self.state.visit(traverse).unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        drop(self.state.visit(std::mem::take));
    }
}

/// A new task of `run`, which is ready.
pub(super) fn spawn<'py>(run: &Bound<'py, Run>, new: New<'py>) -> PyResult<Bound<'py, Task>> {
    let py = run.py();
    let limit = run.get().limits.tasks;
    if run.get().state.with(py, |state| state.count >= limit) {
        return Err(PyRuntimeError::new_err(format!(
            "there are {limit} tasks already, and no more may be spawned: wait for some of them, or set max_tasks"
        )));
    }
    let task = Task::new(run, run.get().next_id(py), new)?;
    let kept = task.clone().unbind();
    let slot = run.get().state.with(py, |state| {
        state.count += 1;
        state.tasks.keep(kept).unwrap_or(usize::MAX)
    });
    task.get().set_slot(py, slot);
    push(run, &task, task.get().priority);
    Ok(task)
}

/// `task` can go on.
pub(super) fn push(run: &Bound<'_, Run>, task: &Bound<'_, Task>, priority: i32) {
    let ready = task.clone().unbind();
    run.get().state.with(run.py(), |state| state.ready.push(priority, ready));
    ring(run);
}

/// So many more things may come from outside.
pub(super) fn count(run: &Bound<'_, Run>, change: isize) {
    run.get().state.with(run.py(), |state| state.outside += change);
    if change < 0 {
        // If that was the last one, it may be a deadlock now.
        ring(run);
    }
}

/// Has a turn made, unless one is on its way, or is being made.
fn ring(run: &Bound<'_, Run>) {
    let py = run.py();
    let own = run.get();
    let is_first = own.state.with(py, |state| {
        !state.is_turning
            && !matches!(state.phase, Phase::Over)
            && !std::mem::replace(&mut state.is_scheduled, true)
    });
    if !is_first {
        return;
    }
    match &own.host {
        Host::Loop { home, context, .. } if own.is_at_home() => {
            if let Some(event_loop) = home.event_loop(py)
                && let Err(error) = call_soon(&event_loop, run, context.bind(py))
            {
                own.report(py, "a program can't go on, as its event loop takes no callback", error);
            }
        }
        Host::Loop { home, .. } => {
            let run = run.clone().unbind();
            home.run(move |py, _| turn(run.bind(py)));
        }
        Host::Thread { inbox, .. } => inbox.thread().unpark(),
    }
}

fn call_soon(
    event_loop: &Bound<'_, PyAny>,
    run: &Bound<'_, Run>,
    context: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let call_soon = event_loop.getattr(intern!(run.py(), "call_soon"))?;
    calling::call(&call_soon, (run,), Some(&foreign::in_context(context)?)).map(drop)
}

/// Runs what is ready, for a while.
fn turn(run: &Bound<'_, Run>) -> PyResult<()> {
    let py = run.py();
    let state = &run.get().state;
    let (is_nested, busy_turns) = state.with(py, |state| {
        state.is_scheduled = false;
        (std::mem::replace(&mut state.is_turning, true), state.busy_turns)
    });
    if is_nested {
        return Ok(());
    }
    let (every, long) = LONG_TURN;
    let time = if busy_turns % every == every - 1 { long } else { TURN };
    let began = Instant::now();
    let mut is_busy = false;
    let mut spent = 0;
    while let Some(task) = state.with(py, |state| state.ready.pop()) {
        spent += work(run, task.bind(py));
        if state.with(py, |state| state.stops.is_some()) {
            break;
        }
        if spent >= LOOK {
            spent = 0;
            if began.elapsed() >= time {
                is_busy = true;
                break;
            }
        }
    }
    state.with(py, |state| {
        state.is_turning = false;
        state.busy_turns = if is_busy { state.busy_turns.wrapping_add(1) } else { 0 };
    });
    ending::rest(run);
    match state.with(py, |state| state.stops.take()) {
        Some(stops) if matches!(run.get().host, Host::Loop { .. }) => Err(stops),
        _ => Ok(()),
    }
}

/// Runs a task until it waits, ends, or has had its slice. Gives how many yields that took, and at least one.
fn work(run: &Bound<'_, Run>, task: &Bound<'_, Task>) -> u32 {
    let py = run.py();
    let Some((mut stack, mut next)) = task.get().begin(py) else { return 1 };
    let mut budget = SLICE;
    loop {
        let pause = Machine { run, task, stack: &mut stack }.go(next, &mut budget);
        match pause {
            Pause::Done(outcome) => {
                drop(stack);
                Task::finish(task, outcome);
                break;
            }
            Pause::Turn(next) => {
                task.get().pause(py, stack, next);
                push(run, task, task.get().priority);
                break;
            }
            Pause::Waits(mut wait, priority) => match wait.register(task) {
                Some(ready) => next = ready,
                None => {
                    if let Err(error) = Task::park(task, stack, wait, priority) {
                        run.get().report(py, "a callback of on_cancel has failed", error);
                    }
                    break;
                }
            },
        }
    }
    SLICE - budget + 1
}
