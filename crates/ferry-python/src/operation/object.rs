//! An operation as it lies in memory, and its steps.
//!
//! It's made by hand, with C's structures, as an operation is made for each `await`: PyO3's way there would cost more
//! than all the rest. [`class`](super::class) is what Python knows of it, [`method`](super::method) how a primitive makes
//! one. What is unsafe about it:
//!
//! - *Layout*: an [`Object`] is what Python allocates, of `size_of::<Object>()` bytes, with Python's head in front.
//!   Only [`make`] makes one, and fills it before anybody sees it; only [`dealloc`] empties it.
//! - *Access*: Python calls the class's functions with the GIL held. The stage is in a `Cell` and is taken out while
//!   something is done with it, so no reference into it lives while other code runs.
//! - *Collector*: an object is shown to Python's garbage collector from when it waits on. Before that it refers to a
//!   primitive and an argument, and nobody refers to it but who is about to await it.
//! - *Memory*: see [`memory`](super::memory).
//! - *Panics* become exceptions before they reach C's frames: see [`raising`](super::raising).

use super::{
    Begun, Operation, Step, class, memory,
    pause::{Input, Pause, Started},
};
use crate::turn;
use pyo3::{
    exceptions::{PyRuntimeError, PyRuntimeWarning, PyTypeError},
    ffi,
    prelude::*,
};
use std::{cell::Cell, ffi::CString, ptr};

#[repr(C)]
pub(super) struct Object {
    head: ffi::PyObject,
    pub(super) table: Cell<&'static Table>,
    pub(super) stage: Cell<Stage>,
}

/// What an operation does, and its name.
pub(super) struct Table {
    pub(super) name: &'static str,
    begin: for<'py> fn(&Bound<'py, PyAny>, Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>>,
}

pub(super) enum Stage {
    New {
        owner: Py<PyAny>,
        argument: Option<Py<PyAny>>,
    },
    /// A step is being made.
    Running,
    /// Who waits for a primitive keeps it alive, as asyncio's do: a weak dictionary of events must not lose one meanwhile.
    Waiting {
        pause: Py<Pause>,
        owner: Py<PyAny>,
    },
    Done,
}

/// An operation of `K`, which has not begun.
///
/// # Safety
/// `owner` is an object of `K::Owner`, and `argument` one or NULL; the thread is attached.
pub(super) unsafe fn make<K: Operation>(
    owner: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as above.
    unsafe {
        let py = Python::assume_attached();
        // Made before any primitive's class has such a method.
        let object = memory::allocate(py, class::made());
        if object.is_null() {
            return ptr::null_mut();
        }
        let owner = Borrowed::from_ptr(py, owner).to_owned().unbind();
        let argument = Borrowed::from_ptr_or_opt(py, argument).map(|argument| argument.to_owned().unbind());
        (&raw mut (*object).table).write(Cell::new(const { &table::<K>() }));
        (&raw mut (*object).stage).write(Cell::new(Stage::New { owner, argument }));
        object.cast()
    }
}

const fn table<K: Operation>() -> Table {
    Table {
        name: K::NAME,
        begin: |owner, argument| {
            // SAFETY: `make` was given an object of that class, as Python has checked when it called its method.
            let owner = unsafe { owner.cast_unchecked::<K::Owner>() };
            K::begin(owner, argument)
        },
    }
}

/// # Safety
/// As in the slot of Python's: with the GIL held, and an operation that nobody refers to any more.
pub(super) unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
    // SAFETY: nobody refers to the object any more. What it held is dropped once it's out of the collector's sight.
    unsafe {
        let py = Python::assume_attached();
        let object = slf.cast::<Object>();
        if ffi::PyObject_GC_IsTracked(slf) != 0 {
            ffi::PyObject_GC_UnTrack(slf.cast());
        }
        match (*object).stage.replace(Stage::Done) {
            Stage::Done => {}
            left => left_over(py, left, (*object).table.get().name),
        }
        memory::free(object);
    }
}

