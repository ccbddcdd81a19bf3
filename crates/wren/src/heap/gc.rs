//! [`Gc`]: the address of an object of the heap.

use crate::object::{Header, Kind};
use std::{ops::Deref, ptr::NonNull};

/// A type of object.
///
/// # Safety
/// It is `repr(C)`, its first field is a [`Header`], and the header's kind is [`KIND`](Object::KIND) in all of its objects
/// and in no others.
pub(crate) unsafe trait Object {
    const KIND: Kind;

    /// What it holds outside its cell, in bytes.
    fn extra_bytes(&self) -> usize {
        0
    }
}

/// The address of an object. The [module](super) says when it may be followed.
pub(crate) struct Gc<T>(NonNull<T>);

impl<T> Clone for Gc<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Gc<T> {}

impl<T> PartialEq for Gc<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Gc<T> {}

impl<T> Gc<T> {
    #[inline(always)]
    pub(crate) fn from_ptr(ptr: NonNull<T>) -> Self {
        Self(ptr)
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T: Object> Gc<T> {
    #[inline(always)]
    pub(crate) fn header_of(self) -> Gc<Header> {
        Gc(self.0.cast())
    }
}

impl Gc<Header> {
    #[inline(always)]
    pub(crate) fn downcast<T: Object>(self) -> Option<Gc<T>> {
        (self.kind() == T::KIND).then_some(Gc(self.0.cast()))
    }
}

impl<T> Deref for Gc<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: no safe point lies between, or a root leads to the object (invariants 1 and 2 of the heap). Objects are
        // only changed through cells.
        unsafe { self.0.as_ref() }
    }
}
