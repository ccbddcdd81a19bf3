//! [`Scope`], what can be cancelled on its own, and the *layers* of a thread, by which code that runs finds the
//! scope that it is in.
//!
//! ```text
//!              request, forward              take: innermost wait first
//!   quiet ───────────────────────▶ pending ─────────────────────────────▶ quiet
//!                                     │ uncancel to zero: the request is taken back
//!                                     └───────────────────────────────────▶ quiet
//! ```
//!
//! A task, a child of a gather, and the body of a group or of a timeout have a scope each, made when the first
//! `cancellable` in it is polled: that a scope exists is what having opted in means. A body's scope stands in
//! its task's (or in another body's): [`Nested`](super::nested::Nested) takes the outer scope's requests and
//! passes them inwards, so each request is in one place at a time. Counts stay where a request was made; the
//! count that code sees is the sum of its scope's and of those outside.
//!
//! Who waits in a scope awaits a promise, the *signal*, that the next request settles.

use super::Cancelled;
use crate::{
    executor::{platform, try_with_loop},
    model::{Arc, Mutex, lock},
    promise::{Future, Promise, promise},
};
use std::{
    cell::Cell,
    ptr::null,
    task::{Context, Poll},
};

pub(crate) struct Scope {
    state: Mutex<State>,
    outer: Option<Arc<Scope>>,
    /// For the outer scope's requests; only who polls the body uses it.
    receiver: Mutex<Option<Waiting>>,
    /// What the outer scopes counted when this one was made.
    outer_before: u32,
}

#[derive(Default)]
struct State {
    /// Requests made to this scope and not uncancelled.
    count: u32,
    /// A request to this scope that nobody has taken.
    own: Option<Cancelled>,
    /// One that came from the outer scope.
    passed: Option<Cancelled>,
    signal: Option<(Promise<()>, Future<()>)>,
    over: bool,
}

impl Scope {
    pub(crate) fn new(outer: Option<Arc<Self>>) -> Arc<Self> {
        let outer_before = outer.as_ref().map_or(0, |outer| outer.cancelling());
        let receiver = Mutex::new(outer.clone().map(Waiting::new));
        Arc::new(Self { state: Mutex::new(State::default()), outer, receiver, outer_before })
    }

    /// Makes a request; `false` when the scope is over.
    pub(crate) fn request(&self, cancelled: Cancelled) -> bool {
        self.change(|state| {
            state.count += 1;
            state.own = Some(cancelled);
        })
    }

    /// Hands in a request that was counted elsewhere, or was taken from this scope and not used.
    pub(crate) fn pass(&self, cancelled: Cancelled) -> bool {
        self.change(|state| state.passed = Some(cancelled))
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> bool {
        let mut state = lock(&self.state);
        if state.over {
            return false;
        }
        change(&mut state);
        let signal = state.signal.take();
        drop(state);
        // Wakers are foreign code: they run after the lock is free.
        if let Some((promise, _)) = signal {
            let _ = promise.complete(());
        }
        true
    }

    /// The request that waits, if any; otherwise what the next one settles.
    fn take(&self) -> Result<Cancelled, Future<()>> {
        let mut state = lock(&self.state);
        let own = state.own.take();
        match state.passed.take().or(own) {
            Some(cancelled) => Ok(cancelled),
            None => Err(state.signal.get_or_insert_with(promise).1.clone()),
        }
    }

    pub(crate) fn cancelling(&self) -> u32 {
        let outer = self.outer.as_ref().map_or(0, |outer| outer.cancelling());
        lock(&self.state).count + outer
    }

    /// Takes one request back, the scope's own before those outside; how many are left.
    pub(crate) fn uncancel(&self) -> u32 {
        let had_own = {
            let mut state = lock(&self.state);
            let had_own = state.count > 0;
            state.count = state.count.saturating_sub(1);
            had_own
        };
        let outer = self.outer.as_ref();
        let outside = outer.map_or(0, |outer| if had_own { outer.cancelling() } else { outer.uncancel() });
        let mut state = lock(&self.state);
        let left = state.count + outside;
        if left == 0 {
            (state.own, state.passed) = (None, None);
        }
        left
    }

    /// Whether a request to this scope has arrived, was not uncancelled, and none came from outside besides.
    pub(crate) fn was_cancelled_alone(&self) -> bool {
        let outside = self.outer.as_ref().map_or(0, |outer| outer.cancelling());
        let state = lock(&self.state);
        state.count > 0 && state.own.is_none() && outside <= self.outer_before
    }

    /// What the scope governs has ended. A request from outside that nobody has taken goes back there.
    pub(crate) fn end(&self) {
        let mut state = lock(&self.state);
        state.over = true;
        let unused = state.passed.take();
        drop(state);
        if let (Some(outer), Some(unused)) = (&self.outer, unused) {
            outer.pass(unused);
        }
    }

    /// Takes a request of the outer scope in, if there is one; otherwise the task is woken for the next.
    pub(crate) fn poll_outer(&self, cx: &mut Context<'_>) -> bool {
        // Taken out meanwhile, as the task's waker is foreign code.
        let Some(mut receiver) = lock(&self.receiver).take() else { return false };
        let polled = receiver.poll(cx);
        *lock(&self.receiver) = Some(receiver);
        match polled {
            Poll::Ready(cancelled) => self.pass(cancelled),
            Poll::Pending => false,
        }
    }
}

/// One place that waits for requests of a scope.
pub(crate) struct Waiting {
    scope: Arc<Scope>,
    signal: Option<Future<()>>,
}

impl Waiting {
    pub(crate) fn new(scope: Arc<Scope>) -> Self {
        Self { scope, signal: None }
    }

