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

use super::{
    foreign::{self, Awaited},
    future::Future,
    glue,
    machine::{Machine, Pause},
    program,
    ready::{PRIORITY_NORMAL, Ready},
    task::{self, New, Task},
    waitable::Outcome,
};
use crate::{
    calling, context::current_context, gil_cell::GilCell, home::Home, job::Job, names, slots::Slots, timer,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    intern,
    prelude::*,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{self, Thread, ThreadId},
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
const LOOK: u32 = 512;

/// A signal may come to another thread, and this one not wake for it.
const GLANCE: Duration = Duration::from_millis(100);

/// A run of a program.
#[pyclass(frozen, weakref, module = "asyncferry.effects", name = "_Run")]
pub(super) struct Run {
    host: Host,
    grace: Duration,
    state: GilCell<State>,
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

/// Where other threads send what is to be done in a run.
#[derive(Clone)]
pub(super) enum Mailbox {
    Loop(Arc<Home>),
    Thread(Arc<Inbox>),
}

type Errand = Box<dyn FnOnce(Python<'_>) -> PyResult<()> + Send>;

/// The mailbox of a thread without a loop.
pub(super) struct Inbox {
    thread: Thread,
    errands: Mutex<Vec<Errand>>,
}

impl Mailbox {
    /// Has `errand` done on the run's thread. Works without the GIL. When the loop is gone, it's dropped.
    pub(super) fn post(&self, errand: impl FnOnce(Python<'_>) -> PyResult<()> + Send + 'static) {
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
    fn take(&self) -> Vec<Errand> {
        std::mem::take(&mut *self.errands.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_empty(&self) -> bool {
        self.errands.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
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
            Host::Thread { inbox, .. } => inbox.thread.id() == here,
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
        Host::Thread { inbox, .. } => inbox.thread.unpark(),
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
    rest(run);
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

/// Nothing is ready, for now: looks whether it's all over, or a deadlock.
fn rest(run: &Bound<'_, Run>) {
    let py = run.py();
    let own = run.get();
    let (is_ready, outside, is_closing) = own.state.with(py, |state| {
        (!state.ready.is_empty(), state.outside, matches!(state.phase, Phase::Closing { .. }))
    });
    if is_ready {
        return ring(run);
    }
    if is_closing {
        if own.state.with(py, |state| state.count) == 0 {
            over(run, Vec::new());
        } else if outside == 0 {
            discard_all(run);
        }
    } else if outside == 0 && !own.is_over(py) {
        deadlock(run);
    }
}

/// Every task waits for another.
fn deadlock(run: &Bound<'_, Run>) {
    let py = run.py();
    let Some(root) = run.get().state.with(py, |state| state.root.as_ref().map(|root| root.clone_ref(py)))
    else {
        return;
    };
    let waits: Vec<_> = run.get().live(py).iter().take(20).map(|task| task.get().describe_wait(py)).collect();
    let error = glue::get(py, "SchedulerDeadlockError").and_then(|class| class.call1((waits,)));
    task::throw(root.bind(py), error.map_or_else(|error| error, PyErr::from_value));
}

/// `task` has ended.
pub(super) fn ended(run: &Bound<'_, Run>, task: &Bound<'_, Task>, slot: usize, outcome: &Outcome) {
    let py = run.py();
    let own = run.get();
    let (kept, root) = own.state.with(py, |state| {
        state.count -= 1;
        (state.tasks.release(slot), state.root.as_ref().map(|root| root.clone_ref(py)))
    });
    drop(kept);
    let Some(root) = root else { return };
    let error = match outcome {
        Outcome::Error(error) => Some(PyErr::from_value(error.bind(py).clone().into_any())),
        Outcome::Value(_) => None,
    };
    let stops = error.filter(|error| names::stops_the_program(py, error));
    if root.is(task) {
        close(run);
    } else if let Some(error) = &stops {
        // It's a wish of the whole program.
        task.get().settling(py, |settle| settle.is_retrieved = true);
        task::throw(root.bind(py), error.clone_ref(py));
    }
    if let Some(error) = stops {
        own.state.with(py, |state| state.stops = Some(error));
    }
}

/// The run's own program has ended: what it left over is cancelled.
fn close(run: &Bound<'_, Run>) {
    let py = run.py();
    let own = run.get();
    let live = own.live(py);
    let left = live.iter().filter(|task| !task.get().is_daemon);
    let left: Vec<_> = left.map(|task| task.get().describe_wait(py)).collect();
    let until = Instant::now().checked_add(own.grace);
    let timer = if live.is_empty() { None } else { grace(run) };
    own.state.with(py, |state| state.phase = Phase::Closing { left, until, _timer: timer });
    for task in live {
        if let Err(error) = task::request_cancel(task.bind(py), None) {
            own.report(py, "a task that was left over can't be cancelled", error);
        }
    }
    ring(run);
}

/// Has the loop say when the grace is over.
fn grace(run: &Bound<'_, Run>) -> Option<async_task::Task<()>> {
    let py = run.py();
    let own = run.get();
    let Host::Loop { home, .. } = &own.host else { return None };
    let (home, run) = (home.clone(), run.clone().unbind());
    let ring = move || {
        home.run(move |py, _| {
            discard_all(run.bind(py));
            Ok(())
        });
    };
    timer::start(py, Some(own.grace.as_secs_f64()), ring).ok().flatten()
}

/// What has not ended in its time is dropped.
fn discard_all(run: &Bound<'_, Run>) {
    let py = run.py();
    let own = run.get();
    if !own.state.with(py, |state| matches!(state.phase, Phase::Closing { .. })) {
        return;
    }
    let live = own.live(py);
    let killed: Vec<_> = live.iter().map(|task| task.get().describe_wait(py)).collect();
    for task in live {
        if let Err(error) = task::discard(task.bind(py)) {
            own.report(py, "a task that was left over can't be discarded", error);
        }
    }
    over(run, killed);
}

/// All is over: tells the outcome.
fn over(run: &Bound<'_, Run>, killed: Vec<String>) {
    let py = run.py();
    let (phase, root, end) = run.get().state.with(py, |state| {
        let phase = std::mem::replace(&mut state.phase, Phase::Over);
        (phase, state.root.take(), state.end.take())
    });
    let (Some(root), Some(end)) = (root, end) else { return };
    if let Phase::Closing { left, .. } = phase
        && !(left.is_empty() && killed.is_empty())
        && let Err(error) = glue::call(py, "warn_left_over", (root.get().describe(py), left, killed))
    {
        error.write_unraisable(py, None);
    }
    if let Some(outcome) = root.get().settling(py, |settle| settle.look(py)) {
        let _ = end.get().settle(py, outcome);
    }
}

/// A run whose program is `program`, and the future of its end.
fn make<'py>(
    host: Host,
    program: &Bound<'py, PyAny>,
    grace: f64,
) -> PyResult<(Bound<'py, Run>, Bound<'py, Task>, Py<Future>)> {
    let py = program.py();
    if grace.is_nan() || grace < 0.0 {
        return Err(PyValueError::new_err(format!(
            "the grace is a number of seconds from 0 on, not {grace}"
        )));
    }
    let grace = Duration::try_from_secs_f64(grace).unwrap_or(Duration::MAX);
    let run = Bound::new(py, Run { host, grace, state: GilCell::default() })?;
    let new = New {
        program: program.clone(),
        chain: None,
        name: None,
        spawned: None,
        priority: PRIORITY_NORMAL,
        is_daemon: false,
    };
    // The turn of the first ready task is made later in any case.
    run.get().state.with(py, |state| state.is_turning = true);
    let root = spawn(&run, new)?;
    let end = Future::hidden(&run)?;
    let (kept, kept_end) = (root.clone().unbind(), end.clone_ref(py));
    run.get().state.with(py, |state| {
        state.root = Some(kept);
        state.end = Some(kept_end);
        state.is_turning = false;
    });
    Ok((run, root, end))
}

/// Starts a program in the loop that runs here. Awaiting what is given gives its result.
#[pyfunction]
#[pyo3(signature = (program, grace))]
pub(super) fn start<'py>(program: &Bound<'py, PyAny>, grace: f64) -> PyResult<Bound<'py, Job>> {
    let py = program.py();
    program::expect("async_run() takes a program", program)?;
    let home = Home::here(py)?;
    let host = Host::Loop { home, thread: thread::current().id(), context: current_context(py)? };
    let (run, root, end) = make(host, program, grace)?;
    let watched = end.get().settling(py, |settle| settle.watched(py));
    ring(&run);
    let name = root.get().title(py);
    foreign::job(py, &name, Awaited::Run { root: root.unbind(), end }, watched)
}

/// What `awaits` says: a loop on a thread of its own.
#[pyclass(frozen, module = "asyncferry.effects", name = "ThreadLoop")]
pub(super) struct ThreadLoop;

#[pymethods]
impl ThreadLoop {
    fn __repr__(&self) -> &'static str {
        "thread_loop()"
    }
}

/// For `run`: its programs await on an event loop that a thread in the background runs.
#[pyfunction]
pub(super) fn thread_loop() -> ThreadLoop {
    ThreadLoop
}

/// Runs a program to its end on this thread, and gives its result or raises its error.
///
/// There is no event loop in it, and so Await is not answered, unless `awaits` is thread_loop(). Tasks that the program
/// leaves over are cancelled, and have `grace` seconds to end.
#[pyfunction]
#[pyo3(signature = (program, *, awaits = None, grace = 5.0))]
pub(super) fn run(
    program: &Bound<'_, PyAny>,
    awaits: Option<&Bound<'_, PyAny>>,
    grace: f64,
) -> PyResult<Py<PyAny>> {
    let py = program.py();
    program::expect("run() takes a program", program)?;
    let awaits = match awaits.filter(|awaits| !awaits.is_none()) {
        None => false,
        Some(awaits) if awaits.is_instance_of::<ThreadLoop>() => true,
        Some(other) => {
            let class = glue::class_name(other);
            return Err(PyTypeError::new_err(format!("awaits is thread_loop() or None, not {class}")));
        }
    };
    let inbox = Arc::new(Inbox { thread: thread::current(), errands: Mutex::default() });
    let (run, _, end) = make(Host::Thread { inbox: inbox.clone(), awaits }, program, grace)?;
    loop {
        turn(&run)?;
        if let Some(outcome) = end.get().settling(py, |settle| settle.look(py)) {
            return outcome.into_result(py);
        }
        for errand in inbox.take() {
            if let Err(error) = errand(py) {
                run.get().report(py, "Exception in work that was sent to this run", error);
            }
        }
        let stops = sleep(&run, &inbox).err();
        if let Some(stops) = stops {
            interrupt(&run, stops);
        }
    }
}

/// Sleeps until something comes, if there is nothing to do.
fn sleep(run: &Bound<'_, Run>, inbox: &Inbox) -> PyResult<()> {
    let py = run.py();
    let (is_ready, until) = run.get().state.with(py, |state| {
        let until = if let Phase::Closing { until, .. } = &state.phase { *until } else { None };
        (!state.ready.is_empty() || state.is_scheduled || matches!(state.phase, Phase::Over), until)
    });
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    if left.is_some_and(|left| left.is_zero()) {
        discard_all(run);
        return Ok(());
    }
    if !is_ready && inbox.is_empty() {
        if names::running_loop(py)?.is_some() {
            return Err(PyRuntimeError::new_err(
                "run() has to wait, which would stop the event loop of this thread: use await async_run(program)",
            ));
        }
        py.detach(|| thread::park_timeout(left.map_or(GLANCE, |left| left.min(GLANCE))));
        // The loop that something waits for may have been closed.
        crate::home::sweep(py);
    }
    py.check_signals()
}

/// Raises an error in the program, where it stands; in one that is closing, what is left has no more time.
fn interrupt(run: &Bound<'_, Run>, error: PyErr) {
    let py = run.py();
    let root = run.get().state.with(py, |state| state.root.as_ref().map(|root| root.clone_ref(py)));
    match root {
        Some(root) if !root.get().is_done(py) => task::throw(root.bind(py), error),
        _ => discard_all(run),
    }
}
