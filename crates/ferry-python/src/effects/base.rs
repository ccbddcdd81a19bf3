//! What a run answers itself, below all handlers: `Try`, `Local` and `Listen`, which run a program where they stand;
//! `Await`; and the scheduler's effects.

use super::{
    effect::{Await, Listen, Local, Try},
    foreign::{self, Begun},
    future::{ExternalPromise, Promise},
    glue,
    handler::{Handler, Whose},
    kind::{Kind, as_a},
    machine::{Flow, Machine, Next, Pause},
    requests::{
        AcquireSemaphore, Cancel, CompletePromise, CreateExternalPromise, CreateSemaphore, Discard,
        FailPromise, Gather, Race, ReleaseSemaphore, Spawn, Wait as WaitFor,
    },
    semaphore::Semaphore,
    stack::Frame,
    task::{self, New, Wait},
    waitable::{Outcome, Waitable},
};
use pyo3::{intern, prelude::*, types::PyList};

/// Who may await, where the run has no loop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    AsTheRunHasIt,
    /// `await_handler()` sends it to another thread.
    Elsewhere,
}

/// Answers an effect that no handler has taken.
pub(super) fn answer<'py>(
    machine: &mut Machine<'_, 'py>,
    effect: &Bound<'py, PyAny>,
    kind: Kind,
    awaits: Awaits,
) -> Flow<'py> {
    try_answer(machine, effect, kind, awaits).unwrap_or_else(Flow::throw)
}

fn try_answer<'py>(
    machine: &mut Machine<'_, 'py>,
    effect: &Bound<'py, PyAny>,
    kind: Kind,
    awaits: Awaits,
) -> PyResult<Flow<'py>> {
    match kind {
        Kind::Try | Kind::Local | Kind::Listen => Ok(in_place(machine, effect, kind)),
        Kind::Await => begin_await(machine, effect, awaits),
        Kind::Wait | Kind::Gather | Kind::Race => wait(machine, effect, kind, awaits),
        Kind::Spawn => spawn(machine, as_a::<Spawn>(effect).get(), effect.py()),
        Kind::Cancel | Kind::Discard => stop(machine, effect, kind),
        Kind::CreatePromise | Kind::CompletePromise | Kind::FailPromise | Kind::CreateExternalPromise => {
            promise(machine, effect, kind)
        }
        Kind::CreateSemaphore | Kind::AcquireSemaphore | Kind::ReleaseSemaphore => {
            permit(machine, effect, kind)
        }
        _ => Err(unhandled(machine, effect)),
    }
}

fn none(py: Python<'_>) -> Flow<'_> {
    Flow::Value(py.None().into_bound(py))
}

/// Runs a program where it stands.
fn in_place<'py>(machine: &mut Machine<'_, 'py>, effect: &Bound<'py, PyAny>, kind: Kind) -> Flow<'py> {
    let py = effect.py();
    let program = match kind {
        Kind::Local => {
            let local = as_a::<Local>(effect).get();
            machine.enter(Handler::Local(local.env.clone_ref(py)));
            &local.program
        }
        Kind::Listen => {
            let listen = as_a::<Listen>(effect).get();
            let collected = PyList::empty(py).unbind();
            let types = listen.types.clone_ref(py);
            machine.enter(Handler::Listen { types, collected, whose: Whose::Own });
            &listen.program
        }
        _ => {
            machine.stack.push(Frame::Try);
            &as_a::<Try>(effect).get().program
        }
    };
    Flow::Eval(program.get().bind(py).clone())
}

