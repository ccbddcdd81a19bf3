//! [`TaskLocal`]: values that belong to a task, and that the tasks which it spawns inherit.
//!
//! # Who owns what
//!
//! A thread has the values of the code that runs now, as one [`TaskLocals`], a list that is never changed but replaced.
//! Around each poll the loop (or the pool's wrapper) puts the task's own there, and takes them back afterwards, so what
//! a task sets stays with it. A task is born with its parent's list as it is then: setting a value copies the list, and
//! the parent doesn't see it. That is what `contextvars` do in asyncio (CPython 3.13: a task runs in a copy of the
//! context in which it was created).
//!
//! As long as no program sets a value, a poll pays a look at one flag.

use crate::model::Apart;
use pin_project_lite::pin_project;
use std::{
    any::Any,
    cell::RefCell,
    error::Error,
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

type Value = Arc<dyn Any + Send + Sync>;

/// Each with its key. They are few, and copied more often than sought in, so they are not sorted.
type Values = Vec<(usize, Value)>;

/// Whether any value was ever set.
static USED: Apart<AtomicBool> = Apart(AtomicBool::new(false));

thread_local! {
    /// Those of the code that runs now.
    static CURRENT: RefCell<TaskLocals> = const { RefCell::new(TaskLocals(None)) };
}

/// Whether there can be any values.
pub(crate) fn in_use() -> bool {
    USED.0.load(Ordering::Relaxed)
}

/// A variable whose value belongs to the task that set it, and is inherited by the tasks which that spawns from then
/// on, on the loop, on the pool and for blocking work. Python's
/// [`ContextVar`](https://docs.python.org/3.13/library/contextvars.html) is the same for asyncio.
///
/// ```
/// use asyncferry::{AsyncRuntime, TaskLocal, spawn, spawn_local};
///
/// static REQUEST: TaskLocal<u64> = TaskLocal::new();
///
/// AsyncRuntime::block_on(async {
///     let handle = async |number: u64| {
///         // A log line deep inside, and in other tasks, knows the request.
///         let there = spawn(async { REQUEST.get() }).await;
///         assert_eq!(there, Ok(Some(number)));
///     };
///     REQUEST.scope(1, handle(1)).await;
///     REQUEST.scope(2, handle(2)).await;
///     assert_eq!(REQUEST.get(), None);
/// });
/// ```
pub struct TaskLocal<T> {
    /// Of a size, so that each has an address of its own, which is its key.
    _address: u8,
    values: PhantomData<fn() -> T>,
}

impl<T> TaskLocal<T> {
    /// A variable that has no value anywhere yet. It has to be a `static`.
    #[expect(clippy::new_without_default, reason = "it has to be a static")]
    pub const fn new() -> Self {
        Self { _address: 0, values: PhantomData }
    }

    fn key(&'static self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl<T: Send + Sync + 'static> TaskLocal<T> {
    /// Runs `future` with this value, and with the others that are there when it's first polled. What it sets itself stays
    /// inside of it.
    ///
    /// # Cancel safety
    /// As `future`.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> WithLocals<F> {
        USED.0.store(true, Ordering::Relaxed);
        let values = Inside::OneMore { key: self.key(), value: Arc::new(value) };
        WithLocals { values, future: Some(future) }
    }

    /// Calls `call` with this value.
    ///
    /// ```
    /// use asyncferry::TaskLocal;
    ///
    /// static USER: TaskLocal<&str> = TaskLocal::new();
    ///
    /// assert_eq!(USER.sync_scope("ann", || USER.get()), Some("ann"));
    /// ```
    pub fn sync_scope<R>(&'static self, value: T, call: impl FnOnce() -> R) -> R {
        TaskLocals::current().with(self, value).enter(call)
    }

    /// Sets the value for the rest of this task (or of the [`scope`](Self::scope) that runs in it) and the tasks that it
    /// spawns from now on. Outside of every task, for this thread.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, TaskLocal, spawn_local};
    ///
    /// static DEPTH: TaskLocal<u32> = TaskLocal::new();
    ///
    /// AsyncRuntime::block_on(async {
    ///     DEPTH.set(1);
    ///     let child = spawn_local(async {
    ///         let inherited = DEPTH.get();
    ///         DEPTH.set(2);
    ///         inherited
    ///     });
    ///     assert_eq!(child.await, Ok(Some(1)));
    ///     assert_eq!(DEPTH.get(), Some(1));
    /// });
    /// ```
    pub fn set(&'static self, value: T) {
        let set = TaskLocals::current().with(self, value);
        let before = CURRENT.replace(set);
        drop(before);
    }

    /// Takes the value away, for the rest of this task (or scope) and the tasks that it spawns from now on.
    pub fn unset(&'static self) {
        let mut locals = TaskLocals::current();
        if let Some(values) = &mut locals.0 {
            let key = self.key();
            Arc::make_mut(values).retain(|(known, _)| *known != key);
            if values.is_empty() {
                locals.0 = None;
            }
            let before = CURRENT.replace(locals);
            drop(before);
        }
    }

    /// A copy of the value; `None` where none was set.
    pub fn get(&'static self) -> Option<T>
    where
        T: Clone,
    {
        self.try_with(T::clone).ok()
    }

    /// Calls `call` with the value.
    ///
    /// # Panics
    /// Where none was set.
    pub fn with<R>(&'static self, call: impl FnOnce(&T) -> R) -> R {
        self.try_with(call).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Calls `call` with the value.
    ///
    /// # Errors
    /// Where none was set.
    pub fn try_with<R>(&'static self, call: impl FnOnce(&T) -> R) -> Result<R, NotSet> {
        // Held meanwhile, as `call` is foreign code, which may set another.
        let value = CURRENT.with_borrow(|current| current.get(self.key()).cloned());
        value.as_deref().and_then(|value| value.downcast_ref()).map(call).ok_or(NotSet)
    }
}

impl<T> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocal").finish_non_exhaustive()
    }
}

/// The error of a [`TaskLocal`] that has no value in this task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSet;

impl fmt::Display for NotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the task-local has no value in this task: neither it nor one that it descends from has set it",
        )
    }
}

