//! [`CancellationToken`]: one cancellation for whatever has the token, or one of its children.
//!
//! ```text
//!              cancel, of this token or one above it:
//!              1. under the tree's lock the branch leaves the tree, and each token of it has the reason
//!   pending ─────────────────────────────────────────────────────────────────────────────────────────▶ cancelled
//!              2. without the lock each token's event is set, which wakes those who wait
//! ```
//!
//! So whoever is woken by the second step, and runs at once, sees that the whole branch is cancelled. A token that
//! is made below one that is cancelled is born so, and never enters the [tree](tree).

mod tree;

use super::{Cancelled, nested::Nested};
use crate::sync::{Event, EventWait};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    task::{Context, Poll, ready},
};
use tree::{Place, Tree};

/// Cancels whatever has it: a flag with a reason that is set once, that many wait for, and that goes down a tree. Clones are
/// the same token; [children](Self::child_token) are cancelled with their parent, but not the other way round. It works across
/// tasks, loops and threads.
///
/// It's for work that is spread over many tasks, or that is not a task: a connection, a request with all that it started, a
/// server. For one task there is [`TaskHandle::cancel`](crate::TaskHandle::cancel), and for tasks that begin and end
/// together a [`task_group`](crate::task_group).
///
/// What differs from [tokio-util's](https://docs.rs/tokio-util/0.7/tokio_util/sync/struct.CancellationToken.html) (0.7):
///
/// | tokio-util | here |
/// |---|---|
/// | `cancel()` | `cancel("why")`: the first reason stays, and comes out of all that wait |
/// | `cancelled().await`, `cancelled_owned().await` give `()` | they give the [`Cancelled`] with the reason |
/// | `run_until_cancelled(future)` gives an `Option`, and drops the future | it gives a `Result`, and lets a future clean up that has polled a [`cancellable`](crate::cancellable) |
/// | `run_until_cancelled_owned(future)` | `async move { token.run_until_cancelled(future).await }` |
/// | `drop_guard()`, `drop_guard_ref()` | `drop_guard()`, of a clone |
/// | `child_token()`, `is_cancelled()` | the same |
///
/// ```
/// use asyncferry::{AsyncRuntime, CancellationToken, Order, select, sleep, spawn_local};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let server = CancellationToken::new();
///     let requests = [1, 100].map(|seconds| {
///         let token = server.child_token();
///         spawn_local(async move {
///             select! {
///                 () = sleep(Duration::from_secs(seconds)) => "served".to_owned(),
///                 cancelled = token.cancelled() => cancelled.to_string(),
///             }
///         })
///     });
///     sleep(Duration::from_secs(10)).await;
///     server.cancel("shutting down");
///     let [quick, slow] = requests;
///     assert_eq!(quick.await.unwrap(), "served");
///     assert_eq!(slow.await.unwrap(), "cancelled: shutting down");
/// });
/// ```
#[derive(Clone)]
pub struct CancellationToken(Arc<Shared>);

/// What clones share. With the last of them the token leaves its tree.
struct Shared {
    tree: Arc<Mutex<Tree<Weak<Shared>>>>,
    /// In the tree, as long as there is no reason.
    place: Place,
    /// Set under the tree's lock.
    reason: OnceLock<Cancelled>,
    event: Event,
}

impl CancellationToken {
    /// A token without a parent, that is not cancelled.
    pub fn new() -> Self {
        let tree = Arc::new(Mutex::new(Tree::new()));
        let mut nodes = tree.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Self::within(&tree, &mut nodes, None);
        drop(nodes);
        token
    }

