//! Streams: several values over time, as an iterator that is awaited.
//!
//! | from | | whose |
//! |---|---|---|
//! | an iterator, a value, a function | [`iter`], [`once`], [`repeat`], [`poll_fn`], [`unfold`], [`try_unfold`] | futures-util |
//! | futures, as they end | [`FuturesUnordered`], [`FuturesOrdered`] | futures-util |
//! | several streams | [`select`], [`select_all()`] | futures-util |
//! | a [`Queue`](crate::sync::Queue) | [`from_queue`] | Ferry |
//! | time | [`Interval`](crate::Interval) is a stream | Ferry |
//! | a channel's receiver | [`ReceiverStream`], [`BroadcastStream`], [`WatchStream`] | tokio-stream |
//!
//! [`Stream`], [`StreamExt`] (`next`, `map`, `filter`, `buffered`, `buffer_unordered`, `take`, `chunks`, `collect` …) and
//! [`TryStreamExt`] are those of futures-util, so streams of other crates fit, and these fit there. What waits for a
//! time is Ferry's, in [`TimedStreamExt`], as it must go by the loop's clock: `throttle`, `timeout` and `debounce`.
//! None of it needs a runtime of tokio's, or threads.
//!
//! What makes a stream wait is the next item that is asked for: nothing runs ahead but what `buffered` and the like
//! were told to, so each has its bound.
//!
//! ```
//! use asyncferry::{AsyncRuntime, Instant, Order, sleep, stream::{self, StreamExt, TimedStreamExt}};
//! use std::time::Duration;
//!
//! let second = Duration::from_secs(1);
//! AsyncRuntime::block_on_virtual(Order::Fifo, async {
//!     let begun = Instant::now();
//!     let pages: Vec<_> = stream::iter(1..=4)
//!         .throttle(second) // one request a second
//!         .map(|page| async move {
//!             sleep(second * 3).await;
//!             page
//!         })
//!         .buffered(3) // three at a time
//!         .collect()
//!         .await;
//!     assert_eq!((pages, begun.elapsed()), (vec![1, 2, 3, 4], second * 6));
//! });
//! ```

mod debounce;
mod throttle;
mod timed;
mod timeout_each;

pub use crate::sync::queue::{QueueStream, from_queue};
pub use debounce::Debounce;
pub use futures_util::stream::{
    BoxStream, FuturesOrdered, FuturesUnordered, LocalBoxStream, Stream, StreamExt, TryStreamExt, empty,
    iter, once, pending, poll_fn, repeat, repeat_with, select, select_all, try_unfold, unfold,
};
pub use throttle::Throttle;
pub use timed::TimedStreamExt;
pub use timeout_each::TimeoutEach;
pub use tokio_stream::wrappers::{
    BroadcastStream, ReceiverStream, WatchStream, errors::BroadcastStreamRecvError,
};

#[cfg(all(test, not(ferry_loom)))]
mod tests;