fn wait<'py>(
    machine: &Machine<'_, 'py>,
    effect: &Bound<'py, PyAny>,
    kind: Kind,
    awaits: Awaits,
) -> PyResult<Flow<'py>> {
    let py = effect.py();
    let (wait, priority) = match kind {
        Kind::Gather => {
            let items = waitables(machine, effect, as_a::<Gather>(effect).get().tasks.bind(py), awaits)?;
            (Wait::All { items, left: 0 }, None)
        }
        Kind::Race => (
            Wait::First(waitables(machine, effect, as_a::<Race>(effect).get().tasks.bind(py), awaits)?),
            None,
        ),
        _ => {
            let wait = as_a::<WaitFor>(effect).get();
            let object = wait.task.bind(py);
            refuse_unawaited(machine, effect, object, awaits)?;
            (Wait::One(Waitable::of(machine.run, object)?), wait.priority)
        }
    };
    Ok(Flow::pause(Pause::Waits(wait, priority)))
}

fn stop<'py>(machine: &Machine<'_, 'py>, effect: &Bound<'py, PyAny>, kind: Kind) -> PyResult<Flow<'py>> {
    let py = effect.py();
    if kind == Kind::Cancel {
        let cancel = as_a::<Cancel>(effect).get();
        let message = cancel.message.as_ref().map(|message| message.clone_ref(py));
        if cancel.task.is(machine.task) {
            return Err(glue::cancelled(py, message.as_ref()));
        }
        task::request_cancel(cancel.task.bind(py), message)?;
        return Ok(none(py));
    }
    let discarded = &as_a::<Discard>(effect).get().task;
    if discarded.is(machine.task) {
        let error = glue::cancelled(py, None).into_value(py);
        return Ok(Flow::pause(Pause::Done(Outcome::Error(error))));
    }
    task::discard(discarded.bind(py))?;
    Ok(none(py))
}

fn promise<'py>(machine: &Machine<'_, 'py>, effect: &Bound<'py, PyAny>, kind: Kind) -> PyResult<Flow<'py>> {
    let py = effect.py();
    Ok(match kind {
        Kind::CreatePromise => Flow::Value(Promise::new(machine.run)?.into_any()),
        Kind::CreateExternalPromise => {
            let deadline = as_a::<CreateExternalPromise>(effect).get().deadline;
            Flow::Value(ExternalPromise::new(machine.run, deadline)?.into_any())
        }
        Kind::FailPromise => {
            let fail = as_a::<FailPromise>(effect).get();
            settle(&fail.promise, py, Outcome::Error(fail.error.clone_ref(py)))?;
            none(py)
        }
        _ => {
            let complete = as_a::<CompletePromise>(effect).get();
            let has_woken = settle(&complete.promise, py, Outcome::Value(complete.value.clone_ref(py)))?;
            if has_woken && complete.yield_to_woken {
                Flow::pause(Pause::Turn(Next::Value(py.None())))
            } else {
                none(py)
            }
        }
    })
}

fn permit<'py>(machine: &Machine<'_, 'py>, effect: &Bound<'py, PyAny>, kind: Kind) -> PyResult<Flow<'py>> {
    let py = effect.py();
    Ok(match kind {
        Kind::CreateSemaphore => {
            let permits = as_a::<CreateSemaphore>(effect).get().permits;
            Flow::Value(Semaphore::new(machine.run, permits)?.into_any())
        }
        Kind::ReleaseSemaphore => {
            Semaphore::release(as_a::<ReleaseSemaphore>(effect).get().semaphore.bind(py))?;
            none(py)
        }
        _ => {
            let semaphore = &as_a::<AcquireSemaphore>(effect).get().semaphore;
            if semaphore.get().try_acquire(machine.run)? {
                none(py)
            } else {
                Flow::pause(Pause::Waits(Wait::Permit(semaphore.clone_ref(py)), None))
            }
        }
    })
}

