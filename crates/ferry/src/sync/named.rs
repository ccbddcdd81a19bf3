//! Primitives that are known by a name, to everybody in the process: how programs in several languages meet that know nothing of
//! each other.
//!
//! Whoever asks first makes one, and it's there until somebody [forgets](forget) it, with what is in it. In Python it's
//! `Event.named("ready")`, in Wren too.
//!
//! ```
//! use asyncferry::{AsyncRuntime, Order, Value, spawn_local, sync::named};
//!
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let orders = named::queue("orders", Some(16)).unwrap();
//!     let worker = spawn_local(async { named::queue("orders", None).unwrap().get().await.unwrap() });
//!     orders.put(Value::from("tea")).await.unwrap();
//!     assert_eq!(worker.await.unwrap(), Value::from("tea"));
//! });
//! assert_eq!(named::event("orders").unwrap_err().to_string(), "'orders' names a Queue already, not an Event");
//! assert!(named::forget("orders"));
//! ```

use super::{Event, Lock, Queue, Semaphore};
use crate::value::Value;
use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many names there may be at once.
pub const MOST_NAMES: usize = 10_000;

/// A queue with a name holds so many items unless it's told otherwise.
pub const DEFAULT_MAXSIZE: usize = 1024;

#[derive(Clone)]
enum Named {
    Event(Arc<Event>),
    Lock(Arc<Lock>),
    Semaphore(Arc<Semaphore>, usize),
    Queue(Arc<Queue<Value>>),
}

impl Named {
    fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "an Event",
            Self::Lock(_) => "a Lock",
            Self::Semaphore(..) => "a Semaphore",
            Self::Queue(_) => "a Queue",
        }
    }
}

/// Why there is none for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// It's the name of something else.
    Taken {
        /// The name.
        name: String,
        /// What it names: `a Queue`.
        is: &'static str,
        /// What was wanted: `an Event`.
        wanted: &'static str,
    },
    /// It names one of another size.
    Size {
        /// The name.
        name: String,
        /// What it names.
        is: &'static str,
        /// Its size.
        size: usize,
        /// The one that was wanted.
        wanted: usize,
    },
    /// There are [`MOST_NAMES`] already.
    TooMany,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { name, is, wanted } => write!(f, "'{name}' names {is} already, not {wanted}"),
            Self::Size { name, is, size, wanted } => {
                write!(f, "'{name}' names {is} of {size} already, not of {wanted}")
            }
            Self::TooMany => write!(f, "there are {MOST_NAMES} names already: forget some that nobody needs"),
        }
    }
}

impl Error for NameError {}

static NAMES: Mutex<BTreeMap<String, Named>> = Mutex::new(BTreeMap::new());

fn names() -> MutexGuard<'static, BTreeMap<String, Named>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn get(name: &str, make: impl FnOnce() -> Named) -> Result<Named, NameError> {
    let mut names = names();
    if let Some(known) = names.get(name) {
        return Ok(known.clone());
    }
    if names.len() >= MOST_NAMES {
        return Err(NameError::TooMany);
    }
    let made = make();
    names.insert(name.to_owned(), made.clone());
    Ok(made)
}

fn taken(name: &str, is: &Named, wanted: &'static str) -> NameError {
    NameError::Taken { name: name.to_owned(), is: is.kind(), wanted }
}

fn check_size(name: &str, is: &'static str, size: usize, wanted: Option<usize>) -> Result<(), NameError> {
    match wanted {
        Some(wanted) if wanted != size => Err(NameError::Size { name: name.to_owned(), is, size, wanted }),
        _ => Ok(()),
    }
}

/// The event of this name.
///
/// # Errors
/// [`NameError`].
pub fn event(name: &str) -> Result<Arc<Event>, NameError> {
    match get(name, || Named::Event(Arc::default()))? {
        Named::Event(event) => Ok(event),
        other => Err(taken(name, &other, "an Event")),
    }
}

/// The lock of this name.
///
/// # Errors
/// [`NameError`].
pub fn lock(name: &str) -> Result<Arc<Lock>, NameError> {
    match get(name, || Named::Lock(Arc::new(Lock::new(()))))? {
        Named::Lock(lock) => Ok(lock),
        other => Err(taken(name, &other, "a Lock")),
    }
}

/// The semaphore of this name. Whoever makes it says how many permits it has, 1 if that's left out.
///
/// # Errors
/// [`NameError`], when it was made with another number of permits.
pub fn semaphore(name: &str, permits: Option<usize>) -> Result<Arc<Semaphore>, NameError> {
    let made = permits.unwrap_or(1);
    match get(name, || Named::Semaphore(Arc::new(Semaphore::new(made)), made))? {
        Named::Semaphore(semaphore, size) => {
            check_size(name, "a Semaphore", size, permits).map(|()| semaphore)
        }
        other => Err(taken(name, &other, "a Semaphore")),
    }
}

/// The queue of this name. Whoever makes it says how many items it may hold, [`DEFAULT_MAXSIZE`] if that's left out.
///
/// # Errors
/// [`NameError`], when it was made with another size.
pub fn queue(name: &str, maxsize: Option<usize>) -> Result<Arc<Queue<Value>>, NameError> {
    match get(name, || Named::Queue(Arc::new(Queue::new(maxsize.unwrap_or(DEFAULT_MAXSIZE)))))? {
        Named::Queue(queue) => check_size(name, "a Queue", queue.maxsize(), maxsize).map(|()| queue),
        other => Err(taken(name, &other, "a Queue")),
    }
}

/// Forgets a name; `false` when it's none. Whoever has what it named keeps that; whoever asks again gets a new one.
pub fn forget(name: &str) -> bool {
    let gone = names().remove(name);
    gone.is_some()
}

#[cfg(all(test, not(ferry_loom)))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_name_gets_the_same_one() {
        assert!(Arc::ptr_eq(&event("same").unwrap(), &event("same").unwrap()));
        assert!(Arc::ptr_eq(&lock("same lock").unwrap(), &lock("same lock").unwrap()));
        let first = queue("same queue", Some(4)).unwrap();
        assert!(Arc::ptr_eq(&first, &queue("same queue", None).unwrap()));
        assert_eq!(first.maxsize(), 4);
        assert!(forget("same queue") && !forget("same queue"));
        assert_eq!(queue("same queue", None).unwrap().maxsize(), DEFAULT_MAXSIZE);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        semaphore("three", Some(3)).unwrap();
        assert_eq!(
            semaphore("three", Some(2)).unwrap_err().to_string(),
            "'three' names a Semaphore of 3 already, not of 2"
        );
        assert_eq!(semaphore("three", None).unwrap().permits(), 3);
        assert_eq!(lock("three").unwrap_err().to_string(), "'three' names a Semaphore already, not a Lock");
    }
}
