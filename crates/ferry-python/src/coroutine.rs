//! [`awaitable_to_future`] and [`start_awaitable`]: Rust awaits what Python can await.
//!
//! ```text
//!   any thread                          the loop's thread
//!   ──────────                          ─────────────────
//!   New ──letter: start────────────────▶ Running: a task of Python, or the future that was given
//!    PyFuture is polled ◀──promise────── Done: the result, the exception, or CancelledError
//!    PyFuture is dropped ──letter: stop─▶ the task is cancelled; a start that comes later does nothing
//! ```
//!
//! The [`PyFuture`] owns the call, and by it the Python task. Rust threads need no GIL for any of this: what
//! touches Python objects travels in letters. When the loop goes away the letter with the call's promise goes
//! with it, and the future ends with `CancelledError`.
//!
//! A coroutine becomes a task that runs it inside a [`Carried`], which sends its end back; the ends of one turn
//! of the loop travel together (see [`Home::reply`]), so that Rust is woken once for a burst. Tasks and futures
//! that were given tell their end by a done-callback, [`Finished`].

use crate::{
    call::{Call, Hold},
    calling,
    carried::{Carried, Pledge, Reply},
    context::current_context,
    coroutine_job::Stop,
    home::Home,
    inherit, names,
    tasks::Turn,
};
use asyncferry::{Failure, Future, Promise, State, TaskLocals, promise};
use pyo3::{PyErrArguments, exceptions::PyTypeError, intern, prelude::*};
use std::{
    borrow::Cow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A future for what `awaitable` gives, on the event loop of this thread. A coroutine becomes a task there,
/// with a copy of the caller's `contextvars`, and starts at the loop's next turn, awaited or not.
///
/// Dropping the future cancels the task. A task that is cancelled on Python's side gives `CancelledError`
/// with its message; other exceptions come as they were raised, with their tracebacks.
///
/// ```
/// use asyncferry_python::{Job, awaitable_to_future, future_to_awaitable, interpreter};
/// use pyo3::{ffi::c_str, prelude::*, types::IntoPyDict};
///
/// /// Awaits a coroutine in Rust, and gives Python what it gave.
/// #[pyfunction]
/// fn relay<'py>(py: Python<'py>, coroutine: Bound<'py, PyAny>) -> PyResult<Bound<'py, Job>> {
///     let result = awaitable_to_future(py, &coroutine)?;
///     future_to_awaitable(py, async { result.await })
/// }
///
/// fn main() -> PyResult<()> {
///     interpreter::ensure_started().expect("there is a Python");
///     Python::attach(|py| {
///         let globals = [("relay", wrap_pyfunction!(relay, py)?)].into_py_dict(py)?;
///         let program = c_str!("import asyncio\nasync def main():\n    assert await relay(asyncio.sleep(0, 42)) == 42\nasyncio.run(main())");
///         py.run(program, Some(&globals), None)
///     })
/// }
/// ```
///
/// # Errors
/// `TypeError` when `awaitable` can't be awaited, `RuntimeError` when no loop runs on this thread.
pub fn awaitable_to_future(py: Python<'_>, awaitable: &Bound<'_, PyAny>) -> PyResult<PyFuture> {
    if !names::is_awaitable(awaitable)? {
        return Err(not_awaitable(awaitable));
    }
    let home = Home::here(py)?;
    let context = match inherit::for_python(py, &TaskLocals::current())? {
        Some(context) => context,
        None => current_context(py)?,
    };
    Ok(start(&home, awaitable.clone().unbind(), Inherit::Context(context), Hold::Weakly))
}

/// As [`awaitable_to_future`] (see there for an example), from any thread, and without the GIL: the awaitable
/// is sent to the loop of `home`. What can't be awaited gives its `TypeError` through the future. The task begins with
/// the `contextvars` of the Python code that this Rust task descends from, if it's one that Python awaits, or was
/// spawned by such a one; otherwise with an empty context.
pub fn start_awaitable(home: &Arc<Home>, awaitable: Py<PyAny>) -> PyFuture {
    start(home, awaitable, Inherit::Locals(TaskLocals::current()), Hold::Weakly)
}

/// The result of something that Python awaits. See [`awaitable_to_future`].
///
/// # Cancel safety
/// Dropping it cancels what it waits for.
#[must_use = "dropping it cancels the Python task"]
pub struct PyFuture {
    reply: Future<Reply>,
    call: Arc<Call>,
    home: Arc<Home>,
    /// What the task is told when this is dropped.
    farewell: Cow<'static, str>,
}

impl std::future::Future for PyFuture {
    type Output = PyResult<Py<PyAny>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.reply.poll_settled(cx).is_pending() {
            self.call.is_for_rust();
            return Poll::Pending;
        }
        Poll::Ready(match self.reply.get() {
            Some(Ok(reply)) => reply.take().unwrap_or_else(|| Err(stopped("it gave its result before"))),
            Some(Err(Failure::Cancelled(text))) => Err(match self.call.take_request() {
                Some(Some(message)) => stopped((message,)),
                _ => stopped(text.as_deref().unwrap_or_default().to_owned()),
            }),
            _ => Err(stopped("the call was lost")),
        })
    }
}

