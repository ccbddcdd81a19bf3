//! The browser, and Node: a loop for each page or worker, which takes its turns in JavaScript's event loop.
//!
//! # States of the pump
//!
//! ```text
//!            a task is woken: queueMicrotask
//!   asleep ─────────────────────────────────▶ turn ──Busy──▶ hop ──▶ turn
//!     ▲                                         │
//!     └────────── Idle(nothing to wait for) ────┤
//!     ▲                                         ▼
//!     └── a hop, as setTimeout rings ◀── Idle(deadline): setTimeout; a hop if it's less than a millisecond away
//! ```
//!
//! A *hop* is a task of the host's own: `setImmediate` where there is one (Node), else a message through a
//! `MessageChannel`. The page paints and handles its events between two of them. A turn that ran in the callback of a
//! `setTimeout` would count as nested, and a browser holds nested timers back for 4 ms; so the callback only hops. The
//! last bit of a wait, which `setTimeout` can't tell, is a few hops.
//!
//! # Who owns what
//!
//! The loop starts when it's first needed and lives as long as its page or worker; the callbacks are made once and
//! belong to JavaScript. There is no `block_on`, as nothing may block a page. A loop on a virtual clock needs nothing
//! of the page, so [`block_on`] runs that, outside of the page's tasks, and puts the page's loop aside meanwhile.
//!
//! A panic can't unwind here: it ends the loop, with its message on the console, and whoever awaits one of the loop's
//! promises in JavaScript gets it as an error.

mod abort;
mod frame;
mod host;
mod promise;

/// JavaScript's side: promises and abort signals, in both directions.
pub mod js {
    pub use super::abort::{TokenSignal, signal_of, token_of};
    pub use super::promise::{Abortable, abortable, to_promise, to_promise_with};
    /// A promise of JavaScript's as a future, which any loop can await.
    pub use wasm_bindgen_futures::JsFuture;
}

pub(crate) use frame::yield_to_host;
pub(crate) use web_time::Instant as StdInstant;

use crate::{
    cancel::scope::replace_top,
    error::AsyncError,
    executor::{Ending, Loop, LoopRef, Order, Turn, with_loop},
    task::spawn_local,
};
use host::Host;
use std::{
    cell::{Cell, RefCell},
    future::{Future, pending},
    pin::Pin,
    ptr::null,
    sync::{Arc, Once},
    task::{Context, Poll, Wake, Waker},
};

/// A turn of the loop ends after this much time, in nanoseconds: a fraction of a frame.
pub(crate) const TURN_TIME: u64 = 1_000_000;

/// Why a task can't be started where no loop runs.
pub(crate) const NO_LOOP: &str = "the program panicked before, and its loop ended with it";

/// Whether there are files here.
pub(crate) const HAS_FILES: bool = false;

/// Whether the task that runs may go on to the next: nobody counts here.
pub(crate) fn may_go_on() -> bool {
    true
}

/// What goes on in the loop of this page or worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Resting,
    /// A turn of it runs.
    Turning,
    /// It panicked.
    Dead,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Resting) };
}

/// The loop of this page or worker, started if need be; `None` after a panic in it.
pub(crate) fn here() -> Option<LoopRef> {
    if STATE.get() == State::Dead {
        return None;
    }
    with_loop(Loop::here).or_else(start)
}

fn start() -> Option<LoopRef> {
    watch_panics();
    let here = with_loop(|home| home.start(None)).ok()?;
    here.remote.set_pump(&Waker::from(Arc::new(Bell)));
    // Its first turn finds what was started by then, and arms the bell.
    Host::with(Host::queue_turn);
    Some(here)
}

/// What wakes the pump.
struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        Host::with(Host::queue_turn);
    }
}

