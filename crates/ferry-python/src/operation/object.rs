//! The class of operations, as Python sees it: a coroutine.
//!
//! It's made by hand, with C's structures, as an operation is made for each `await`: PyO3's way there would cost more
//! than all the rest. What is unsafe about it:
//!
//! - *Layout*: an [`Object`] is what Python allocates, of `size_of::<Object>()` bytes, with Python's head in front.
//!   Only [`make`] makes one, and fills it before anybody sees it; only [`dealloc`] empties it.
//! - *Access*: Python calls these functions with the GIL held. The stage is in a `Cell` and is taken out while something
//!   is done with it, so no reference into it lives while other code runs.
//! - *Collector*: an object is shown to Python's garbage collector from when it waits on. Before that it refers to a primitive
//!   and an argument, and nobody refers to it but who is about to await it.
//! - *Memory*: see [`memory`](super::memory).
//! - *Panics* become exceptions before they reach C's frames.

use super::{
    Begun, Operation, Step, memory,
    pause::{Input, Pause, Started},
};
use crate::{failure, job, turn};
use pyo3::{
    exceptions::{PyGeneratorExit, PyRuntimeError, PyRuntimeWarning, PyStopIteration, PyTypeError},
    ffi,
    prelude::*,
    sync::PyOnceLock,
    types::{PyTuple, PyType},
};
use std::{
    any::Any,
    cell::Cell,
    ffi::{CStr, c_int, c_uint, c_void},
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

/// What the method of an operation takes.
#[derive(Clone, Copy)]
pub(crate) enum Arity {
    Nothing,
    /// One argument of this name.
    One(&'static str),
    /// What `__aexit__` is told, which nobody looks at.
    Exit,
}

#[repr(C)]
pub(super) struct Object {
    head: ffi::PyObject,
    table: Cell<&'static Table>,
    stage: Cell<Stage>,
}

/// What an operation does, and its name.
struct Table {
    name: &'static str,
    begin: for<'py> fn(&Bound<'py, PyAny>, Option<Bound<'py, PyAny>>) -> PyResult<Begun<'py>>,
}

enum Stage {
    New {
        owner: Py<PyAny>,
        argument: Option<Py<PyAny>>,
    },
    /// A step is being made.
    Running,
    Waiting(Py<Pause>),
    Done,
}

/// Makes the class. Called once, before the first operation.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    static MADE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = MADE.get_or_try_init(py, || make_class(py))?;
    CLASS.store(class.bind(py).as_type_ptr(), Ordering::Release);
    Ok(())
}

/// Gives the class `owner` the method of `K`.
pub(crate) fn add_method<K: Operation>(owner: &Bound<'_, PyType>) -> PyResult<()> {
    let py = owner.py();
    let (pointer, flags) = match K::ARITY {
        Arity::Nothing => (ffi::PyMethodDefPointer { PyCFunction: nullary::<K> }, ffi::METH_NOARGS),
        Arity::One(_) => (
            ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: unary::<K> },
            ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ),
        Arity::Exit => (ffi::PyMethodDefPointer { PyCFunctionFast: ignoring::<K> }, ffi::METH_FASTCALL),
    };
    let definition = ffi::PyMethodDef {
        ml_name: K::METHOD.as_ptr(),
        ml_meth: pointer,
        ml_flags: flags,
        ml_doc: K::DOC.as_ptr(),
    };
    // The class refers to it for ever.
    let definition = Box::leak(Box::new(definition));
    // SAFETY: the class and the definition are alive, and the function is of the kind that the flags say.
    let descriptor =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(owner.as_type_ptr(), definition))? };
    owner.setattr(&*K::METHOD.to_string_lossy(), descriptor)
}