impl PyFuture {
    /// The same, with other last words.
    pub(crate) fn saying(mut self, farewell: impl Into<Cow<'static, str>>) -> Self {
        self.farewell = farewell.into();
        self
    }

    /// The same, for a future of Rust that is about to wait for it.
    pub(crate) fn for_rust(self) -> Self {
        self.call.is_for_rust();
        self
    }

    pub(crate) fn reply(&self) -> &Future<Reply> {
        &self.reply
    }

    /// With which words it was cancelled, if it has ended so.
    pub(crate) fn was_cancelled(&self) -> Option<String> {
        match self.reply.get()? {
            Ok(reply) => reply.was_cancelled().map(str::to_owned),
            Err(Failure::Cancelled(message)) => Some(message.as_deref().unwrap_or_default().to_owned()),
            _ => None,
        }
    }

    pub(crate) fn call(&self) -> &Arc<Call> {
        &self.call
    }

    /// How to ask the Python side to stop.
    pub(crate) fn stop(&self) -> Stop {
        Stop { call: self.call.clone(), home: self.home.clone(), reply: self.reply.clone() }
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(crate) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.reply.poll_settled(cx)
    }
}

impl Drop for PyFuture {
    fn drop(&mut self) {
        if self.reply.state() != State::Pending {
            return;
        }
        // Changed here and now, so that a start which is still in the mail does nothing.
        let farewell = std::mem::take(&mut self.farewell);
        if let Some(task) = self.call.give_up(farewell.clone()) {
            // A loop that is gone took its tasks with it.
            self.home.run(move |py, _| task.cancel(py, &farewell));
        }
    }
}

/// What the context of a coroutine's task is made of.
pub(crate) enum Inherit {
    Context(Py<PyAny>),
    /// A copy of the one that these carry.
    Locals(TaskLocals),
}

pub(crate) fn start(home: &Arc<Home>, awaitable: Py<PyAny>, inherit: Inherit, hold: Hold) -> PyFuture {
    let (promise, reply) = promise();
    let call = Call::new(hold);
    let starting = call.clone();
    home.run(move |py, home| {
        let awaitable = awaitable.into_bound(py);
        if starting.is_dropped() {
            return never_started(&awaitable);
        }
        let context = match inherit {
            Inherit::Context(context) => Some(context),
            Inherit::Locals(locals) => inherit::for_python(py, &locals)?,
        };
        begin(home, &starting, promise, &awaitable, context, Turn::This)
    });
    PyFuture { reply, call, home: home.clone(), farewell: FAREWELL.into() }
}

/// As [`start`], on the thread of `home`, whose loop runs: its first step is the loop's next turn, and its end is
/// known at once. For what Python waits for, on the same loop most likely.
pub(crate) fn start_here(
    home: &Arc<Home>,
    awaitable: &Bound<'_, PyAny>,
    context: Py<PyAny>,
) -> PyResult<PyFuture> {
    let (promise, reply) = promise();
    let call = Call::new(Hold::Strongly);
    begin(home, &call, promise, awaitable, Some(context), Turn::Next)?;
    Ok(PyFuture { reply, call, home: home.clone(), farewell: FAREWELL.into() })
}

