//! `asyncferry.Semaphore` and `asyncferry.BoundedSemaphore`.

use super::{
    holding::{self, Holdable},
    initialized_again, object, repr_with,
    values::name_error,
    waiters,
};
use crate::{count::Count, turn};
use asyncferry::sync::{BoundedSemaphore, Semaphore, named};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::{
    ffi::CStr,
    num::NonZeroUsize,
    sync::{Arc, OnceLock},
};

/// So many at once, among tasks of any event loop and thread, in the order of asking: as asyncio.Semaphore.
#[pyclass(frozen, subclass, weakref, module = "asyncferry", name = "Semaphore")]
pub struct PySemaphore {
    is_bounded: bool,
    /// Made by `__init__`, as a subclass may pass its own arguments to `__new__`.
    semaphore: OnceLock<Shared>,
}

/// A Semaphore that never has more permits than it began with: as asyncio.BoundedSemaphore.
#[pyclass(frozen, subclass, extends = PySemaphore, module = "asyncferry", name = "BoundedSemaphore")]
pub struct PyBoundedSemaphore;

enum Shared {
    Plain(Arc<Semaphore>),
    Bounded(Arc<BoundedSemaphore>),
}

impl Shared {
    fn new(permits: usize, is_bounded: bool) -> Self {
        if is_bounded {
            Self::Bounded(Arc::new(BoundedSemaphore::new(permits)))
        } else {
            Self::Plain(Arc::new(Semaphore::new(permits)))
        }
    }

    fn take(&self) -> bool {
        let permit = match self {
            Self::Plain(semaphore) => semaphore.try_acquire(),
            Self::Bounded(semaphore) => semaphore.try_acquire(),
        };
        permit.map(|permit| permit.forget()).is_some()
    }

    /// Waits in line for a permit.
    fn taking(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let acquire = match self {
            Self::Plain(semaphore) => semaphore.clone().acquire_owned(),
            Self::Bounded(semaphore) => semaphore.acquire_owned(),
        };
        async move { acquire.await.forget() }
    }

    fn permits(&self) -> usize {
        match self {
            Self::Plain(semaphore) => semaphore.permits(),
            Self::Bounded(semaphore) => semaphore.permits(),
        }
    }

    fn waiters(&self) -> usize {
        match self {
            Self::Plain(semaphore) => semaphore.waiters(),
            Self::Bounded(semaphore) => semaphore.waiters(),
        }
    }
}

impl PySemaphore {
    /// The Python object for a semaphore of Rust's.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, semaphore: Arc<Semaphore>) -> PyResult<Bound<'_, Self>> {
        object(py, Self { is_bounded: false, semaphore: Shared::Plain(semaphore).into() })
    }

    /// The semaphore itself, for Rust; `None` where it's the base of a [`PyBoundedSemaphore`].
    pub fn shared(&self) -> Option<&Arc<Semaphore>> {
        match self.semaphore() {
            Shared::Plain(semaphore) => Some(semaphore),
            Shared::Bounded(_) => None,
        }
    }

    fn semaphore(&self) -> &Shared {
        self.semaphore.get_or_init(|| Shared::new(1, self.is_bounded))
    }
}

impl PyBoundedSemaphore {
    /// The Python object for a semaphore of Rust's.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, semaphore: Arc<BoundedSemaphore>) -> PyResult<Bound<'_, Self>> {
        let base = PySemaphore { is_bounded: true, semaphore: Shared::Bounded(semaphore).into() };
        object(py, PyClassInitializer::from(base).add_subclass(Self))
    }

    /// The semaphore itself, for Rust.
    pub fn shared<'a>(slf: &'a Bound<'_, Self>) -> &'a Arc<BoundedSemaphore> {
        match slf.as_super().get().semaphore() {
            Shared::Bounded(semaphore) => semaphore,
            Shared::Plain(_) => unreachable!("it was made a bounded one"),
        }
    }
}

fn permits(value: isize) -> PyResult<usize> {
    usize::try_from(value).map_err(|_| PyValueError::new_err("Semaphore initial value must be >= 0"))
}

#[pymethods]
impl PySemaphore {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(value=1)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self { is_bounded: false, semaphore: OnceLock::new() }
    }

    #[pyo3(signature = (value = 1))]
    fn __init__(&self, value: isize) -> PyResult<()> {
        let made = Shared::new(permits(value)?, self.is_bounded);
        self.semaphore.set(made).map_err(|_| initialized_again("Semaphore"))
    }

    /// The semaphore of this name, which everybody in the process has, in whichever language. Whoever asks first says how
    /// many permits it has, 1 if that's left out.
    ///
    /// ValueError if the name is another thing's, or a semaphore's with other permits.
    #[staticmethod]
    #[pyo3(signature = (name, permits = None))]
    fn named<'py>(py: Python<'py>, name: &str, permits: Option<Count>) -> PyResult<Bound<'py, Self>> {
        let permits = permits.map(|permits| permits.get("permits")).transpose()?;
        Self::of(py, named::semaphore(name, permits.map(NonZeroUsize::get)).map_err(name_error)?)
    }

    /// Whether an acquire() would have to wait.
    fn locked(&self) -> bool {
        match self.semaphore() {
            Shared::Plain(semaphore) => semaphore.locked(),
            Shared::Bounded(semaphore) => semaphore.locked(),
        }
    }

    /// Adds a permit; it goes to who waits longest for one. Can be called from any thread.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.let_go(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        let state = if this.locked() {
            "locked".to_owned()
        } else {
            format!("unlocked, value:{}", this.semaphore().permits())
        };
        repr_with(slf, &format!("{state}{}", waiters(this.semaphore().waiters())))
    }
}

#[pymethods]
impl PyBoundedSemaphore {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(value=1)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        let _ = (args, kwargs);
        let base = PySemaphore { is_bounded: true, semaphore: OnceLock::new() };
        PyClassInitializer::from(base).add_subclass(Self)
    }
}

impl Holdable for PySemaphore {
    const ACQUIRE: &'static str = "Semaphore.acquire";
    const ENTER: &'static str = "Semaphore.__aenter__";
    const EXIT: &'static str = "Semaphore.__aexit__";
    const DOC: &'static CStr =
        c"acquire($self, /)\n--\n\nTakes a permit, and gives True; waits if there is none, or if \
others wait already.";

    fn take(&self, _: Python<'_>) -> PyResult<bool> {
        Ok(self.semaphore().take())
    }

    fn taking(&self, _: Python<'_>) -> PyResult<impl Future<Output = ()> + Send + 'static + use<>> {
        Ok(self.semaphore().taking())
    }

    fn let_go(&self, py: Python<'_>) -> PyResult<()> {
        let released = turn::attached(py, || match self.semaphore() {
            Shared::Plain(semaphore) => {
                semaphore.release();
                Ok(())
            }
            Shared::Bounded(semaphore) => semaphore.release(),
        });
        released.map_err(|_| PyValueError::new_err("BoundedSemaphore released too many times"))
    }
}

pub(super) fn complete(py: Python<'_>) -> PyResult<()> {
    holding::complete::<PySemaphore>(py)
}
