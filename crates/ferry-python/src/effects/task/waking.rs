//! How a task that waits goes on: with the end of what it waited for, or with a permit.

use super::{Stage, Task, Wait};
use crate::{
    effects::{
        glue,
        machine::Next,
        run,
        semaphore::Semaphore,
        waitable::{Outcome, Waitable},
    },
    names,
};
use pyo3::prelude::*;

/// Something that a task waited for, with that ticket, has ended. Gives whether the task goes on for it.
pub(in crate::effects) fn woken(task: &Bound<'_, Task>, ticket: u32, outcome: &Outcome) -> bool {
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
pub(in crate::effects) fn granted(
    task: &Bound<'_, Task>,
    ticket: u32,
    semaphore: &Bound<'_, Semaphore>,
) -> bool {
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
