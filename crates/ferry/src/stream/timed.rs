//! [`TimedStreamExt`]: what streams do with time.

use super::{Debounce, Stream, Throttle, TimeoutEach};
use std::time::Duration;

/// What a stream can do with the time of the loop: the real or the virtual one. The rest is in
/// [`StreamExt`](super::StreamExt).
pub trait TimedStreamExt: Stream {
    /// Takes an item, and the next one `period` after that at the earliest. None is lost: the source is not polled
    /// meanwhile, so what it cannot hold waits there. With a `period` of zero, nothing changes. As
    /// [tokio-stream's](https://docs.rs/tokio-stream/0.1/tokio_stream/trait.StreamExt.html#method.throttle) (0.1).
    ///
    /// # Cancel safety
    /// Dropping what waits for the next item loses none; the pause goes on.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Instant, Order, stream::{self, StreamExt, TimedStreamExt}};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let begun = Instant::now();
    ///     let items: Vec<_> =
    ///         stream::iter("abc".chars()).throttle(second).map(|item| (item, begun.elapsed())).collect().await;
    ///     assert_eq!(items, [('a', second * 0), ('b', second), ('c', second * 2)]);
    /// });
    /// ```
    fn throttle(self, period: Duration) -> Throttle<Self>
    where
        Self: Sized,
    {
        Throttle::new(self, period)
    }

    /// Gives each item as an `Ok`, and an [`AsyncError::Timeout`](crate::AsyncError::Timeout) for each that takes longer
    /// than `period`, once; the item itself comes after that, when it's there. The time counts from when the item was
    /// first waited for.
    ///
    /// [tokio-stream's](https://docs.rs/tokio-stream/0.1/tokio_stream/trait.StreamExt.html#method.timeout) (0.1) counts
    /// from the item before, so that there what is done with that one counts too.
    ///
    /// # Cancel safety
    /// Dropping what waits for the next item loses none; the time goes on.
    ///
    /// ```
    /// use asyncferry::{AsyncError, AsyncRuntime, Order, sleep, stream::{self, StreamExt, TimedStreamExt}};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let source = stream::iter([1, 5, 2]).then(|number| async move {
    ///         sleep(second * number).await;
    ///         number
    ///     });
    ///     let limit = second * 3;
    ///     let items: Vec<_> = source.timeout(limit).collect().await;
    ///     assert_eq!(items, [Ok(1), Err(AsyncError::Timeout(limit)), Ok(5), Ok(2)]);
    /// });
    /// ```
    fn timeout(self, period: Duration) -> TimeoutEach<Self>
    where
        Self: Sized,
    {
        TimeoutEach::new(self, period)
    }

    /// Gives an item once `period` has passed without another, and drops those that others followed sooner: of each
    /// burst the last. When the source ends, what is held comes at once.
    ///
    /// # Cancel safety
    /// Dropping what waits for the next item loses none: the item that is held is in the stream.
    ///
    /// ```
    /// use asyncferry::{AsyncRuntime, Order, sleep, stream::{self, StreamExt, TimedStreamExt}};
    /// use std::time::Duration;
    ///
    /// let second = Duration::from_secs(1);
    /// AsyncRuntime::block_on_virtual(Order::Fifo, async {
    ///     let keys = [(0, "f"), (1, "fe"), (1, "fer"), (9, "ferr"), (1, "ferry")];
    ///     let typed = stream::iter(keys).then(|(pause, text)| async move {
    ///         sleep(second * pause).await;
    ///         text
    ///     });
    ///     let searches: Vec<_> = typed.debounce(second * 2).collect().await;
    ///     assert_eq!(searches, ["fer", "ferry"]);
    /// });
    /// ```
    fn debounce(self, period: Duration) -> Debounce<Self>
    where
        Self: Sized,
    {
        Debounce::new(self, period)
    }
}

impl<S: Stream + ?Sized> TimedStreamExt for S {}