/// An operation goes that has not ended.
#[cold]
fn left_over(py: Python<'_>, stage: Stage, name: &str) {
    // An object may go at any time: while an exception is on its way, for one.
    let on_its_way = PyErr::take(py);
    if matches!(stage, Stage::New { .. }) {
        warn_never_awaited(py, name);
    }
    end(stage, py);
    if let Some(error) = on_its_way {
        error.restore(py);
    }
}

fn warn_never_awaited(py: Python<'_>, name: &str) {
    let text = CString::new(format!("coroutine '{name}' was never awaited")).unwrap_or_default();
    if let Err(error) = PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1) {
        error.write_unraisable(py, None);
    }
}

/// One step. The first is the fast one.
///
/// # Safety
/// `slf` is a living operation, and the thread is attached.
#[inline]
pub(super) unsafe fn step<'py>(
    slf: *mut ffi::PyObject,
    input: impl FnOnce() -> Input<'py>,
) -> PyResult<Step<'py>> {
    // SAFETY: as above.
    let (py, object) = unsafe { (Python::assume_attached(), &*slf.cast::<Object>()) };
    match object.stage.replace(Stage::Running) {
        Stage::New { owner, argument } => {
            let (owner, argument) = (owner.into_bound(py), argument.map(|argument| argument.into_bound(py)));
            let table = object.table.get();
            let begun = match input() {
                Input::Send(value) if value.is_none() => (table.begin)(&owner, argument),
                Input::Send(_) => {
                    object
                        .stage
                        .set(Stage::New { owner: owner.unbind(), argument: argument.map(Bound::unbind) });
                    return Err(PyTypeError::new_err(
                        "can't send a value to a coroutine that has not begun: send None",
                    ));
                }
                Input::Throw(error) => Err(error),
            };
            object.stage.set(Stage::Done);
            match begun? {
                Begun::Done(value) => Ok(Step::Returns(value)),
                Begun::Waits(wait) => {
                    // With PyO3's own count, so that what is dropped in there goes at once.
                    let started =
                        Python::attach(|_| turn::attached(py, || Pause::start(py, table.name, wait)))?;
                    match started {
                        Started::Done(ended) => ended.map(|value| Step::Returns(value.into_bound(py))),
                        Started::Pauses(pause, yielded) => {
                            object.stage.set(Stage::Waiting { pause: pause.unbind(), owner: owner.unbind() });
                            // SAFETY: the object is whole, and not tracked before it waits.
                            unsafe { ffi::PyObject_GC_Track(slf.cast()) };
                            Ok(Step::Yields(yielded))
                        }
                    }
                }
            }
        }
        Stage::Waiting { pause, owner } => {
            let (pause, owner) = (pause.into_bound(py), owner.into_bound(py));
            let stepped = Python::attach(|_| turn::attached(py, || Pause::resume(&pause, input())));
            object.stage.set(match &stepped {
                Ok(Step::Yields(_)) => Stage::Waiting { pause: pause.unbind(), owner: owner.unbind() },
                _ => Stage::Done,
            });
            stepped
        }
        Stage::Running => Err(already_running()),
        Stage::Done => {
            object.stage.set(Stage::Done);
            Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"))
        }
    }
}

#[cold]
pub(super) fn already_running() -> PyErr {
    PyRuntimeError::new_err("coroutine is being awaited already")
}

/// What it holds goes.
pub(super) fn end(stage: Stage, py: Python<'_>) {
    match stage {
        Stage::New { owner, argument } => {
            drop((owner.into_bound(py), argument.map(|argument| argument.into_bound(py))));
        }
        Stage::Waiting { pause, owner } => {
            let (pause, _owner) = (pause.into_bound(py), owner.into_bound(py));
            Python::attach(|_| pause.get().end(py));
        }
        Stage::Running | Stage::Done => {}
    }
}
