//! [`Carried`]: the coroutine that an asyncio task runs in place of one that Rust awaits.
//!
//! It drives the caller's coroutine step by step and sends its end to Rust by itself. A done-callback would do
//! as much for the price of an entry in the loop's queue, a copy of the context and a turn of the loop. What
//! asks a task for its coroutine's name, code or frame is answered by the coroutine itself.
//!
//! The task ends with `None`, whatever the coroutine gave, as nobody but Rust has it; a plain exception goes to
//! Rust only, so asyncio never reports it as one that nobody retrieved. What concerns the task or the loop
//! (`CancelledError`, `KeyboardInterrupt`, `SystemExit`) goes to both, the latter two on a loop of somebody's own
//! only. What a coroutine returned counts, even if it told its own task to cancel in its very last step, where asyncio
//! would drop the value.

use crate::{
    background,
    call::Call,
    calling::{self, Step, send},
    home::Home,
    job::Job,
    names,
    source::{End, Once},
    tasks::Turn,
};
use asyncferry::Promise;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyGeneratorExit, PyRuntimeError, PyStopIteration},
    intern,
    prelude::*,
    types::{PyString, PyTuple},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// How what Rust awaits ended.
pub(crate) struct Reply {
    result: Once<PyResult<Py<PyAny>>>,
    end: End,
    /// What a cancellation says of itself.
    message: Option<Box<str>>,
}

impl Reply {
    pub(crate) fn new(py: Python<'_>, result: PyResult<Py<PyAny>>) -> Self {
        let end = match &result {
            Ok(_) => End::Value,
            Err(error) if names::is_cancelled_error(error.value(py)).unwrap_or(false) => End::Cancelled,
            Err(_) => End::Error,
        };
        let message = match &result {
            Err(error) if end == End::Cancelled => Some(error.value(py).to_string().into()),
            _ => None,
        };
        Self { result: Once::new(result), end, message }
    }

    /// With which words it was cancelled, if it was.
    pub(crate) fn was_cancelled(&self) -> Option<&str> {
        self.message.as_deref()
    }

    pub(crate) fn take(&self) -> Option<PyResult<Py<PyAny>>> {
        self.result.take()
    }

    pub(crate) fn end(&self) -> End {
        self.end
    }
}

/// The promise of something that runs at a home. The home knows of it, and cancels it when its loop is closed.
pub(crate) struct Pledge {
    pub(crate) promise: Promise<Reply>,
    home: Arc<Home>,
    place: Option<usize>,
}

impl Pledge {
    pub(crate) fn new(promise: Promise<Reply>, home: &Arc<Home>, call: &Arc<Call>) -> Self {
        let place = home.runs(&promise, call);
        Self { promise, home: home.clone(), place }
    }
}

impl Drop for Pledge {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.home.ran(place);
        }
    }
}

#[pyclass(frozen, module = "asyncferry", name = "_Carried")]
pub(crate) struct Carried {
    coroutine: Py<PyAny>,
    call: Arc<Call>,
    home: Arc<Home>,
    /// Taken when the coroutine ends.
    promise: Mutex<Option<Pledge>>,
    has_begun: AtomicBool,
    /// It's to be told that it waits for its own end.
    awaits_itself: AtomicBool,
    /// Whose end is to be known when: at once, or with those of its turn.
    turn: Turn,
}

impl Carried {
    pub(crate) fn new(
        coroutine: Py<PyAny>,
        call: Arc<Call>,
        home: Arc<Home>,
        promise: Promise<Reply>,
        turn: Turn,
    ) -> Self {
        let pledge = Pledge::new(promise, &home, &call);
        Self {
            coroutine,
            call,
            home,
            promise: Mutex::new(Some(pledge)),
            has_begun: AtomicBool::new(false),
            awaits_itself: AtomicBool::new(false),
            turn,
        }
    }

