//! [`Pause`]: an operation that waits, like a future in asyncio's eyes.
//!
//! It has what a task asks of a future that it waits for: `_asyncio_future_blocking`, `get_loop`,
//! `add_done_callback`, `result`, and `cancel`. Only the task that awaits the operation sees it.
//!
//! | in | comes | then |
//! |---|---|---|
//! | waiting | the alarm | the callback runs, the task sends, what is waited for is polled |
//! | waiting | `cancel()` | the line is left at once; `result()` raises `CancelledError`, which the task throws into the operation |
//! | called, its turn not come | `cancel()` | `False`: the task throws it at its turn, and what was handed over goes on |
//! | finishing | `cancel()` | as above; it goes on to finish, and raises the last that was thrown |
//!
//! Under trio, which has no such futures, a coroutine of `glue_trio.py` parks the task, and the operation passes on what
//! that yields and is sent.

use super::{Alarm, GivenUp, Step, Wait};
use crate::{callback::Callback, calling, context::current_context, home::Home, names, trio};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyBaseException, PyRuntimeError},
    intern,
    prelude::*,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// An operation of a primitive that waits; what its coroutine yields to the event loop.
#[pyclass(frozen, weakref, module = "asyncferry", name = "_Pause")]
pub(crate) struct Pause {
    alarm: Arc<Alarm>,
    name: &'static str,
    inner: Mutex<Inner>,
}

