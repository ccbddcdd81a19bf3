//! [`Inner`]: what an object can change of itself.

use std::cell::UnsafeCell;

/// A cell for the parts of objects. Who looks into it may call nothing that could look into the same one.
///
/// That's held by keeping it private to the files of this folder: each use is a few lines that only touch the value.
pub(super) struct Inner<T>(UnsafeCell<T>);

impl<T> Inner<T> {
    pub(super) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(super) fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: a machine is one thread's at a time, and `use_it` doesn't come back to this cell (see above).
        use_it(unsafe { &mut *self.0.get() })
    }
}