    /// Takes the scope's request once there is one.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Cancelled> {
        loop {
            if let Some(signal) = &mut self.signal {
                if signal.poll_settled(cx).is_pending() {
                    return Poll::Pending;
                }
                // Another wait may have taken that request, so this looks again.
                self.signal = None;
            }
            match self.scope.take() {
                Ok(cancelled) => return Poll::Ready(cancelled),
                Err(signal) => self.signal = Some(signal),
            }
        }
    }
}

/// What a layer stands for.
#[derive(Clone, Copy)]
pub(crate) enum Layer {
    /// A body, whose scope stands in that of the layer below.
    Nested,
    /// What is cancelled on its own only, whoever polls it.
    Own,
    /// A task of the pool, with its number.
    Pool(u64),
}

/// A layer of the code that runs now, in the stack frame of [`inside`]. Below the lowest is the loop's task.
pub(crate) struct Frame {
    layer: Layer,
    /// Where the layer keeps its scope, for as long as the frame is there.
    place: *const Cell<Option<Arc<Scope>>>,
    below: Top,
}

impl Frame {
    /// The layer's scope, if it was made.
    fn scope(&self) -> Option<Arc<Scope>> {
        // SAFETY: `inside`, which made the frame, borrows the place for as long as the frame can be reached.
        let place = unsafe { &*self.place };
        let scope = place.take();
        place.set(scope.clone());
        scope
    }

    fn keep(&self, scope: Arc<Scope>) {
        // SAFETY: as above.
        unsafe { &*self.place }.set(Some(scope));
    }
}

/// The innermost frame, or null. It's alive, as `inside` takes it out before it returns or unwinds.
pub(crate) type Top = *const Frame;

thread_local! {
    static TOP: Cell<Top> = const { Cell::new(null()) };
}

/// Calls `run` inside a layer that keeps its scope in `scope`.
#[inline]
pub(crate) fn inside<R>(layer: Layer, scope: &mut Option<Arc<Scope>>, run: impl FnOnce() -> R) -> R {
    /// Takes the frame out, also when `run` unwinds.
    struct Leave(Top);

    impl Drop for Leave {
        #[inline]
        fn drop(&mut self) {
            TOP.set(self.0);
        }
    }

    let frame = Frame { layer, place: Cell::from_mut(scope), below: TOP.get() };
    let _leave = Leave(frame.below);
    TOP.set(&frame);
    run()
}

/// Hides the layers around a loop that starts from its tasks, until they are put back as it ends.
pub(crate) fn replace_top(top: Top) -> Top {
    TOP.replace(top)
}

/// The scope that this code runs in, made if need be; `None` outside of every task.
pub(crate) fn current() -> Option<Arc<Scope>> {
    make(TOP.get())
}

fn make(top: Top) -> Option<Arc<Scope>> {
    // SAFETY: it's null or alive, see `Top`, and nothing but shared references to it exist.
    let Some(frame) = (unsafe { top.as_ref() }) else {
        return try_with_loop(|home| home.make_scope()).flatten();
    };
    let scope = frame.scope().unwrap_or_else(|| {
        let scope = Scope::new(if let Layer::Nested = frame.layer { make(frame.below) } else { None });
        if let Layer::Pool(number) = frame.layer {
            platform::scopes().insert(number, scope.clone());
        }
        scope
    });
    frame.keep(scope.clone());
    Some(scope)
}

/// The scope that this code runs in, if one was made.
pub(crate) fn known() -> Option<Arc<Scope>> {
    let mut top = TOP.get();
    // SAFETY: as in `make`.
    while let Some(frame) = unsafe { top.as_ref() } {
        match (frame.layer, frame.scope()) {
            (Layer::Nested, None) => top = frame.below,
            (_, scope) => return scope,
        }
    }
    try_with_loop(|home| home.known_scope()).flatten()
}
