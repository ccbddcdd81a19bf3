//! [`Pause`]: an operation that waits, like a future in asyncio's eyes.
//!
//! It has what a task asks of a future that it waits for: `_asyncio_future_blocking`, `get_loop`,
//! `add_done_callback`, `result`, and `cancel`. Only the task that awaits the operation sees it. When that is over, the
//! home may keep it for another operation.
//!
//! | in | comes | then |
//! |---|---|---|
//! | waiting | the alarm | the callback runs, the task sends, what is waited for is polled |
//! | waiting | `cancel()` | the line is left at once; `result()` raises `CancelledError`, which the task throws into the operation |
//! | called, its turn not come | `cancel()` | `False`: the task throws it at its turn, and what was handed over goes on |
//! | finishing | `cancel()` | as in waiting, but it goes on to finish, and raises the last that was thrown |
//!
//! Under trio, which has no such futures, a coroutine of `glue_trio.py` parks the task, and the operation passes on what
//! that yields and is sent.

use super::{Alarm, BoxedWait, GivenUp, Step};
use crate::{
    callback::Callback, calling, context::current_context, gil_cell::GilCell, home::Home, names, trio, turn,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyRuntimeError},
    intern,
    prelude::*,
};
use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// An operation of a primitive that waits; what its coroutine yields to the event loop.
#[pyclass(frozen, weakref, module = "asyncferry", name = "_Pause")]
pub(crate) struct Pause {
    alarm: Arc<Alarm>,
    waker: Waker,
    inner: GilCell<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The operation's.
    name: &'static str,
    /// Gone when it's over, and while it's polled.
    wait: Option<BoxedWait>,
    callback: Option<Callback>,
    /// `cancel(message)` was called, and what it raises has not been thrown in yet.
    cancelled: Option<Option<Py<PyAny>>>,
    /// What was thrown in, to be raised when all is finished.
    thrown: Option<PyErr>,
    /// The coroutine that parks the task in a trio run.
    parking: Option<Py<PyAny>>,
}

/// What a coroutine is resumed with.
pub(super) enum Input<'py> {
    Send(Bound<'py, PyAny>),
    Throw(PyErr),
}

/// How a first poll ended.
pub(super) enum Started<'py> {
    Done(PyResult<Py<PyAny>>),
    Pauses(Bound<'py, Pause>, Bound<'py, PyAny>),
}

