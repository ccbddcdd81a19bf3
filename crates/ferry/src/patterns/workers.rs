//! [`WorkerPool`]: some workers on a queue with a bound.
//!
//! A job takes a [`Seat`] when it's submitted and leaves it when it's dropped, done or not. So what is left at a deadline
//! is known by name, whether it runs or waits.

use super::{
    background::Report,
    drained::Drained,
    roster::{Roster, Seat},
};
use crate::{
    error::Failure,
    model::{Mutex, lock},
    promise::{Future as Answer, Outcome, Promise, promise},
    sync::{PutError, Queue, QueueShutDown, Shutdown},
    task::{TaskHandle, catch_panic, spawn, spawn_local},
};
use std::{
    error::Error,
    fmt,
    future::Future,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Workers that take jobs from a queue with a bound, each one job at a time. Who submits faster than they work waits.
///
/// A job that fails or panics doesn't end its worker. [`submit`](Self::submit) gives a future of the job's outcome; a
/// failure whose future was dropped by then is told on stderr, or to [`on_failure`](Self::on_failure).
///
/// Dropping the pool takes no job away: what was submitted is worked off, and then the workers end.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, patterns::{Drained, WorkerPool}, sleep};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let pool = WorkerPool::new(2, 100, async |number: u32| {
///         sleep(Duration::from_secs(1)).await;
///         number.checked_sub(1).ok_or("it's zero")
///     });
///     let [less, failed] = [pool.submit(5).await.unwrap(), pool.submit(0).await.unwrap()];
///     assert_eq!(less.await.unwrap(), 4);
///     assert_eq!(failed.await.unwrap_err().to_string(), "it's zero");
///     assert_eq!(pool.shutdown(Duration::from_secs(30)).await, Drained::Finished);
/// });
/// ```
pub struct WorkerPool<J: 'static, T: 'static> {
    shared: Arc<Shared<J, T>>,
    workers: Vec<TaskHandle<()>>,
}

struct Shared<J, T> {
    queue: Queue<Job<J, T>>,
    roster: Arc<Roster>,
    submitted: AtomicU64,
    report: Mutex<Report>,
}

struct Job<J, T> {
    input: J,
    outcome: Promise<T>,
    seat: Seat,
}

/// A job, and the future of its outcome.
type Submitted<J, T> = (Job<J, T>, Answer<T>);

impl<J: 'static, T: Clone + 'static> WorkerPool<J, T> {
    /// Starts `workers` tasks on this thread's loop, which call `work` with each job. At most `max_queued` jobs wait.
    ///
    /// # Panics
    /// When one of the numbers is zero, and outside of a loop.
    pub fn new<E, F>(workers: usize, max_queued: usize, work: impl Fn(J) -> F + 'static) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
        F: Future<Output = Result<T, E>> + 'static,
    {
        let (shared, work) = (Shared::new(workers, max_queued), Arc::new(work));
        let start = |_| spawn_local(worker(shared.clone(), work.clone()));
        let workers = (0..workers).map(start).collect();
        Self { shared, workers }
    }

    /// [`new`](Self::new) with workers on the threads of the pool, as [`spawn`] starts them.
    ///
    /// # Panics
    /// When one of the numbers is zero, and when the system refuses the pool its threads.
    pub fn on_threads<E, F>(
        workers: usize,
        max_queued: usize,
        work: impl Fn(J) -> F + Send + Sync + 'static,
    ) -> Self
    where
        J: Send,
        T: Send + Sync,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let (shared, work) = (Shared::new(workers, max_queued), Arc::new(work));
        let start = |_| spawn(worker(shared.clone(), work.clone()));
        let workers = (0..workers).map(start).collect();
        Self { shared, workers }
    }

    /// Has `report` told of each failure that nobody waits for, with the job's name and its error, by the worker.
    pub fn on_failure(
        self,
        report: impl Fn(&str, &(dyn Error + Send + Sync + 'static)) + Send + Sync + 'static,
    ) -> Self {
        *lock(&self.shared.report) = Arc::new(report);
        self
    }

    /// Puts a job in the queue, and waits for room if there is none. Gives the future of the job's outcome; dropping that
    /// leaves the job where it is. The future of a job that is given up at a deadline gives
    /// [`Failure::Cancelled`].
    ///
    /// # Errors
    /// [`SubmitError::ShutDown`], with the job.
    ///
    /// # Cancel safety
    /// Dropping it while it waits for room takes the job back: it never runs. Once it has returned, the job will.
    pub async fn submit(&self, job: J) -> Result<Answer<T>, SubmitError<J>> {
        let (job, outcome) = self.shared.job(job)?;
        match self.shared.queue.put(job).await {
            Ok(()) => Ok(outcome),
            Err(QueueShutDown(job)) => Err(SubmitError::ShutDown(job.input)),
        }
    }

    /// [`submit`](Self::submit) that doesn't wait.
    ///
    /// # Errors
    /// [`SubmitError`], with the job.
    pub fn submit_nowait(&self, job: J) -> Result<Answer<T>, SubmitError<J>> {
        let (job, outcome) = self.shared.job(job)?;
        match self.shared.queue.put_nowait(job) {
            Ok(()) => Ok(outcome),
            Err(PutError::Full(job)) => Err(SubmitError::Full(job.input)),
            Err(PutError::ShutDown(job)) => Err(SubmitError::ShutDown(job.input)),
        }
    }

    /// How many jobs wait in the queue.
    pub fn queued(&self) -> usize {
        self.shared.queue.qsize()
    }

    /// Waits until all jobs in the queue are done.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub async fn join(&self) {
        self.shared.queue.join().await;
    }

    /// Takes no more jobs, and waits for those that it has. After `deadline` those that run are cancelled, and have
    /// [`CLEANUP`](super::CLEANUP) to end; those that wait are dropped. What is left is named `job 1` and so on, in the
    /// order in which they were submitted.
    ///
    /// # Cancel safety
    /// Dropping it leaves the pool shut down: what it has is worked off. Another shutdown may follow.
    pub async fn shutdown(&self, deadline: Duration) -> Drained {
        self.shared.roster.close();
        self.shared.queue.shutdown(Shutdown::Drain);
        let cancel = || {
            self.shared.queue.shutdown(Shutdown::Immediate);
            for worker in &self.workers {
                worker.cancel("the deadline of the shutdown has passed");
            }
        };
        self.shared.roster.drain(deadline, cancel).await
    }
}

impl<J: 'static, T: 'static> Drop for WorkerPool<J, T> {
    fn drop(&mut self) {
        self.shared.queue.shutdown(Shutdown::Drain);
    }
}

impl<J: 'static, T: 'static> fmt::Debug for WorkerPool<J, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WorkerPool");
        shown.field("workers", &self.workers.len()).field("queued", &self.shared.queue.qsize()).finish()
    }
}