/// A turn of the page's loop, called by JavaScript through another function of its own, so that what JavaScript throws
/// in there is seen: an exception that Rust's frames were left by, or a trap, ends the loop.
fn turn() {
    if STATE.get() == State::Dead {
        return;
    }
    if let Err(thrown) = Host::with(Host::call_turn) {
        die(&format!("an exception went through the program's loop: {thrown:?}"));
        wasm_bindgen::throw_val(thrown);
    }
}

fn run_turn() {
    STATE.set(State::Turning);
    let ended = with_loop(Loop::turn);
    if STATE.get() == State::Dead {
        return;
    }
    STATE.set(State::Resting);
    match ended {
        Turn::Busy => Host::with(Host::hop),
        // Without a deadline what wakes it is a promise.
        Turn::Idle(deadline) => Host::with(|host| host.set_alarm(deadline)),
        // A loop that was ended has nothing to do.
        Turn::Stop | Turn::Jump { .. } => {}
    }
}

/// Shows panics on the console, and ends the loop with one that happens in it.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            console_error_panic_hook::hook(panic);
            before(panic);
            if STATE.get() == State::Turning {
                die(&format!("the program panicked: {panic}"));
            }
            take_back();
        }));
    });
}

/// The loop has ended, with this error for those who wait.
fn die(text: &str) {
    if STATE.replace(State::Dead) != State::Dead {
        promise::reject_all(text);
    }
}

/// Starts `future` as a task: its end comes later.
pub(crate) fn run<F: Future<Output = ()> + 'static>(future: F) {
    drop(spawn_local(future));
}

/// Runs `future` on a virtual clock, which needs nothing of the page. On the real one it would block the page.
pub(crate) fn block_on<F: Future>(order: Option<Order>, future: F) -> Result<F::Output, AsyncError> {
    let Some(order) = order else {
        return Err(AsyncError::PlatformNotSupported(
            "block_on would block the page or worker for ever, as nothing can come while it waits; start the program \
             with AsyncRuntime::run or spawn_local instead"
                .to_owned(),
        ));
    };
    // Nothing of the page can run until this returns.
    set_aside()?;
    let here = with_loop(|home| home.start(Some(order)))?;
    let ending = Ending;
    // SAFETY: `ending` shuts the loop down when this function returns, and `future` was moved in.
    let main = with_loop(|home| unsafe { home.spawn_main(here, future) });
    loop {
        match with_loop(Loop::turn) {
            Turn::Stop => break,
            Turn::Busy => {}
            Turn::Jump { to, .. } => with_loop(|home| home.jump(to)),
            Turn::Idle(_) => panic!(
                "block_on_virtual waits for something of the page (a promise of JavaScript's, say), which can't come \
                 while it runs"
            ),
        }
    }
    drop(ending);
    take_back();
    Ok(main.into_output())
}

thread_local! {
    /// The page's loop, while one on a virtual clock runs.
    static ASIDE: RefCell<Option<Loop>> = const { RefCell::new(None) };
}

/// Puts the page's loop aside, unless one of its tasks runs, or a loop on a virtual clock.
fn set_aside() -> Result<(), AsyncError> {
    let page = Loop::new();
    with_loop(|home| match home.here() {
        Some(_) if STATE.get() == State::Turning || home.is_virtual() => home.start(None).map(|_| ()),
        _ => {
            home.swap(&page);
            Ok(())
        }
    })?;
    ASIDE.set(Some(page));
    Ok(())
}

/// Puts the page's loop back in its place, when the other one has ended. One that panicked is still there, and is
/// left as it is: nothing of it is touched any more.
fn take_back() {
    if let Some(page) = ASIDE.take() {
        let other = with_loop(|home| {
            home.swap(&page);
            page
        });
        if other.here().is_some() {
            replace_top(null());
            std::mem::forget(other);
        }
    }
}

/// A sleep where no loop runs, which is after a panic: it never ends.
pub(crate) struct LooplessSleep;

impl LooplessSleep {
    pub(crate) fn until(_deadline: u64) -> Self {
        Self
    }
}

impl Future for LooplessSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        std::pin::pin!(pending()).poll(cx)
    }
}
