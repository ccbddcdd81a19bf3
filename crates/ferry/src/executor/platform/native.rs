//! The native platform: tokio's multi-thread runtime, for work that may move between threads, and what belongs to
//! the process.
//!
//! The pool and the engines belong to the [`Process`]. A forked child has none of its parent's threads, and shares
//! its parent's descriptors, so it leaves all that untouched and begins with a new one.

use super::pumped::Engine;
use crate::{
    cancel::scope::Scope,
    error::AsyncError,
    executor::{Crash, real},
    metrics::PoolMetrics,
    model,
    runtime::{AsyncRuntime, RuntimeConfig, Settings},
};
use std::{
    collections::BTreeMap,
    future::Future,
    io,
    panic::catch_unwind,
    pin::Pin,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicPtr, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    thread::{self, available_parallelism},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::{AbortHandle, JoinHandle},
};

/// The pool, started if need be.
///
/// # Panics
/// When the system refuses it its threads.
#[expect(clippy::unnecessary_wraps, reason = "other platforms have none")]
pub(crate) fn pool() -> Option<Pool> {
    Some(Pool(tokio_handle()))
}

/// The pool of threads, which is tokio's.
#[derive(Clone, Copy)]
pub(crate) struct Pool(&'static Handle);

impl Pool {
    pub(crate) fn spawn<F>(self, future: F) -> PoolTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        PoolTask(self.0.spawn(future))
    }

    pub(crate) fn spawn_blocking<T, W>(self, work: W) -> PoolTask<T>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        PoolTask(self.0.spawn_blocking(work))
    }
}

/// A task of the pool.
pub(crate) struct PoolTask<T>(JoinHandle<T>);

impl<T> PoolTask<T> {
    pub(crate) fn abort(&self) {
        self.0.abort();
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    pub(crate) fn aborter(&self) -> PoolAborter {
        PoolAborter(self.0.abort_handle())
    }
}

impl<T> Future for PoolTask<T> {
    type Output = Result<T, Crash>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| {
            joined.map_err(|error| match error.try_into_panic() {
                Ok(payload) => Crash::Panic(payload),
                Err(_) => Crash::Aborted(None),
            })
        })
    }
}

/// What aborts a task of the pool.
#[derive(Clone)]
pub(crate) struct PoolAborter(AbortHandle);

impl PoolAborter {
    pub(crate) fn abort(&self) {
        self.0.abort();
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// A sleep where no loop runs: tokio's, on the pool's clock, which rounds up to a millisecond.
pub(crate) struct LooplessSleep(Pin<Box<tokio::time::Sleep>>);

impl LooplessSleep {
    /// Until `deadline`, in nanoseconds of the real clock.
    pub(crate) fn until(deadline: u64) -> Self {
        let _context = tokio_handle().enter();
        let left = Duration::from_nanos(deadline.saturating_sub(real()));
        Self(Box::pin(tokio::time::sleep(left)))
    }
}

impl Future for LooplessSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl AsyncRuntime {
    /// The tokio runtime of the pool, for code that needs to enter or to hand on tokio's own handle. Natively only.
    ///
    /// # Panics
    /// When the system refuses the threads of the pool.
    pub fn tokio() -> &'static Handle {
        tokio_handle()
    }
}

pub(crate) fn pool_metrics() -> Option<PoolMetrics> {
    let metrics = process().pool.get()?.metrics();
    Some(PoolMetrics {
        workers: metrics.num_workers(),
        tasks_live: metrics.num_alive_tasks(),
        queue_depth: metrics.global_queue_depth(),
    })
}

/// Starts the pool, unless it has started.
pub(crate) fn start_pool() -> Result<(), AsyncError> {
    try_tokio_handle().map(drop)
}

fn tokio_handle() -> &'static Handle {
    try_tokio_handle().unwrap_or_else(|error| panic!("{error}"))
}

/// The multi-thread runtime, or why there is none.
fn try_tokio_handle() -> Result<&'static Handle, AsyncError> {
    let process = process();
    if let Some(pool) = process.pool.get() {
        return Ok(pool.handle());
    }
    // One thread starts it, and the others wait.
    let starting = process.starting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let pool = match process.pool.get() {
        Some(pool) => pool,
        None => {
            let started = build_pool().map_err(|error| {
                AsyncError::Runtime(format!(
                    "Ferry could not start its worker threads: {error}; are there too many threads or open files?"
                ))
            })?;
            process.pool.get_or_init(|| started)
        }
    };
    drop(starting);
    Ok(pool.handle())
}

