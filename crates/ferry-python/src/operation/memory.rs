//! The memory of operations: emptied objects are kept for the next ones, with the GIL as their lock.

use super::object::Object;
use pyo3::{ffi, prelude::*};
use std::cell::UnsafeCell;

/// How many are kept at most.
const MOST: usize = 64;

/// Used with the GIL only.
struct Kept(UnsafeCell<Vec<*mut Object>>);

// SAFETY: whoever uses it has the GIL, which passes from thread to thread with all that was written.
unsafe impl Sync for Kept {}

static KEPT: Kept = Kept(UnsafeCell::new(Vec::new()));

/// An object of the class, without contents and unknown to the collector; NULL with an exception set if there's no memory.
///
/// # Safety
/// The class is that of objects of this layout.
#[inline]
pub(super) unsafe fn allocate(_: Python<'_>, class: *mut ffi::PyTypeObject) -> *mut Object {
    // SAFETY: the GIL is held, and nobody else looks into the list until the pop is over. What is kept is memory for an
    // object of that class, which nobody refers to.
    unsafe {
        match (*KEPT.0.get()).pop() {
            Some(object) => ffi::PyObject_Init(object.cast(), class).cast(),
            None => ffi::PyObject_GC_New::<Object>(class),
        }
    }
}

/// Keeps an object's memory, or gives it back.
///
/// # Safety
/// The object is emptied and unknown to the collector, nobody refers to it, and the GIL is held.
#[inline]
pub(super) unsafe fn free(object: *mut Object) {
    // SAFETY: as above. Each living object has a reference to its class.
    unsafe {
        let class = ffi::Py_TYPE(object.cast());
        let kept = &mut *KEPT.0.get();
        if kept.len() < MOST {
            kept.push(object);
        } else {
            ffi::PyObject_GC_Del(object.cast());
        }
        ffi::Py_DECREF(class.cast());
    }
}
