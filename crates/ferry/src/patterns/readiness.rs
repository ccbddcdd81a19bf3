//! [`Readiness`]: named parts that become ready or fail, and who waits for all of them.

use super::watchers::Watchers;
use crate::{
    model::{Mutex, lock},
    time::timeout,
};
use std::{collections::BTreeMap, error::Error, fmt, future::Future, sync::Arc, time::Duration};

/// How a part is.
#[derive(Clone, Debug)]
pub enum PartState {
    /// Not ready, or not any more.
    Waiting,
    /// Ready.
    Ready,
    /// It could not become ready, because of this.
    Failed(Arc<dyn Error + Send + Sync>),
}

/// The parts that must be ready before a program serves, by name. Clones are of the same parts; any thread may say how
/// one is.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, patterns::Readiness, sleep, spawn_local};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let readiness = Readiness::new(["cache", "database"]);
///     for (part, seconds) in [("cache", 1), ("database", 60)] {
///         let readiness = readiness.clone();
///         spawn_local(async move {
///             sleep(Duration::from_secs(seconds)).await;
///             readiness.set_ready(part).unwrap();
///         });
///     }
///     let early = readiness.wait(Duration::from_secs(30)).await.unwrap_err();
///     assert_eq!(early.to_string(), "not ready within 30s: database");
///     readiness.wait(Duration::from_secs(60)).await.unwrap();
/// });
/// ```
#[derive(Clone)]
pub struct Readiness {
    state: Arc<Mutex<State>>,
}

struct State {
    parts: BTreeMap<String, PartState>,
    watchers: Watchers,
}

impl Readiness {
    /// With these parts, none of them ready.
    ///
    /// # Panics
    /// When there is no part, or one is named twice.
    pub fn new<N: Into<String>>(parts: impl IntoIterator<Item = N>) -> Self {
        let mut named = BTreeMap::new();
        for part in parts {
            let part = part.into();
            assert!(!named.contains_key(&part), "the part {part:?} is named twice");
            named.insert(part, PartState::Waiting);
        }
        assert!(!named.is_empty(), "name at least one part");
        Self { state: Arc::new(Mutex::new(State { parts: named, watchers: Watchers::default() })) }
    }

    /// This part is ready, also when it had failed.
    ///
    /// # Errors
    /// [`UnknownPart`].
    pub fn set_ready(&self, part: &str) -> Result<(), UnknownPart> {
        self.set(part, PartState::Ready)
    }

    /// This part can't become ready: who waits need not any more. It can still be set ready later.
    ///
    /// # Errors
    /// [`UnknownPart`].
    pub fn set_failed(
        &self,
        part: &str,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<(), UnknownPart> {
        self.set(part, PartState::Failed(Arc::from(error.into())))
    }

    /// This part is not ready any more, or not yet again.
    ///
    /// # Errors
    /// [`UnknownPart`].
    pub fn set_waiting(&self, part: &str) -> Result<(), UnknownPart> {
        self.set(part, PartState::Waiting)
    }

    /// Sets the part ready when `start` gives `Ok`, and failed when it gives an error.
    ///
    /// # Errors
    /// [`UnknownPart`]; `start` is not run then.
    ///
    /// # Cancel safety
    /// Dropping it drops `start`, and leaves the part waiting.
    pub async fn starting<T, E>(
        &self,
        part: &str,
        start: impl Future<Output = Result<T, E>>,
    ) -> Result<(), UnknownPart>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.set_waiting(part)?;
        match start.await {
            Ok(_) => self.set_ready(part),
            Err(error) => self.set_failed(part, error),
        }
    }

    /// Whether all parts are ready.
    pub fn is_ready(&self) -> bool {
        lock(&self.state).is_ready()
    }

    /// How each part is, by name.
    pub fn states(&self) -> BTreeMap<String, PartState> {
        lock(&self.state).parts.clone()
    }

    /// Waits until all parts are ready, at most for `within`. Where one ceases to be
    /// ready before the waiting task has its turn, it waits on, so they are ready when it returns.
    ///
    /// # Errors
    /// [`NotReady`], as soon as a part has failed, or when the time is up. It names the parts that aren't ready.
    ///
    /// # Cancel safety
    /// Dropping it changes nothing.
    pub async fn wait(&self, within: Duration) -> Result<(), NotReady> {
        if let Some(decided) = lock(&self.state).decided() {
            return decided;
        }
        match timeout(within, self.decision()).await {
            Ok(decided) => decided,
            Err(_) => {
                let state = lock(&self.state);
                state.decided().unwrap_or_else(|| Err(state.not_ready(Some(within))))
            }
        }
    }

    async fn decision(&self) -> Result<(), NotReady> {
        loop {
            let next = {
                let mut state = lock(&self.state);
                if let Some(decided) = state.decided() {
                    return decided;
                }
                state.watchers.watch()
            };
            let _ = next.await;
        }
    }

    fn set(&self, part: &str, new: PartState) -> Result<(), UnknownPart> {
        let mut state = lock(&self.state);
        let Some(known) = state.parts.get_mut(part) else {
            let parts = state.parts.keys().cloned().collect();
            return Err(UnknownPart { part: part.to_owned(), parts });
        };
        let old = std::mem::replace(known, new);
        let watchers = if state.decided().is_some() { state.watchers.take() } else { Watchers::default() };
        drop(state);
        watchers.tell();
        drop(old);
        Ok(())
    }
}

impl State {
    fn is_ready(&self) -> bool {
        self.parts.values().all(|state| matches!(state, PartState::Ready))
    }

    /// What a wait gives, if there is nothing to wait for.
    fn decided(&self) -> Option<Result<(), NotReady>> {
        if self.is_ready() {
            return Some(Ok(()));
        }
        let failed = self.parts.values().any(|state| matches!(state, PartState::Failed(_)));
        failed.then(|| Err(self.not_ready(None)))
    }

    fn not_ready(&self, timed_out: Option<Duration>) -> NotReady {
        let mut error = NotReady { failed: Vec::new(), waiting: Vec::new(), timed_out };
        for (part, state) in &self.parts {
            match state {
                PartState::Ready => {}
                PartState::Waiting => error.waiting.push(part.clone()),
                PartState::Failed(why) => error.failed.push((part.clone(), why.clone())),
            }
        }
        error
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("states", &self.states()).finish()
    }
}

/// Some parts are not ready.
#[derive(Clone, Debug)]
pub struct NotReady {
    /// Those that failed, and why.
    pub failed: Vec<(String, Arc<dyn Error + Send + Sync>)>,
    /// The others.
    pub waiting: Vec<String>,
    /// The time that was up; `None` when a part failed.
    pub timed_out: Option<Duration>,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not ready")?;
        if let Some(within) = self.timed_out {
            write!(f, " within {within:?}")?;
        }
        let failed = self.failed.iter().map(|(part, error)| format!("{part} (failed: {error})"));
        let named: Vec<_> = failed.chain(self.waiting.iter().cloned()).collect();
        write!(f, ": {}", named.join(", "))
    }
}

impl Error for NotReady {}

/// There is no part of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPart {
    /// The name.
    pub part: String,
    /// The names that there are.
    pub parts: Vec<String>,
}

impl fmt::Display for UnknownPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no part {:?}: the parts are {}", self.part, self.parts.join(", "))
    }
}

impl Error for UnknownPart {}
