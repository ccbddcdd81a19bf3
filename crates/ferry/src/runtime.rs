//! [`AsyncRuntime`]: where async code starts, and what it runs on.

use crate::{
    error::AsyncError,
    executor::{Order, platform},
    hosted::{self, Executor},
};
use std::{future::Future, num::NonZeroUsize, sync::MutexGuard};

/// The runtime: a loop for each `block_on`, and one pool of threads for the process.
///
/// - [`block_on`](Self::block_on) runs a loop on the calling thread. [`spawn_local`](crate::spawn_local) adds
///   tasks to it, which take turns first in, first out, and need not be `Send`.
/// - [`spawn`](crate::spawn) and [`spawn_blocking`](crate::spawn_blocking) use a pool that starts at their
///   first use, with or without a loop.
///
/// tokio's types work in all of these: the loop runs inside a tokio current-thread runtime, and the pool is
/// tokio's. What belongs to a loop's own runtime (sockets and timers that were made on it, `tokio::spawn`)
/// must not outlive its `block_on`: nobody drives it after that.
#[derive(Clone, Copy, Debug)]
pub struct AsyncRuntime;

impl AsyncRuntime {
    /// Runs `future` on a new loop of this thread until it ends, and gives its output. Tasks of the loop that
    /// are alive by then are aborted, and their destructors run, before it returns.
    ///
    /// ```
    /// use asyncferry::AsyncRuntime;
    ///
    /// assert_eq!(AsyncRuntime::block_on(async { 6 * 7 }), 42);
    /// ```
    ///
    /// # Panics
    /// With the panic of `future`, if it panics; inside a task of a loop, where
    /// [`try_block_on`](Self::try_block_on) gives an error instead; and inside async code of a tokio runtime,
    /// with tokio's words, as it would block that runtime.
    pub fn block_on<F: Future>(future: F) -> F::Output {
        Self::try_block_on(future).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a program's main future: where a thread may wait, to its end, as [`block_on`](Self::block_on) does; in the
    /// browser it starts it as a task of the page's or worker's loop, and returns at once.
    ///
    /// ```
    /// use asyncferry::AsyncRuntime;
    ///
    /// fn main() {
    ///     AsyncRuntime::run(async { println!("the same on every platform") });
    /// }
    /// ```
    ///
    /// # Panics
    /// As [`block_on`](Self::block_on); in the browser, after a panic of the loop.
    pub fn run<F: Future<Output = ()> + 'static>(main: F) {
        platform::run(main);
    }

    /// [`block_on`](Self::block_on) that gives an error where no loop can be started.
    ///
    /// # Errors
    /// [`AsyncError::Runtime`] inside a task of another loop, or when the system refuses the loop its file
    /// descriptors; [`AsyncError::PlatformNotSupported`] in the browser, where nothing may block. `future` is dropped
    /// then.
    ///
    /// # Panics
    /// With the panic of `future`; and inside async code of a tokio runtime.
    pub fn try_block_on<F: Future>(future: F) -> Result<F::Output, AsyncError> {
        platform::block_on(None, future)
    }

    /// [`block_on`](Self::block_on) on a virtual clock, for tests: whenever no task can run, the clock jumps to
    /// the next timer, so an hour's sleep ends at once. Everything that is spawned, `spawn` and
    /// `spawn_blocking` included, runs on this one loop, in the given order, so a run can be repeated. Work
    /// that is out of the loop's sight (a thread that will settle a promise, say) keeps the clock from
    /// jumping with [`hold_clock`](crate::hold_clock).
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Instant, Order, sleep};
    /// use std::time::Duration;
    ///
    /// let slept = AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let start = Instant::now();
    ///     sleep(Duration::from_secs(3600)).await;
    ///     start.elapsed()
    /// });
    /// assert_eq!(slept, Duration::from_secs(3600));
    /// ```
    ///
    /// # Panics
    /// As [`block_on`](Self::block_on).
    pub fn block_on_virtual<F: Future>(order: Order, future: F) -> F::Output {
        Self::try_block_on_virtual(order, future).unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`block_on_virtual`](Self::block_on_virtual) that gives an error where no loop can be started. In the browser it
    /// runs outside of the page's tasks, which wait meanwhile, and what waits for something of the page's panics.
    ///
    /// # Errors
    /// As [`try_block_on`](Self::try_block_on).
    pub fn try_block_on_virtual<F: Future>(order: Order, future: F) -> Result<F::Output, AsyncError> {
        platform::block_on(Some(order), future)
    }

    /// Starts the pool, unless it has started: what [`spawn`](crate::spawn) and the like do at their first use, for who
    /// would rather have an error than a panic. Where the system gives fewer threads than were wanted, the pool has
    /// fewer.
    ///
    /// ```
    /// use asyncferry::AsyncRuntime;
    ///
    /// AsyncRuntime::start_pool().expect("the system gives threads");
    /// ```
    ///
    /// # Errors
    /// [`AsyncError::Runtime`] when the system gives no thread, or lacks something else that the pool needs.
    pub fn start_pool() -> Result<(), AsyncError> {
        platform::start_pool()
    }

    /// Tells Ferry that this process was just forked. None of the parent's threads came along, so the child leaves
    /// the parent's pool where it is, and starts one of its own at the next use, of the same size. What the pool
    /// was doing goes on in the parent only, and what waits for it here waits for ever.
    ///
    /// For who calls `fork` without an `exec`, in the child, before anything else of Ferry, and outside of any
    /// [`block_on`](Self::block_on). Called elsewhere, it abandons the pool with what it does.
    pub fn forked() {
        platform::forked();
    }

    /// Has [`spawn`](crate::spawn) and [`spawn_blocking`](crate::spawn_blocking) run their work on `executor` from now
    /// on, for the life of the process; see [`Executor`].
    ///
    /// # Errors
    /// [`AsyncError::Runtime`] when one was set before.
    pub fn set_executor(executor: impl Executor) -> Result<(), AsyncError> {
        hosted::set(executor)
    }

    /// What was set last, or nothing but defaults.
    pub fn config() -> RuntimeConfig {
        settings().config
    }

    /// Sets the size of the pool. Call it before the pool starts.
    ///
    /// # Errors
    /// [`AsyncError::Runtime`] when the pool has started already.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, RuntimeConfig};
    /// use std::num::NonZeroUsize;
    ///
    /// let config = RuntimeConfig { blocking_threads: NonZeroUsize::new(2), ..RuntimeConfig::default() };
    /// AsyncRuntime::configure(config).expect("nothing was spawned yet");
    /// ```
    pub fn configure(config: RuntimeConfig) -> Result<(), AsyncError> {
        match &mut *settings() {
            Settings { started: true, .. } => {
                Err(AsyncError::Runtime("the pool has started, so its size can't be set any more".to_owned()))
            }
            settings => {
                settings.config = config;
                Ok(())
            }
        }
    }
}

/// The bounds of the pool. Those that are `None` follow the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RuntimeConfig {
    /// Threads that poll the futures given to [`spawn`](crate::spawn); by default one for each core.
    pub worker_threads: Option<NonZeroUsize>,
    /// Threads for [`spawn_blocking`](crate::spawn_blocking); by default four more than there are cores, 32 at
    /// most. What is submitted beyond that waits.
    pub blocking_threads: Option<NonZeroUsize>,
}

/// What was set, and whether that can still be changed.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) config: RuntimeConfig,
    pub(crate) started: bool,
}

fn settings() -> MutexGuard<'static, Settings> {
    platform::settings().lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
