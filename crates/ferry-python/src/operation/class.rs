//! The class of operations, as Python sees it: a coroutine.

use super::{
    Step,
    object::{Object, Stage, already_running, dealloc, end, step},
    pause::Input,
    raising::{guarded, yielded_or_stopped},
};
use crate::job;
use pyo3::{
    exceptions::{PyGeneratorExit, PyRuntimeError, PyTypeError},
    ffi,
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};
use std::{
    ffi::{CStr, c_int, c_uint, c_void},
    mem::ManuallyDrop,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

/// Makes the class. Called once, before the first operation.
pub(crate) fn prepare(py: Python<'_>) -> PyResult<()> {
    static MADE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = MADE.get_or_try_init(py, || make_class(py))?;
    CLASS.store(class.bind(py).as_type_ptr(), Ordering::Release);
    Ok(())
}

/// The class, which lives for ever; NULL before it's made.
static CLASS: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(ptr::null_mut());

/// The class, or NULL before it's made.
#[inline]
pub(super) fn made() -> *mut ffi::PyTypeObject {
    CLASS.load(Ordering::Acquire)
}

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

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
unsafe extern "C" fn itself(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe { ffi::Py_NewRef(slf) }
}

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
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

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
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

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
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

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
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
///
/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
unsafe extern "C" fn close(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let py = Python::assume_attached();
        guarded(py, ptr::null_mut(), || {
            let object = slf.cast::<Object>();
            let stage = (*object).stage.replace(Stage::Done);
            match stage {
                waiting @ Stage::Waiting { .. } => {
                    (*object).stage.set(waiting);
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

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
unsafe extern "C" fn name(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let name = (*slf.cast::<Object>()).table.get().name;
        ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len() as ffi::Py_ssize_t)
    }
}

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
unsafe extern "C" fn repr(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the object is alive.
    unsafe {
        let py = Python::assume_attached();
        let object = slf.cast::<Object>();
        let stage = (*object).stage.replace(Stage::Running);
        let told = match &stage {
            Stage::New { .. } => "not awaited yet",
            Stage::Running => "running",
            Stage::Waiting { .. } => "waits",
            Stage::Done => "done",
        };
        (*object).stage.set(stage);
        let text = format!("<coroutine of asyncferry {} at {slf:p}, {told}>", (*object).table.get().name);
        guarded(py, ptr::null_mut(), || Ok(text.into_pyobject(py)?.into_any().into_ptr()))
    }
}

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
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
            Stage::Waiting { pause, owner } => [Some(pause.as_ptr()), Some(owner.as_ptr())],
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

/// # Safety
/// As in the slot that it stands in: Python calls it with the GIL held, and with a living operation.
unsafe extern "C" fn clear(slf: *mut ffi::PyObject) -> c_int {
    // SAFETY: the object is alive.
    unsafe { end((*slf.cast::<Object>()).stage.replace(Stage::Done), Python::assume_attached()) };
    0
}
