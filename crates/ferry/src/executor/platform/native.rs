//! The native platform: the pump inside tokio's current-thread runtime, and tokio's multi-thread runtime for
//! work that may move between threads.
//!
//! A pump is a future that tokio polls whenever the loop has something to do: it runs one turn and then
//! either ends, asks to be polled again after tokio has seen to its I/O, or sets the alarm and sleeps. As the
//! tasks run inside that poll, tokio's own types (sockets, channels, `tokio::spawn`) work in them.
//!
//! An *engine* is what is dear to make: the tokio runtime and the alarm. Engines are kept for the next
//! `block_on`, unless tasks that a user gave to tokio are still alive on it; these end with their `block_on`
//! (blocking work of tokio's own runs to its end).
//!
//! The pool and the engines belong to the [`Process`]. A forked child has none of its parent's threads, and shares
//! its parent's descriptors, so it leaves all that untouched and begins with a new one.

use super::timer::Alarm;
use crate::{
    cancel::scope::Scope,
    error::AsyncError,
    executor::{Crash, Ended, Loop, LoopRef, Order, Turn, real, with_loop},
    model,
    runtime::{RuntimeConfig, Settings},
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
        atomic::{AtomicPtr, Ordering},
    },
    task::{Context, Poll, Waker},
    thread::{self, available_parallelism},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// How many idle engines are kept.
const KEPT_ENGINES: usize = 16;

/// Runs `future` as the main task of a new loop on this thread, on the virtual clock if `order` is given.
pub(crate) fn block_on<F: Future>(order: Option<Order>, future: F) -> Result<F::Output, AsyncError> {
    let here = with_loop(|home| home.start(order))?;
    // Where tokio refuses to run, this unwinds: `ending`, declared last, goes first, as the loop must see the
    // main task end before its handle goes, and tasks may own what belongs to the engine.
    let (mut engine, mut main);
    let ending = EndLoop;
    engine = Engine::take()?;
    // SAFETY: `ending` shuts the loop down when this function returns or unwinds, and `future` was moved in.
    main = with_loop(|home| unsafe { home.spawn_main(here, future) });
    engine.runtime.block_on(Pump { here, alarm: &mut engine.alarm, pace: Pace::default() });
    let context = engine.runtime.enter();
    drop(ending);
    drop(context);
    engine.put_back();
    match Pin::new(&mut main.task).poll(&mut Context::from_waker(Waker::noop())).map(Ended::into_result) {
        Poll::Ready(Ok(output)) => Ok(output),
        Poll::Ready(Err(crash)) => match *crash {
            Crash::Panic(payload) => std::panic::resume_unwind(payload),
            Crash::Aborted(_) | Crash::LoopEnded => {
                unreachable!("the main task ends first, and has no handle")
            }
        },
        Poll::Pending => unreachable!("the loop stops when its main task has ended"),
    }
}

/// The multi-thread runtime, started when it's first asked for.
pub(crate) fn tokio_handle() -> &'static Handle {
    try_tokio_handle().unwrap_or_else(|error| panic!("{error}"))
}

