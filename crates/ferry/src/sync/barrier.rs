//! [`Barrier`]: a number of tasks wait until all of them are there.
//!
//! ```text
//!                the last one comes                        the last one has left
//!   Filling ───────────────────────────▶ Draining ────────────────────────────────▶ Filling
//!      │ reset, while some wait
//!      ├──────────────────▶ Resetting: those who wait fail ── the last has left ──▶ Filling
//!      │ abort, in any state
//!      └──────────────────▶ Broken: who waits and who comes fails, until reset
//! ```
//!
//! `count` are those who came and have not left; each leaves by itself, at its turn or when it's dropped. So a waiter
//! that gives up makes room again, and nobody passes for its sake. Who comes while others leave waits
//! outside for the next filling.

use super::{
    latch::{Latch, LatchGuard},
    waiters::{Key, Waiters, poll_called, wake_all},
};
use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// A meeting point for a number of tasks, on any threads, used again and again: `asyncio.Barrier` (CPython 3.13,
/// "Synchronization Primitives").
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, spawn_local, sync::Barrier};
/// use std::rc::Rc;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let barrier = Rc::new(Barrier::new(3));
///     let tasks = [(); 3].map(|()| {
///         let barrier = barrier.clone();
///         spawn_local(async move { barrier.wait().await })
///     });
///     let mut places = Vec::new();
///     for task in tasks {
///         places.push(task.await.unwrap().unwrap());
///     }
///     assert_eq!(places, [0, 1, 2]);
/// });
/// ```
pub struct Barrier {
    parties: usize,
    state: Latch<State>,
}

struct State {
    phase: BarrierPhase,
    count: usize,
    inside: Waiters,
    outside: Waiters,
}

/// What a [`Barrier`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarrierPhase {
    /// It waits for the last to come.
    Filling,
    /// All have come, and some have not left yet.
    Draining,
    /// It was reset, and some who fail for that have not left yet.
    Resetting,
    /// It was aborted.
    Broken,
}

/// The barrier was aborted, or reset while somebody waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was aborted, or reset while tasks waited at it")
    }
}

impl Error for BrokenBarrier {}

impl State {
    /// Somebody comes in: its place, or `None` where it has to wait outside.
    fn enter(&mut self) -> Result<Option<usize>, BrokenBarrier> {
        match self.phase {
            BarrierPhase::Broken => Err(BrokenBarrier),
            BarrierPhase::Draining | BarrierPhase::Resetting => Ok(None),
            BarrierPhase::Filling => {
                self.count += 1;
                Ok(Some(self.count - 1))
            }
        }
    }

    /// Somebody leaves. With the last, those outside may come in.
    fn leave(&mut self) -> Vec<Waker> {
        self.count -= 1;
        if self.count == 0 && matches!(self.phase, BarrierPhase::Draining | BarrierPhase::Resetting) {
            self.phase = BarrierPhase::Filling;
            return self.outside.call_all();
        }
        Vec::new()
    }

    /// All who wait look again.
    fn change(&mut self, phase: BarrierPhase) -> Vec<Waker> {
        self.phase = phase;
        let mut wakers = self.inside.call_all();
        if matches!(phase, BarrierPhase::Filling | BarrierPhase::Broken) {
            wakers.append(&mut self.outside.call_all());
        }
        wakers
    }
}

