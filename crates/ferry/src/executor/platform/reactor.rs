//! WASI 0.2's pollables as futures: what the host says is ready, a response or a socket, wakes the task that awaits it.
//!
//! While tasks await pollables, an idle loop waits in the host's own `poll` for the first of them or the next timer,
//! and a busy one asks at each turn, without waiting. tokio's timers are not seen there, so the wait is cut into slices.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use wasip2::{
    clocks::monotonic_clock::subscribe_duration,
    io::poll::{Pollable, poll},
};

/// How long a wait may be, as tokio's timers wait meanwhile.
pub(super) const SLICE: Duration = Duration::from_millis(10);

thread_local! {
    static AWAITED: RefCell<BTreeMap<u64, Awaited>> = const { RefCell::new(BTreeMap::new()) };
}

struct Awaited {
    pollable: Rc<Pollable>,
    waker: Waker,
}

/// Waits until the host says that `pollable` is ready. WASI wants a [`Pollable`] dropped before what it was made of: drop
/// this future and your own `Rc` of it first.
///
/// # Cancel safety
/// Dropping it lets go of the pollable.
pub fn ready(pollable: Rc<Pollable>) -> Ready {
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    LAST.set(LAST.get() + 1);
    Ready { pollable, number: LAST.get() }
}

/// What [`ready`] returns.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Ready {
    pollable: Rc<Pollable>,
    number: u64,
}

impl Future for Ready {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.pollable.ready() {
            self.forget();
            return Poll::Ready(());
        }
        let awaited = Awaited { pollable: self.pollable.clone(), waker: cx.waker().clone() };
        let before = AWAITED.with_borrow_mut(|all| all.insert(self.number, awaited));
        drop(before);
        Poll::Pending
    }
}

impl Ready {
    fn forget(&self) {
        let gone = AWAITED.with_borrow_mut(|all| all.remove(&self.number));
        drop(gone);
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Wakes who awaits what is ready, without waiting.
pub(super) fn look() {
    let woken: Vec<_> = AWAITED.with_borrow_mut(|all| {
        let ready = all.iter().filter(|(_, awaited)| awaited.pollable.ready()).map(|(number, _)| *number);
        let ready: Vec<_> = ready.collect();
        ready.iter().filter_map(|number| all.remove(number)).collect()
    });
    // Wakers are foreign code: they run after the borrow has ended. Their tasks ask again.
    for awaited in woken {
        awaited.waker.wake();
    }
}

/// Waits for what is awaited, `left` and `slice` at most; `false` when nothing is.
pub(super) fn wait(left: Option<Duration>, slice: Duration) -> bool {
    let pollables: Vec<_> =
        AWAITED.with_borrow(|all| all.values().map(|awaited| awaited.pollable.clone()).collect());
    if pollables.is_empty() {
        return false;
    }
    let slice = left.unwrap_or(slice).min(slice);
    let alarm = subscribe_duration(u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX));
    let all: Vec<&Pollable> = pollables.iter().map(|pollable| &**pollable).chain([&alarm]).collect();
    poll(&all);
    look();
    true
}