impl Pause {
    /// Polls `wait` for the first time.
    pub(super) fn start<'py>(
        py: Python<'py>,
        name: &'static str,
        mut wait: BoxedWait,
    ) -> PyResult<Started<'py>> {
        let home = Home::here(py)?;
        let pause = match home.operations().spare(py) {
            Some(pause) => pause,
            None => Self::new(py, home)?,
        };
        let this = pause.get();
        this.alarm.set();
        if let Poll::Ready(ended) = wait.as_mut().poll(py, &mut Context::from_waker(&this.waker)) {
            return Ok(Started::Done(ended));
        }
        this.inner.with(py, |inner| {
            inner.name = name;
            inner.wait = Some(wait);
        });
        let yielded = this.yielded(&pause)?;
        Ok(Started::Pauses(pause, yielded))
    }

    fn new(py: Python<'_>, home: Arc<Home>) -> PyResult<Bound<'_, Self>> {
        let alarm = Arc::new(Alarm::new(home));
        // Its own reference to the alarm is this waker's.
        let waker = Waker::from(alarm.clone());
        Bound::new(py, Self { alarm, waker, inner: GilCell::default() })
    }

    /// Goes on, with what its coroutine was sent, or with what was thrown into it.
    pub(super) fn resume<'py>(slf: &Bound<'py, Self>, input: Input<'py>) -> PyResult<Step<'py>> {
        let (py, this) = (slf.py(), slf.get());
        let input = match this.inner.with(py, |inner| inner.parking.take()) {
            None => input,
            Some(parking) => match unpark(parking.bind(py), input) {
                Ok(calling::Step::Waits(yielded)) => {
                    this.inner.with(py, |inner| inner.parking = Some(parking));
                    return Ok(Step::Yields(yielded));
                }
                Ok(calling::Step::Returned(none)) => Input::Send(none),
                Err(error) => Input::Throw(error),
            },
        };
        if matches!(input, Input::Send(_)) && !this.alarm.rang() && this.has_callback(py) {
            // The task that waits has not been woken, so this is another one.
            return Err(PyRuntimeError::new_err("coroutine is being awaited already"));
        }
        let (wait, cancelled, callback) =
            this.inner.with(py, |inner| (inner.wait.take(), inner.cancelled.take(), inner.callback.take()));
        if callback.is_some() {
            // It was to be called for what comes now.
            drop((callback, this.alarm.release(py)));
        }
        match (input, wait) {
            (Input::Send(_), Some(wait)) => this.poll(slf, wait),
            // It was cancelled, and whoever drives the coroutine didn't throw that in.
            (Input::Send(_), None) => Err(names::cancelled_error(py, cancelled.flatten())),
            (Input::Throw(error), None) => Err(error),
            (Input::Throw(error), Some(mut wait)) => match wait.as_mut().give_up() {
                GivenUp::Ended => {
                    drop(wait);
                    Err(error)
                }
                GivenUp::Finishing => {
                    let earlier = this.inner.with(py, |inner| inner.thrown.replace(error));
                    drop(earlier);
                    this.poll(slf, wait)
                }
            },
        }
    }

    /// Gives up for good, without a wait.
    pub(super) fn end(&self, py: Python<'_>) {
        let ended = self.inner.with(py, std::mem::take);
        drop((ended, self.alarm.release(py)));
    }

    pub(super) fn take_callback(&self, py: Python<'_>) -> Option<Callback> {
        self.inner.with(py, |inner| inner.callback.take())
    }

    fn has_callback(&self, py: Python<'_>) -> bool {
        self.inner.with(py, |inner| inner.callback.is_some())
    }

    /// Whether nothing is left in it.
    pub(super) fn is_over(&self, py: Python<'_>) -> bool {
        self.inner.with(py, |inner| {
            inner.wait.is_none()
                && inner.callback.is_none()
                && inner.cancelled.is_none()
                && inner.thrown.is_none()
                && inner.parking.is_none()
        })
    }

    fn poll<'py>(&self, slf: &Bound<'py, Self>, mut wait: BoxedWait) -> PyResult<Step<'py>> {
        let py = slf.py();
        self.alarm.set();
        let polled = wait.as_mut().poll(py, &mut Context::from_waker(&self.waker));
        let Poll::Ready(ended) = polled else {
            self.inner.with(py, |inner| inner.wait = Some(wait));
            return self.yielded(slf).map(Step::Yields);
        };
        drop(wait);
        let thrown = self.inner.with(py, |inner| inner.thrown.take());
        match (ended, thrown) {
            (Ok(_), Some(thrown)) => Err(thrown),
            (Ok(value), None) => Ok(Step::Returns(value.into_bound(py))),
            (Err(error), _) => Err(error),
        }
    }

    /// What the coroutine yields: itself, or what trio's runner has to see.
    fn yielded<'py>(&self, slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if self.alarm.home().tasks().are_asyncio() {
            return Ok(slf.clone().into_any());
        }
        let py = slf.py();
        let is_finishing = self.inner.with(py, |inner| inner.thrown.is_some());
        let park = if is_finishing { trio::Park::Shielded } else { trio::Park::Open };
        let parking = trio::parking(slf.as_any(), park)?;
        match calling::send(&parking, py.None().bind(py))? {
            calling::Step::Waits(yielded) => {
                self.inner.with(py, |inner| inner.parking = Some(parking.unbind()));
                Ok(yielded)
            }
            calling::Step::Returned(_) => Err(PyRuntimeError::new_err("trio's task was not parked")),
        }
    }
}