/// An operation of `K`, which has not begun.
///
/// # Safety
/// `owner` is an object of `K::Owner`, and `argument` one or NULL; the thread is attached.
unsafe fn make<K: Operation>(owner: *mut ffi::PyObject, argument: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as above.
    unsafe {
        let py = Python::assume_attached();
        // Made before any primitive's class has such a method.
        let object = memory::allocate(py, CLASS.load(Ordering::Acquire));
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

// How Python makes an operation: the methods of primitives.

unsafe extern "C" fn nullary<K: Operation>(
    owner: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python has checked the owner's class.
    unsafe { make::<K>(owner, ptr::null_mut()) }
}

unsafe extern "C" fn unary<K: Operation>(
    owner: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python has checked the owner's class, and hands over `count` arguments and one for each name.
    unsafe {
        if count == 1 && names.is_null() {
            return make::<K>(owner, *arguments);
        }
        let py = Python::assume_attached();
        let Arity::One(wanted) = K::ARITY else { unreachable!("it takes one argument") };
        let names = Borrowed::from_ptr_or_opt(py, names);
        guarded(py, ptr::null_mut(), || {
            let named = names.and_then(|names| names.cast::<PyTuple>().ok().map(|names| names.to_owned()));
            let named = named.as_ref().and_then(|names| names.get_item(0).ok());
            let fits = named.as_ref().is_some_and(|name| name.eq(wanted).unwrap_or(false));
            let given = count + names.map_or(0, |names| names.len().unwrap_or(0) as ffi::Py_ssize_t);
            if given == 1 && fits {
                return Ok(make::<K>(owner, *arguments));
            }
            let name = K::NAME;
            Err(PyTypeError::new_err(match (given, named) {
                (1, Some(name_given)) => {
                    format!("{name}() got an unexpected keyword argument '{name_given}': it takes '{wanted}'")
                }
                (given, _) => format!("{name}() takes one argument, '{wanted}', not {given}"),
            }))
        })
    }
}

unsafe extern "C" fn ignoring<K: Operation>(
    owner: *mut ffi::PyObject,
    _: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: Python has checked the owner's class.
    unsafe {
        if count == 3 {
            return make::<K>(owner, ptr::null_mut());
        }
        let py = Python::assume_attached();
        guarded(py, ptr::null_mut(), || {
            Err(PyTypeError::new_err(format!("{}() takes 3 arguments, not {count}", K::NAME)))
        })
    }
}

// What Python does with an operation.

unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe { ffi::Py_NewRef(slf) }
}

unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: Python hands over living objects, and a place for the result.
    unsafe {
        let py = Python::assume_attached();
        let value = Borrowed::from_ptr(py, value);
        match guarded(py, None, || step(slf, || Input::Send(value.to_owned())).map(Some)) {
            Some(Step::Returns(value)) => {
                *result = value.into_ptr();
                ffi::PySendResult::PYGEN_RETURN
            }
            Some(Step::Yields(yielded)) => {
                *result = yielded.into_ptr();
                ffi::PySendResult::PYGEN_NEXT
            }
            None => {
                *result = ptr::null_mut();
                ffi::PySendResult::PYGEN_ERROR
            }
        }
    }
}

unsafe extern "C" fn iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let py = Python::assume_attached();
        match guarded(py, None, || step(slf, || Input::Send(py.None().into_bound(py))).map(Some)) {
            Some(step) => yielded_or_stopped(step),
            None => ptr::null_mut(),
        }
    }
}

unsafe extern "C" fn send(slf: *mut ffi::PyObject, value: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: Python hands over living objects.
    unsafe {
        let py = Python::assume_attached();
        let value = Borrowed::from_ptr(py, value);
        guarded(py, ptr::null_mut(), || match step(slf, || Input::Send(value.to_owned()))? {
            Step::Yields(yielded) => Ok(yielded.into_ptr()),
            Step::Returns(value) => {
                job::stop_iteration(py, value.unbind())?;
                Ok(ptr::null_mut())
            }
        })
    }
}

unsafe extern "C" fn throw(
    slf: *mut ffi::PyObject,
    arguments: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: Python hands over `count` living arguments.
    unsafe {
        let py = Python::assume_attached();
        guarded(py, ptr::null_mut(), || {
            if !(1..=3).contains(&count) {
                return Err(PyTypeError::new_err(format!("throw() takes 1 to 3 arguments, not {count}")));
            }
            let argument =
                |place| (place < count).then(|| Borrowed::from_ptr(py, *arguments.offset(place)).to_owned());
            let class = Borrowed::from_ptr(py, *arguments);
            let error = job::thrown(&class, argument(1), argument(2))?;
            match step(slf, || Input::Throw(error))? {
                Step::Yields(yielded) => Ok(yielded.into_ptr()),
                Step::Returns(value) => {
                    job::stop_iteration(py, value.unbind())?;
                    Ok(ptr::null_mut())
                }
            }
        })
    }
}

/// As a coroutine's: what waits is told by an exception, and refuses by waiting on.
unsafe extern "C" fn close(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let py = Python::assume_attached();
        guarded(py, ptr::null_mut(), || {
            let object = slf.cast::<Object>();
            let stage = (*object).stage.replace(Stage::Done);
            match stage {
                Stage::Waiting(pause) => {
                    (*object).stage.set(Stage::Waiting(pause));
                    match step(slf, || Input::Throw(PyGeneratorExit::new_err(()))) {
                        Ok(Step::Yields(_)) => {
                            end((*object).stage.replace(Stage::Done), py);
                            let name = (*object).table.get().name;
                            return Err(PyRuntimeError::new_err(format!(
                                "coroutine '{name}' ignored GeneratorExit: it has something to wait for before it ends"
                            )));
                        }
                        Err(error) if !error.is_instance_of::<PyGeneratorExit>(py) => return Err(error),
                        _ => {}
                    }
                }
                Stage::Running => {
                    (*object).stage.set(Stage::Running);
                    return Err(already_running());
                }
                other => end(other, py),
            }
            Ok(py.None().into_ptr())
        })
    }
}