/// The multi-thread runtime, or why there is none.
pub(crate) fn try_tokio_handle() -> Result<&'static Handle, AsyncError> {
    let process = process();
    if let Some(pool) = process.pool.get() {
        return Ok(pool.handle());
    }
    // One thread starts it, and the others wait.
    let starting = process.starting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let pool = match process.pool.get() {
        Some(pool) => pool,
        None => {
            let started = start_pool().map_err(|error| {
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

fn start_pool() -> io::Result<Runtime> {
    let config = RuntimeConfig::in_force();
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
}

/// Shuts this thread's loop down when dropped, so also when `block_on` unwinds.
struct EndLoop;

impl Drop for EndLoop {
    fn drop(&mut self) {
        with_loop(Loop::shut_down);
    }
}

struct Engine {
    // The alarm is registered with the runtime's driver, so it goes first.
    alarm: Alarm,
    runtime: Runtime,
}

impl Engine {
    fn take() -> Result<Self, AsyncError> {
        if let Some(engine) = engines().pop() {
            return Ok(engine);
        }
        let failed = |error: std::io::Error| {
            AsyncError::Runtime(format!(
                "a loop could not be started: {error}; are there too many open files?"
            ))
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let context = runtime.enter();
        let alarm = Alarm::new().map_err(failed)?;
        drop(context);
        Ok(Self { alarm, runtime })
    }

    fn put_back(self) {
        let mut engines = engines();
        if self.runtime.metrics().num_alive_tasks() == 0 && engines.len() < KEPT_ENGINES {
            engines.push(self);
        } else {
            drop(engines);
            drop(self.alarm);
            // Not a plain drop, which would wait for blocking work that tokio still runs.
            self.runtime.shutdown_background();
        }
    }
}

fn engines() -> MutexGuard<'static, Vec<Engine>> {
    process().engines.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Pump<'a> {
    here: LoopRef,
    alarm: &'a mut Alarm,
    pace: Pace,
}

impl Future for Pump<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.here.remote.set_pump(cx.waker());
        if this.alarm.poll(cx) {
            this.pace.rang(real(), with_loop(Loop::fired));
        }
        loop {
            match with_loop(Loop::turn) {
                Turn::Stop => return Poll::Ready(()),
                Turn::Busy => break cx.waker().wake_by_ref(),
                Turn::Idle(next) => break this.alarm.set(next.map(|next| this.pace.earliest(next))),
                // Nothing ran, so tokio has looked for I/O since the last task did.
                Turn::Jump { to, ran: 0 } => with_loop(|home| home.jump(to)),
                Turn::Jump { .. } => break cx.waker().wake_by_ref(),
            }
        }
        Poll::Pending
    }
}

/// How often the alarm may ring. Timers are exact, until there are so many that waking for each would cost
/// more than it's worth: then it rings at intervals, for all that are due.
#[derive(Default)]
struct Pace {
    last_ring: u64,
    /// When the rate was taken last, and how many timers had fired by then.
    measured: (u64, u64),
    is_dense: bool,
}

/// Nanoseconds between two rings while timers are dense.
const DENSE_GAP: u64 = 200_000;
/// Timers are dense when so many fire in a millisecond. One task that sleeps over and over reaches a third.
const DENSE_RATE: u64 = 50;
const MILLISECOND: u64 = 1_000_000;

impl Pace {
    /// The alarm rings at `now`; `fired` timers have fired before.
    fn rang(&mut self, now: u64, fired: u64) {
        self.last_ring = now;
        let (since, before) = self.measured;
        if now - since >= MILLISECOND {
            self.is_dense = (fired - before) * MILLISECOND / (now - since) >= DENSE_RATE;
            self.measured = (now, fired);
        }
    }

    /// When the alarm is to ring for a timer that is due at `next`.
    fn earliest(&self, next: u64) -> u64 {
        if self.is_dense { next.max(self.last_ring + DENSE_GAP) } else { next }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    /// The pace after alarms every `apart` nanoseconds for ten milliseconds, each of which fires `each` timers.
    fn paced(apart: u64, each: u64) -> Pace {
        let mut pace = Pace::default();
        for ring in 1..=10 * MILLISECOND / apart {
            pace.rang(ring * apart, ring * each);
        }
        pace
    }

    #[test]
    fn one_task_that_sleeps_over_and_over_is_not_taken_for_many() {
        let pace = paced(60_000, 1);
        assert_eq!(pace.earliest(pace.last_ring + 1), pace.last_ring + 1);
    }

    #[test]
    fn dense_timers_ring_at_intervals_until_they_are_dense_no_more() {
        let mut pace = paced(50_000, 10);
        assert_eq!(pace.earliest(pace.last_ring + 1), pace.last_ring + DENSE_GAP);
        assert_eq!(pace.earliest(pace.last_ring + MILLISECOND), pace.last_ring + MILLISECOND);
        pace.rang(pace.last_ring + 5 * MILLISECOND, pace.measured.1 + 1);
        assert_eq!(pace.earliest(pace.last_ring + 1), pace.last_ring + 1);
    }
}
