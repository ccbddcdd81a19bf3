//! `asyncferry.Barrier`.

use super::{initialized_again, object, repr_with};
use crate::{
    names,
    operation::{Arity, Begun, Operation, add_method},
    turn,
};
use asyncferry::sync::{Barrier, BarrierPhase, BrokenBarrier};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::{
    ffi::CStr,
    sync::{Arc, OnceLock},
};

/// A number of tasks, of any event loops and threads, wait until all of them are there: as asyncio.Barrier.
#[pyclass(frozen, subclass, weakref, module = "asyncferry", name = "Barrier")]
pub struct PyBarrier {
    /// Made by `__init__`, as a subclass may pass its own arguments to `__new__`.
    barrier: OnceLock<Arc<Barrier>>,
}

impl PyBarrier {
    /// The Python object for a barrier of Rust's.
    ///
    /// # Errors
    /// When Python has no memory left.
    pub fn of(py: Python<'_>, barrier: Arc<Barrier>) -> PyResult<Bound<'_, Self>> {
        object(py, Self { barrier: barrier.into() })
    }

    /// The barrier itself, for Rust.
    ///
    /// # Errors
    /// `RuntimeError` when it's of a Python subclass that has not called `Barrier.__init__`.
    pub fn shared(&self) -> PyResult<&Arc<Barrier>> {
        let missing =
            || PyRuntimeError::new_err("Barrier.__init__() was not called: it says for how many it is");
        self.barrier.get().ok_or_else(missing)
    }
}

#[pymethods]
impl PyBarrier {
    #[new]
    #[pyo3(signature = (*args, **kwargs), text_signature = "(parties)")]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self { barrier: OnceLock::new() }
    }

    fn __init__(&self, parties: isize) -> PyResult<()> {
        match usize::try_from(parties) {
            Ok(parties @ 1..) => {
                let made = Arc::new(Barrier::new(parties));
                self.barrier.set(made).map_err(|_| initialized_again("Barrier"))
            }
            _ => Err(PyValueError::new_err("parties must be > 0")),
        }
    }

    /// How many it waits for.
    #[getter]
    fn parties(&self) -> PyResult<usize> {
        Ok(self.shared()?.parties())
    }

    /// How many wait now; none while those who passed leave.
    #[getter]
    fn n_waiting(&self) -> PyResult<usize> {
        Ok(self.shared()?.n_waiting())
    }

    /// Whether it was aborted.
    #[getter]
    fn broken(&self) -> PyResult<bool> {
        Ok(self.shared()?.broken())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let barrier = slf.get().shared()?;
        let state = match barrier.phase() {
            BarrierPhase::Filling => "filling",
            BarrierPhase::Draining => "draining",
            BarrierPhase::Resetting => "resetting",
            BarrierPhase::Broken => return repr_with(slf, "broken"),
        };
        repr_with(slf, &format!("{state}, waiters:{}/{}", barrier.n_waiting(), barrier.parties()))
    }
}

/// asyncio's `wait()`.
fn come<'py>(owner: &Bound<'py, PyBarrier>) -> PyResult<Begun<'py>> {
    let barrier = owner.get().shared()?.clone();
    if barrier.broken() {
        return Err(names::broken_barrier(owner.py(), "Barrier aborted"));
    }
    Ok(Begun::waits(async move { barrier.wait().await }, |py, place| match place {
        Ok(place) => Ok(place.into_pyobject(py)?.into_any().unbind()),
        Err(BrokenBarrier) => Err(names::broken_barrier(py, "Abort or reset of barrier")),
    }))
}

struct WaitOperation;

impl Operation for WaitOperation {
    type Owner = PyBarrier;
    const METHOD: &'static CStr = c"wait";
    const NAME: &'static str = "Barrier.wait";
    const DOC: &'static CStr =
        c"wait($self, /)\n--\n\nWaits until as many wait as the barrier has parties, and gives the \
place, from 0 on. asyncio.BrokenBarrierError when it's aborted or reset.";

    fn begin<'py>(owner: &Bound<'py, PyBarrier>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        come(owner)
    }
}

struct Enter;

impl Operation for Enter {
    type Owner = PyBarrier;
    const METHOD: &'static CStr = c"__aenter__";
    const NAME: &'static str = "Barrier.__aenter__";
    const DOC: &'static CStr = c"__aenter__($self, /)\n--\n\n";

    fn begin<'py>(owner: &Bound<'py, PyBarrier>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        come(owner)
    }
}

struct Exit;

impl Operation for Exit {
    type Owner = PyBarrier;
    const METHOD: &'static CStr = c"__aexit__";
    const NAME: &'static str = "Barrier.__aexit__";
    const DOC: &'static CStr = c"__aexit__($self, exc_type, exc, tb, /)\n--\n\n";
    const ARITY: Arity = Arity::Exit;

    fn begin<'py>(owner: &Bound<'py, PyBarrier>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        Ok(Begun::none(owner.py()))
    }
}

struct Reset;

impl Operation for Reset {
    type Owner = PyBarrier;
    const METHOD: &'static CStr = c"reset";
    const NAME: &'static str = "Barrier.reset";
    const DOC: &'static CStr =
        c"reset($self, /)\n--\n\nMakes the barrier empty and whole again. Those who wait get asyncio.BrokenBarrierError.";

    fn begin<'py>(owner: &Bound<'py, PyBarrier>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let barrier = owner.get().shared()?;
        turn::attached(owner.py(), || barrier.reset());
        Ok(Begun::none(owner.py()))
    }
}

struct Abort;

impl Operation for Abort {
    type Owner = PyBarrier;
    const METHOD: &'static CStr = c"abort";
    const NAME: &'static str = "Barrier.abort";
    const DOC: &'static CStr =
        c"abort($self, /)\n--\n\nBreaks the barrier: those who wait, and those who come until it's \
reset, get asyncio.BrokenBarrierError.";

    fn begin<'py>(owner: &Bound<'py, PyBarrier>, _: Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>> {
        let barrier = owner.get().shared()?;
        turn::attached(owner.py(), || barrier.abort());
        Ok(Begun::none(owner.py()))
    }
}

pub(super) fn complete(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<PyBarrier>();
    add_method::<WaitOperation>(&class)?;
    add_method::<Enter>(&class)?;
    add_method::<Exit>(&class)?;
    add_method::<Reset>(&class)?;
    add_method::<Abort>(&class)
}
