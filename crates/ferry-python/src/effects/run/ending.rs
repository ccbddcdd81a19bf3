//! How a run ends: deadlocks, the end of its own program, what is left over, and that it's all over.

use super::{Host, Phase, Run, ring};
use crate::{
    effects::{
        glue,
        task::{self, Task},
        waitable::Outcome,
    },
    names, timer,
};
use pyo3::prelude::*;
use std::time::Instant;

/// Nothing is ready, for now: looks whether it's all over, or a deadlock.
pub(super) fn rest(run: &Bound<'_, Run>) {
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
pub(in crate::effects) fn ended(
    run: &Bound<'_, Run>,
    task: &Bound<'_, Task>,
    slot: usize,
    outcome: &Outcome,
) {
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
    let until = Instant::now().checked_add(own.limits.grace);
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
    timer::start(py, Some(own.limits.grace.as_secs_f64()), ring).ok().flatten()
}

/// What has not ended in its time is dropped.
pub(super) fn discard_all(run: &Bound<'_, Run>) {
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
