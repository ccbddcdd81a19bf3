//! The loop: cooperative tasks of one thread, first in, first out, with precise timers.
//!
//! # States of a turn
//!
//! The platform's *pump* calls [`Loop::turn`] whenever it is woken. A turn runs whole *ticks*: the tasks that
//! were ready when the tick began, in order; those that become ready meanwhile belong to the next tick, as
//! in asyncio. `todo` counts what is left of a tick and survives a turn that ends early, so fairness
//! towards I/O never changes the order.
//!
//! ```text
//!            ┌────────────────────── todo = 0: a tick ends ───────────────────────┐
//!            ▼                                                                    │
//!   take mail ▶ fire due timers ▶ ready empty? ──no──▶ todo = ready.len() ▶ run todo tasks
//!                                   │ yes                                   │ 100 µs, 4096 tasks or tokio's
//!                                   ▼                                       ▼ coop budget are spent
//!                     arm mailbox ▶ Idle(next deadline)                    Busy
//!                     virtual clock with a timer pending ▶ Jump            main task done ▶ Stop
//! ```
//!
//! # Who owns what
//!
//! - [`Loop`] is a thread-local: all that only its own thread touches. A thread has one; while it runs, its
//!   `here` points to the loop's [`Remote`].
//! - [`Remote`] is what other threads may touch: a [`Mailbox`](crate::Mailbox) whose bell wakes the pump.
//!   Remotes are pooled and never freed, so a waker holds one as a plain reference; the [`LoopId`] beside it
//!   tells whether it still serves the same loop.
//! - A task is an `async-task` cell. The loop keeps one waker for each (so that a detached task that parks
//!   without keeping its waker is not lost), in a slab beside the task's number: what is rarely read stays out
//!   of the cell. A task's name is in its handle.
//!
//! # What is cancelled how
//!
//! `abort` sets a flag in the task's cell and wakes it. The next time that it is its turn, the loop tells the
//! task's own wrapper, [`Guarded`], to drop the future instead of polling it; so a task's destructors run on
//! its own thread, inside `catch_unwind`, and whoever awaits the task learns of it after they ran. When the
//! main task ends, `closing` does the same for all tasks at once, and the loop runs until the slab is empty.
//!
//! A request to cancel does the same to a task that has not opted in to get it as an error; see
//! [`cancel`](crate::cancel). Otherwise it goes to the task's scope, which the loop keeps for it in [`cancels`].

mod cancels;
pub(crate) mod clock;
mod home;
mod locals;
pub(crate) mod platform;
mod polls;
mod remote;
mod tasks;
mod timers;

pub use home::Order;
#[allow(unused_imports, unreachable_pub, reason = "most platforms have nothing of their own")]
pub use platform::only_here;

pub(crate) use clock::{nanoseconds, real};
pub(crate) use home::{Ending, Loop, Spawned, Turn, try_with_loop, with_loop};
pub(crate) use remote::{Letter, LoopRef};
pub(crate) use tasks::{CellMeta, Crash, Ended, drop_caught, poll_caught};
pub(crate) use timers::{Key, NEVER};

/// For tests that Miri is to watch: a loop that is driven by hand.
#[cfg(all(test, not(ferry_loom)))]
pub(crate) use home::tests::run as run_by_hand;
