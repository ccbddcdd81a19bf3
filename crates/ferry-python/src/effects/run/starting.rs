//! How a run begins: in the loop that is there (`async_run`), or to its end on this thread (`run`).

use super::{GLANCE, Host, Limits, Phase, Run, ending::discard_all, mailbox::Inbox, ring, spawn, turn};
use crate::{
    context::current_context,
    effects::{
        foreign::{self, Awaited},
        future::Future,
        glue, program,
        ready::PRIORITY_NORMAL,
        task::{self, New, Task},
    },
    gil_cell::GilCell,
    home::{self, Home},
    job::Job,
    names,
};
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    prelude::*,
};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// A run whose program is `program`, and the future of its end.
fn make<'py>(
    host: Host,
    program: &Bound<'py, PyAny>,
    grace: f64,
    max_tasks: i64,
) -> PyResult<(Bound<'py, Run>, Bound<'py, Task>, Py<Future>)> {
    let py = program.py();
    if grace.is_nan() || grace < 0.0 {
        return Err(PyValueError::new_err(format!(
            "the grace is a number of seconds from 0 on, not {grace}"
        )));
    }
    let grace = Duration::try_from_secs_f64(grace).unwrap_or(Duration::MAX);
    let tasks = usize::try_from(max_tasks).ok().filter(|&tasks| tasks > 0).ok_or_else(|| {
        PyValueError::new_err(format!(
            "max_tasks is at least 1, as the program itself is a task, not {max_tasks}"
        ))
    })?;
    let run = Bound::new(py, Run { host, limits: Limits { grace, tasks }, state: GilCell::default() })?;
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
#[pyo3(signature = (program, grace, max_tasks))]
pub(in crate::effects) fn start<'py>(
    program: &Bound<'py, PyAny>,
    grace: f64,
    max_tasks: i64,
) -> PyResult<Bound<'py, Job>> {
    let py = program.py();
    program::expect("async_run() takes a program", program)?;
    let home = Home::here(py)?;
    let host = Host::Loop { home, thread: thread::current().id(), context: current_context(py)? };
    let (run, root, end) = make(host, program, grace, max_tasks)?;
    let watched = end.get().settling(py, |settle| settle.watched(py));
    ring(&run);
    let name = root.get().title(py);
    foreign::job(py, &name, Awaited::Run { root: root.unbind(), end }, watched)
}

/// What `awaits` says: a loop on a thread of its own.
#[pyclass(frozen, module = "asyncferry.effects", name = "ThreadLoop")]
pub(in crate::effects) struct ThreadLoop;

#[pymethods]
impl ThreadLoop {
    fn __repr__(&self) -> &'static str {
        "thread_loop()"
    }
}

/// For `run`: its programs await on an event loop that a thread in the background runs.
#[pyfunction]
pub(in crate::effects) fn thread_loop() -> ThreadLoop {
    ThreadLoop
}

/// Runs a program to its end on this thread, and gives its result or raises its error.
///
/// There is no event loop in it, and so Await is not answered, unless `awaits` is thread_loop(). Tasks that the program
/// leaves over are cancelled, and have `grace` seconds to end. There are `max_tasks` tasks at once at most.
#[pyfunction]
#[pyo3(signature = (program, *, awaits = None, grace = 5.0, max_tasks = 1_000_000))]
pub(in crate::effects) fn run(
    program: &Bound<'_, PyAny>,
    awaits: Option<&Bound<'_, PyAny>>,
    grace: f64,
    max_tasks: i64,
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
    let inbox = Arc::new(Inbox::here());
    let (run, _, end) = make(Host::Thread { inbox: inbox.clone(), awaits }, program, grace, max_tasks)?;
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
        home::sweep(py);
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
