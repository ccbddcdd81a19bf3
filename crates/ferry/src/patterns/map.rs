//! [`map_limited`]: an async function on many items, a few at once.
//!
//! So many lanes run in a gather, and each takes the next item when it has ended its former one. So an item costs no
//! task, and a wake polls the lane that it's for.

use crate::{
    gather::gather_all,
    model::{Mutex, lock},
};
use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

/// Calls `function` on each item, with at most `limit` calls at once, and gives their values in the order of the items.
/// The first error ends it: calls that run are cancelled, and items that wait are dropped.
/// [`map_limited_all`] goes on.
///
/// ```
/// use asyncferry::{AsyncRuntime, Instant, Order, patterns::map_limited, sleep};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let begun = Instant::now();
///     let doubled = map_limited(2, 1..=4, async |number| {
///         sleep(Duration::from_secs(1)).await;
///         Ok::<_, String>(number * 2)
///     });
///     assert_eq!(doubled.await.unwrap(), [2, 4, 6, 8]);
///     assert_eq!(begun.elapsed(), Duration::from_secs(2));
/// });
/// ```
///
/// # Errors
/// The error of the call that failed first.
///
/// # Panics
/// When `limit` is zero, and with the panic of a call; the others are cancelled then.
///
/// # Cancel safety
/// Dropping it cancels the calls that run, as a [`gather`](crate::gather) does, and drops the other items.
pub async fn map_limited<I, T, E, F>(
    limit: usize,
    items: impl IntoIterator<Item = I>,
    function: impl Fn(I) -> F + 'static,
) -> Result<Vec<T>, E>
where
    I: 'static,
    T: 'static,
    E: 'static,
    F: Future<Output = Result<T, E>> + 'static,
{
    assert!(limit > 0, "map_limited needs a limit of 1 or more");
    let items: Vec<_> = items.into_iter().collect();
    let count = items.len();
    let work = Work { items: items.into_iter().enumerate(), values: Vec::new(), error: None };
    let (work, function) = (Arc::new(Mutex::new(work)), Arc::new(function));
    let lanes = (0..limit.min(count)).map(|_| lane(work.clone(), function.clone()));
    let mut lanes = pin!(gather_all(lanes));
    poll_fn(|cx| {
        let all_ended = lanes.as_mut().poll(cx).is_ready();
        let mut work = lock(&work);
        if let Some(error) = work.error.take() {
            return Poll::Ready(Err(error));
        }
        if !all_ended {
            return Poll::Pending;
        }
        let mut values = std::mem::take(&mut work.values);
        drop(work);
        values.sort_unstable_by_key(|(number, _)| *number);
        Poll::Ready(Ok(values.into_iter().map(|(_, value)| value).collect()))
    })
    .await
}

/// [`map_limited`] that goes on whatever a call gives, and gives all of it, in the order of the items.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, patterns::map_limited_all};
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let parsed = map_limited_all(2, ["1", "x", "3"], async |text| text.parse::<u32>().ok());
///     assert_eq!(parsed.await, [Some(1), None, Some(3)]);
/// });
/// ```
///
/// # Panics
/// As [`map_limited`].
///
/// # Cancel safety
/// As [`map_limited`].
pub async fn map_limited_all<I, T, F>(
    limit: usize,
    items: impl IntoIterator<Item = I>,
    function: impl Fn(I) -> F + 'static,
) -> Vec<T>
where
    I: 'static,
    T: 'static,
    F: Future<Output = T> + 'static,
{
    let call = move |item| {
        let call = function(item);
        async move { Ok::<_, Infallible>(call.await) }
    };
    map_limited(limit, items, call).await.unwrap_or_else(|never| match never {})
}

struct Work<I, T, E> {
    items: std::iter::Enumerate<std::vec::IntoIter<I>>,
    /// With the number of the item.
    values: Vec<(usize, T)>,
    /// What ends it.
    error: Option<E>,
}

async fn lane<I, T, E, F>(
    work: Arc<Mutex<Work<I, T, E>>>,
    function: Arc<impl Fn(I) -> F>,
) -> Result<(), Infallible>
where
    F: Future<Output = Result<T, E>>,
{
    loop {
        let next = {
            let mut work = lock(&work);
            // After an error no other call begins, in the lanes that are polled in the same poll either.
            if work.error.is_some() { None } else { work.items.next() }
        };
        let Some((number, item)) = next else { return Ok(()) };
        let outcome = function(item).await;
        let mut work = lock(&work);
        match outcome {
            Ok(value) => work.values.push((number, value)),
            Err(error) => work.error = work.error.take().or(Some(error)),
        }
    }
}
