//! [`task_group`] and [`TaskGroup`]: tasks that end together.
//!
//! ```text
//!              all tasks and the body have ended
//!   Running ────────────────────────────────────────▶ Over: the body's value
//!      │ a task or the body fails, or panics;           ▲
//!      │ or the group is asked to cancel                │ or its errors, or that it was cancelled
//!      ▼                                                │
//!   Aborting: no task can be added; tasks and body ─────┘
//!   are asked to cancel, and are waited for
//! ```
//!
//! The body is polled where the group is, in a scope of its own: it can be cancelled without its task, and borrows
//! what it likes. A request to the task goes into the body while that runs and has opted in; else the group
//! takes it, as a group always has something to wait for. As `asyncio.TaskGroup` of CPython 3.11 to 3.13, whose
//! source tells who wins when requests and errors meet:
//!
//! | the tasks and the body gave | nobody asked from outside | the group was asked to cancel |
//! |---|---|---|
//! | no error | the body's value | `GroupError::cancelled` |
//! | errors | `GroupError::errors` | the same, and the request waits for the task's next `cancellable` |

mod error;
mod members;

pub use error::GroupError;

use crate::{
    cancel::{
        Cancelled,
        nested::Nested,
        scope::{self, Scope, Waiting},
    },
    error::{AsyncError, Failure},
    promise::Outcome,
    task::{CatchPanic, TaskBuilder, TaskHandle, TaskId, catch_panic},
};
use members::{Member, Members, Phase};
use std::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

/// Runs `body` with a group that it can start tasks in, and waits until all of them have ended.
///
/// When the first task fails or panics, or `body` fails, the others are cancelled, and `body` too: what has polled a
/// [`cancellable`](crate::cancellable) gets a request and may clean up, anything else is dropped where it waits. The
/// group waits for them all, and then gives all errors as one. A task that ends as cancelled is no error. As
/// [`asyncio.TaskGroup`](https://docs.python.org/3.13/library/asyncio-task.html#asyncio.TaskGroup) of CPython 3.13.
///
/// A request to cancel the task that the group runs in cancels the group: it reaches `body`, or the group itself
/// where `body` is over or has not opted in; the tasks are cancelled and waited for, and the group gives a
/// [`GroupError`] that tells so.
///
/// # Errors
/// [`GroupError`].
///
/// # Panics
/// With the panic of `body`; the tasks are cancelled then, and not waited for.
///
/// # Cancel safety
/// Dropping it half-way drops `body` and cancels all tasks, as [`TaskHandle::cancel`] does; nobody waits for them.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, sleep, task_group};
/// use std::time::Duration;
///
/// async fn fetch(size: u64) -> Result<u64, String> {
///     sleep(Duration::from_secs(size)).await;
///     if size < 9 { Ok(size) } else { Err(format!("{size} is too much")) }
/// }
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let (names, mut total) = (["a", "bbb"].map(str::to_owned), 0);
///     let ended = task_group(async |group| {
///         // The body borrows; the tasks own what they work with.
///         let tasks = names.iter().map(|name| group.spawn_local(fetch(name.len() as u64)));
///         for task in tasks.collect::<Vec<_>>() {
///             total += task?.await?;
///         }
///         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(total)
///     });
///     assert_eq!(ended.await.unwrap(), 4);
///
///     let ended = task_group(async |group| {
///         group.spawn_local(fetch(10))?.detach();
///         group.spawn_local(fetch(5))?.await?;
///         sleep(Duration::from_secs(3600)).await; // is not waited for
///         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
///     });
///     assert_eq!(ended.await.unwrap_err().to_string(), "a task of the group failed: 10 is too much");
/// });
/// ```
pub async fn task_group<R, E>(body: impl AsyncFnOnce(TaskGroup) -> Result<R, E>) -> Result<R, GroupError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let members = Arc::<Members>::default();
    let _abort = AbortOnDrop(&members);
    let mut body = pin!(Some(Nested::new(body(TaskGroup { members: members.clone() }))));
    let mut run =
        Run { members: &members, outside: None, request: None, value: None, failure: None, is_told: false };
    poll_fn(|cx| run.poll(body.as_mut(), cx)).await;
    run.outcome()
}

/// Where tasks of a group are started. Clones are of the same group; a task may have one to start more.
#[derive(Clone)]
pub struct TaskGroup {
    members: Arc<Members>,
}

impl TaskGroup {
    /// Starts a task of the group on this thread's loop.
    ///
    /// # Errors
    /// [`AsyncError::Spawn`] when the group aborts or is over, or outside of a loop.
    pub fn spawn_local<T, E, F>(&self, future: F) -> Result<GroupTask<T>, AsyncError>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let member = self.members.enter()?;
        let key = member.key();
        self.adopt(key, TaskBuilder::new().spawn_local(run_member(member, catch_panic(future)))?)
    }

    /// Starts a task of the group on the pool; under a virtual clock, on the loop.
    ///
    /// # Errors
    /// [`AsyncError::Spawn`] when the group aborts or is over.
    ///
    /// # Panics
    /// When the system refuses the pool its threads.
    pub fn spawn<T, E, F>(&self, future: F) -> Result<GroupTask<T>, AsyncError>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        let member = self.members.enter()?;
        let key = member.key();
        self.adopt(key, TaskBuilder::new().spawn(run_member(member, catch_panic(future))))
    }

    fn adopt<T>(&self, key: u64, task: TaskHandle<Outcome<T>>) -> Result<GroupTask<T>, AsyncError> {
        self.members.started(key, task.canceller());
        Ok(GroupTask { task })
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskGroup({:?})", self.members.phase())
    }
}

