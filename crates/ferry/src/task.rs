//! Tasks: starting them, and [`TaskHandle`], by which others wait for them and stop them.

mod pool;

pub(crate) use pool::PoolAborter;

use crate::{
    cancel::{Cancelled, Canceller},
    error::AsyncError,
    executor::{
        CellMeta, Crash, Ended, Letter, Loop, LoopRef, Spawned, drop_caught, platform, poll_caught,
        try_with_loop, with_loop,
    },
};
use pin_project_lite::pin_project;
use pool::PoolTask;
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

/// Starts a task that may move between threads, on the process's pool. Works with or without a loop; under a
/// virtual clock, and where there are no threads, it runs on the loop instead.
///
/// ```
/// use asyncferry::{AsyncRuntime, spawn};
///
/// let sum = AsyncRuntime::block_on(async { spawn(async { 1 + 1 }).await });
/// assert_eq!(sum, Ok(2));
/// ```
///
/// # Panics
/// When the system refuses the pool its threads; outside of a loop where there are none (WASI).
#[track_caller]
pub fn spawn<F>(future: F) -> TaskHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    TaskBuilder::new().spawn(future)
}

/// Starts a task on this thread's loop. It need not be `Send`.
///
/// ```
/// use asyncferry::{AsyncRuntime, spawn_local};
/// use std::rc::Rc;
///
/// let shared = Rc::new(7);
/// let there = shared.clone();
/// let seen = AsyncRuntime::block_on(async { spawn_local(async move { *there }).await });
/// assert_eq!(seen, Ok(7));
/// ```
///
/// # Panics
/// Outside of a loop; [`TaskBuilder::spawn_local`] gives an error instead.
#[track_caller]
pub fn spawn_local<F>(future: F) -> TaskHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    TaskBuilder::new().start_local(future).unwrap_or_else(|| no_loop())
}

/// Runs `work`, which may block or compute for long, on a thread of its own out of a bounded set (see
/// [`RuntimeConfig`](crate::RuntimeConfig)). Under a virtual clock it runs on the loop, at its turn.
///
/// What finds no free thread waits in a queue that has no bound of its own: keep as many in flight as you
/// want to hold in memory.
///
/// Aborting it helps only as long as it has not begun: code that blocks can't be stopped from outside.
///
/// ```
/// use asyncferry::{AsyncRuntime, spawn_blocking};
///
/// let sum = AsyncRuntime::block_on(async { spawn_blocking(|| (1..=100).sum::<u32>()).await });
/// assert_eq!(sum, Ok(5050));
/// ```
///
/// # Panics
/// When the system refuses the pool its threads; outside of a loop where there are none (WASI).
#[track_caller]
pub fn spawn_blocking<T, W>(work: W) -> TaskHandle<T>
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    TaskBuilder::new().spawn_blocking(work)
}

/// Starts a task with a name.
///
/// ```
/// use asyncferry::{AsyncRuntime, TaskBuilder};
///
/// AsyncRuntime::block_on(async {
///     let task = TaskBuilder::new().name("answer").spawn_local(async { 42 }).unwrap();
///     assert_eq!(task.name(), Some("answer"));
/// });
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder starts nothing by itself"]
pub struct TaskBuilder {
    name: Option<Arc<str>>,
}

impl TaskBuilder {
    /// A builder for a task without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task, for those who read a timeline or a log.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// See [`spawn`].
    ///
    /// # Panics
    /// When the system refuses the pool its threads.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> TaskHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if with_loop(|home| home.is_virtual()) {
            return self.start_local(future).unwrap_or_else(|| no_loop());
        }
        let number = pool_number();
        match PoolTask::spawn(number, future) {
            Ok(task) => self.on_pool(number, task),
            Err(future) => self.start_local(future).unwrap_or_else(|| no_loop()),
        }
    }

    /// See [`spawn_local`].
    ///
    /// # Errors
    /// [`AsyncError::Spawn`] outside of a loop. In a loop that is ending, the task is cancelled at once.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> Result<TaskHandle<F::Output>, AsyncError>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.start_local(future).ok_or_else(|| AsyncError::Spawn(platform::NO_LOOP.to_owned()))
    }

    /// See [`spawn_blocking`].
    ///
    /// # Panics
    /// When the system refuses the pool its threads.
    #[track_caller]
    pub fn spawn_blocking<T, W>(self, work: W) -> TaskHandle<T>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        if with_loop(|home| home.is_virtual()) {
            return self.spawn(async { work() });
        }
        match PoolTask::spawn_blocking(work) {
            Ok(task) => self.on_pool(pool_number(), task),
            Err(work) => self.spawn(async { work() }),
        }
    }

    /// As [`spawn_local`](Self::spawn_local); nothing outside of a loop.
    #[track_caller]
    fn start_local<F>(self, future: F) -> Option<TaskHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let place = Location::caller();
        with_loop(|home| {
            let here = platform::here()?;
            let id = |number| TaskId { loop_id: here.id, number };
            Some(match home.spawn(here, future, place) {
                Some(Spawned { task, number }) => TaskHandle {
                    work: Work::Local { task: Some(task), home: here },
                    id: id(number),
                    name: self.name,
                },
                None => TaskHandle { work: Work::Refused, id: id(home.next_number()), name: self.name },
            })
        })
    }

    fn on_pool<T>(self, number: u64, task: PoolTask<T>) -> TaskHandle<T> {
        let id = TaskId { loop_id: 0, number };
        TaskHandle { work: Work::Pool { task, reason: OnceLock::new() }, id, name: self.name }
    }
}

