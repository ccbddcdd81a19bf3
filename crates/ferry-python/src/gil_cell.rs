//! [`GilCell`]: a value that the GIL guards, for what is too short to pay for a lock of its own.

use pyo3::prelude::*;
use std::cell::RefCell;

/// A value that is reached with the GIL only. No code of Python may run while it's reached: that could let the GIL go to
/// somebody who wants the value too, which is a panic.
#[derive(Default)]
pub(crate) struct GilCell<T>(RefCell<T>);

// SAFETY: whoever reaches the value has shown that it has the GIL, by its token or as Python's collector, so one does at
// a time; the GIL's handing over orders what they do, on the flag of the `RefCell` too. The value moves between their
// threads.
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub(crate) fn of(value: T) -> Self {
        Self(RefCell::new(value))
    }

    #[inline]
    pub(crate) fn with<R>(&self, _: Python<'_>, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.0.borrow_mut())
    }

    /// For `__traverse__` and `__clear__`, which Python calls with the GIL, and PyO3 without a token. Nothing where the
    /// value is being reached in this moment.
    pub(crate) fn visit<R>(&self, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.try_borrow_mut().ok().map(|mut value| act(&mut value))
    }
}
