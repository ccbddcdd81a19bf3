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
//! not here to give them back. What the child goes on to use stands behind pointers ([`Renewed`], [`PerProcess`]), and
//! it gets a new one. No lock is held across the fork, as other code runs around it that may use Ferry, give up the GIL
//! or wait for other locks: Python's hooks of other packages. For the same reason the child begins anew in a handler of
//! the C library, which runs before any of them.

use asyncferry::AsyncRuntime;
use pyo3::prelude::*;
use std::{
    io,
    os::raw::c_int,
    ptr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicPtr, AtomicU32, Ordering},
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

/// Has the child of a fork begin anew. Called before a thread is started, and before anything is made that a child
/// must not use.
pub(crate) fn watch() -> PyResult<()> {
    static REFUSED: OnceLock<c_int> = OnceLock::new();
    // SAFETY: the handler may be called at any fork from now on, as long as this library is loaded.
    let refused = *REFUSED.get_or_init(|| unsafe { pthread_atfork(None, None, Some(begin_anew)) });
    if refused == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(refused).into()) }
}

type Handler = extern "C" fn();

// SAFETY: it's the C library's own signature.
unsafe extern "C" {
    fn pthread_atfork(
        before: Option<Handler>,
        in_parent: Option<Handler>,
        in_child: Option<Handler>,
    ) -> c_int;
}

/// The first thing that runs in a child. It takes no lock that another thread may have held.
extern "C" fn begin_anew() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    AsyncRuntime::forked();
}

/// A value behind a lock, made when it's first asked for. A forked child gets a new one, and the parent's is leaked.
pub(crate) struct Renewed<T> {
    /// Null until the first use, and leaked.
    current: AtomicPtr<(Generation, Mutex<T>)>,
}

impl<T: Default + Send> Renewed<T> {
    pub(crate) const fn new() -> Self {
        Self { current: AtomicPtr::new(ptr::null_mut()) }
    }

    pub(crate) fn get(&self) -> &'static Mutex<T> {
        let known = self.current.load(Ordering::Acquire);
        // SAFETY: what isn't null was leaked by `renew`: valid for ever, and only shared from then on.
        match unsafe { known.as_ref() } {
            Some((generation, value)) if generation.is_current() => value,
            _ => self.renew(known),
        }
    }

    #[cold]
    fn renew(&self, known: *mut (Generation, Mutex<T>)) -> &'static Mutex<T> {
        let new = Box::into_raw(Box::new((Generation::current(), Mutex::default())));
        match self.current.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: it was leaked just now.
            Ok(_) => &unsafe { &*new }.1,
            Err(_) => {
                // SAFETY: nobody else has seen `new`, which came out of a box just now.
                drop(unsafe { Box::from_raw(new) });
                self.get()
            }
        }
    }
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

    /// Lets go of the value of this process if `is_over`, so that the next who asks has one made. Call it with the GIL,
    /// as [`get_or_try_init`](Self::get_or_try_init).
    pub(crate) fn forget_if(&self, _: Python<'_>, is_over: impl FnOnce(&T) -> bool) {
        let over = {
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.take_if(|(generation, value)| generation.is_current() && is_over(value))
        };
        drop(over);
    }

    /// The value of this process, made if it wasn't. Call it with the GIL, which keeps threads from forking while
    /// the slot is locked; `make` may give it up, and of two values that are made at once the first is kept.
    pub(crate) fn get_or_try_init(&self, _: Python<'_>, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        watch()?;
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
