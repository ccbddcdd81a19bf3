//! [`PendingRequests`]: who asks waits for the answer with the request's key.
//!
//! ```text
//!              answer(), fail(), close()
//!   pending ─────────────────────────────▶ settled ── the wait has it ──▶ over
//!      │                                      └── dropped unread: an answer is kept for `take_unread`
//!      └── timed out, dropped ──▶ given up: an answer is late, as long as the key is remembered
//! ```
//!
//! Both ways out of `pending` are taken under one lock, so an answer that was said to be delivered is there for its
//! request, and one that wasn't comes back to who gave it.

mod error;
mod memory;

pub use error::RequestError;

use crate::{
    model::{Mutex, lock},
    promise::{Future, Promise, promise},
    time::timeout,
};
use memory::Memory;
use std::{collections::HashMap, error::Error, fmt, hash::Hash, sync::Arc, time::Duration};

/// What became of an answer. One that nobody got comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an answer that was not delivered comes back"]
pub enum Answer<V> {
    /// The request has it.
    Delivered,
    /// The request had given up: it timed out, was cancelled, or was closed.
    Late(V),
    /// There is no such request: it never was, was answered before, or gave up too long ago.
    Unknown(V),
}

/// Requests by key, each of which waits for one answer: approvals by a human, or request and response over a connection.
///
/// Requests wait in any task, and answers come from any thread. Give each request a key of its own: an answer to an
/// earlier one of the same key can't be told from one to this. Clones are of the same requests.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, patterns::{Answer, PendingRequests}, sleep, spawn_local};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let approvals = PendingRequests::new();
///     let asking = approvals.clone();
///     let asking = spawn_local(async move { asking.request("deploy 7", Duration::from_secs(300)).await });
///     sleep(Duration::from_secs(60)).await;
///     assert_eq!(approvals.answer(&"deploy 7", true), Answer::Delivered);
///     assert!(asking.await.unwrap().unwrap());
///     assert_eq!(approvals.answer(&"deploy 8", true), Answer::Unknown(true));
/// });
/// ```
pub struct PendingRequests<K, V> {
    shared: Arc<Shared<K, V>>,
}

struct Shared<K, V> {
    state: Mutex<State<K, V>>,
    limit: usize,
}

struct State<K, V> {
    pending: HashMap<K, Waiting<V>>,
    memory: Memory<K, V>,
    next: u64,
    is_closed: bool,
}

/// A request that waits: where its outcome goes, and who is told.
struct Waiting<V> {
    number: u64,
    outcome: Arc<Mutex<Option<Result<V, RequestError>>>>,
    told: Promise<()>,
}

impl<K: Eq + Hash + Clone, V> PendingRequests<K, V> {
    /// For at most 10 000 pending requests; the last 1 000 that gave up are remembered.
    pub fn new() -> Self {
        Self::with_limits(10_000, 1_000)
    }

