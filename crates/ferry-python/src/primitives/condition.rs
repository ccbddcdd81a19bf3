//! `asyncferry.Condition`.

use super::{
    holding::{self, Holdable},
    initialized_again,
    lock::PyLock,
    object, repr_with, waiters,
};
use crate::{
    calling,
    operation::{Arity, Begun, GivenUp, Operation, Wait, add_method, yes},
    turn,
};
use asyncferry::sync::Condition;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::{
    ffi::CStr,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

/// Waiting, with a lock, for what another task changes under that lock: as asyncio.Condition, among tasks of any event
/// loop and thread. Its lock is an asyncferry.Lock, which several conditions may share.
#[pyclass(frozen, subclass, weakref, module = "asyncferry", name = "Condition")]
pub struct PyCondition {
    condition: Arc<Condition>,
    /// Known by `__init__`, as a subclass may pass its own arguments to `__new__`.
    lock: OnceLock<Py<PyLock>>,
}

impl PyCondition {
    /// The Python object for a condition of Rust's, whose waiters hold `lock`.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of<'py>(condition: Arc<Condition>, lock: &Bound<'py, PyLock>) -> PyResult<Bound<'py, Self>> {
        object(lock.py(), Self { condition, lock: lock.clone().unbind().into() })
    }

    /// The condition itself, for Rust.
    pub fn shared(&self) -> &Arc<Condition> {
        &self.condition
    }

    /// Its lock.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn lock<'a>(&'a self, py: Python<'_>) -> PyResult<&'a Py<PyLock>> {
        if let Some(lock) = self.lock.get() {
            return Ok(lock);
        }
        let made = Py::new(py, PyLock::plain())?;
        Ok(self.lock.get_or_init(|| made))
    }

    fn is_locked(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.get().locked())
    }

    fn wake(&self, py: Python<'_>, n: usize) -> PyResult<()> {
        if !self.is_locked(py)? {
            return Err(PyRuntimeError::new_err("cannot notify on un-acquired lock"));
        }
        turn::attached(py, || self.condition.notify(n));
        Ok(())
    }
}

#[pymethods]
impl PyCondition {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(lock=None)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self { condition: Arc::new(Condition::new()), lock: OnceLock::new() }
    }

    #[pyo3(signature = (lock = None))]
    fn __init__(&self, py: Python<'_>, lock: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let Some(lock) = lock else { return self.lock(py).map(drop) };
        let lock = lock.cast_into::<PyLock>().map_err(|error| {
            let class = error.into_inner().get_type();
            PyTypeError::new_err(format!("the lock of a Condition is an asyncferry.Lock, not {class}"))
        })?;
        self.lock.set(lock.unbind()).map_err(|_| initialized_again("Condition"))
    }

    /// Whether somebody holds the lock.
    fn locked(&self, py: Python<'_>) -> PyResult<bool> {
        self.is_locked(py)
    }

    /// Lets the lock go. RuntimeError if nobody holds it.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.let_go(py)
    }

    /// Wakes up to n of those who wait, in the order in which they came; each goes on when it has the lock. RuntimeError if
    /// the lock isn't held.
    #[pyo3(signature = (n = 1))]
    fn notify(&self, py: Python<'_>, n: isize) -> PyResult<()> {
        self.wake(py, usize::try_from(n).unwrap_or(0))
    }

    /// Wakes all who wait, as notify().
    fn notify_all(&self, py: Python<'_>) -> PyResult<()> {
        self.wake(py, usize::MAX)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let locked = if this.is_locked(slf.py())? { "locked" } else { "unlocked" };
        repr_with(slf, &format!("{locked}{}", waiters(this.condition.waiters())))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.lock.get().map_or(Ok(()), |lock| visit.call(lock))
    }
}

impl Holdable for PyCondition {
    const ACQUIRE: &'static str = "Condition.acquire";
    const ENTER: &'static str = "Condition.__aenter__";
    const EXIT: &'static str = "Condition.__aexit__";
    const DOC: &'static CStr = c"acquire($self, /)\n--\n\nTakes the lock, and gives True.";

    fn take(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.lock(py)?.get().take_free())
    }

    fn taking(&self, py: Python<'_>) -> PyResult<impl Future<Output = ()> + Send + 'static + use<>> {
        Ok(self.lock(py)?.get().taking_in_line())
    }

    fn let_go(&self, py: Python<'_>) -> PyResult<()> {
        self.lock(py)?.get().let_go(py)
    }
}

struct WaitOperation;

impl Operation for WaitOperation {
    type Owner = PyCondition;
    const METHOD: &'static CStr = c"wait";
    const NAME: &'static str = "Condition.wait";
    const DOC: &'static CStr =
        c"wait($self, /)\n--\n\nLets the lock go, waits until it's notified, takes the lock again, \
and gives True. It has the lock again as well when it's cancelled. RuntimeError if the lock isn't held.";

    fn begin<'py>(owner: &Bound<'py, PyCondition>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        check_locked(owner)?;
        Ok(Begun::Waits(Box::pin(Waiting::new(owner, None)?)))
    }
}

struct WaitForOperation;