/// Why a job was not taken. Carries the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError<J> {
    /// There is no room now.
    Full(J),
    /// The pool was shut down.
    ShutDown(J),
}

impl<J> fmt::Display for SubmitError<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue of the worker pool is full",
            Self::ShutDown(_) => "the worker pool was shut down",
        })
    }
}

impl<J: fmt::Debug> Error for SubmitError<J> {}

impl<J, T> Shared<J, T> {
    fn new(workers: usize, max_queued: usize) -> Arc<Self> {
        assert!(workers > 0, "a worker pool needs at least one worker");
        assert!(max_queued > 0, "a worker pool's queue must hold at least one job");
        Arc::new(Self {
            queue: Queue::new(max_queued),
            roster: Roster::new(usize::MAX),
            submitted: AtomicU64::new(0),
            report: Mutex::new(Arc::new(tell_on_stderr)),
        })
    }

    fn job(&self, input: J) -> Result<Submitted<J, T>, SubmitError<J>> {
        let number = self.submitted.fetch_add(1, Ordering::Relaxed) + 1;
        let Ok(seat) = self.roster.enter(&format!("job {number}")) else {
            return Err(SubmitError::ShutDown(input));
        };
        let (outcome, future) = promise();
        Ok((Job { input, outcome, seat }, future))
    }

    /// Settles the job; an error that nobody waits for is reported.
    fn end(&self, job: (Promise<T>, Seat), ended: Outcome<T>) {
        let (promise, seat) = job;
        let Err(Err(Failure::Failed(error))) = promise.settle(ended) else { return };
        let report = lock(&self.report).clone();
        // A report that panics was shown by the panic hook; the worker goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| report(seat.name(), &*error)));
    }
}

async fn worker<J, T, E, F>(shared: Arc<Shared<J, T>>, work: Arc<impl Fn(J) -> F>)
where
    E: Into<Box<dyn Error + Send + Sync>>,
    F: Future<Output = Result<T, E>>,
{
    while let Ok(Job { input, outcome, seat }) = shared.queue.get().await {
        let _done = Done(&shared.queue);
        // The call itself may panic as well as its future.
        let ended = match catch_panic(async { work(input).await }).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Failure::from_error(error)),
            Err(panic) => Err(Failure::from(panic)),
        };
        shared.end((outcome, seat), ended);
    }
}

/// A job is done when this is dropped: also when its worker is cancelled.
struct Done<'a, T>(&'a Queue<T>);

impl<T> Drop for Done<'_, T> {
    fn drop(&mut self) {
        // An immediate shutdown may have counted it already.
        let _ = self.0.task_done();
    }
}

fn tell_on_stderr(name: &str, error: &(dyn Error + Send + Sync + 'static)) {
    // Where stderr is closed there is nowhere to tell it.
    let _ = writeln!(std::io::stderr(), "{name} of a worker pool failed: {error}");
}