fn build_pool() -> io::Result<Runtime> {
    let config = config_in_force();
    let cores = available_parallelism().map_or(1, usize::from);
    let workers = to_be_had(config.worker_threads.map_or(cores, usize::from))?;
    let build = || {
        Builder::new_multi_thread()
            .enable_all()
            .thread_name("ferry-worker")
            .thread_stack_size(STACK)
            .worker_threads(workers)
            // As CPython's default executor: some more than there are cores, as blocking work also waits.
            .max_blocking_threads(config.blocking_threads.map_or((cores + 4).min(32), usize::from))
            .build()
    };
    // tokio panics where it gets no thread at all.
    catch_unwind(build).unwrap_or_else(|panic| Err(io::Error::other(AsyncError::from_panic(panic))))
}

/// The stack of a thread of the pool, in bytes: tokio's own default.
const STACK: usize = 2 << 20;

/// How many threads the system gives now, `wanted` at most. They are started and ended to see that, as tokio waits for
/// ever where it gets some, but not all that it wants.
fn to_be_had(wanted: usize) -> io::Result<usize> {
    let door = Arc::new(Mutex::new(()));
    let closed = door.lock();
    let start = |_| {
        let door = door.clone();
        thread::Builder::new().stack_size(STACK).spawn(move || drop(door.lock()))
    };
    let (mut started, mut refused) = (Vec::new(), None);
    for thread in (0..wanted).map(start) {
        match thread {
            Ok(thread) => started.push(thread),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    drop(closed);
    let count = started.len();
    for thread in started {
        // It does nothing that could panic.
        let _ = thread.join();
    }
    refused.filter(|_| count == 0).map_or(Ok(count), Err)
}

/// The configuration to start the pool with; from now on it can't be changed.
fn config_in_force() -> RuntimeConfig {
    let mut settings = settings().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    settings.started = true;
    settings.config
}

/// What a process has one of.
#[derive(Default)]
struct Process {
    settings: Mutex<Settings>,
    pool: OnceLock<Runtime>,
    /// Held while the pool is started.
    starting: Mutex<()>,
    /// Those that are idle.
    engines: Mutex<Vec<Engine>>,
    /// The scopes of the pool's tasks that have opted in to requests to cancel, by their numbers.
    scopes: Mutex<BTreeMap<u64, model::Arc<Scope>>>,
}

/// Null until the first use. What it points to is never freed.
static PROCESS: AtomicPtr<Process> = AtomicPtr::new(ptr::null_mut());

fn process() -> &'static Process {
    let known = PROCESS.load(Ordering::Acquire);
    let process = if known.is_null() { first(Process::default()) } else { known };
    // SAFETY: it's not null, so it's what `first` or `forked` leaked: valid for ever, and only shared from then on.
    unsafe { &*process }
}

/// Makes `process` the one of this process, unless another thread was faster.
#[cold]
fn first(process: Process) -> *mut Process {
    let new = Box::into_raw(Box::new(process));
    match PROCESS.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        Err(known) => {
            // SAFETY: nobody else has seen `new`, which came out of a box just now.
            drop(unsafe { Box::from_raw(new) });
            known
        }
    }
}

pub(crate) fn settings() -> &'static Mutex<Settings> {
    &process().settings
}

pub(crate) fn scopes() -> MutexGuard<'static, BTreeMap<u64, model::Arc<Scope>>> {
    process().scopes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// This is a forked child: begins anew, with the settings of its parent. What the parent had is leaked, as locks in
/// it may be held by threads that are not here.
pub(crate) fn forked() {
    let config = settings().try_lock().map(|settings| settings.config).unwrap_or_default();
    let process = Process { settings: Mutex::new(Settings { config, started: false }), ..Process::default() };
    PROCESS.store(Box::into_raw(Box::new(process)), Ordering::Release);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// How often the process was forked, from the first to this one.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Whether a program can start threads.
pub(crate) const HAS_THREADS: bool = true;

/// The engines that are idle.
pub(super) fn engines() -> MutexGuard<'static, Vec<Engine>> {
    process().engines.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
