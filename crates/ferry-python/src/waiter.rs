//! [`Waiter`]: the waker that has a home look at an awaitable.

use crate::{
    awaitable::Awaitable,
    home::{Home, Letter},
};
use pyo3::{
    prelude::*,
    types::{PyWeakrefMethods, PyWeakrefReference},
};
use std::{sync::Arc, task::Wake};

/// Posts a letter to its home when what an awaitable waits for is settled. It refers to the awaitable weakly,
/// so the Rust side keeps no Python object alive: an awaitable that Python forgot is collected, with the
/// tasks that hang on it, and its work stops.
pub(crate) struct Waiter {
    home: Arc<Home>,
    awaitable: Py<PyWeakrefReference>,
}

impl Waiter {
    pub(crate) fn new(home: Arc<Home>, awaitable: &Bound<'_, Awaitable>) -> PyResult<Self> {
        Ok(Self { home, awaitable: PyWeakrefReference::new(awaitable)?.unbind() })
    }

    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// Runs the callbacks that the awaitable has for `home`, on its thread. An error is a wish to stop, from
    /// one of them; the others are still there then.
    pub(crate) fn deliver(&self, py: Python<'_>, home: &Arc<Home>) -> PyResult<()> {
        let Some(awaitable) = self.awaitable.bind(py).upgrade() else { return Ok(()) };
        let Ok(awaitable) = awaitable.cast_into::<Awaitable>() else { return Ok(()) };
        let core = awaitable.get().core();
        if !core.is_done(py) {
            return Ok(());
        }
        while let Some(callback) = core.next_callback(home) {
            callback.run(&awaitable)?;
        }
        Ok(())
    }
}

impl Wake for Waiter {
    fn wake(self: Arc<Self>) {
        self.home.clone().post(Letter::Settled(self));
    }
}
