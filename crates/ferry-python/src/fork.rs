//! `os.fork`: a child has its parent's memory, but none of its threads, and it shares its parent's descriptors. So
//! it begins anew: with a pool, Python threads and homes of its own.
//!
//! | in the child | |
//! |---|---|
//! | a new job | runs, on threads of the child's own |
//! | a job of the parent that was done | gives its result |
//! | a job of the parent that was pending | is failed with a `RuntimeError`: it ends in the parent |
//! | homes, mail, detached jobs, the background loop | are left untouched, as the parent goes on with them |
//!
//! What was left untouched is leaked: its locks may have been held, at the moment of the fork, by threads that are
//! not here to give them back. The few locks that the child goes on to use are taken before the fork and given back
//! after it, on both sides ([`keep_still`]).

use crate::{home, orphans};
use asyncferry::AsyncRuntime;
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyCFunction, PyDict},
};
use std::{
    any::Any,
    cell::RefCell,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

/// How many forks lie between this process and the one in which the bridge was loaded.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Tells a process from the one that forked it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u32);

impl Generation {
    /// That of this process.
    pub(crate) fn current() -> Self {
        Self(GENERATION.load(Ordering::Relaxed))
    }

    /// Whether it's that of this process.
    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }
}

thread_local! {
    /// What the thread that forks holds meanwhile.
    static HELD_STILL: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Has Python tell of forks. Called before a thread is started, and before anything is made that a child must not
/// use.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static WATCHED: PyOnceLock<()> = PyOnceLock::new();
    WATCHED.get_or_try_init(py, || register(py)).copied()
}

#[cold]
fn register(py: Python<'_>) -> PyResult<()> {
    let keywords = PyDict::new(py);
    keywords.set_item("before", PyCFunction::new_closure(py, None, None, |_, _| keep_still())?)?;
    keywords.set_item("after_in_parent", PyCFunction::new_closure(py, None, None, |_, _| let_go())?)?;
    keywords.set_item("after_in_child", PyCFunction::new_closure(py, None, None, |_, _| begin_anew())?)?;
    py.import("os")?.call_method("register_at_fork", (), Some(&keywords)).map(drop)
}

/// Nobody who holds one of these locks waits for the GIL, so this doesn't wait long.
fn keep_still() {
    let held: Vec<Box<dyn Any>> = vec![Box::new(orphans::lock()), Box::new(home::lock_registry())];
    HELD_STILL.set(held);
}

fn let_go() {
    drop(HELD_STILL.take());
}

fn begin_anew() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    let_go();
    AsyncRuntime::forked();
    home::forget_all();
    orphans::forget_all();
}

/// A value that belongs to one process.
pub(crate) struct PerProcess<T> {
    slot: Mutex<Option<(Generation, T)>>,
}

impl<T: Clone> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { slot: Mutex::new(None) }
    }

    /// The value of this process, if it was made.
    pub(crate) fn get(&self) -> Option<T> {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().filter(|(generation, _)| generation.is_current()).map(|(_, value)| value.clone())
    }

    /// The value of this process, made if it wasn't. Call it with the GIL, which keeps threads from forking while
    /// the slot is locked; `make` may give it up, and of two values that are made at once the first is kept.
    pub(crate) fn get_or_try_init(&self, py: Python<'_>, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        watch(py)?;
        let made = (Generation::current(), make()?);
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.as_ref() {
            Some((generation, value)) if generation.is_current() => Ok(value.clone()),
            _ => {
                let value = made.1.clone();
                // The parent's is leaked.
                std::mem::forget(slot.replace(made));
                Ok(value)
            }
        }
    }
}