/// Panics as [`AsyncError::Spawn`] reads, without that type's own way of saying it: how a time limit is written is 4 kB
/// of a small program for the web.
#[cold]
fn no_loop() -> ! {
    panic!("the task could not be started: {}", platform::NO_LOOP)
}

/// Starts a task on the pool, whatever runs here, and lets it go. It inherits nothing.
///
/// # Panics
/// When the system refuses the pool its threads.
pub(crate) fn spawn_on_pool<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let spawn = || PoolTask::spawn(pool_number(), future).map(drop);
    if crate::local::TaskLocals::default().enter(spawn).is_err() {
        unreachable!("there is a pool where this is called");
    }
}

/// A number for one more task of the pool.
fn pool_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Names a task, once in the life of the process. It reads `loop.number`; tasks of the pool have loop 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    loop_id: u64,
    number: u64,
}

impl TaskId {
    pub(crate) fn new(loop_id: u64, number: u64) -> Self {
        Self { loop_id, number }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.loop_id, self.number)
    }
}

/// A task that was started. Await it for what it returned; dropping it lets the task run on by itself.
///
/// Awaiting gives [`AsyncError::Panic`] with the panic's text when the task panicked (the panic is also shown
/// on stderr, as any panic, so that of a task that nobody awaits is not lost),
/// [`AsyncError::Cancelled`] when it was aborted, and [`AsyncError::JoinError`] when its loop ended first.
///
/// # Cancel safety
/// Dropping it half-way lets the task run on.
///
/// # Panics
/// When it's polled again after it gave its result.
///
/// ```
/// use asyncferry::{AsyncError, AsyncRuntime, spawn_local};
/// use std::future::pending;
///
/// AsyncRuntime::block_on(async {
///     let task = spawn_local(pending::<()>());
///     assert!(!task.is_finished());
///     task.abort();
///     assert!(matches!(task.await, Err(AsyncError::Cancelled(_))));
/// });
/// ```
#[must_use = "a task whose handle is dropped runs on by itself; say so with `drop`"]
pub struct TaskHandle<T> {
    work: Work<T>,
    id: TaskId,
    name: Option<Arc<str>>,
}

enum Work<T> {
    /// `task` is there until the handle is dropped.
    Local { task: Option<async_task::Task<Ended<T>, CellMeta>>, home: LoopRef },
    /// `reason` is why the task was dropped, if it was by `cancel`.
    Pool { task: PoolTask<T>, reason: OnceLock<Cancelled> },
    /// Its loop was ending when it was to be started.
    Refused,
}

impl<T> TaskHandle<T> {
    /// Asks the task to stop. It's dropped where it waits, at its next turn; awaiting the handle then gives
    /// [`AsyncError::Cancelled`]. A task that has ended keeps its result. Works from any thread.
    pub fn abort(&self) {
        match &self.work {
            Work::Local { task: Some(task), home } if !task.is_finished() => {
                task.metadata().abort();
                let slot = task.metadata().slot();
                let number = self.id.number;
                let wake = |here: &Loop| here.is_here(home.id).then(|| here.wake_to_abort(slot, number));
                if try_with_loop(wake).flatten().is_none() {
                    home.remote.post(Letter::Abort { id: home.id, slot, number });
                }
            }
            Work::Pool { task, .. } => task.abort(),
            _ => {}
        }
    }

    /// Asks the task to cancel, with a message for it (empty: none). Works from any thread. A task that has polled
    /// a [`cancellable`](crate::cancellable) gets the request as an error where it next waits in one, and decides
    /// what to do; any other is dropped where it waits, as by [`abort`](Self::abort), and awaiting the handle
    /// gives [`AsyncError::Cancelled`] with the message.
    ///
    /// `false` when the task has ended already. As
    /// [`Task.cancel`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.Task.cancel) of CPython
    /// 3.13, but that a wait which has ended keeps its value.
    ///
    /// ```
    /// use asyncferry::{AsyncError, AsyncRuntime, spawn_local};
    /// use std::future::pending;
    ///
    /// AsyncRuntime::block_on(async {
    ///     let plain = spawn_local(pending::<()>());
    ///     assert!(plain.cancel("not needed"));
    ///     assert_eq!(plain.await, Err(AsyncError::Cancelled("not needed".to_owned())));
    /// });
    /// ```
    pub fn cancel(&self, message: &str) -> bool {
        if self.is_finished() {
            return false;
        }
        if let Work::Pool { reason, .. } = &self.work
            && !platform::scopes().contains_key(&self.id.number)
        {
            // The task will be dropped. The first request does that, so the first reason stays.
            let _ = reason.set(Cancelled::new(message));
        }
        self.canceller().is_some_and(|canceller| canceller.cancel(message))
    }

