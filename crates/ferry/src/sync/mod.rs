//! asyncio's synchronization primitives and queues, for tasks of one loop and of many threads.
//!
//! | | wait for | asyncio's |
//! |---|---|---|
//! | [`Event`] | a flag, that all see | `Event` |
//! | [`Lock`] | to be the only one | `Lock` |
//! | [`Semaphore`], [`BoundedSemaphore`] | to be one of n | `Semaphore`, `BoundedSemaphore` |
//! | [`Condition`] | a change of what a lock guards | `Condition` |
//! | [`Barrier`] | n to be here | `Barrier` |
//! | [`Queue`], [`PriorityQueue`], [`LifoQueue`] | an item, or room for one | `Queue`, … |
//!
//! They mean what CPython 3.13 documents of asyncio's, and none of them is bound to a loop or a thread.
//!
//! [`named`] has some that are known by a name, to the whole process and in every language.
//!
//! What holds for all of them:
//!
//! - Whoever waits longest is served first. Where asyncio lets a newcomer overtake those in line, and they queue up at the end
//!   again, here they keep their place.
//! - A future that is dropped while it waits leaves the line, in constant time. If it was its turn already, the next
//!   takes it: no item, permit or wake-up is lost. So they can stand in a `timeout` or a `select`.
//! - Nothing waits that need not: what can be had at once is given at the first poll, without a turn of the loop.
//! - Wakers, destructors of items and other code of the user run when no latch is held, with one exception: the `Ord` of
//!   a [`PriorityQueue`]'s items.
//! - The number of those who wait has no bound of its own; tasks are what to bound.

mod barrier;
mod condition;
mod event;
pub(crate) mod latch;
mod lock;
pub mod named;
pub(crate) mod queue;
mod semaphore;
pub(crate) mod waiters;

pub use barrier::{Barrier, BarrierPhase, BarrierWait, BrokenBarrier};
pub use condition::{Condition, ConditionWait, Notified};
pub use event::{Event, EventWait};
pub use lock::{Lock, LockAcquire, LockGuard, NotAcquired};
pub use queue::{
    Fifo, Get, GetError, Join, Lifo, LifoQueue, Priority, PriorityQueue, Put, PutError, Queue, QueueShutDown,
    QueueWith, Shutdown, Storage, TaskDoneTooOften,
};
pub use semaphore::{Acquire, BoundedSemaphore, OverReleased, Permit, Semaphore};

#[cfg(all(test, ferry_loom))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod loom_tests;