/// Passes on to what parks a trio task.
fn unpark<'py>(parking: &Bound<'py, PyAny>, input: Input<'py>) -> PyResult<calling::Step<'py>> {
    match input {
        Input::Send(value) => calling::send(parking, &value),
        Input::Throw(error) => {
            let throw = intern!(parking.py(), "throw");
            let yielded = calling::call_method(parking, throw, (error.into_value(parking.py()),));
            yielded.map(calling::Step::Waits)
        }
    }
}

#[pymethods]
impl Pause {
    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        true
    }

    #[setter(_asyncio_future_blocking)]
    fn set_asyncio_future_blocking(&self, value: bool) {
        let _ = value;
    }

    fn get_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = self.alarm.home().event_loop(py);
        event_loop.ok_or_else(|| PyRuntimeError::new_err("the event loop of this operation is gone"))
    }

    #[pyo3(signature = (callback, /, *, context = None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let context = context.map_or_else(|| current_context(py), Ok)?;
        let callback = Callback { function: callback, context, home: this.alarm.home().clone() };
        if this.alarm.rang() {
            return callback.call_soon(slf);
        }
        if this.has_callback(py) {
            return Err(PyRuntimeError::new_err("only the task that awaits an operation waits for it"));
        }
        this.inner.with(py, |inner| inner.callback = Some(callback));
        this.alarm.hold(slf);
        Ok(())
    }

    #[pyo3(signature = (callback, /))]
    fn remove_done_callback(&self, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = callback.py();
        let Some(known) = self.take_callback(py) else { return Ok(0) };
        if callback.eq(known.function.bind(py))? {
            drop((known, self.alarm.release(py)));
            return Ok(1);
        }
        self.inner.with(py, |inner| inner.callback = Some(known));
        Ok(0)
    }

    /// Leaves the line, and has the task woken; says whether that came before it was called.
    #[pyo3(signature = (msg = None))]
    fn cancel(&self, py: Python<'_>, msg: Option<Py<PyAny>>) -> bool {
        if self.alarm.rang() {
            return false;
        }
        let (earlier, wait) = self.inner.with(py, |inner| (inner.cancelled.replace(msg), inner.wait.take()));
        let finishing = wait.and_then(|mut wait| match wait.as_mut().give_up() {
            GivenUp::Ended => None,
            GivenUp::Finishing => Some(wait),
        });
        self.inner.with(py, |inner| inner.wait = finishing);
        turn::attached(py, || self.waker.wake_by_ref());
        drop(earlier);
        true
    }

    fn cancelled(&self, py: Python<'_>) -> bool {
        self.inner.with(py, |inner| inner.cancelled.is_some())
    }

    fn done(&self) -> bool {
        self.alarm.rang()
    }

    /// Nothing, or the CancelledError that cancel() asked for. The operation's own result comes out of its coroutine.
    fn result(&self, py: Python<'_>) -> PyResult<()> {
        let cancelled = self.inner.with(py, |inner| {
            inner.cancelled.as_ref().map(|message| message.as_ref().map(|message| message.clone_ref(py)))
        });
        cancelled.map_or(Ok(()), |message| Err(names::cancelled_error(py, message)))
    }

    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyBaseException>>> {
        self.result(py).map(|()| None)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("<{} waits>", self.inner.with(py, |inner| inner.name))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While somebody has it, what they do is not visited, and so not collected this time.
        self.inner.visit(|inner| inner.traverse(&visit)).unwrap_or(Ok(()))
    }

    fn __clear__(&self) {
        let ended = self.inner.visit(std::mem::take);
        drop(ended);
    }
}

impl Inner {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.callback.as_ref().map_or(Ok(()), |callback| callback.traverse(visit))?;
        self.wait.as_ref().map_or(Ok(()), |wait| wait.traverse(visit))?;
        self.parking.as_ref().map_or(Ok(()), |parking| visit.call(parking))?;
        match &self.cancelled {
            Some(Some(message)) => visit.call(message),
            _ => Ok(()),
        }
    }
}