    /// What makes requests to cancel the task when its handle is elsewhere; `None` if it never began, as its loop
    /// was ending.
    pub fn canceller(&self) -> Option<Canceller> {
        match &self.work {
            Work::Local { task: Some(task), home } => {
                Some(Canceller::local(*home, task.metadata().slot(), self.id.number))
            }
            Work::Pool { task, .. } => Some(Canceller::pool(self.id.number, task.aborter())),
            _ => None,
        }
    }

    /// Whether the task has ended, in whichever way.
    pub fn is_finished(&self) -> bool {
        match &self.work {
            Work::Local { task, .. } => task.as_ref().is_none_or(async_task::Task::is_finished),
            Work::Pool { task, .. } => task.is_finished(),
            Work::Refused => true,
        }
    }

    /// The task's number, unique in this process.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The name given to [`TaskBuilder::name`].
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = Result<T, AsyncError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.work {
            Work::Local { task: Some(task), .. } => Pin::new(task)
                .poll(cx)
                .map(|ended| ended.into_result().map_err(|crash| AsyncError::from(*crash))),
            Work::Pool { task, reason } => Pin::new(task).poll(cx).map(|joined| {
                joined.map_err(|crash| match crash {
                    Crash::Aborted(None) => Crash::Aborted(reason.get().cloned()).into(),
                    crash => AsyncError::from(crash),
                })
            }),
            Work::Local { task: None, .. } | Work::Refused => {
                Poll::Ready(Err(AsyncError::Cancelled("its loop was ending when it was started".to_owned())))
            }
        }
    }
}

impl<T> Drop for TaskHandle<T> {
    fn drop(&mut self) {
        // An async-task handle would cancel its task when dropped.
        if let Work::Local { task, .. } = &mut self.work
            && let Some(task) = task.take()
        {
            task.detach();
        }
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TaskHandle");
        shown.field("id", &format_args!("{}", self.id));
        if let Some(name) = &self.name {
            shown.field("name", name);
        }
        shown.field("finished", &self.is_finished()).finish()
    }
}

/// Gives other tasks that are ready a turn: returns at the loop's next tick.
///
/// # Cancel safety
/// Nothing is lost when it's dropped.
///
/// ```
/// # asyncferry::AsyncRuntime::block_on(async {
/// asyncferry::yield_now().await;
/// # });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// Gives those a turn with whom the loop shares its thread: in the browser the page paints and handles its events (where
/// it's in sight, a frame was painted when this returns); elsewhere I/O is looked at. [`yield_now`] gives other tasks a
/// turn only.
///
/// # Cancel safety
/// Nothing is lost when it's dropped.
///
/// ```
/// # asyncferry::AsyncRuntime::block_on(async {
/// asyncferry::yield_to_host().await;
/// # });
/// ```
pub async fn yield_to_host() {
    platform::yield_to_host().await;
}

/// What [`yield_now`] returns.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Turns a panic of `future` into [`AsyncError::Panic`] with the panic's text; for bridges that run futures
/// where a panic must not unwind. A panic of its destructor is caught too: when the future ends, it becomes
/// the error; when it's dropped half-way, the panic's message on stderr is all that is seen of it.
///
/// # Panics
/// When it's polled again after it ended.
///
/// # Cancel safety
/// Dropping it drops `future`.
///
/// ```
/// use asyncferry::{AsyncError, AsyncRuntime, catch_panic};
///
/// let caught = AsyncRuntime::block_on(catch_panic(async { panic!("boom") }));
/// assert_eq!(caught, Err::<(), _>(AsyncError::Panic("boom".to_owned())));
/// ```
pub fn catch_panic<F: Future>(future: F) -> CatchPanic<F> {
    CatchPanic { future: Some(future) }
}

pin_project! {
    /// What [`catch_panic`] returns. The future is dropped as soon as it ends, inside the net as well.
    #[must_use = "futures do nothing unless awaited"]
    pub struct CatchPanic<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for CatchPanic<F> {
        fn drop(this: Pin<&mut Self>) {
            // The panic was shown on stderr; nobody waits to hear of it.
            let _ = drop_caught(this.project().future);
        }
    }
}

impl<F: Future> Future for CatchPanic<F> {
    type Output = Result<F::Output, AsyncError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_caught(self.project().future, cx).map(|ended| ended.map_err(AsyncError::from_panic))
    }
}