unsafe extern "C" fn name(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let name = (*slf.cast::<Object>()).table.get().name;
        ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len() as ffi::Py_ssize_t)
    }
}

unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let py = Python::assume_attached();
        let object = slf.cast::<Object>();
        let stage = (*object).stage.replace(Stage::Running);
        let told = match &stage {
            Stage::New { .. } => "not awaited yet",
            Stage::Running => "running",
            Stage::Waiting(_) => "waits",
            Stage::Done => "done",
        };
        (*object).stage.set(stage);
        let text = format!("<coroutine of asyncferry {} at {slf:p}, {told}>", (*object).table.get().name);
        guarded(py, ptr::null_mut(), || Ok(text.into_pyobject(py)?.into_any().into_ptr()))
    }
}

unsafe extern "C" fn traverse(
    slf: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the object is alive, and the collector lets no other code run. A stage that a step has taken out is
    // not seen, and so not collected.
    unsafe {
        let held = match &*(*slf.cast::<Object>()).stage.as_ptr() {
            Stage::New { owner, argument } => [Some(owner.as_ptr()), argument.as_ref().map(Py::as_ptr)],
            Stage::Waiting(pause) => [Some(pause.as_ptr()), None],
            Stage::Running | Stage::Done => [None, None],
        };
        for object in held.into_iter().flatten() {
            let refused = visit(object, argument);
            if refused != 0 {
                return refused;
            }
        }
        visit(ffi::Py_TYPE(slf).cast(), argument)
    }
}

unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: the object is alive.
    unsafe { end((*slf.cast::<Object>()).stage.replace(Stage::Done), Python::assume_attached()) };
    0
}

unsafe extern "C" fn dealloc(slf: *mut ffi::PyObject) {
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
    let text = std::ffi::CString::new(format!("coroutine '{name}' was never awaited")).unwrap_or_default();
    if let Err(error) = PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1) {
        error.write_unraisable(py, None);
    }
}

