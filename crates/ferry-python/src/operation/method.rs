//! How a primitive makes operations: the methods of its class.

use super::{Operation, object::make, raising::guarded};
use pyo3::{
    exceptions::PyTypeError,
    ffi,
    prelude::*,
    types::{PyTuple, PyType},
};
use std::ptr;

/// What the method of an operation takes.
#[derive(Clone, Copy)]
pub(crate) enum Arity {
    Nothing,
    /// One argument of this name.
    One(&'static str),
    /// What `__aexit__` is told, which nobody looks at.
    Exit,
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

/// # Safety
/// As in the table that it stands in: Python calls it with the GIL held, and with an owner of the method's class.
unsafe extern "C" fn nullary<K: Operation>(
    owner: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python has checked the owner's class.
    unsafe { make::<K>(owner, ptr::null_mut()) }
}

/// # Safety
/// As in the table that it stands in: Python calls it with the GIL held, and with an owner of the method's class.
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

/// # Safety
/// As in the table that it stands in: Python calls it with the GIL held, and with an owner of the method's class.
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
