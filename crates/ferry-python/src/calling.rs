//! Calls into Python code that the thread may never come back from.
//!
//! When Python ends, up to 3.13, a daemon thread that asks for the GIL is stopped by `pthread_exit`, which unwinds
//! its stack. Rust's frames stand on it: a task that a job has woken runs inside the drain. PyO3 declares Python's
//! functions as ones that never unwind, and then it's the end of the process, with a crash. The calls here may
//! unwind, and where they do, the thread is parked for ever, which is what Python does itself from 3.14 on. They are
//! for whatever runs code of an event loop or of a user on a thread that is not Ferry's own.
//!
//! A `PanicException`, a panic of Rust code that went through Python, comes out of them as a [`PanicError`], and not
//! as a panic again, as it would of PyO3's: the code here goes on behind the call.
//!
//! [`PanicError`]: crate::failure::PanicError

use crate::failure;
use pyo3::{
    BoundObject, PyTypeInfo, ffi,
    panic::PanicException,
    prelude::*,
    types::{PyDict, PyString, PyTuple},
};
use std::{hint::black_box, os::raw::c_int, ptr, thread};

// SAFETY: these are Python's own signatures, and all of them may unwind where Python stops the thread.
unsafe extern "C-unwind" {
    fn PyObject_Call(
        function: *mut ffi::PyObject,
        arguments: *mut ffi::PyObject,
        keywords: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
    fn PyObject_CallFunctionObjArgs(function: *mut ffi::PyObject, ...) -> *mut ffi::PyObject;
    fn PyObject_RichCompareBool(
        left: *mut ffi::PyObject,
        right: *mut ffi::PyObject,
        operator: c_int,
    ) -> c_int;
    fn PyIter_Send(
        iterator: *mut ffi::PyObject,
        value: *mut ffi::PyObject,
        given: *mut *mut ffi::PyObject,
    ) -> c_int;
}

/// `function(*arguments, **keywords)`.
pub(crate) fn call<'py>(
    function: &Bound<'py, PyAny>,
    arguments: impl Arguments<'py>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let arguments = arguments.into_tuple(function.py())?;
    let keywords = keywords.map_or(ptr::null_mut(), Bound::as_ptr);
    let call = may_unwind(PyObject_Call as unsafe extern "C-unwind" fn(_, _, _) -> _);
    // SAFETY: all objects are alive, and the thread is attached; what comes is a new reference, or NULL with an
    // exception set.
    let given = unsafe { or_park(|| call(function.as_ptr(), arguments.as_ptr(), keywords)) };
    given_or_raised(function.py(), given)
}

/// `function()`, without a tuple.
pub(crate) fn call_alone<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let call = may_unwind(PyObject_CallFunctionObjArgs as unsafe extern "C-unwind" fn(_, ...) -> _);
    let end = ptr::null_mut::<ffi::PyObject>();
    // SAFETY: as in `call_with`.
    let given = unsafe { or_park(|| call(function.as_ptr(), end)) };
    given_or_raised(function.py(), given)
}

/// `function(argument)`, without a tuple.
pub(crate) fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let call = may_unwind(PyObject_CallFunctionObjArgs as unsafe extern "C-unwind" fn(_, ...) -> _);
    let end = ptr::null_mut::<ffi::PyObject>();
    // SAFETY: as in `call`; the list of arguments ends with NULL.
    let given = unsafe { or_park(|| call(function.as_ptr(), argument.as_ptr(), end)) };
    given_or_raised(function.py(), given)
}

/// `function(first, second)`, without a tuple.
pub(crate) fn call_with_two<'py>(
    function: &Bound<'py, PyAny>,
    first: &Bound<'py, PyAny>,
    second: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let call = may_unwind(PyObject_CallFunctionObjArgs as unsafe extern "C-unwind" fn(_, ...) -> _);
    let end = ptr::null_mut::<ffi::PyObject>();
    // SAFETY: as in `call_with`.
    let given = unsafe { or_park(|| call(function.as_ptr(), first.as_ptr(), second.as_ptr(), end)) };
    given_or_raised(function.py(), given)
}

/// `object.name(*arguments)`.
pub(crate) fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    arguments: impl Arguments<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    call(&object.getattr(name)?, arguments, None)
}

/// `left < right`.
pub(crate) fn is_less(left: &Bound<'_, PyAny>, right: &Bound<'_, PyAny>) -> PyResult<bool> {
    let compare = may_unwind(PyObject_RichCompareBool as unsafe extern "C-unwind" fn(_, _, _) -> _);
    // SAFETY: both objects are alive and the thread is attached.
    match unsafe { or_park(|| compare(left.as_ptr(), right.as_ptr(), ffi::Py_LT)) } {
        ..0 => Err(raised(left.py())),
        less => Ok(less != 0),
    }
}