    /// A token that is cancelled with this one, and may be cancelled without it. If this one is cancelled, so is that, for
    /// the same reason. It costs nothing once it was dropped.
    ///
    /// ```
    /// use asyncferry::CancellationToken;
    ///
    /// let parent = CancellationToken::new();
    /// let (first, second) = (parent.child_token(), parent.child_token());
    /// first.cancel("alone");
    /// parent.cancel("all");
    /// assert_eq!(first.reason().unwrap().message(), "alone");
    /// assert_eq!(second.reason().unwrap().message(), "all");
    /// ```
    pub fn child_token(&self) -> Self {
        let shared = &self.0;
        let mut nodes = shared.lock();
        match shared.reason.get() {
            None => Self::within(&shared.tree, &mut nodes, Some(shared.place)),
            Some(reason) => {
                let event = Event::new();
                event.set();
                let reason = OnceLock::from(reason.clone());
                Self(Arc::new(Shared { tree: shared.tree.clone(), place: shared.place, reason, event }))
            }
        }
    }

    /// A new token in `tree`, made while its lock is held: no `cancel` can come in between.
    fn within(
        tree: &Arc<Mutex<Tree<Weak<Shared>>>>,
        nodes: &mut Tree<Weak<Shared>>,
        above: Option<Place>,
    ) -> Self {
        Self(Arc::new_cyclic(|this| Shared {
            tree: tree.clone(),
            place: nodes.add(above, this.clone()),
            reason: OnceLock::new(),
            event: Event::new(),
        }))
    }

    /// Cancels this token and all below it, and wakes all who wait for one of them. An empty `reason` counts as none.
    /// `false` when it was cancelled already: the first reason stays.
    ///
    /// It takes time with the number of tokens below it, during which none can be made or dropped in the whole tree.
    pub fn cancel(&self, reason: &str) -> bool {
        let cancelled = Cancelled::new(reason);
        let mut nodes = self.0.lock();
        if self.is_cancelled() {
            return false;
        }
        // They are dropped once the lock is free: with its last clone, a token asks for that lock.
        let branch: Vec<_> = nodes.take_branch(self.0.place).iter().filter_map(Weak::upgrade).collect();
        for token in &branch {
            // It is empty: a token has its reason from the moment on that it left the tree.
            let _ = token.reason.set(cancelled.clone());
        }
        drop(nodes);
        for token in &branch {
            token.event.set();
        }
        true
    }

    /// Whether it is cancelled. It costs a load.
    pub fn is_cancelled(&self) -> bool {
        self.0.reason.get().is_some()
    }

    /// Why it is cancelled, if it is.
    ///
    /// ```
    /// use asyncferry::{CancellationToken, Cancelled};
    ///
    /// let token = CancellationToken::new();
    /// assert_eq!(token.reason(), None);
    /// assert!(token.cancel("first") && !token.cancel("second"));
    /// assert_eq!(token.reason(), Some(Cancelled::new("first")));
    /// ```
    pub fn reason(&self) -> Option<Cancelled> {
        self.0.reason.get().cloned()
    }