impl Barrier {
    /// A barrier for so many tasks.
    ///
    /// # Panics
    /// When `parties` is zero, as nobody could ever pass.
    pub fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier needs at least one party");
        let state = State {
            phase: BarrierPhase::Filling,
            count: 0,
            inside: Waiters::default(),
            outside: Waiters::default(),
        };
        Self { parties, state: Latch::new(state) }
    }

    /// Waits until as many wait as the barrier has parties. Gives the place, 0 for the one who came first; so that one
    /// of them can be chosen for what only one should do.
    ///
    /// # Errors
    /// [`BrokenBarrier`] when the barrier is aborted or reset, before or meanwhile.
    ///
    /// # Cancel safety
    /// Dropping it leaves the barrier: another task has to come in its stead.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait { barrier: self, stage: Stage::New }
    }

    /// Breaks the barrier: those who wait, and those who come until it's [reset](Self::reset), fail.
    pub fn abort(&self) {
        let wakers = self.state.lock().change(BarrierPhase::Broken);
        wake_all(wakers);
    }

    /// Makes the barrier empty and whole again. Those who wait fail.
    pub fn reset(&self) {
        let wakers = {
            let mut state = self.state.lock();
            let phase = if state.count > 0 { BarrierPhase::Resetting } else { BarrierPhase::Filling };
            state.change(phase)
        };
        wake_all(wakers);
    }

    /// How many it waits for.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many wait now; none while those who passed leave.
    pub fn n_waiting(&self) -> usize {
        let state = self.state.lock();
        if state.phase == BarrierPhase::Filling { state.count } else { 0 }
    }

    /// What it does now.
    pub fn phase(&self) -> BarrierPhase {
        self.state.lock().phase
    }

    /// Whether it was aborted.
    pub fn broken(&self) -> bool {
        self.state.lock().phase == BarrierPhase::Broken
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        let (phase, waiting) = (state.phase, state.inside.waiting());
        drop(state);
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("phase", &phase)
            .field("waiting", &waiting)
            .finish()
    }
}

/// What [`Barrier::wait`] returns.
#[must_use = "futures do nothing unless awaited"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    New,
    Outside(Key),
    Inside { key: Key, place: usize },
    Done(Result<usize, BrokenBarrier>),
}

impl BarrierWait<'_> {
    /// Comes in, or waits outside; the latch is held, and let go before `waker` may be dropped.
    fn enter(
        &mut self,
        waker: Waker,
        mut state: LatchGuard<'_, State>,
    ) -> Poll<Result<usize, BrokenBarrier>> {
        let place = match state.enter() {
            Ok(Some(place)) => place,
            Ok(None) => {
                self.stage = Stage::Outside(state.outside.push(waker));
                return Poll::Pending;
            }
            Err(broken) => return self.end(Err(broken)),
        };
        if place + 1 < self.barrier.parties {
            self.stage = Stage::Inside { key: state.inside.push(waker), place };
            return Poll::Pending;
        }
        let mut wakers = state.change(BarrierPhase::Draining);
        wakers.append(&mut state.leave());
        drop(state);
        wake_all(wakers);
        self.end(Ok(place))
    }

    fn end(&mut self, result: Result<usize, BrokenBarrier>) -> Poll<Result<usize, BrokenBarrier>> {
        self.stage = Stage::Done(result);
        Poll::Ready(result)
    }
}

impl Future for BarrierWait<'_> {
    type Output = Result<usize, BrokenBarrier>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let barrier = self.barrier;
        match self.stage {
            Stage::Done(result) => Poll::Ready(result),
            Stage::New => {
                let waker = cx.waker().clone();
                self.enter(waker, barrier.state.lock())
            }
            Stage::Outside(key) => {
                let waker = cx.waker().clone();
                match poll_called(&barrier.state, |state| &mut state.outside, key, cx) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(mut state) => {
                        let _ = state.outside.remove(key);
                        self.stage = Stage::New;
                        self.enter(waker, state)
                    }
                }
            }
            Stage::Inside { key, place } => {
                let Poll::Ready(mut state) = poll_called(&barrier.state, |state| &mut state.inside, key, cx)
                else {
                    return Poll::Pending;
                };
                let _ = state.inside.remove(key);
                let passed = state.phase == BarrierPhase::Draining;
                let wakers = state.leave();
                drop(state);
                wake_all(wakers);
                self.end(if passed { Ok(place) } else { Err(BrokenBarrier) })
            }
        }
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        let (removed, wakers) = match self.stage {
            Stage::Outside(key) => (self.barrier.state.lock().outside.remove(key), Vec::new()),
            Stage::Inside { key, .. } => {
                let mut state = self.barrier.state.lock();
                (state.inside.remove(key), state.leave())
            }
            Stage::New | Stage::Done(_) => return,
        };
        drop(removed);
        wake_all(wakers);
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