    /// What a step of the coroutine gave: something to wait for, or its end.
    fn stepped<'py>(
        &self,
        py: Python<'py>,
        step: PyResult<Step<'py>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match step {
            Ok(Step::Waits(yielded)) if self.is_job_of_this(&yielded) => {
                // As asyncio's tasks do, it hears of it at the loop's next turn.
                self.awaits_itself.store(true, Ordering::Relaxed);
                Ok(Some(py.None().into_bound(py)))
            }
            Ok(Step::Waits(yielded)) => Ok(Some(yielded)),
            Ok(Step::Returned(value)) => {
                self.ended(py, Ok(value.unbind()))?;
                Ok(None)
            }
            Err(error) if self.concerns_rust_only(py, &error)? => {
                self.ended(py, Err(error))?;
                Ok(None)
            }
            Err(error) => {
                self.ended(py, Err(error.clone_ref(py)))?;
                Err(error)
            }
        }
    }

    /// The next step of the coroutine, unless it has not begun and nobody waits for it any more.
    fn step<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
        let py = value.py();
        let coroutine = self.coroutine.bind(py);
        if !self.has_begun.swap(true, Ordering::Relaxed) && self.call.is_dropped() {
            calling::call_method(coroutine, intern!(py, "close"), ())?;
            return Err(names::cancelled_error(py, None));
        }
        if self.awaits_itself.swap(false, Ordering::Relaxed) {
            let error = PyRuntimeError::new_err("a job can't await itself, as it would wait for ever");
            return self.step_with(&(error.into_value(py),).into_pyobject(py)?);
        }
        send(coroutine, value)
    }

    /// The next step of the coroutine, in which an exception is raised.
    fn step_with<'py>(&self, exception: &Bound<'py, PyTuple>) -> PyResult<Step<'py>> {
        let py = exception.py();
        match calling::call_method(self.coroutine.bind(py), intern!(py, "throw"), exception) {
            Ok(yielded) => Ok(Step::Waits(yielded)),
            Err(error) if error.is_instance_of::<PyStopIteration>(py) => {
                error.value(py).getattr(intern!(py, "value")).map(Step::Returned)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether what the coroutine waits for is the job that waits for its own end.
    fn is_job_of_this(&self, awaited: &Bound<'_, PyAny>) -> bool {
        awaited.cast_exact::<Job>().is_ok_and(|job| job.get().core().waits_for().is_for(&self.call))
    }

    /// An exception that is whoever awaits the call's alone: not a `CancelledError`, not the one that closes a coroutine,
    /// and not one that stops the program, unless that came up on the background loop, which serves others too.
    fn concerns_rust_only(&self, py: Python<'_>, error: &PyErr) -> PyResult<bool> {
        let stops_the_loop = names::stops_the_program(py, error) && !background::is_home(&self.home);
        let is_pythons = stops_the_loop || error.is_instance_of::<PyGeneratorExit>(py);
        Ok(!is_pythons && !names::is_cancelled_error(error.value(py))?)
    }

    fn ended(&self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<()> {
        let result = self.call.ended(py, result);
        let promise = self.promise.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (promise, self.turn) {
            (Some(pledge), Turn::This) => self.home.reply(py, pledge.promise.clone(), Reply::new(py, result)),
            (Some(pledge), Turn::Next) => {
                // Settled already: nobody waits.
                let _ = pledge.promise.complete(Reply::new(py, result));
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }
}

#[pymethods]
impl Carried {
    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let step = self.step(py.None().bind(py));
        self.stepped(py, step)
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        let step = self.step(value);
        self.stepped(py, step)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*exception))]
    fn throw<'py>(&self, exception: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = exception.py();
        self.awaits_itself.store(false, Ordering::Relaxed);
        let step = self.step_with(exception);
        self.stepped(py, step)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        calling::call_method(self.coroutine.bind(py), intern!(py, "close"), ()).map(drop)
    }

    /// Whatever else a coroutine knows of itself: `cr_frame`, `cr_code`, `__qualname__`, …
    fn __getattr__<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(py).getattr(name)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<awaited by Rust: {}>", self.coroutine.bind(py).repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.coroutine)
    }
}