    /// For at most `limit` pending requests. `remember` is how many keys of requests that gave up are kept, so that their
    /// answers are told from answers to nothing, and how many answers are kept for [`take_unread`](Self::take_unread).
    pub fn with_limits(limit: usize, remember: usize) -> Self {
        let state =
            State { pending: HashMap::new(), memory: Memory::new(remember), next: 0, is_closed: false };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), limit }) }
    }

    /// Registers a request and waits for its answer, at most for `within`.
    ///
    /// # Errors
    /// [`RequestError`]: there was no answer in time, or an error was given instead; or the request is refused, at once.
    ///
    /// # Cancel safety
    /// Dropping it gives the request up, and its key is free. An answer that was delivered already is kept, see
    /// [`take_unread`](Self::take_unread).
    pub async fn request(&self, key: K, within: Duration) -> Result<V, RequestError> {
        self.register(key)?.wait(within).await
    }

    /// Registers a request, so that what is sent next can't be answered too early. Dropping what it gives ends it.
    ///
    /// ```
    /// # use asyncferry::{AsyncRuntime, Order, patterns::PendingRequests};
    /// # use std::time::Duration;
    /// # AsyncRuntime::block_on_virtual(Order::Fifo, async {
    /// let requests = PendingRequests::new();
    /// let mut pending = requests.register(7).unwrap();
    /// let _ = requests.answer(&7, "fast"); // here the question is sent
    /// assert_eq!(pending.wait(Duration::from_secs(60)).await.unwrap(), "fast");
    /// # });
    /// ```
    ///
    /// # Errors
    /// [`RequestError::Duplicate`], [`RequestError::LimitReached`] and [`RequestError::Closed`].
    pub fn register(&self, key: K) -> Result<Pending<K, V>, RequestError> {
        let mut state = lock(&self.shared.state);
        if state.is_closed {
            return Err(RequestError::Closed);
        }
        if state.pending.contains_key(&key) {
            return Err(RequestError::Duplicate);
        }
        if state.pending.len() >= self.shared.limit {
            return Err(RequestError::LimitReached(self.shared.limit));
        }
        let number = state.next;
        state.next += 1;
        let (told, settled) = promise();
        let outcome = Arc::new(Mutex::new(None));
        state.memory.forget(&key);
        state.pending.insert(key.clone(), Waiting { number, outcome: outcome.clone(), told });
        Ok(Pending { requests: self.clone(), key, number, outcome, settled })
    }

    /// Answers the request of this key. From any thread. A request that has its answer doesn't time out any more.
    pub fn answer(&self, key: &K, value: V) -> Answer<V> {
        self.settle(key, value, Ok)
    }

    /// Answers the request of this key with an error. From any thread.
    pub fn fail<E: Into<Box<dyn Error + Send + Sync>>>(&self, key: &K, error: E) -> Answer<E> {
        self.settle(key, error, |error| Err(RequestError::Failed(error.into())))
    }

    /// Ends every pending request with [`RequestError::Closed`], and refuses others. From any thread.
    pub fn close(&self) {
        let mut state = lock(&self.shared.state);
        state.is_closed = true;
        let pending = std::mem::take(&mut state.pending);
        let told: Vec<_> = pending
            .into_iter()
            .map(|(key, waiting)| {
                state.memory.gave_up(key, waiting.number);
                *lock(&waiting.outcome) = Some(Err(RequestError::Closed));
                waiting.told
            })
            .collect();
        drop(state);
        for told in told {
            let _ = told.complete(());
        }
    }

    /// The answers that were delivered to requests that went before they looked, with their keys, the oldest first.
    pub fn take_unread(&self) -> Vec<(K, V)> {
        lock(&self.shared.state).memory.take_unread()
    }

    /// How many requests are pending.
    pub fn len(&self) -> usize {
        lock(&self.shared.state).pending.len()
    }

    /// Whether no request is pending.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn settle<T>(&self, key: &K, given: T, outcome: impl FnOnce(T) -> Result<V, RequestError>) -> Answer<T> {
        let mut state = lock(&self.shared.state);
        let Some(waiting) = state.pending.remove(key) else {
            return if state.memory.has_given_up(key) { Answer::Late(given) } else { Answer::Unknown(given) };
        };
        *lock(&waiting.outcome) = Some(outcome(given));
        drop(state);
        let _ = waiting.told.complete(());
        Answer::Delivered
    }
}

/// A request that [`PendingRequests::register`] made. Dropping it gives the request up.
#[must_use = "dropping it gives the request up"]
pub struct Pending<K: Eq + Hash + Clone, V> {
    requests: PendingRequests<K, V>,
    key: K,
    number: u64,
    outcome: Arc<Mutex<Option<Result<V, RequestError>>>>,
    settled: Future<()>,
}

impl<K: Eq + Hash + Clone, V> Pending<K, V> {
    /// The request's key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Waits for the answer, at most for `within`. A wait that times out ends the request.
    ///
    /// # Errors
    /// As [`PendingRequests::request`]; [`RequestError::Over`] when the request has ended before.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing: the request is pending still, and the next wait has the answer.
    pub async fn wait(&mut self, within: Duration) -> Result<V, RequestError> {
        let in_time = timeout(within, self.settled.clone()).await;
        // Whoever has answered meanwhile was told so, and the answer counts.
        if in_time.is_err() && self.withdraw() {
            return Err(RequestError::TimedOut(within));
        }
        let outcome = lock(&self.outcome).take();
        outcome.unwrap_or(Err(RequestError::Over))
    }

    /// Whether it was pending still.
    fn withdraw(&self) -> bool {
        let mut state = lock(&self.requests.shared.state);
        if state.pending.get(&self.key).is_none_or(|waiting| waiting.number != self.number) {
            return false;
        }
        let waiting = state.pending.remove(&self.key);
        state.memory.gave_up(self.key.clone(), self.number);
        drop(state);
        drop(waiting);
        true
    }
}

impl<K: Eq + Hash + Clone, V> Drop for Pending<K, V> {
    fn drop(&mut self) {
        if self.withdraw() {
            return;
        }
        let unread = lock(&self.outcome).take();
        if let Some(Ok(answer)) = unread {
            let forgotten = lock(&self.requests.shared.state).memory.keep(self.key.clone(), answer);
            drop(forgotten);
        }
    }
}

impl<K, V> Clone for PendingRequests<K, V> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<K: Eq + Hash + Clone, V> Default for PendingRequests<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> fmt::Debug for PendingRequests<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = lock(&self.shared.state).pending.len();
        f.debug_struct("PendingRequests").field("pending", &pending).finish_non_exhaustive()
    }
}

impl<K: Eq + Hash + Clone + fmt::Debug, V> fmt::Debug for Pending<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("key", &self.key).finish_non_exhaustive()
    }
}