/// Starts what is awaited. It's here that most coroutines end.
fn begin_await<'py>(
    machine: &mut Machine<'_, 'py>,
    effect: &Bound<'py, PyAny>,
    awaits: Awaits,
) -> PyResult<Flow<'py>> {
    let py = effect.py();
    let run = machine.run;
    let awaitable = as_a::<Await>(effect).get().awaitable.bind(py);
    refuse_unawaited(machine, effect, awaitable, awaits)?;
    Ok(match foreign::begin(run, awaitable)? {
        Begun::Own(waitable) => Flow::pause(Pause::Waits(Wait::One(waitable), None)),
        Begun::Waits { object, future } => {
            Flow::pause(Pause::Waits(Wait::Awaited { object, future, asked: None }, None))
        }
        // Others have a turn, as they would have had if it had waited.
        Begun::Ended(outcome) if run.get().has_ready(py) => Flow::pause(Pause::Turn(outcome.into_next())),
        Begun::Ended(Outcome::Value(value)) => Flow::Value(value.into_bound(py)),
        Begun::Ended(error) => Flow::from(error.into_result(py).map(|value| value.into_bound(py))),
    })
}

/// A run without a loop awaits nothing, unless it was told how.
fn refuse_unawaited(
    machine: &Machine<'_, '_>,
    effect: &Bound<'_, PyAny>,
    object: &Bound<'_, PyAny>,
    awaits: Awaits,
) -> PyResult<()> {
    if awaits == Awaits::Elsewhere || foreign::can_follow(machine.run, object)? {
        return Ok(());
    }
    crate::coroutine::never_started(object)?;
    Err(unhandled(machine, effect))
}

fn unhandled(machine: &Machine<'_, '_>, effect: &Bound<'_, PyAny>) -> PyErr {
    let py = effect.py();
    let frames = machine.stack.segments.iter().rev().flat_map(|segment| segment.frames.iter().rev());
    let generator = frames.into_iter().find_map(|frame| match frame {
        Frame::Generator(generator) | Frame::Handling { generator, .. } => Some(generator.bind(py)),
        _ => None,
    });
    let place =
        generator.map_or_else(|| machine.task.get().describe(py), |generator| glue::place_of(generator));
    glue::error(py, "unhandled", (effect, place))
}

fn waitables<'py>(
    machine: &Machine<'_, 'py>,
    effect: &Bound<'py, PyAny>,
    objects: &Bound<'py, pyo3::types::PyTuple>,
    awaits: Awaits,
) -> PyResult<Vec<Waitable>> {
    let mut items = Vec::with_capacity(objects.len());
    for object in objects.iter() {
        refuse_unawaited(machine, effect, &object, awaits)?;
        items.push(Waitable::of(machine.run, &object)?);
    }
    Ok(items)
}

fn spawn<'py>(machine: &mut Machine<'_, 'py>, spawn: &Spawn, py: Python<'py>) -> PyResult<Flow<'py>> {
    let chain = machine.stack.chain(py)?;
    let new = New {
        program: spawn.program.get().bind(py).clone(),
        chain: super::chain::for_child(py, chain)?,
        name: spawn.name.as_ref().map(|name| name.clone_ref(py)),
        spawned: spawn_place(machine, py)?,
        priority: spawn.priority,
        is_daemon: spawn.daemon,
    };
    Ok(Flow::Value(super::run::spawn(machine.run, new)?.into_any()))
}

/// The code that spawns, and how far it is. Put into words only when it's asked for.
fn spawn_place(machine: &Machine<'_, '_>, py: Python<'_>) -> PyResult<Option<(Py<PyAny>, u32)>> {
    let top = machine.stack.segments.last().and_then(|segment| segment.frames.last());
    let Some(Frame::Generator(generator) | Frame::Handling { generator, .. }) = top else { return Ok(None) };
    let generator = generator.bind(py);
    let code = generator.getattr(intern!(py, "gi_code"))?;
    let frame = generator.getattr(intern!(py, "gi_frame"))?;
    Ok(Some((code.unbind(), frame.getattr(intern!(py, "f_lasti"))?.extract()?)))
}

fn settle(promise: &Py<Promise>, py: Python<'_>, outcome: Outcome) -> PyResult<bool> {
    let settled = promise.get().future.get().settle(py, outcome);
    settled.ok_or_else(|| crate::names::invalid_state(py, "the promise was completed or failed before"))
}
