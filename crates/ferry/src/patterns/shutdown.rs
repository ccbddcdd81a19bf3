//! [`Shutdown`]: one signal to stop, what is in flight, and a drain with a deadline.
//!
//! ```text
//!             begin()                    drain(deadline)
//!   running ──────────▶ begun: work in ──────────────────▶ nothing is in flight: Finished
//!                       flight goes on,      └── deadline ──▶ what is left is cancelled: DeadlinePassed
//!                       other is refused
//! ```

use super::{
    drained::Drained,
    roster::{Roster, Seat},
};
use crate::{
    cancel::{Cancelled, nested::Nested},
    sync::Event,
};
use std::{
    error::Error,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

const REASON: &str = "the deadline of the shutdown has passed";

/// The graceful shutdown of a program or a part of it. Clones are of the same shutdown; any thread may begin it.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, patterns::{Drained, Shutdown}, sleep, spawn_local, sync::Queue};
/// use std::{rc::Rc, time::Duration};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let (shutdown, queue) = (Shutdown::new(), Rc::new(Queue::new(10)));
///     let (stop, requests) = (shutdown.clone(), queue.clone());
///     let service = spawn_local(async move {
///         while let Some(Ok(seconds)) = stop.run_until(requests.get()).await {
///             let name = format!("request of {seconds} s");
///             let work = stop.track(&name, sleep(Duration::from_secs(seconds)));
///             spawn_local(work);
///         }
///     });
///     for seconds in [1, 5, 3600] {
///         queue.put(seconds).await.unwrap();
///     }
///     sleep(Duration::from_secs(2)).await;
///     let drained = shutdown.drain(Duration::from_secs(30)).await;
///     assert_eq!(drained, Drained::DeadlinePassed { left: vec!["request of 3600 s".to_owned()] });
///     service.await.unwrap();
/// });
/// ```
#[derive(Clone)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

struct Shared {
    begun: Event,
    expired: Event,
    in_flight: Arc<Roster>,
}

impl Shutdown {
    /// One that has not begun.
    pub fn new() -> Self {
        let in_flight = Roster::new(usize::MAX);
        Self { shared: Arc::new(Shared { begun: Event::new(), expired: Event::new(), in_flight }) }
    }

    /// Begins it: no other work comes in flight, and who waits for [`begun`](Self::begun) goes on. Again, it does nothing.
    pub fn begin(&self) {
        self.shared.in_flight.close();
        self.shared.begun.set();
    }

    /// Whether it has begun.
    pub fn is_begun(&self) -> bool {
        self.shared.begun.is_set()
    }

    /// Waits until it has begun.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub async fn begun(&self) {
        self.shared.begun.wait().await;
    }

    /// Says that work of this name is in flight, until the guard is dropped. A drain waits for it, but can't cancel it:
    /// [`track`](Self::track) is for work that may be cancelled.
    ///
    /// # Errors
    /// [`ShuttingDown`] when the shutdown has begun.
    pub fn guard(&self, name: &str) -> Result<Guard, ShuttingDown> {
        let seat = self.shared.in_flight.enter(name).map_err(|_| ShuttingDown)?;
        Ok(Guard { shared: self.shared.clone(), seat })
    }

    /// Runs `work` as work in flight, from this call on. After the deadline of a drain it's cancelled: what has polled a
    /// [`cancellable`](crate::cancellable) gets a request, and its output counts; anything else is dropped.
    ///
    /// # Errors
    /// [`TrackError`]: the shutdown had begun, so `work` never ran, or its deadline has passed.
    ///
    /// # Cancel safety
    /// Dropping it drops `work`, which is not in flight any more.
    pub fn track<F: Future>(
        &self,
        name: &str,
        work: F,
    ) -> impl Future<Output = Result<F::Output, TrackError>> + use<F> {
        let guard = self.guard(name);
        async move { guard?.run(work).await }
    }

    /// The names of what is in flight, the oldest first.
    pub fn in_flight(&self) -> Vec<String> {
        self.shared.in_flight.names()
    }

    /// Begins the shutdown, and waits until nothing is in flight. After `deadline`, what is left is cancelled, and has
    /// [`CLEANUP`](super::CLEANUP) to end. Work in flight must not wait here, as it would wait for itself.
    ///
    /// # Cancel safety
    /// Dropping it leaves the shutdown begun, and what is in flight running; another drain may follow.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.begin();
        self.shared.in_flight.drain(deadline, || self.shared.expired.set()).await
    }

    /// What `future` gives, or `None` as soon as the shutdown has begun: for the wait at the head of a loop. If it has
    /// begun already, `future` is not polled; if both come at once, the output counts. So with a wait that loses nothing
    /// when it's dropped, as [`Queue::get`](crate::sync::Queue::get), an item is either here or still in the queue.
    ///
    /// # Cancel safety
    /// Dropping it drops `future`.
    pub async fn run_until<F: Future>(&self, future: F) -> Option<F::Output> {
        if self.is_begun() {
            return None;
        }
        let (mut future, mut begun) = (pin!(future), pin!(self.shared.begun.wait()));
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => begun.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (begun, in_flight) = (self.is_begun(), self.in_flight());
        f.debug_struct("Shutdown").field("begun", &begun).field("in_flight", &in_flight).finish()
    }
}

/// Work in flight. It has ended when this is dropped.
#[must_use = "the work has ended when it's dropped"]
pub struct Guard {
    shared: Arc<Shared>,
    seat: Seat,
}

impl Guard {
    /// The name of the work.
    pub fn name(&self) -> &str {
        self.seat.name()
    }

    /// Waits until the deadline of a drain has passed, by which the work should have ended.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub async fn deadline_passed(&self) {
        self.shared.expired.wait().await;
    }

    async fn run<F: Future>(self, work: F) -> Result<F::Output, TrackError> {
        let (mut work, mut expired) = (pin!(Nested::new(work)), pin!(self.shared.expired.wait()));
        let mut is_told = false;
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = work.as_mut().poll(cx) {
                    return Poll::Ready(Ok(output));
                }
                if is_told || expired.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                is_told = true;
                if !work.as_mut().request(Cancelled::new(REASON)) {
                    return Poll::Ready(Err(TrackError::DeadlinePassed(DeadlinePassed)));
                }
            }
        })
        .await
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("name", &self.name()).finish()
    }
}

/// New work was refused, as the shutdown has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShuttingDown;

/// Work was cancelled, as the deadline of the shutdown has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlinePassed;

/// Why tracked work has no output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackError {
    /// It never ran.
    ShuttingDown(ShuttingDown),
    /// It was cancelled.
    DeadlinePassed(DeadlinePassed),
}

impl fmt::Display for ShuttingDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shutdown has begun, so no other work is taken")
    }
}

impl fmt::Display for DeadlinePassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REASON)
    }
}

impl fmt::Display for TrackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShuttingDown(error) => error.fmt(f),
            Self::DeadlinePassed(error) => error.fmt(f),
        }
    }
}

impl Error for ShuttingDown {}
impl Error for DeadlinePassed {}
impl Error for TrackError {}

impl From<ShuttingDown> for TrackError {
    fn from(error: ShuttingDown) -> Self {
        Self::ShuttingDown(error)
    }
}
