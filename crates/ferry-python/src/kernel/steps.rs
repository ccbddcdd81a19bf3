//! The steps of a cell: native code around each piece of Python code that runs for it, so that
//! [`Interrupts`] knows whose it is.

use super::{
    control::CellControl,
    interrupt::{Interrupts, Part, Step},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyKeyboardInterrupt,
    intern,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};
use std::sync::Arc;

/// A step that is being run. It ends when this is dropped, in whichever way that happens.
pub(super) struct Inside<'a, 'py> {
    cell: &'a CellControl,
    py: Python<'py>,
    step: Step,
    /// The cell waits for something after it.
    pub(super) waits: bool,
}

impl<'a, 'py> Inside<'a, 'py> {
    /// Begins a step, and says whether KeyboardInterrupt is to be raised in it.
    pub(super) fn begin(py: Python<'py>, cell: &'a CellControl, part: Part) -> PyResult<(Self, bool)> {
        let step = Step { cell: cell.number(), part };
        let asked = cell.interrupts.enter(step);
        let this = Self { cell, py, step, waits: false };
        // The cell was not cancelled; that was only how it was woken.
        for _ in 0..asked.unwrap_or(0) {
            cell.task.call(py, intern!(py, "uncancel"), ())?;
        }
        Ok((this, asked.is_some()))
    }
}

impl Drop for Inside<'_, '_> {
    fn drop(&mut self) {
        if self.cell.interrupts.leave(self.py, self.step, self.waits) {
            self.cell.wake();
        }
    }
}

/// A cell, as its code in `cells.py` sees it: what runs its steps.
#[pyclass(frozen, module = "asyncferry", name = "_Steps")]
pub(super) struct Steps {
    cell: CellControl,
}

impl Steps {
    pub(super) fn new(cell: CellControl) -> Self {
        Self { cell }
    }
}

#[pymethods]
impl Steps {
    /// Calls `function`, as a step of the top level.
    #[pyo3(signature = (function, *arguments))]
    fn call(&self, function: &Bound<'_, PyAny>, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let (_inside, is_interrupted) = Inside::begin(function.py(), &self.cell, Part::TopLevel)?;
        if is_interrupted {
            return Err(PyKeyboardInterrupt::new_err(()));
        }
        function.call1(arguments).map(Bound::unbind)
    }

    /// The coroutine of the top level, whose steps are the cell's.
    fn top_level(&self, coroutine: Py<PyAny>) -> Coroutine {
        Coroutine { cell: self.cell.clone(), part: Part::TopLevel, coroutine }
    }

    /// The same of a task that the cell makes.
    fn task(&self, coroutine: Py<PyAny>) -> Coroutine {
        Coroutine { cell: self.cell.clone(), part: Part::Task, coroutine }
    }

    /// Whether KeyboardInterrupt was raised in the cell on request.
    fn was_interrupted(&self) -> bool {
        self.cell.interrupts.has_interrupted(self.cell.number())
    }
}

/// A coroutine of a cell, each of whose steps is known to be the cell's. Else it's what the coroutine is.
#[pyclass(frozen, module = "asyncferry", name = "_Coroutine")]
struct Coroutine {
    cell: CellControl,
    part: Part,
    coroutine: Py<PyAny>,
}

#[pymethods]
impl Coroutine {
    fn __await__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.resume(intern!(py, "send"), &PyTuple::new(py, [py.None()])?)
    }

    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.resume(intern!(value.py(), "send"), &PyTuple::new(value.py(), [value])?)
    }

    #[pyo3(signature = (*exception))]
    fn throw(&self, exception: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        self.resume(intern!(exception.py(), "throw"), exception)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        // No step: whoever drops the coroutine closes it, on any thread.
        self.coroutine.call_method0(py, intern!(py, "close")).map(drop)
    }

    /// Its frame, its name, and what else asyncio and debuggers look at.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.coroutine.bind(name.py()).getattr(name)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.coroutine.bind(py).repr()?.to_string_lossy().into_owned())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.coroutine)
    }
}

impl Coroutine {
    fn resume(&self, method: &Bound<'_, PyString>, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let py = method.py();
        let coroutine = self.coroutine.bind(py);
        if !self.cell.interrupts.are_of_this_thread() {
            return coroutine.call_method1(method, arguments).map(Bound::unbind);
        }
        let (mut inside, is_interrupted) = Inside::begin(py, &self.cell, self.part)?;
        let resumed = if is_interrupted {
            // In place of a value, or of the cancel that woke it.
            let error = PyKeyboardInterrupt::new_err(()).into_value(py);
            coroutine.call_method1(intern!(py, "throw"), (error,))
        } else {
            coroutine.call_method1(method, arguments)
        };
        inside.waits = resumed.is_ok();
        resumed.map(Bound::unbind)
    }
}

/// `call_soon` of the kernel's loop.
#[pyclass(frozen, module = "asyncferry", name = "_Shielded")]
pub(super) struct Shielded {
    interrupts: Arc<Interrupts>,
    function: Py<PyAny>,
}

impl Shielded {
    pub(super) fn new(interrupts: Arc<Interrupts>, function: Py<PyAny>) -> Self {
        Self { interrupts, function }
    }
}

#[pymethods]
impl Shielded {
    #[pyo3(signature = (*arguments, **options))]
    fn __call__(
        &self,
        arguments: &Bound<'_, PyTuple>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let py = arguments.py();
        let of_this_thread = self.interrupts.are_of_this_thread();
        let shield = if of_this_thread { self.interrupts.shield(py) } else { None };
        let called = self.function.call(py, arguments, options);
        if let Some(shield) = shield {
            self.interrupts.unshield(py, &shield);
        }
        called
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)
    }
}