/// It stands under a lock as PyO3 asks for `Sync`; all who take it have the GIL, and keep it.
struct Inner {
    /// Gone when it's over, and while it's polled.
    wait: Option<Box<dyn Wait>>,
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
        mut wait: Box<dyn Wait>,
    ) -> PyResult<Started<'py>> {
        let alarm = Arc::new(Alarm::new(Home::here(py)?));
        let waker = Waker::from(alarm.clone());
        if let Poll::Ready(ended) = wait.poll(py, &mut Context::from_waker(&waker)) {
            return Ok(Started::Done(ended));
        }
        let inner = Inner { wait: Some(wait), callback: None, cancelled: None, thrown: None, parking: None };
        let pause = Bound::new(py, Self { alarm, name, inner: Mutex::new(inner) })?;
        let yielded = pause.get().yielded(&pause)?;
        Ok(Started::Pauses(pause, yielded))
    }

    /// Goes on, with what its coroutine was sent, or with what was thrown into it.
    pub(super) fn resume<'py>(slf: &Bound<'py, Self>, input: Input<'py>) -> PyResult<Step<'py>> {
        let (py, this) = (slf.py(), slf.get());
        let parking = this.lock().parking.take();
        let input = match parking {
            None => input,
            Some(parking) => match unpark(parking.bind(py), input) {
                Ok(calling::Step::Waits(yielded)) => {
                    this.lock().parking = Some(parking);
                    return Ok(Step::Yields(yielded));
                }
                Ok(calling::Step::Returned(none)) => Input::Send(none),
                Err(error) => Input::Throw(error),
            },
        };
        let (cancelled, callback) = {
            let mut inner = this.lock();
            (inner.cancelled.take(), inner.callback.take())
        };
        // It was to be called for what comes now.
        let released = this.alarm.release();
        drop((cancelled, callback, released));
        match input {
            Input::Send(_) => this.poll(slf),
            Input::Throw(error) => this.throw(slf, error),
        }
    }

    /// The coroutine is closed: gives up for good, without a wait.
    pub(super) fn end(&self) {
        let ended = {
            let mut inner = self.lock();
            (inner.wait.take(), inner.callback.take(), inner.cancelled.take(), inner.thrown.take())
        };
        let parked = self.lock().parking.take();
        drop((ended, parked, self.alarm.release()));
    }

    pub(super) fn take_callback(&self) -> Option<Callback> {
        self.lock().callback.take()
    }

    fn poll<'py>(&self, slf: &Bound<'py, Self>) -> PyResult<Step<'py>> {
        let py = slf.py();
        let Some(mut wait) = self.lock().wait.take() else {
            // What cancel() announced was never thrown in.
            return Err(names::cancelled_error(py, None));
        };
        self.alarm.set();
        let waker = Waker::from(self.alarm.clone());
        let polled = wait.poll(py, &mut Context::from_waker(&waker));
        let Poll::Ready(ended) = polled else {
            self.lock().wait = Some(wait);
            return self.yielded(slf).map(Step::Yields);
        };
        drop(wait);
        let thrown = self.lock().thrown.take();
        match (ended, thrown) {
            (Ok(_), Some(thrown)) => Err(thrown),
            (Ok(value), None) => Ok(Step::Returns(value.into_bound(py))),
            (Err(error), _) => Err(error),
        }
    }

    fn throw<'py>(&self, slf: &Bound<'py, Self>, error: PyErr) -> PyResult<Step<'py>> {
        match self.give_up() {
            GivenUp::Ended => Err(error),
            GivenUp::Finishing => {
                let earlier = self.lock().thrown.replace(error);
                drop(earlier);
                self.poll(slf)
            }
        }
    }

    fn give_up(&self) -> GivenUp {
        let Some(mut wait) = self.lock().wait.take() else { return GivenUp::Ended };
        let given_up = wait.give_up();
        if given_up == GivenUp::Finishing {
            self.lock().wait = Some(wait);
        }
        given_up
    }

    /// What the coroutine yields: itself, or what trio's runner has to see.
    fn yielded<'py>(&self, slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if self.alarm.home().tasks().are_asyncio() {
            return Ok(slf.clone().into_any());
        }
        let py = slf.py();
        let shielded = self.lock().thrown.is_some();
        let parking =
            trio::parking(slf.as_any(), if shielded { trio::Park::Shielded } else { trio::Park::Open })?;
        match calling::send(&parking, py.None().bind(py))? {
            calling::Step::Waits(yielded) => {
                self.lock().parking = Some(parking.unbind());
                Ok(yielded)
            }
            calling::Step::Returned(_) => Err(PyRuntimeError::new_err("trio's task was not parked")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.alarm
            .home()
            .event_loop(py)
            .ok_or_else(|| PyRuntimeError::new_err("the event loop of this operation is gone"))
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
        let earlier = this.lock().callback.replace(callback);
        this.alarm.hold(slf);
        match earlier {
            None => Ok(()),
            Some(_) => Err(PyRuntimeError::new_err("only the task that awaits an operation waits for it")),
        }
    }

    #[pyo3(signature = (callback, /))]
    fn remove_done_callback(&self, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let Some(known) = self.take_callback() else { return Ok(0) };
        if callback.eq(known.function.bind(callback.py()))? {
            drop((known, self.alarm.release()));
            return Ok(1);
        }
        self.lock().callback = Some(known);
        Ok(0)
    }

    /// Leaves the line, and has the task woken; says whether that came before it was called.
    #[pyo3(signature = (msg = None))]
    fn cancel(&self, msg: Option<Py<PyAny>>) -> bool {
        if self.alarm.rang() {
            return false;
        }
        let earlier = self.lock().cancelled.replace(msg);
        self.give_up();
        // Giving up may have woken somebody else, but not this one: it was not called.
        Waker::from(self.alarm.clone()).wake();
        drop(earlier);
        true
    }

    fn cancelled(&self) -> bool {
        self.lock().cancelled.is_some()
    }

    fn done(&self) -> bool {
        self.alarm.rang()
    }

    /// Nothing, or the CancelledError that cancel() asked for. The operation's own result comes out of its coroutine.
    fn result(&self, py: Python<'_>) -> PyResult<()> {
        match self.cancelled_error(py) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyBaseException>>> {
        self.result(py).map(|()| None)
    }

    fn __repr__(&self) -> String {
        format!("<{} waits>", self.name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // While somebody holds the lock, what they do is not visited, and so not collected this time.
        let Ok(inner) = self.inner.try_lock() else { return Ok(()) };
        inner.callback.as_ref().map_or(Ok(()), |callback| callback.traverse(&visit))?;
        inner.wait.as_ref().map_or(Ok(()), |wait| wait.traverse(&visit))?;
        inner.parking.as_ref().map_or(Ok(()), |parking| visit.call(parking))?;
        match &inner.cancelled {
            Some(Some(message)) => visit.call(message),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.end();
    }
}

impl Pause {
    fn cancelled_error(&self, py: Python<'_>) -> Option<PyErr> {
        let message = {
            let inner = self.lock();
            inner.cancelled.as_ref()?.as_ref().map(|message| message.clone_ref(py))
        };
        Some(names::cancelled_error(py, message))
    }
}
