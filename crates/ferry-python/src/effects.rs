//! Effect programs: generators that perform effects, run by a machine in Rust, on Python's event loops or without one.
//!
//! ```text
//!   @do function ──call──▶ program ──run, async_run──▶ Run ──turns──▶ Task ──Machine──▶ Stack of generators
//!                                                       ▲                                   │ yield effect
//!                                  promises, Jobs,      │ wakes                             ▼
//!                                  asyncio's tasks ─────┘                       handlers, innermost first, then the run
//! ```
//!
//! # Who owns what
//!
//! - A [`Run`](run) owns its tasks; a task owns its [`Stack`](stack) unless it runs, and then the turn has it. The loop, or
//!   what a task waits for, owns the run. All of it is guarded by the GIL, and shown to Python's collector.
//! - A [continuation](continuation::K) owns the part of a stack that was captured, and gives it back once.
//! - A spawned task has the handlers of its spawner as a [chain](chain) that all children share.
//!
//! # What is cancelled how
//!
//! A cancel is raised where a task waits, once, and the task unwinds through its own `except` and `finally`, with effects:
//! see [`task`]. What a program left over is cancelled at its end: see [`run`]. A continuation that its handler did not
//! use is unwound: see [`machine`].
//!
//! # Bounds
//!
//! Nothing here recurses: not evaluation, nor unwinding, nor [dropping](grave). A task has [a slice](run) of yields, and a
//! turn its time, after which others and the loop go on.
//!
//! The behaviour follows doeff 0.8.0 where that has one; `docs/effects.md` lists what differs.

mod attributes;
mod base;
mod chain;
mod continuation;
mod control;
mod effect;
mod foreign;
mod function;
mod future;
mod glue;
mod grave;
mod handler;
mod kind;
mod machine;
mod outcome;
mod program;
mod ready;
mod requests;
mod run;
mod semaphore;
mod stack;
mod task;
mod waitable;

use pyo3::prelude::*;

/// Exceptions, of the Python part.
const ERRORS: [&str; 7] = [
    "UnhandledEffect",
    "TaskCancelledError",
    "SchedulerDeadlockError",
    "MissingEnvKeyError",
    "ExternalPromiseCancelCallbackError",
    "ContinuationError",
    "ProgramAbandoned",
];

/// Adds the native part of `asyncferry.effects`, as a module in `module`.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let effects = PyModule::new(py, "_effects")?;
    kind::prepare(py);
    effects.add_class::<program::Program>()?;
    effects.add_class::<program::Call>()?;
    effects.add_class::<program::Pure>()?;
    effects.add_class::<program::Perform>()?;
    effects.add_class::<effect::EffectBase>()?;
    effects.add_class::<effect::Get>()?;
    effects.add_class::<effect::Put>()?;
    effects.add_class::<effect::Modify>()?;
    effects.add_class::<effect::Ask>()?;
    effects.add_class::<effect::Local>()?;
    effects.add_class::<effect::Tell>()?;
    effects.add_class::<effect::Listen>()?;
    effects.add_class::<effect::Try>()?;
    effects.add_class::<effect::Await>()?;
    effects.add_class::<requests::Spawn>()?;
    effects.add_class::<requests::Wait>()?;
    effects.add_class::<requests::Gather>()?;
    effects.add_class::<requests::Race>()?;
    effects.add_class::<requests::Cancel>()?;
    effects.add_class::<requests::Discard>()?;
    effects.add_class::<requests::CreatePromise>()?;
    effects.add_class::<requests::CompletePromise>()?;
    effects.add_class::<requests::FailPromise>()?;
    effects.add_class::<requests::CreateExternalPromise>()?;
    effects.add_class::<requests::CreateSemaphore>()?;
    effects.add_class::<requests::AcquireSemaphore>()?;
    effects.add_class::<requests::ReleaseSemaphore>()?;
    effects.add_class::<control::Resume>()?;
    effects.add_class::<control::Transfer>()?;
    effects.add_class::<control::ResumeThrow>()?;
    effects.add_class::<control::TransferThrow>()?;
    effects.add_class::<control::Pass>()?;
    effects.add_class::<continuation::K>()?;
    effects.add_class::<outcome::Good>()?;
    effects.add_class::<outcome::Bad>()?;
    effects.add_class::<function::DoFunction>()?;
    effects.add_class::<handler::Installer>()?;
    effects.add_class::<task::Task>()?;
    effects.add_class::<future::Future>()?;
    effects.add_class::<future::Promise>()?;
    effects.add_class::<future::ExternalPromise>()?;
    effects.add_class::<semaphore::Semaphore>()?;
    effects.add_class::<run::ThreadLoop>()?;
    effects.add_function(wrap_pyfunction!(function::make_do, &effects)?)?;
    effects.add_function(wrap_pyfunction!(effect::writer_log, &effects)?)?;
    effects.add_function(wrap_pyfunction!(handler::handler, &effects)?)?;
    effects.add_function(wrap_pyfunction!(handler::state, &effects)?)?;
    effects.add_function(wrap_pyfunction!(handler::reader, &effects)?)?;
    effects.add_function(wrap_pyfunction!(handler::await_handler, &effects)?)?;
    effects.add_function(wrap_pyfunction!(handler::stacked_handlers, &effects)?)?;
    effects.add_function(wrap_pyfunction!(handler::with_handlers, &effects)?)?;
    effects.add_function(wrap_pyfunction!(run::run, &effects)?)?;
    effects.add_function(wrap_pyfunction!(run::start, &effects)?)?;
    effects.add_function(wrap_pyfunction!(run::thread_loop, &effects)?)?;
    effects.add("writer", handler::writer(py)?)?;
    for name in ERRORS {
        effects.add(name, glue::get(py, name)?)?;
    }
    for (name, priority) in [
        ("PRIORITY_IDLE", ready::PRIORITY_IDLE),
        ("PRIORITY_NORMAL", ready::PRIORITY_NORMAL),
        ("PRIORITY_HIGH", ready::PRIORITY_HIGH),
    ] {
        effects.add(name, priority)?;
    }
    module.add("_effects", effects)
}