async fn run_member<T, E, F>(member: Member, future: CatchPanic<F>) -> Outcome<T>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let outcome = match future.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::from_error(error)),
        Err(panic) => Err(Failure::from(panic)),
    };
    if let Err(failure) = &outcome {
        member.failed(failure);
    }
    outcome
}

/// A task of a group. Await it for what it returned; dropping it changes nothing, as the group waits for the task.
///
/// It gives the task's error as well, which then is the group's: the body need not handle it.
#[must_use = "the group waits for it; say so with `detach`"]
pub struct GroupTask<T> {
    task: TaskHandle<Outcome<T>>,
}

impl<T> GroupTask<T> {
    /// Leaves the task to the group.
    pub fn detach(self) {}

    /// Asks this one task to cancel, as [`TaskHandle::cancel`] does. That is no error of the group's.
    pub fn cancel(&self, message: &str) -> bool {
        self.task.cancel(message)
    }

    /// Whether the task has ended, in whichever way.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// The task's number, unique in this process.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }
}

impl<T> Future for GroupTask<T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = std::task::ready!(Pin::new(&mut self.task).poll(cx));
        Poll::Ready(joined.unwrap_or_else(|error| Err(Failure::from(error))))
    }
}

impl<T> fmt::Debug for GroupTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupTask").field(&self.task).finish()
    }
}

/// The group's future was dropped, or its body panicked: what is left is cancelled. At the end nothing is left.
struct AbortOnDrop<'a>(&'a Members);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The group's own part, while it runs.
struct Run<'a, R> {
    members: &'a Members,
    /// For the requests of the task, while they don't go into the body. Made when it's first needed.
    outside: Option<Option<Waiting>>,
    /// The request that the group itself has taken.
    request: Option<Cancelled>,
    value: Option<R>,
    /// How the body failed.
    failure: Option<Arc<dyn Error + Send + Sync>>,
    /// Whether the body was asked to cancel because the group aborts.
    is_told: bool,
}

impl<R> Run<'_, R> {
    fn poll<F, E>(&mut self, mut body: Pin<&mut Option<Nested<F>>>, cx: &mut Context<'_>) -> Poll<()>
    where
        F: Future<Output = Result<R, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        loop {
            if self.must_tell(body.as_mut()) {
                self.is_told = true;
                let running = body.as_mut().as_pin_mut();
                if !running.is_some_and(|body| body.request(Cancelled::default())) {
                    body.set(None);
                }
            }
            self.poll_body(body.as_mut(), cx);
            let is_news = self.poll_outside(body.as_mut(), cx);
            if self.members.poll_end(cx.waker(), body.as_mut().as_pin_mut().is_none()) {
                return Poll::Ready(());
            }
            // Looked at after the waker is known, as a task of the pool may fail at any time.
            if !is_news && !self.must_tell(body.as_mut()) {
                return Poll::Pending;
            }
        }
    }

    /// Whether the group aborts and the body doesn't know.
    fn must_tell<F>(&self, body: Pin<&mut Option<Nested<F>>>) -> bool {
        !self.is_told && body.as_pin_mut().is_some() && self.members.phase() == Phase::Aborting
    }

    fn poll_body<F, E>(&mut self, mut body: Pin<&mut Option<Nested<F>>>, cx: &mut Context<'_>)
    where
        F: Future<Output = Result<R, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let Some(running) = body.as_mut().as_pin_mut() else { return };
        match running.poll(cx) {
            Poll::Pending => return,
            Poll::Ready(Ok(value)) => self.value = Some(value),
            Poll::Ready(Err(error)) => {
                let failure = Failure::from_error(error);
                let scope = body.as_mut().as_pin_mut().and_then(Nested::scope);
                let by_group = self.is_told && scope.is_some_and(Scope::was_cancelled_alone);
                match (Cancelled::of(&failure), failure) {
                    (Some(_), _) if by_group => {}
                    (Some(cancelled), _) => self.request = Some(cancelled),
                    (None, Failure::Failed(error)) => self.failure = Some(error),
                    (None, Failure::Cancelled(_)) => unreachable!("`of` finds it"),
                }
                self.members.abort();
            }
        }
        body.set(None);
    }

    /// Takes a request that nobody in the body would.
    fn poll_outside<F>(&mut self, body: Pin<&mut Option<Nested<F>>>, cx: &mut Context<'_>) -> bool {
        if body.as_pin_mut().is_some_and(|body| body.scope().is_some()) {
            return false;
        }
        let outside = self.outside.get_or_insert_with(|| scope::current().map(Waiting::new));
        let Some(Poll::Ready(cancelled)) = outside.as_mut().map(|outside| outside.poll(cx)) else {
            return false;
        };
        self.request = Some(cancelled);
        self.members.abort();
        true
    }

    fn outcome(self) -> Result<R, GroupError> {
        let mut errors = self.members.take_errors();
        // The body may have failed with what a task gave it.
        errors.extend(self.failure.filter(|failure| !errors.iter().any(|error| Arc::ptr_eq(error, failure))));
        if !errors.is_empty() {
            if let (Some(request), Some(scope)) = (self.request, scope::current()) {
                scope.pass(request);
            }
            return Err(GroupError::from_errors(errors));
        }
        match (self.request, self.value) {
            (None, Some(value)) => Ok(value),
            (request, _) => Err(GroupError::cancelled_by(request.unwrap_or_default())),
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
