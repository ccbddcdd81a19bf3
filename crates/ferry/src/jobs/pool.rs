//! [`Pool`].

use super::{
    builder::JobBuilder,
    context::JobContext,
    core::{CLOSED, Core},
    engine::{InProcess, Remote, Reserved},
    ids::JobIds,
    registry::{AlreadyRegistered, Async, Blocking, Call, Named, Registry},
    retained::Retained,
    retry::Retry,
    settings::{NO_WORKERS, PoolBuilder, Settings},
    stats::JobMetrics,
    submit_error::SubmitError,
    work::{BlockingAgain, BlockingOnce, TaskAgain, TaskOnce},
};
use crate::{
    patterns::{CLEANUP, Drained},
    time::{Instant, timeout},
    value::Value,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    error::Error,
    fmt,
    future::Future,
    sync::{Arc, Weak},
    time::Duration,
};

/// A pool of workers, which jobs of any kind and language share.
///
/// Work that blocks or computes ([`blocking`](Self::blocking)) runs on the pool's own threads, and async work
/// ([`task`](Self::task)) on those of the runtime; at most [`workers`](PoolBuilder::workers) jobs of both sorts run at once. The others
/// wait in a queue, by priority and age, and when that is full, so do those who submit.
///
/// A pool that is made on a loop with a virtual clock, or where there are no threads, lives on that loop: its jobs run as
/// tasks there, those that block one after another.
///
/// Clones are the same pool. Dropping the last takes no job away: what was submitted is worked off, and then the workers
/// end. See [`shutdown`](Self::shutdown).
///
/// ```
/// use asyncferry::{AsyncRuntime, jobs::Pool};
/// use std::io;
///
/// let pool = Pool::builder().workers(2).build();
/// let sums = AsyncRuntime::block_on(async {
///     let mut jobs = Vec::new();
///     for n in [10_u64, 100, 1000] {
///         jobs.push(pool.blocking(move |_| Ok::<_, io::Error>((1..=n).sum::<u64>())).submit().await.unwrap());
///     }
///     let mut sums = Vec::new();
///     for job in jobs {
///         sums.push(job.await.unwrap());
///     }
///     sums
/// });
/// assert_eq!(sums, [55, 5050, 500_500]);
/// ```
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

/// What clones of a pool share, and its handles don't.
struct Inner {
    core: Arc<Core>,
    registry: Registry,
    ids: JobIds,
    /// Those that the engine knows by ids of the submitter's choice.
    keyed: Arc<Retained<Arc<str>>>,
    reserved: Reserved,
}

/// A pool that may be gone.
pub(super) struct WeakPool(Weak<Inner>);

impl WeakPool {
    pub(super) fn upgrade(&self) -> Option<Pool> {
        self.0.upgrade().map(|inner| Pool { inner })
    }
}

impl Pool {
    /// A pool with as many workers as there are processors, and else what [`PoolBuilder`] has by default.
    pub fn new() -> Self {
        Self::builder().build()
    }

    pub(super) fn with(settings: Settings) -> Self {
        let core = Core::new(settings);
        let inner = Arc::new_cyclic(|inner| {
            let settings = &core.settings;
            let jobs = Retained::new(&core, settings.retain_for, settings.max_retained);
            let ids = JobIds::new(WeakPool(inner.clone()), jobs);
            let keyed = Retained::new(&core, settings.retain_for, settings.max_retained);
            Inner { core, registry: Registry::default(), ids, keyed, reserved: Reserved::default() }
        });
        Self { inner }
    }

