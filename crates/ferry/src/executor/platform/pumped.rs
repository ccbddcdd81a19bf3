//! Loops that are pumped by a tokio current-thread runtime, natively and on WASI.
//!
//! A pump is a future that tokio polls whenever the loop has something to do: it runs one turn and then
//! either ends, asks to be polled again after tokio has seen to its I/O, or sets the alarm and sleeps. As the
//! tasks run inside that poll, tokio's own types (sockets, channels, `tokio::spawn`) work in them.
//!
//! An *engine* is what is dear to make: the tokio runtime and the alarm. Engines are kept for the next
//! `block_on`, unless tasks that a user gave to tokio are still alive on it; these end with their `block_on`
//! (blocking work of tokio's own runs to its end).

use super::{engines, timer::Alarm};
use crate::{
    error::AsyncError,
    executor::{Ending, Loop, LoopRef, Order, Turn, real, with_loop},
    task::yield_now,
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::runtime::{Builder, Runtime};

/// A turn of the loop ends after this much time, in nanoseconds.
pub(crate) const TURN_TIME: u64 = 100_000;

/// Why a task can't be started where no loop runs.
pub(crate) const NO_LOOP: &str = "no loop runs on this thread; start tasks inside AsyncRuntime::block_on";

/// Whether there are files here.
pub(crate) const HAS_FILES: bool = true;

/// How many idle engines are kept.
const KEPT_ENGINES: usize = 16;

/// Whether the task that runs may go on to the next: once tokio's budget is spent, its resources refuse to be polled
/// until the pump has been left.
pub(crate) fn may_go_on() -> bool {
    tokio::task::coop::has_budget_remaining()
}

/// The loop that runs on this thread.
pub(crate) fn here() -> Option<LoopRef> {
    with_loop(Loop::here)
}

/// Runs `future` to its end.
pub(crate) fn run<F: Future<Output = ()> + 'static>(future: F) {
    block_on(None, future).unwrap_or_else(|error| panic!("{error}"));
}

/// Gives whom the loop shares its thread with a turn.
pub(crate) async fn yield_to_host() {
    with_loop(Loop::leave);
    yield_now().await;
}

/// Runs `future` as the main task of a new loop on this thread, on the virtual clock if `order` is given.
pub(crate) fn block_on<F: Future>(order: Option<Order>, future: F) -> Result<F::Output, AsyncError> {
    let here = with_loop(|home| home.start(order))?;
    // Where tokio refuses to run, this unwinds: `ending`, declared last, goes first, as the loop must see the
    // main task end before its handle goes, and tasks may own what belongs to the engine.
    let (mut engine, main);
    let ending = Ending;
    engine = Engine::take()?;
    // SAFETY: `ending` shuts the loop down when this function returns or unwinds, and `future` was moved in.
    main = with_loop(|home| unsafe { home.spawn_main(here, future) });
    engine.runtime.block_on(Pump { here, alarm: &mut engine.alarm, pace: Pace::default() });
    let context = engine.runtime.enter();
    drop(ending);
    drop(context);
    engine.put_back();
    Ok(main.into_output())
}

pub(super) struct Engine {
    // The alarm is registered with the runtime's driver, so it goes first.
    alarm: Alarm,
    runtime: Runtime,
}

impl Engine {
    fn take() -> Result<Self, AsyncError> {
        if let Some(engine) = engines().pop() {
            return Ok(engine);
        }
        let failed = |error: std::io::Error| {
            AsyncError::Runtime(format!(
                "a loop could not be started: {error}; are there too many open files?"
            ))
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let context = runtime.enter();
        let alarm = Alarm::new().map_err(failed)?;
        drop(context);
        Ok(Self { alarm, runtime })
    }

    fn put_back(self) {
        let mut engines = engines();
        if self.runtime.metrics().num_alive_tasks() == 0 && engines.len() < KEPT_ENGINES {
            engines.push(self);
        } else {
            drop(engines);
            drop(self.alarm);
            // Not a plain drop, which would wait for blocking work that tokio still runs.
            self.runtime.shutdown_background();
        }
    }
}

struct Pump<'a> {
    here: LoopRef,
    alarm: &'a mut Alarm,
    pace: Pace,
}

impl Future for Pump<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.here.remote.set_pump(cx.waker());
        if this.alarm.poll(cx) {
            this.pace.rang(real(), with_loop(Loop::fired));
        }
        loop {
            match with_loop(Loop::turn) {
                Turn::Stop => return Poll::Ready(()),
                Turn::Busy => break cx.waker().wake_by_ref(),
                Turn::Idle(next) => break this.alarm.set(next.map(|next| this.pace.earliest(next)), cx),
                // Nothing ran, so tokio has looked for I/O since the last task did.
                Turn::Jump { to, ran: 0 } => with_loop(|home| home.jump(to)),
                Turn::Jump { .. } => break cx.waker().wake_by_ref(),
            }
        }
        Poll::Pending
    }
}

/// How often the alarm may ring. Timers are exact, until there are so many that waking for each would cost
/// more than it's worth: then it rings at intervals, for all that are due.
#[derive(Default)]
struct Pace {
    last_ring: u64,
    /// When the rate was taken last, and how many timers had fired by then.
    measured: (u64, u64),
    is_dense: bool,
}

/// Nanoseconds between two rings while timers are dense.
const DENSE_GAP: u64 = 200_000;
/// Timers are dense when so many fire in a millisecond. One task that sleeps over and over reaches a third.
const DENSE_RATE: u64 = 50;
const MILLISECOND: u64 = 1_000_000;

impl Pace {
    /// The alarm rings at `now`; `fired` timers have fired before.
    fn rang(&mut self, now: u64, fired: u64) {
        self.last_ring = now;
        let (since, before) = self.measured;
        if now - since >= MILLISECOND {
            self.is_dense = (fired - before) * MILLISECOND / (now - since) >= DENSE_RATE;
            self.measured = (now, fired);
        }
    }

    /// When the alarm is to ring for a timer that is due at `next`.
    fn earliest(&self, next: u64) -> u64 {
        if self.is_dense { next.max(self.last_ring + DENSE_GAP) } else { next }
    }
}

#[cfg(all(test, not(ferry_loom)))]
mod tests {
    use super::*;

    /// The pace after alarms every `apart` nanoseconds for ten milliseconds, each of which fires `each` timers.
    fn paced(apart: u64, each: u64) -> Pace {
        let mut pace = Pace::default();
        for ring in 1..=10 * MILLISECOND / apart {
            pace.rang(ring * apart, ring * each);
        }
        pace
    }

    #[test]
    fn one_task_that_sleeps_over_and_over_is_not_taken_for_many() {
        let pace = paced(60_000, 1);
        assert_eq!(pace.earliest(pace.last_ring + 1), pace.last_ring + 1);
    }

    #[test]
    fn dense_timers_ring_at_intervals_until_they_are_dense_no_more() {
        let mut pace = paced(50_000, 10);
        assert_eq!(pace.earliest(pace.last_ring + 1), pace.last_ring + DENSE_GAP);
        assert_eq!(pace.earliest(pace.last_ring + MILLISECOND), pace.last_ring + MILLISECOND);
        pace.rang(pace.last_ring + 5 * MILLISECOND, pace.measured.1 + 1);
        assert_eq!(pace.earliest(pace.last_ring + 1), pace.last_ring + 1);
    }
}
