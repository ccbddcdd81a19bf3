//! Operations: what the methods of the [primitives](crate::primitives) give that are awaited, `queue.get()` for one.
//!
//! An operation is a coroutine in asyncio's eyes: it does nothing before it's awaited, is awaited once, and is made a
//! task by `create_task`, `gather`, `wait_for` and the like. asyncio's own are Python coroutines; these are objects of
//! one class that cost a part of one.
//!
//! ```text
//!          first send: begin()          has to wait
//!   New ───────────────────▶ Running ───────────────▶ Waiting, with a Pause ──┐
//!    │ close, dropped           │ done at once           ▲ │ send, throw       │ done
//!    ▼                          ▼                        └─┘ still waits       ▼
//!   Done                       Done                                          Done
//! ```
//!
//! - Nothing is taken before the first send, so an operation that nobody awaits (which warns, as a coroutine does) takes
//!   no item and no permit.
//! - One that needn't wait ends in its first send, without a turn of the event loop.
//! - One that has to wait yields its [`Pause`], which is like a future: the task that awaits adds its wake-up as a callback.
//!   What is waited for is polled at each send.
//! - What is thrown in, as by a task that's cancelled, ends it: what it was handed already goes on to the next who waits.
//!   Some have to finish something first (a condition takes its lock again): they yield again, and raise it then.
//!
//! [`object`] is an operation and its steps, [`memory`] where it lies, [`class`] what Python sees of it, [`method`] how a
//! primitive makes one, [`pause`] the waiting, [`alarm`] what
//! wakes it, and [`at_home`] what an event loop's home knows of all that.

mod alarm;
mod at_home;
mod class;
mod memory;
mod method;
mod object;
mod pause;
mod raising;

pub(crate) use alarm::Alarm;
pub(crate) use at_home::AtHome;
pub(crate) use class::prepare;
pub(crate) use method::{Arity, add_method};
pub(crate) use pause::Pause;

use pyo3::{PyClass, PyTraverseError, PyVisit, prelude::*, pyclass::boolean_struct::True};
use std::{
    ffi::CStr,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A method of a primitive that is awaited.
pub(crate) trait Operation: 'static {
    /// The class that it's a method of.
    type Owner: PyClass<Frozen = True> + Sync;
    /// What the method is called.
    const METHOD: &'static CStr;
    /// With its class: `Queue.get`.
    const NAME: &'static str;
    /// Its signature for `inspect`, two dashes, and its docstring.
    const DOC: &'static CStr;
    /// What it takes.
    const ARITY: Arity = Arity::Nothing;

    /// Does it, or begins to wait. What may wake others is done in a scope of [`turn`](crate::turn), and Python code is
    /// called through [`calling`](crate::calling).
    fn begin<'py>(
        owner: &Bound<'py, Self::Owner>,
        argument: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Begun<'py>>;
}

/// How an operation's first send went.
pub(crate) enum Begun<'py> {
    Done(Bound<'py, PyAny>),
    Waits(BoxedWait),
}

impl<'py> Begun<'py> {
    /// Done with `None`.
    pub(crate) fn none(py: Python<'py>) -> Self {
        Self::Done(py.None().into_bound(py))
    }

    /// Done with `True`.
    pub(crate) fn yes(py: Python<'py>) -> Self {
        Self::Done(yes(py))
    }

    /// Waits for a future of Rust's, with the GIL held while it's polled: one of a primitive, which takes no other lock
    /// than its own latch. What it gives is converted by `into`.
    pub(crate) fn waits<T: 'static>(
        future: impl Future<Output = T> + Send + 'static,
        into: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
    ) -> Self {
        Self::Waits(waiting_for(future, into))
    }
}

/// See [`Begun::waits`].
pub(crate) fn waiting_for<T: 'static>(
    future: impl Future<Output = T> + Send + 'static,
    into: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> BoxedWait {
    Box::pin(Converted { future, into })
}

pin_project_lite::pin_project! {
    struct Converted<F, T> {
        #[pin]
        future: F,
        into: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
    }
}

impl<F: Future<Output = T> + Send, T> Wait for Converted<F, T> {
    fn poll(self: Pin<&mut Self>, py: Python<'_>, cx: &mut Context<'_>) -> Poll<PyResult<Py<PyAny>>> {
        let this = self.project();
        this.future.poll(cx).map(|value| (this.into)(py, value))
    }
}

/// `True`.
pub(crate) fn yes(py: Python<'_>) -> Bound<'_, PyAny> {
    pyo3::types::PyBool::new(py, true).to_owned().into_any()
}

/// What an operation waits for. It's polled at home, with the GIL. Dropping it gives up: what it was handed already goes
/// on to the next who waits.
pub(crate) trait Wait: Send {
    fn poll(self: Pin<&mut Self>, py: Python<'_>, cx: &mut Context<'_>) -> Poll<PyResult<Py<PyAny>>>;

    /// Nobody wants what it waits for any more.
    fn give_up(self: Pin<&mut Self>) -> GivenUp {
        GivenUp::Ended
    }

    /// Shows the collector what it holds of Python's.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let _ = visit;
        Ok(())
    }
}

/// A wait of some kind, which doesn't move.
pub(crate) type BoxedWait = Pin<Box<dyn Wait>>;

/// What becomes of a wait whose end nobody wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// It's over, and to be dropped.
    Ended,
    /// It has something to finish, and is to be polled until it's ready.
    Finishing,
}

/// What comes of a step: what the coroutine yields, or what it returns.
pub(crate) enum Step<'py> {
    Yields(Bound<'py, PyAny>),
    Returns(Bound<'py, PyAny>),
}