    /// Sets up a pool.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    /// A job of a function that blocks or computes. It's called once, on a thread of the pool.
    ///
    /// A result that borrows nothing and can be sent is all that is asked of it; an error may be a text.
    #[inline]
    pub fn blocking<F, T, E>(&self, function: F) -> JobBuilder<T>
    where
        F: FnOnce(&JobContext) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        JobBuilder::new(self.core(), BlockingOnce::new(function), false)
    }

    /// As [`blocking`](Self::blocking), and called again when it fails. An attempt that takes too long may still run when
    /// the next one begins, on another thread.
    pub fn blocking_again<F, T, E>(&self, retry: Retry, function: F) -> JobBuilder<T>
    where
        F: Fn(&JobContext) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        JobBuilder::new(self.core(), BlockingAgain(function), false).retry(retry)
    }

    /// A job of async code. `function` is called once, by the worker that has the job, and its future runs as a part of
    /// a task.
    pub fn task<F, R, T, E>(&self, function: F) -> JobBuilder<T>
    where
        F: FnOnce(JobContext) -> R + Send + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        JobBuilder::new(self.core(), TaskOnce::new(function), true)
    }

    /// As [`task`](Self::task), and called again when its future fails.
    pub fn task_again<F, R, T, E>(&self, retry: Retry, function: F) -> JobBuilder<T>
    where
        F: Fn(JobContext) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        JobBuilder::new(self.core(), TaskAgain(function), true).retry(retry)
    }

    /// Makes an async function known by a name, to whoever calls it in whichever language. It takes one argument, a tuple or a
    /// struct for several, and is called anew for each job and each attempt.
    ///
    /// # Errors
    /// [`AlreadyRegistered`].
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, Value, jobs::Pool, value::to_value};
    /// use std::io;
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let pool = Pool::new();
    ///     let add = |(a, b): (i64, i64)| async move { Ok::<_, io::Error>(a + b) };
    ///     pool.register("add", add).unwrap();
    ///
    ///     let job = pool.named("add", to_value(&(40, 2)).unwrap()).submit().await.unwrap();
    ///     assert_eq!(job.await.unwrap(), Value::from(42));
    ///     let job = pool.named("add", to_value(&(40, "2")).unwrap()).submit().await.unwrap();
    ///     let error = job.await.unwrap_err().to_string();
    ///     assert_eq!(error, "job 'add' can't take these arguments: at [1]: an i64 is wanted, not the text \"2\"");
    /// });
    /// ```
    pub fn register<F, A, S, R, E>(&self, name: &str, function: F) -> Result<(), AlreadyRegistered>
    where
        F: Fn(A) -> S + Send + Sync + 'static,
        A: DeserializeOwned + 'static,
        S: Future<Output = Result<R, E>> + Send + 'static,
        R: Serialize + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.register_with_context(name, move |_, arguments| function(arguments))
    }

    /// As [`register`](Self::register), for a function that wants to know of its job, or to tell of its progress.
    ///
    /// # Errors
    /// [`AlreadyRegistered`].
    pub fn register_with_context<F, A, S, R, E>(
        &self,
        name: &str,
        function: F,
    ) -> Result<(), AlreadyRegistered>
    where
        F: Fn(JobContext, A) -> S + Send + Sync + 'static,
        A: DeserializeOwned + 'static,
        S: Future<Output = Result<R, E>> + Send + 'static,
        R: Serialize + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.inner.registry.add(name, Arc::new(Async::<F, A, S>::new(function)))
    }

    /// As [`register`](Self::register), for a function that blocks or computes.
    ///
    /// # Errors
    /// [`AlreadyRegistered`].
    pub fn register_blocking<F, A, R, E>(&self, name: &str, function: F) -> Result<(), AlreadyRegistered>
    where
        F: Fn(&JobContext, A) -> Result<R, E> + Send + Sync + 'static,
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.inner.registry.add(name, Arc::new(Blocking::new(function)))
    }

    /// Makes a name unknown again; `false` when it was. Jobs that were submitted run all the same.
    pub fn unregister(&self, name: &str) -> bool {
        self.inner.registry.remove(name)
    }

    /// The names that are registered, in alphabetical order.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.inner.registry.names()
    }

    /// A job that was registered with a name, with arguments by position, which are a list, or by name, which are a map. Submitting it
    /// is refused when there is none, or when the arguments are too deep or too large.
    pub fn named(&self, name: &str, arguments: Value) -> JobBuilder<Value> {
        self.named_job(name, arguments)
    }

    /// As [`named`](Self::named), and called again when it fails.
    pub fn named_again(&self, retry: Retry, name: &str, arguments: Value) -> JobBuilder<Value> {
        self.named_job(name, arguments).retry(retry)
    }

    fn named_job(&self, name: &str, arguments: Value) -> JobBuilder<Value> {
        let core = self.core();
        let limits = core.settings.values;
        let checked = limits.check(&arguments);
        let Some(function) = self.inner.registry.get(name) else {
            if core.lanes.is_served(name) && checked.is_ok() {
                let remote = Remote { name: name.into(), arguments, heartbeat_timeout: None };
                return JobBuilder::remote(core, remote).name(name);
            }
            arguments.discard();
            let refused = SubmitError::UnknownName { name: name.into(), known: self.names() };
            return JobBuilder::new(core, TaskOnce::new(never), true).refused(refused);
        };
        if let Err(error) = checked {
            arguments.discard();
            let refused = SubmitError::Arguments { name: name.into(), error };
            return JobBuilder::new(core, TaskOnce::new(never), true).refused(refused);
        }
        let is_async = function.is_async();
        let call = Call { name: name.into(), arguments, limits };
        JobBuilder::new(core, Named { function, call }, is_async).name(name)
    }

    /// The pool as an [`Engine`](super::Engine), by which others submit jobs to it, and work for it: what is called by a name that is not
    /// registered here, and that somebody has [claimed](super::Engine::claim) jobs of, waits for those.
    pub fn engine(&self) -> InProcess {
        InProcess::new(self.clone())
    }

    pub(super) fn keyed(&self) -> &Arc<Retained<Arc<str>>> {
        &self.inner.keyed
    }

    pub(super) fn reserved(&self) -> &Reserved {
        &self.inner.reserved
    }

    /// Jobs by bare numbers, as scripts have them.
    pub fn ids(&self) -> &JobIds {
        &self.inner.ids
    }

    /// How many jobs may run at once.
    pub fn workers(&self) -> usize {
        self.core().lock().limit
    }

    /// Changes how many jobs may run at once. When it's fewer, those that run are not disturbed, and their workers end
    /// after them.
    ///
    /// # Panics
    /// When it's 0.
    pub fn set_workers(&self, workers: usize) {
        assert!(workers > 0, "{NO_WORKERS}");
        self.core().set_workers(workers);
    }

    /// How many jobs wait in the queue.
    pub fn queued(&self) -> usize {
        self.core().queued()
    }

    /// What the [clock](PoolBuilder::clock) of its latent jobs shows now.
    pub fn clock_now(&self) -> f64 {
        let core = self.core();
        core.settings.clock.at(Instant::at(core.now()))
    }

    /// What it has counted so far, for each name and priority of its jobs.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, jobs::Pool, sleep};
    /// use std::{io, time::Duration};
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let pool = Pool::builder().workers(1).build();
    ///     let nap = || pool.task(move |_| async move { Ok::<_, io::Error>(sleep(second).await) }).name("nap");
    ///     let [first, last] = [nap().submit().await.unwrap(), nap().submit().await.unwrap()];
    ///     first.await.unwrap();
    ///     last.await.unwrap();
    ///     let naps = &pool.metrics()[0];
    ///     assert_eq!((&*naps.name, naps.done), ("nap", 2));
    ///     assert!(naps.wait_p50 < naps.wait_p99 && naps.wait_p99 >= second);
    /// });
    /// ```
    pub fn metrics(&self) -> Vec<JobMetrics> {
        self.core().kinds.read()
    }

    /// Whether this process was forked since the pool was made, and its threads are in the parent. It takes no jobs then.
    pub fn is_forked(&self) -> bool {
        self.core().is_forked()
    }

    /// The pool's name.
    pub fn name(&self) -> &str {
        &self.core().settings.name
    }

    /// Takes no more jobs, and waits for those that it has. After `deadline` all that are left are cancelled; async ones
    /// have [`CLEANUP`] to end, and are dropped then. Code that blocks and doesn't look whether it's still wanted runs on.
    /// Says what was left, by name, what ran before what waited.
    ///
    /// A deadline of zero cancels at once.
    ///
    /// # Cancel safety
    /// Dropping it leaves the pool shut down: what it has is worked off. Another shutdown may follow.
    pub async fn shutdown(&self, deadline: Duration) -> Drained {
        let core = self.core();
        core.drain();
        core.cancel_latent(CLOSED);
        if core.is_forked() || (!deadline.is_zero() && timeout(deadline, idle(core)).await.is_ok()) {
            return Drained::Finished;
        }
        let left = core.names();
        if left.is_empty() && core.poll_idle().is_none() {
            return Drained::Finished;
        }
        core.close(CLOSED);
        if timeout(CLEANUP, idle(core)).await.is_err() {
            core.drop_running();
        }
        Drained::DeadlinePassed { left }
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.inner.core
    }
}

/// The work of a job that is refused.
async fn never(_: JobContext) -> Result<Value, SubmitError> {
    Err(SubmitError::ShutDown)
}

/// Waits until nothing runs and nothing waits.
async fn idle(core: &Core) {
    while let Some(next) = core.poll_idle() {
        let _ = next.await;
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.drain();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queued = self.core().queued();
        let state = self.core().lock();
        let (workers, mode) = (state.limit, state.mode);
        drop(state);
        f.debug_struct("Pool")
            .field("workers", &workers)
            .field("queued", &queued)
            .field("mode", &mode)
            .finish_non_exhaustive()
    }
}