impl Operation for WaitForOperation {
    type Owner = PyCondition;
    const METHOD: &'static CStr = c"wait_for";
    const NAME: &'static str = "Condition.wait_for";
    const DOC: &'static CStr =
        c"wait_for($self, predicate)\n--\n\nWaits, as wait() does, until the function predicate \
gives something true, and gives that.";
    const ARITY: Arity = Arity::One("predicate");

    fn begin<'py>(
        owner: &Bound<'py, PyCondition>,
        predicate: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Begun<'py>> {
        let Some(predicate) = predicate else { unreachable!("it takes one argument") };
        let held = calling::call(&predicate, (), None)?;
        if held.is_truthy()? {
            return Ok(Begun::Done(held));
        }
        check_locked(owner)?;
        Ok(Begun::Waits(Box::pin(Waiting::new(owner, Some(predicate.unbind()))?)))
    }
}

fn check_locked(owner: &Bound<'_, PyCondition>) -> PyResult<()> {
    match owner.get().is_locked(owner.py())? {
        true => Ok(()),
        false => Err(PyRuntimeError::new_err("cannot wait on un-acquired lock")),
    }
}

/// A wait for a notification, and then for the lock.
///
/// ```text
///   New ── first poll: in line, and the lock let go ──▶ Listening ── notified, or given up ──▶ Locking ──▶ has the lock
/// ```
///
/// Given up after it was notified, or failing then, it notifies the next in its stead.
struct Waiting {
    condition: Arc<Condition>,
    lock: Py<PyLock>,
    predicate: Option<Py<PyAny>>,
    stage: Stage,
    /// A notification came to it, and it has not returned for it.
    notified: bool,
    is_given_up: bool,
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

enum Stage {
    New,
    Listening(Boxed),
    Locking(Boxed),
}

impl Waiting {
    fn new(owner: &Bound<'_, PyCondition>, predicate: Option<Py<PyAny>>) -> PyResult<Self> {
        let (condition, py) = (owner.get().condition.clone(), owner.py());
        let lock = owner.get().lock(py)?.clone_ref(py);
        Ok(Self { condition, lock, predicate, stage: Stage::New, notified: false, is_given_up: false })
    }

    fn listen(&mut self, py: Python<'_>, cx: &mut Context<'_>) -> PyResult<()> {
        let condition = self.condition.clone();
        let mut notified: Boxed = Box::pin(async move { condition.notified().await });
        // In line first, and then the lock goes: what is changed under the lock from now on is seen.
        let polled = notified.as_mut().poll(cx);
        debug_assert!(polled.is_pending());
        self.stage = Stage::Listening(notified);
        self.lock.get().let_go(py)
    }

    fn begin_locking(&mut self) {
        self.stage = Stage::Locking(Box::pin(self.lock.get().taking_in_line()));
    }

    /// It has the lock: what it returns, or `None` if it waits on.
    fn answer(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(predicate) = self.predicate.as_ref().filter(|_| !self.is_given_up) else {
            return Ok(Some(yes(py).unbind()));
        };
        let held = calling::call(predicate.bind(py), (), None)?;
        Ok(held.is_truthy()?.then(|| held.unbind()))
    }
}

impl Wait for Waiting {
    fn poll(self: Pin<&mut Self>, py: Python<'_>, cx: &mut Context<'_>) -> Poll<PyResult<Py<PyAny>>> {
        let this = self.get_mut();
        loop {
            match &mut this.stage {
                Stage::New => {
                    if let Err(error) = this.listen(py, cx) {
                        return Poll::Ready(Err(error));
                    }
                    return Poll::Pending;
                }
                Stage::Listening(notified) => {
                    let Poll::Ready(()) = notified.as_mut().poll(cx) else { return Poll::Pending };
                    this.notified = true;
                    if this.lock.get().take_free() {
                        this.stage = Stage::New;
                    } else {
                        this.begin_locking();
                        continue;
                    }
                }
                Stage::Locking(taking) => {
                    let Poll::Ready(()) = taking.as_mut().poll(cx) else { return Poll::Pending };
                    this.stage = Stage::New;
                }
            }
            match this.answer(py) {
                Ok(None) => this.notified = false,
                Ok(Some(value)) => {
                    this.notified &= this.is_given_up;
                    return Poll::Ready(Ok(value));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn give_up(self: Pin<&mut Self>) -> GivenUp {
        let this = self.get_mut();
        this.is_given_up = true;
        match &this.stage {
            Stage::New => return GivenUp::Ended,
            // Dropping it hands on a notification that has come already.
            Stage::Listening(_) => this.begin_locking(),
            Stage::Locking(_) => {}
        }
        GivenUp::Finishing
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.lock)?;
        self.predicate.as_ref().map_or(Ok(()), |predicate| visit.call(predicate))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if std::mem::take(&mut self.notified) {
            self.condition.notify(1);
        }
    }
}

pub(super) fn complete(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<PyCondition>();
    holding::complete::<PyCondition>(py)?;
    add_method::<WaitOperation>(&class)?;
    add_method::<WaitForOperation>(&class)
}
