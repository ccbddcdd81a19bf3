//! [`BackgroundTasks`]: tasks that nobody awaits, but that are kept, named, and reported when they fail.

use super::{
    drained::Drained,
    roster::{Refused, Roster, Seat},
};
use crate::{
    cancel::Cancelled,
    error::AsyncError,
    task::{TaskBuilder, catch_panic},
};
use std::{error::Error, fmt, future::Future, io::Write, sync::Arc, time::Duration};

/// Told of a task that failed: its name, and its error.
pub(super) type Report = Arc<dyn Fn(&str, &(dyn Error + Send + Sync + 'static)) + Send + Sync>;

/// Tasks that run beside what started them. One that is spawned and forgotten fails unseen, and is cut off when the
/// program ends; here each is known by name until it ends, a failure or panic is reported at once, and the end can be
/// waited for. Unlike a [`task_group`](crate::task_group), it doesn't cancel the others when one fails.
///
/// A task that is cancelled hasn't failed. Clones are of the same tasks; dropping them leaves the tasks running.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, patterns::BackgroundTasks, sleep};
/// use std::{sync::{Arc, Mutex}, time::Duration};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let failed = Arc::new(Mutex::new(Vec::new()));
///     let seen = failed.clone();
///     let background = BackgroundTasks::new()
///         .on_failure(move |name, error| seen.lock().unwrap().push(format!("{name}: {error}")));
///     background.spawn("mail", async {
///         sleep(Duration::from_secs(1)).await;
///         Err::<(), _>("no such host")
///     }).unwrap();
///     assert_eq!(background.names(), ["mail"]);
///     background.join().await;
///     assert_eq!(*failed.lock().unwrap(), ["mail: no such host"]);
/// });
/// ```
#[derive(Clone)]
pub struct BackgroundTasks {
    roster: Arc<Roster>,
    report: Report,
}

impl BackgroundTasks {
    /// For at most 10 000 tasks at once. Failures are told on stderr.
    pub fn new() -> Self {
        Self::with_limit(10_000)
    }

    /// For at most `limit` tasks at once.
    pub fn with_limit(limit: usize) -> Self {
        Self { roster: Roster::new(limit), report: Arc::new(tell_on_stderr) }
    }

    /// Has `report` told of failures, with the task's name and its error, on the thread where it failed. Tasks that
    /// run already keep the report that they have.
    pub fn on_failure(
        mut self,
        report: impl Fn(&str, &(dyn Error + Send + Sync + 'static)) + Send + Sync + 'static,
    ) -> Self {
        self.report = Arc::new(report);
        self
    }

    /// Starts a task on the pool, as [`spawn`](crate::spawn). It needs no handle: see
    /// [`cancel`](Self::cancel) and [`join`](Self::join).
    ///
    /// # Errors
    /// [`SpawnRefused`]; `future` is dropped then.
    ///
    /// # Panics
    /// When the system refuses the pool its threads.
    pub fn spawn<T, E, F>(&self, name: &str, future: F) -> Result<(), SpawnRefused>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
        T: 'static,
    {
        let seat = self.roster.enter(name)?;
        let number = seat.number();
        let task = TaskBuilder::new().name(name).spawn(run(seat, self.report.clone(), future));
        self.roster.can_be_cancelled(number, task.canceller());
        Ok(())
    }

    /// Starts a task on this thread's loop, as [`spawn_local`](crate::spawn_local).
    ///
    /// # Errors
    /// [`SpawnRefused`], outside of a loop too.
    pub fn spawn_local<T, E, F>(&self, name: &str, future: F) -> Result<(), SpawnRefused>
    where
        F: Future<Output = Result<T, E>> + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
        T: 'static,
    {
        let seat = self.roster.enter(name)?;
        let number = seat.number();
        let body = run(seat, self.report.clone(), future);
        let task = TaskBuilder::new().name(name).spawn_local(body).map_err(SpawnRefused::NoLoop)?;
        self.roster.can_be_cancelled(number, task.canceller());
        Ok(())
    }

    /// The names of those that run, the oldest first.
    pub fn names(&self) -> Vec<String> {
        self.roster.names()
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.roster.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks those of this name to cancel, and says how many.
    pub fn cancel(&self, name: &str, message: &str) -> usize {
        self.roster.cancel(message, |other| other == name)
    }

    /// Asks those that run to cancel, as [`TaskHandle::cancel`](crate::TaskHandle::cancel), and says how many; [`join`](Self::join) waits until they
    /// have ended.
    pub fn cancel_all(&self, message: &str) -> usize {
        self.roster.cancel(message, |_| true)
    }

    /// Waits until all have ended, those too that are spawned meanwhile. A task that is one of them must not wait here,
    /// as it would wait for itself.
    ///
    /// # Cancel safety
    /// Dropping it leaves the tasks running.
    pub async fn join(&self) {
        self.roster.empty().await;
    }

    /// For the end of a program: refuses others from now on, waits for those that run, cancels what is left after
    /// `deadline`, and gives that [`CLEANUP`](super::CLEANUP) to end.
    ///
    /// # Cancel safety
    /// Dropping it leaves the tasks running; others are still refused.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.roster.close();
        let cancel = || {
            self.roster.cancel("the deadline of the shutdown has passed", |_| true);
        };
        self.roster.drain(deadline, cancel).await
    }
}

impl Default for BackgroundTasks {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BackgroundTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundTasks").field("names", &self.names()).finish()
    }
}

/// Why a background task was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpawnRefused {
    /// The tasks are being drained.
    Closed,
    /// So many run, which is the limit.
    LimitReached(usize),
    /// No loop runs on this thread.
    NoLoop(AsyncError),
}

impl fmt::Display for SpawnRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("these background tasks are being drained, so no other is started"),
            Self::LimitReached(limit) => {
                write!(f, "{limit} background tasks are running, and that is the limit")
            }
            Self::NoLoop(error) => error.fmt(f),
        }
    }
}

impl Error for SpawnRefused {}

impl From<Refused> for SpawnRefused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Closed => Self::Closed,
            Refused::LimitReached(limit) => Self::LimitReached(limit),
        }
    }
}

/// The seat is left when the failure was reported, so whoever waits for the end knows of it.
async fn run<T, E>(seat: Seat, report: Report, future: impl Future<Output = Result<T, E>>)
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let error = match catch_panic(future).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.into(),
        Err(panic) => panic.into(),
    };
    if Cancelled::of(&*error).is_none() {
        report(seat.name(), &*error);
    }
}

fn tell_on_stderr(name: &str, error: &(dyn Error + Send + Sync + 'static)) {
    // Where stderr is closed there is nowhere to tell it.
    let _ = writeln!(std::io::stderr(), "background task {name:?} failed: {error}");
}
