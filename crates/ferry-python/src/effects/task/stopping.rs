//! How a task is stopped: asked to cancel, thrown an error into, or discarded. See the table of [`task`](super).

use super::{Stage, Task, Wait};
use crate::{
    coroutine,
    effects::{
        effect::Await,
        foreign, glue,
        kind::{Kind, as_a},
        machine::Next,
        run,
        semaphore::Semaphore,
        stack::Stack,
        waitable::{Outcome, Waitable},
    },
};
use pyo3::prelude::*;

/// Asks a task to stop, see the table of [`task`](super).
///
/// # Errors
/// What callbacks of `on_cancel`, or the `cancel` of what is awaited, have raised.
pub(in crate::effects) fn request_cancel(task: &Bound<'_, Task>, message: Option<Py<PyAny>>) -> PyResult<()> {
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
pub(in crate::effects) fn throw(task: &Bound<'_, Task>, error: PyErr) {
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
pub(in crate::effects) fn discard(task: &Bound<'_, Task>) -> PyResult<()> {
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
        Kind::Await => coroutine::never_started(as_a::<Await>(program).get().awaitable.bind(program.py())),
        _ => Ok(()),
    }
}