    /// Waits until it is cancelled, and says why.
    ///
    /// # Cancel safety
    /// Dropping it half-way changes nothing.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, CancellationToken, Order, spawn_local};
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let token = CancellationToken::new();
    ///     let there = token.clone();
    ///     let canceller = spawn_local(async move { there.cancel("enough") });
    ///     assert_eq!(token.cancelled().await.message(), "enough");
    ///     canceller.await.unwrap();
    /// });
    /// ```
    pub fn cancelled(&self) -> TokenCancelled<'_> {
        TokenCancelled { token: self, wait: self.0.event.wait() }
    }

    /// [`cancelled`](Self::cancelled) that owns its token, for tasks and fields.
    ///
    /// # Cancel safety
    /// Dropping it half-way changes nothing.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, CancellationToken, Order, spawn_local};
    ///
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let token = CancellationToken::new();
    ///     let watcher = spawn_local(token.clone().cancelled_owned());
    ///     token.cancel("enough");
    ///     assert_eq!(watcher.await.unwrap().message(), "enough");
    /// });
    /// ```
    pub async fn cancelled_owned(self) -> Cancelled {
        self.cancelled().await
    }

    /// Runs `future` until it ends or the token is cancelled; then it is dropped, or, if it has polled a
    /// [`cancellable`](crate::cancellable), it gets the request there and may clean up, as in a
    /// [`timeout`](crate::timeout()). What ends in the moment that the token is cancelled counts, and a future that needs
    /// not wait gives its output even if it was cancelled before.
    ///
    /// # Errors
    /// [`Cancelled`], with the token's reason, when the token was cancelled first. A future that calls
    /// [`uncancel`](crate::uncancel), or ends before the request arrives there, or is cancelled from outside as well, gives
    /// its output.
    ///
    /// # Cancel safety
    /// Dropping it drops `future`.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, CancellationToken, Cancelled, Order, cancellable, sleep, spawn_local};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let token = CancellationToken::new();
    ///     assert_eq!(token.run_until_cancelled(sleep(second)).await, Ok(()));
    ///
    ///     let there = token.clone();
    ///     let work = spawn_local(async move {
    ///         let careful = async {
    ///             let done = cancellable(sleep(second * 100)).await;
    ///             sleep(second).await; // clean-up may await
    ///             done
    ///         };
    ///         there.run_until_cancelled(careful).await.map(drop)
    ///     });
    ///     sleep(second).await;
    ///     token.cancel("enough");
    ///     assert_eq!(work.await.unwrap(), Err(Cancelled::new("enough")));
    /// });
    /// ```
    pub fn run_until_cancelled<F: Future>(&self, future: F) -> RunUntilCancelled<'_, F> {
        RunUntilCancelled { body: Nested::new(future), token: self.cancelled(), asked: None }
    }

    /// Cancels the token when the guard is dropped, for the reason `"its guard was dropped"`.
    ///
    /// ```
    /// use asyncferry::CancellationToken;
    ///
    /// let token = CancellationToken::new();
    /// let guard = token.clone().drop_guard();
    /// drop(guard.disarm());
    /// assert!(!token.is_cancelled());
    /// drop(token.clone().drop_guard());
    /// assert_eq!(token.reason().unwrap().message(), "its guard was dropped");
    /// ```
    pub fn drop_guard(self) -> TokenGuard {
        TokenGuard { token: Some(self) }
    }
}

impl Default for CancellationToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancellationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancellationToken")
            .field("reason", &self.reason())
            .field("waiters", &self.0.event.waiters())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Tree<Weak<Self>>> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.reason.get().is_none() {
            let removed = self.lock().remove(self.place);
            drop(removed);
        }
    }
}

/// What [`CancellationToken::cancelled`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct TokenCancelled<'a> {
    token: &'a CancellationToken,
    wait: EventWait<'a>,
}

impl Future for TokenCancelled<'_> {
    type Output = Cancelled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cancelled> {
        ready!(Pin::new(&mut self.wait).poll(cx));
        Poll::Ready(self.token.reason().unwrap_or_default())
    }
}

pin_project! {
    /// What [`CancellationToken::run_until_cancelled`] returns.
    #[must_use = "futures do nothing unless awaited"]
    pub struct RunUntilCancelled<'a, F> {
        #[pin]
        body: Nested<F>,
        token: TokenCancelled<'a>,
        // What the body was asked to cancel with.
        asked: Option<Cancelled>,
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            if let Poll::Ready(output) = this.body.as_mut().poll(cx) {
                let asked = this.asked.take().filter(|_| this.body.as_mut().gave_up());
                return Poll::Ready(asked.map_or(Ok(output), Err));
            }
            if this.asked.is_some() {
                return Poll::Pending;
            }
            let cancelled = ready!(Pin::new(&mut *this.token).poll(cx));
            if !this.body.as_mut().request(cancelled.clone()) {
                return Poll::Ready(Err(cancelled));
            }
            *this.asked = Some(cancelled);
        }
    }
}

/// Cancels its token when it is dropped; see [`CancellationToken::drop_guard`].
#[derive(Debug)]
#[must_use = "the token is cancelled when the guard is dropped"]
pub struct TokenGuard {
    token: Option<CancellationToken>,
}

impl TokenGuard {
    /// Gives the token back, not cancelled.
    pub fn disarm(mut self) -> CancellationToken {
        self.token.take().unwrap_or_default()
    }
}

impl Drop for TokenGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            token.cancel("its guard was dropped");
        }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
