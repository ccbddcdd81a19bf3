//! Small parts that most async programs write again, each built on the primitives.
//!
//! | | for |
//! |---|---|
//! | [`PendingRequests`] | asking somebody, and waiting for the answer with that key: approvals, request and response |
//! | [`BackgroundTasks`] | tasks that are kept, named, and reported when they fail |
//! | [`Shutdown`] | one signal to stop, what is in flight, and a drain with a deadline |
//! | [`Readiness`] | named parts that become ready or fail, and who waits for all of them |
//! | [`map_limited`] | a function on many items, a few at once |
//! | [`WorkerPool`] | some workers on a queue with a bound |
//!
//! Each may be used from tasks of any loop and of the pool at once. Where somebody who waits is dropped, nothing else is
//! lost: a key is free again, a place in line goes to the next, and a job either is in the queue or comes back.

mod background;
mod drained;
mod map;
mod readiness;
mod requests;
mod roster;
mod shutdown;
mod watchers;
mod workers;

pub use background::{BackgroundTasks, SpawnRefused};
pub use drained::{CLEANUP, Drained};
pub use map::{map_limited, map_limited_all};
pub use readiness::{NotReady, PartState, Readiness, UnknownPart};
pub use requests::{Answer, Pending, PendingRequests, RequestError};
pub use shutdown::{DeadlinePassed, Guard, Shutdown, ShuttingDown, TrackError};
pub(crate) use watchers::Watchers;
pub use workers::{SubmitError, WorkerPool};