/// One step. The first is the fast one.
///
/// # Safety
/// `slf` is a living operation, and the thread is attached.
#[inline]
unsafe fn step<'py>(slf: *mut ffi::PyObject, input: impl FnOnce() -> Input<'py>) -> PyResult<Step<'py>> {
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
                            object.stage.set(Stage::Waiting(pause.unbind()));
                            // SAFETY: the object is whole, and not tracked before it waits.
                            unsafe { ffi::PyObject_GC_Track(slf.cast()) };
                            Ok(Step::Yields(yielded))
                        }
                    }
                }
            }
        }
        Stage::Waiting(pause) => {
            let pause = pause.into_bound(py);
            let stepped = Python::attach(|_| turn::attached(py, || Pause::resume(&pause, input())));
            object.stage.set(match &stepped {
                Ok(Step::Yields(_)) => Stage::Waiting(pause.unbind()),
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
fn already_running() -> PyErr {
    PyRuntimeError::new_err("coroutine is being awaited already")
}

/// What it holds goes.
fn end(stage: Stage, py: Python<'_>) {
    match stage {
        Stage::New { owner, argument } => {
            drop((owner.into_bound(py), argument.map(|argument| argument.into_bound(py))));
        }
        Stage::Waiting(pause) => {
            let pause = pause.into_bound(py);
            Python::attach(|_| pause.get().end(py));
        }
        Stage::Running | Stage::Done => {}
    }
}

/// As an iterator has it: the yielded object, or NULL with a StopIteration, or without one where the value is None.
fn yielded_or_stopped(step: Step<'_>) -> *mut ffi::PyObject {
    match step {
        Step::Yields(yielded) => yielded.into_ptr(),
        Step::Returns(value) if value.is_none() => ptr::null_mut(),
        Step::Returns(value) => {
            let py = value.py();
            let stopped = match super::yes(py).is(&value) {
                true => stop_with_true(py),
                false => job::stop_iteration(py, value.unbind()),
            };
            if let Err(error) = stopped {
                error.restore(py);
            }
            ptr::null_mut()
        }
    }
}

/// Sets `StopIteration(True)`. One object serves as long as whoever awaits takes the value out and lets it go, which is
/// what `await` does; one that was raised further has a traceback, and is left to who has it.
fn stop_with_true(py: Python<'_>) -> PyResult<()> {
    /// With the GIL.
    struct Kept(Cell<*mut ffi::PyObject>);
    // SAFETY: it's used with the GIL only.
    unsafe impl Sync for Kept {}
    static KEPT: Kept = Kept(Cell::new(ptr::null_mut()));

    // SAFETY: the pointer is NULL or that of a living object, to which `KEPT` has a reference.
    unsafe {
        let mut stop = KEPT.0.get();
        if stop.is_null() || ffi::Py_REFCNT(stop) != 1 || has_traceback(stop) {
            stop = py.get_type::<PyStopIteration>().call1((true,))?.into_ptr();
            let earlier = KEPT.0.replace(stop);
            drop(Bound::from_owned_ptr_or_opt(py, earlier));
        }
        set_raised(ffi::Py_NewRef(stop));
    }
    Ok(())
}

/// # Safety
/// The object is a living exception.
unsafe fn has_traceback(exception: *mut ffi::PyObject) -> bool {
    // SAFETY: as above; what comes is a new reference or NULL.
    unsafe {
        let traceback = ffi::PyException_GetTraceback(exception);
        ffi::Py_XDECREF(traceback);
        !traceback.is_null()
    }
}

/// # Safety
/// The object is a living exception, and the reference is given away.
#[cfg(Py_3_12)]
unsafe fn set_raised(exception: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe { ffi::PyErr_SetRaisedException(exception) }
}

/// # Safety
/// The object is a living exception, and the reference is given away.
#[cfg(not(Py_3_12))]
unsafe fn set_raised(exception: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe { ffi::PyErr_Restore(ffi::Py_NewRef(ffi::Py_TYPE(exception).cast()), exception, ptr::null_mut()) }
}

/// Runs `act`; what it fails with, an error or a panic, becomes Python's exception, and `failed` is given.
#[inline]
fn guarded<R>(py: Python<'_>, failed: R, act: impl FnOnce() -> PyResult<R>) -> R {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(given)) => given,
        Ok(Err(error)) => {
            error.restore(py);
            failed
        }
        Err(panic) => {
            failure::panic_error(py, text_of(&*panic)).restore(py);
            failed
        }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// The class, which lives for ever; NULL before it's made.
static CLASS: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

fn make_class(py: Python<'_>) -> PyResult<Py<PyType>> {
    let slot = |slot, function: *mut c_void| ffi::PyType_Slot { slot, pfunc: function };
    let mut slots = [
        slot(ffi::Py_tp_dealloc, dealloc as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_clear, clear as *mut c_void),
        slot(ffi::Py_tp_repr, repr as *mut c_void),
        slot(ffi::Py_tp_iter, itself as *mut c_void),
        slot(ffi::Py_tp_iternext, iternext as *mut c_void),
        slot(ffi::Py_am_await, itself as *mut c_void),
        slot(ffi::Py_am_send, am_send as *mut c_void),
        slot(ffi::Py_tp_methods, methods().cast()),
        slot(ffi::Py_tp_getset, properties().cast()),
        slot(ffi::Py_tp_doc, DOC.as_ptr() as *mut c_void),
        slot(0, ptr::null_mut()),
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"asyncferry._Operation".as_ptr(),
        basicsize: size_of::<Object>() as c_int,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_HAVE_GC | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION)
            as c_uint,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the functions have the signatures that their slots ask for, and all that lives on is static.
    let class = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec))? };
    Ok(class.cast_into::<PyType>()?.unbind())
}

const DOC: &CStr =
    c"What a method of a primitive gives that is awaited: a coroutine, which does nothing before.";

/// The table of methods, which lives for ever.
fn methods() -> *mut ffi::PyMethodDef {
    let method = |name: &'static CStr, meth, flags, doc: &'static CStr| ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: meth,
        ml_flags: flags,
        ml_doc: doc.as_ptr(),
    };
    let table = ManuallyDrop::new(Box::new([
        method(
            c"send",
            ffi::PyMethodDefPointer { PyCFunction: send },
            ffi::METH_O,
            c"send($self, value, /)\n--\n\nBegins or goes on.",
        ),
        method(
            c"throw",
            ffi::PyMethodDefPointer { PyCFunctionFast: throw },
            ffi::METH_FASTCALL,
            c"throw($self, typ, val=None, tb=None, /)\n--\n\nGoes on with an exception.",
        ),
        method(
            c"close",
            ffi::PyMethodDefPointer { PyCFunction: close },
            ffi::METH_NOARGS,
            c"close($self, /)\n--\n\nEnds it.",
        ),
        ffi::PyMethodDef::zeroed(),
    ]));
    table.as_ptr().cast_mut()
}

/// The table of properties, which lives for ever.
fn properties() -> *mut ffi::PyGetSetDef {
    let property = |of: &'static CStr| ffi::PyGetSetDef {
        name: of.as_ptr(),
        get: Some(name),
        set: None,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    let end = ffi::PyGetSetDef {
        name: ptr::null(),
        get: None,
        set: None,
        doc: ptr::null(),
        closure: ptr::null_mut(),
    };
    let table = ManuallyDrop::new(Box::new([property(c"__name__"), property(c"__qualname__"), end]));
    table.as_ptr().cast_mut()
}