/// What a step of a coroutine gives.
pub(crate) enum Step<'py> {
    Waits(Bound<'py, PyAny>),
    Returned(Bound<'py, PyAny>),
}

/// `coroutine.send(value)`, which tells a value from the end without an exception.
pub(crate) fn send<'py>(coroutine: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
    const ERROR: c_int = ffi::PySendResult::PYGEN_ERROR as c_int;
    const NEXT: c_int = ffi::PySendResult::PYGEN_NEXT as c_int;
    let py = coroutine.py();
    let mut given = ptr::null_mut();
    let send = may_unwind(PyIter_Send as unsafe extern "C-unwind" fn(_, _, _) -> _);
    // SAFETY: both objects are alive and the thread is attached.
    let result = unsafe { or_park(|| send(coroutine.as_ptr(), value.as_ptr(), &raw mut given)) };
    if result == ERROR {
        return Err(raised(py));
    }
    // SAFETY: otherwise there's a new reference in it.
    let given = unsafe { Bound::from_owned_ptr(py, given) };
    Ok(if result == NEXT { Step::Waits(given) } else { Step::Returned(given) })
}

/// What can be the arguments of a call: a tuple of Python's or of Rust's.
pub(crate) trait Arguments<'py> {
    fn into_tuple(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>>;
}

impl<'py, T: IntoPyObject<'py, Target = PyTuple>> Arguments<'py> for T {
    fn into_tuple(self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.into_pyobject(py).map(BoundObject::into_bound).map_err(Into::into)
    }
}

/// The same function, so that the compiler can't tell which one: PyO3 has it declared as one that doesn't unwind, and
/// of two declarations in one unit of code, the stricter would hold.
fn may_unwind<F>(function: F) -> F {
    black_box(function)
}

/// What `call` gives, if it comes back at all.
///
/// # Safety
/// That of `call`.
unsafe fn or_park<R>(call: impl FnOnce() -> R) -> R {
    /// Dropped only when the stack is unwound.
    struct Parks;

    impl Drop for Parks {
        fn drop(&mut self) {
            loop {
                thread::park();
            }
        }
    }

    let parks = Parks;
    let given = call();
    std::mem::forget(parks);
    given
}

fn given_or_raised(py: Python<'_>, given: *mut ffi::PyObject) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: it's a new reference, if it's not NULL.
    unsafe { Bound::from_owned_ptr_or_opt(py, given) }.ok_or_else(|| raised(py))
}

/// The exception that is set. PyO3 goes on with the panic instead, if it's a panic's.
fn raised(py: Python<'_>) -> PyErr {
    // SAFETY: the thread is attached, an exception is set, and the class is alive.
    if unsafe { ffi::PyErr_ExceptionMatches(PanicException::type_object_raw(py).cast()) } == 0 {
        return PyErr::fetch(py);
    }
    let panic = take(py);
    let text = panic.bind(py).str().map_or_else(|_| "a panic".to_owned(), |text| text.to_string());
    let error = failure::panic_error(py, text);
    // Its traceback shows the way.
    let traceback = panic.bind(py).getattr("__traceback__").ok();
    error.set_traceback(py, traceback.and_then(|traceback| traceback.cast_into().ok()));
    error
}

/// Takes the exception that is set.
#[cfg(Py_3_12)]
fn take(py: Python<'_>) -> Py<PyAny> {
    // SAFETY: the thread is attached, and an exception is set: what comes is a new reference.
    unsafe { Bound::from_owned_ptr(py, ffi::PyErr_GetRaisedException()) }.unbind()
}

/// Takes the exception that is set.
#[cfg(not(Py_3_12))]
fn take(py: Python<'_>) -> Py<PyAny> {
    let (mut class, mut value, mut traceback) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the thread is attached, and an exception is set: what comes are new references, of which only the
    // traceback may be NULL once they are normalized.
    unsafe {
        ffi::PyErr_Fetch(&raw mut class, &raw mut value, &raw mut traceback);
        ffi::PyErr_NormalizeException(&raw mut class, &raw mut value, &raw mut traceback);
        if !traceback.is_null() {
            ffi::PyException_SetTraceback(value, traceback);
        }
        drop((Bound::from_owned_ptr(py, class), Bound::from_owned_ptr_or_opt(py, traceback)));
        Bound::from_owned_ptr(py, value).unbind()
    }
}
