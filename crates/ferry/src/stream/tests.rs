//! What Ferry's own streams promise, on the virtual clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{
    AsyncError, Instant, Order,
    executor::run_by_hand,
    interval, sleep, spawn_local,
    sync::{PriorityQueue, Queue, Shutdown},
    timeout, yield_now,
};
use futures_lite::future::poll_once;
use std::{cell::Cell, future::Future, rc::Rc, sync::Arc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

/// Each number comes so many seconds after it was asked for.
fn slow(pauses: &[u32]) -> impl Stream<Item = u32> {
    iter(pauses.to_vec()).then(|pause| async move {
        sleep(SECOND * pause).await;
        pause
    })
}

/// What comes of `items`, and at which second, if so many seconds are spent on each.
fn timed<S: Stream>(work: u32, items: impl FnOnce() -> S) -> Vec<(S::Item, u64)> {
    run(async {
        let begun = Instant::now();
        let timed = items().then(|item| async move {
            let at = begun.elapsed().as_secs();
            sleep(SECOND * work).await;
            (item, at)
        });
        timed.collect().await
    })
}

#[test]
fn throttle_pauses_after_each_item_and_loses_none() {
    let check = |pauses: &[u32], period, work, expected: &[(u32, u64)]| {
        assert_eq!(timed(work, || slow(pauses).throttle(SECOND * period)), expected);
    };
    check(&[0, 0, 0], 2, 0, &[(0, 0), (0, 2), (0, 4)]);
    // The work on an item, and the source's own time after the pause.
    check(&[0, 0, 0], 2, 1, &[(0, 0), (0, 2), (0, 4)]);
    check(&[0, 0, 0], 2, 3, &[(0, 0), (0, 3), (0, 6)]);
    check(&[1, 3, 0], 2, 0, &[(1, 1), (3, 6), (0, 8)]);
    check(&[1, 1], 0, 0, &[(1, 1), (1, 2)]);
    check(&[], 2, 0, &[]);
}

#[test]
fn throttle_does_not_run_ahead() {
    run(async {
        let taken = Cell::new(0);
        let mut items = std::pin::pin!(iter(0..10).inspect(|_| taken.set(taken.get() + 1)).throttle(SECOND));
        items.next().await.unwrap();
        assert!(timeout(SECOND / 2, items.next()).await.is_err());
        assert_eq!(taken.get(), 1);
        assert_eq!((items.next().await, taken.get(), items.size_hint()), (Some(1), 2, (8, Some(8))));
    });
}

#[test]
fn timeout_tells_once_of_each_late_item_and_goes_on() {
    let late = || Err(AsyncError::Timeout(SECOND * 2));
    let check = |pauses: &[u32], work, expected: &[(Result<u32, AsyncError>, u64)]| {
        assert_eq!(timed(work, || slow(pauses).timeout(SECOND * 2)), expected);
    };
    check(&[1, 0, 1], 0, &[(Ok(1), 1), (Ok(0), 1), (Ok(1), 2)]);
    check(&[9, 1, 3], 0, &[(late(), 2), (Ok(9), 9), (Ok(1), 10), (late(), 12), (Ok(3), 13)]);
    // An item that comes in the last moment is in time, and what is done with it doesn't count.
    check(&[2, 2], 0, &[(Ok(2), 2), (Ok(2), 4)]);
    check(&[1, 1], 5, &[(Ok(1), 1), (Ok(1), 7)]);
    check(&[], 0, &[]);
}

#[test]
fn timeout_of_a_stream_that_is_late_with_its_end() {
    run(async {
        let queue = Queue::<u32>::new(0);
        let mut items = from_queue(&queue).timeout(SECOND);
        assert_eq!(items.next().await, Some(Err(AsyncError::Timeout(SECOND))));
        queue.shutdown(Shutdown::Drain);
        assert_eq!(items.next().await, None);
    });
    assert_eq!(iter(0..3).timeout(SECOND).size_hint(), (3, Some(7)));
}

#[test]
fn a_next_that_is_dropped_does_not_begin_the_time_anew() {
    run(async {
        let begun = Instant::now();
        let mut items = std::pin::pin!(slow(&[9]).timeout(SECOND * 2));
        assert!(timeout(SECOND, items.next()).await.is_err());
        assert_eq!(items.next().await, Some(Err(AsyncError::Timeout(SECOND * 2))));
        assert_eq!(begun.elapsed(), SECOND * 2);
        assert_eq!((items.next().await, items.next().await), (Some(Ok(9)), None));
    });
}

#[test]
fn debounce_gives_the_last_of_each_burst() {
    let check = |pauses: &[u32], expected: &[(u32, u64)]| {
        assert_eq!(timed(0, || slow(pauses).debounce(SECOND * 2)), expected);
    };
    check(&[0, 1, 1, 9], &[(1, 4), (9, 11)]);
    // An item that comes in the last moment replaces the one that is held.
    check(&[0, 2, 3], &[(2, 4), (3, 5)]);
    check(&[5], &[(5, 5)]);
    check(&[], &[]);
}

#[test]
fn debounce_leaves_others_their_turns() {
    run(async {
        let endless = spawn_local(repeat(1).debounce(SECOND).collect::<Vec<_>>());
        for _ in 0..10 {
            yield_now().await;
        }
        endless.abort();
        endless.await.unwrap_err();
    });
}

#[test]
fn an_interval_is_a_stream() {
    let ticks = timed(0, || interval(SECOND * 3).take(3).map(|_| ()));
    assert_eq!(ticks, [((), 0), ((), 3), ((), 6)]);
    assert_eq!(interval(SECOND).size_hint(), (usize::MAX, None));
}

#[test]
fn a_queue_is_a_stream_until_its_shutdown() {
    run(async {
        let least = PriorityQueue::new(0);
        for item in [3, 1, 2] {
            least.put_nowait(item).unwrap();
        }
        least.shutdown(Shutdown::Drain);
        let mut items = from_queue(&least);
        assert_eq!(items.by_ref().collect::<Vec<_>>().await, [1, 2, 3]);
        assert_eq!((items.next().await, least.unfinished()), (None, 3), "task_done is for who works it off");

        let dropped = Queue::new(0);
        dropped.put_nowait(1).unwrap();
        dropped.shutdown(Shutdown::Immediate);
        assert_eq!(from_queue(&dropped).next().await, None);
    });
}

#[test]
fn streams_of_one_queue_share_its_items() {
    run(async {
        let queue = Rc::new(Queue::new(1));
        let parts = [(); 3].map(|()| spawn_local(from_queue(queue.clone()).collect::<Vec<_>>()));
        for item in 0..9 {
            queue.put(item).await.unwrap();
        }
        queue.shutdown(Shutdown::Drain);
        let mut all = Vec::new();
        for part in parts {
            all.extend(part.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (0..9).collect::<Vec<_>>());
    });
}

#[test]
fn a_queues_stream_keeps_its_place_in_line_and_leaves_it_when_it_is_dropped() {
    run(async {
        let queue = Arc::new(Queue::new(0));
        let mut first = from_queue(queue.clone());
        assert!(poll_once(first.next()).await.is_none());
        assert_eq!(queue.getters(), 1, "the stream waits on, though its `next` is gone");
        let mut second = from_queue(&*queue);
        assert!(poll_once(second.next()).await.is_none());
        queue.put_nowait(1).unwrap();
        assert!(poll_once(second.next()).await.is_none(), "the item is for the first");
        drop(first);
        assert_eq!((poll_once(second.next()).await, queue.getters()), (Some(Some(1)), 0));
        assert!(poll_once(second.next()).await.is_none());
        drop(second);
        assert_eq!(queue.getters(), 0);
    });
}