const FAREWELL: &str = "the Rust future that awaited it was dropped";

/// Starts the Python side, at home. What fails here is the end of the call; a `KeyboardInterrupt` out of an
/// eager start propagates as well.
fn begin(
    home: &Arc<Home>,
    call: &Arc<Call>,
    promise: Promise<Reply>,
    awaitable: &Bound<'_, PyAny>,
    context: Option<Py<PyAny>>,
    turn: Turn,
) -> PyResult<()> {
    let py = awaitable.py();
    let Some(event_loop) = home.event_loop(py) else { return Ok(()) };
    let is_coroutine = names::is_coroutine(awaitable);
    let begun = if is_coroutine && home.tasks().are_asyncio() {
        let carried =
            Carried::new(awaitable.clone().unbind(), call.clone(), home.clone(), promise.clone(), turn);
        carry(home, &event_loop, carried, awaitable, context, turn)
            .and_then(|task| call.runs(&task).map(drop))
    } else {
        let pledge = Pledge::new(promise.clone(), home, call);
        let finished = Finished { call: call.clone(), home: home.clone(), pledge };
        let future = if is_coroutine {
            let name = awaitable.getattr(intern!(py, "__qualname__"))?;
            home.tasks().start(&event_loop, awaitable.clone(), name, context, turn)
        } else {
            future_of(&event_loop, awaitable)
        };
        future.and_then(|future| finished.follow(&future))
    };
    begun.or_else(|error| {
        let stops = names::stops_the_program(py, &error);
        let told = if stops { Err(error.clone_ref(py)) } else { Ok(()) };
        let _ = promise.complete(Reply::new(py, Err(error)));
        told
    })
}

/// A task that runs the coroutine `awaitable` inside `carried`.
fn carry<'py>(
    home: &Home,
    event_loop: &Bound<'py, PyAny>,
    carried: Carried,
    awaitable: &Bound<'py, PyAny>,
    context: Option<Py<PyAny>>,
    turn: Turn,
) -> PyResult<Bound<'py, PyAny>> {
    let py = awaitable.py();
    // Named by what it runs, which tells more than a number, and costs less to make.
    let name = awaitable.getattr(intern!(py, "__qualname__"))?;
    home.tasks().start(event_loop, Bound::new(py, carried)?.into_any(), name, context, turn)
}

/// The task or future that stands for `awaitable`.
fn future_of<'py>(
    event_loop: &Bound<'py, PyAny>,
    awaitable: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if names::is_awaitable(awaitable)? {
        names::ensure_future(awaitable, event_loop)
    } else {
        Err(not_awaitable(awaitable))
    }
}

pub(crate) fn never_started(awaitable: &Bound<'_, PyAny>) -> PyResult<()> {
    if names::is_coroutine(awaitable) {
        // Closed, it doesn't warn that it was never awaited.
        calling::call_method(awaitable, intern!(awaitable.py(), "close"), ())?;
    }
    Ok(())
}

fn not_awaitable(object: &Bound<'_, PyAny>) -> PyErr {
    let name = object.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("an object of type '{name}' can't be awaited; call it, if it's a function"))
}

/// A `CancelledError` made without the GIL.
fn stopped(arguments: impl PyErrArguments + 'static) -> PyErr {
    pyo3::import_exception!(asyncio, CancelledError);
    CancelledError::new_err(arguments)
}

/// The done-callback of a task or future that Rust awaits.
#[pyclass(frozen, module = "asyncferry", name = "_Finished")]
struct Finished {
    call: Arc<Call>,
    home: Arc<Home>,
    pledge: Pledge,
}

impl Finished {
    fn follow(self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        if self.call.runs(future)? {
            calling::call_method(future, intern!(py, "add_done_callback"), (Bound::new(py, self)?,))?;
        }
        Ok(())
    }
}

#[pymethods]
impl Finished {
    fn __call__(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = task.py();
        let result = calling::call_method(task, intern!(py, "result"), ()).map(Bound::unbind);
        self.home.reply(py, self.pledge.promise.clone(), Reply::new(py, self.call.ended(py, result)))
    }
}