impl Error for NotSet {}

/// All values of a task at one moment, for who starts work by other ways than Ferry's `spawn`s and wants it to inherit
/// them: a bridge, a thread, another executor.
///
/// ```
/// use asyncferry::{TaskLocal, TaskLocals};
///
/// static USER: TaskLocal<&str> = TaskLocal::new();
///
/// let seen = USER.sync_scope("ann", || {
///     let locals = TaskLocals::current();
///     std::thread::spawn(move || locals.enter(|| USER.get())).join().unwrap()
/// });
/// assert_eq!(seen, Some("ann"));
/// ```
#[derive(Clone, Default)]
pub struct TaskLocals(Option<Arc<Values>>);

impl TaskLocals {
    /// Those of the code that runs now.
    pub fn current() -> Self {
        if in_use() { CURRENT.with_borrow(Clone::clone) } else { Self(None) }
    }

    /// These, and `value` for `key`.
    fn with<T: Send + Sync + 'static>(self, key: &'static TaskLocal<T>, value: T) -> Self {
        USED.0.store(true, Ordering::Relaxed);
        self.and(key.key(), Arc::new(value))
    }

    fn and(mut self, key: usize, value: Value) -> Self {
        let values = Arc::make_mut(self.0.get_or_insert_default());
        match values.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => *before = value,
            None => values.push((key, value)),
        }
        self
    }

    fn get(&self, key: usize) -> Option<&Value> {
        self.0.as_ref()?.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Calls `call` with these values.
    pub fn enter<R>(self, call: impl FnOnce() -> R) -> R {
        self.enter_and_keep(call).0
    }

    /// Runs `future` with these values.
    ///
    /// # Cancel safety
    /// As `future`.
    pub fn scope<F: Future>(self, future: F) -> WithLocals<F> {
        WithLocals { values: Inside::Entered(self), future: Some(future) }
    }

    /// Whether no value is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// [`enter_and_keep`](Self::enter_and_keep) around a poll, for no more than a look as long as no program has set a
    /// value. The first that is ever set may be set in there.
    pub(crate) fn around<R>(
        locals: impl FnOnce() -> Self,
        keep: impl FnOnce(Self),
        poll: impl FnOnce() -> R,
    ) -> R {
        if in_use() {
            let (result, kept) = locals().enter_and_keep(poll);
            keep(kept);
            return result;
        }
        let result = poll();
        if in_use() {
            keep(CURRENT.take());
        }
        result
    }

    /// Calls `call` with these values, and gives those that are there at its end.
    fn enter_and_keep<R>(self, call: impl FnOnce() -> R) -> (R, Self) {
        let entered = Entered { outer: Some(CURRENT.replace(self)) };
        let result = call();
        (result, entered.leave())
    }
}

impl fmt::Debug for TaskLocals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskLocals({})", self.0.as_ref().map_or(0, |values| values.len()))
    }
}

/// Puts back what was there before, when code that was entered returns or unwinds.
struct Entered {
    outer: Option<TaskLocals>,
}

impl Entered {
    fn leave(mut self) -> TaskLocals {
        self.outer.take().map(|outer| CURRENT.replace(outer)).unwrap_or_default()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            // Its values are dropped after the borrow has ended.
            let inner = CURRENT.replace(outer);
            drop(inner);
        }
    }
}

/// The values of a future that runs with its own.
enum Inside {
    /// Those that are there when it begins, and this one.
    OneMore {
        key: usize,
        value: Value,
    },
    Entered(TaskLocals),
}

impl Inside {
    fn take(&mut self) -> TaskLocals {
        match std::mem::replace(self, Self::Entered(TaskLocals(None))) {
            Self::OneMore { key, value } => TaskLocals::current().and(key, value),
            Self::Entered(locals) => locals,
        }
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneMore { .. } => f.write_str("one more"),
            Self::Entered(locals) => locals.fmt(f),
        }
    }
}

pin_project! {
    /// What [`TaskLocal::scope`] and [`TaskLocals::scope`] return. The future is dropped with its values in force.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct WithLocals<F> {
        values: Inside,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for WithLocals<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.values.take().enter(|| this.future.set(None));
        }
    }
}

impl<F: Future> Future for WithLocals<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("a future was polled after it had ended");
        };
        let (polled, kept) = this.values.take().enter_and_keep(|| future.poll(cx));
        *this.values = Inside::Entered(kept);
        polled
    }
}

#[cfg(all(test, not(ferry_loom), not(miri)))]
mod tests;
