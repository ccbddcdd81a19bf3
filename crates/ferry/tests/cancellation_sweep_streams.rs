//! Whoever waits for the next of several (a tick, a stream's item, a channel's, a branch of `select!`) is cancelled at each of
//! its await points, under many orders: the next wait gives what that one would have given. See `cancellation_sweep.rs`
//! for the primitives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncError, Instant, MissedTicks, channel, interval, select, sleep, spawn_local,
    stream::{self, ReceiverStream, Stream, StreamExt, TimedStreamExt},
    sync::{Queue, Shutdown},
    testing::{self, CancelPoint},
    yield_now,
};
use std::{future::Future, io::Write, pin::pin, rc::Rc, time::Duration};

const SEEDS: u64 = 100;
const SECOND: Duration = Duration::from_secs(1);

/// Sweeps `scenario`. Its report goes past the test harness, which would keep it to itself.
fn sweep<F: Future<Output = ()>>(name: &str, scenario: impl FnMut(CancelPoint) -> F) {
    let schedules = testing::seeds(SEEDS).sweep(scenario);
    let mut stderr = std::io::stderr();
    writeln!(stderr, "cancellation sweep, {name}: {schedules} schedules").unwrap();
}

/// All items of `items`, and at which second each came. A wait that is cancelled is begun again.
async fn all<S: Stream>(point: CancelPoint, items: S) -> Vec<(S::Item, u64)> {
    let begun = Instant::now();
    let (mut items, mut seen) = (pin!(items), Vec::new());
    loop {
        match point.cancel(items.next()).await {
            Some(Some(item)) => seen.push((item, begun.elapsed().as_secs())),
            Some(None) => return seen,
            None => {}
        }
    }
}

/// Numbers that come at these seconds, put by another task.
fn at_seconds(moments: &[u32]) -> (Rc<Queue<u32>>, impl Future<Output = ()> + use<>) {
    let (queue, begun, moments) = (Rc::new(Queue::new(0)), Instant::now(), moments.to_vec());
    let there = queue.clone();
    let putting = async move {
        for moment in moments {
            asyncferry::sleep_until(begun + SECOND * moment).await;
            there.put_nowait(moment).unwrap();
        }
        there.shutdown(Shutdown::Drain);
    };
    (queue, putting)
}

#[test]
fn ticks_of_an_interval() {
    sweep("Interval", |point| async move {
        let begun = Instant::now();
        let mut beat = interval(SECOND * 2);
        beat.set_missed_ticks(MissedTicks::Delay);
        let mut ticks = Vec::new();
        while ticks.len() < 4 {
            if let Some(due) = point.cancel(beat.tick()).await {
                ticks.push((due - begun, begun.elapsed()));
            }
        }
        assert_eq!(ticks, [0, 2, 4, 6].map(|second| (SECOND * second, SECOND * second)));
    });
}

#[test]
fn items_of_a_throttled_stream() {
    sweep("throttle", |point| async move {
        let (queue, putting) = at_seconds(&[0, 0, 1, 7]);
        let putting = spawn_local(putting);
        let seen = all(point, stream::from_queue(queue).throttle(SECOND * 2)).await;
        assert_eq!(seen, [(0, 0), (0, 2), (1, 4), (7, 7)]);
        putting.await.unwrap();
    });
}

#[test]
fn items_of_a_stream_with_a_timeout() {
    sweep("timeout of a stream", |point| async move {
        let (queue, putting) = at_seconds(&[1, 5, 6]);
        let putting = spawn_local(putting);
        let seen = all(point, stream::from_queue(queue).timeout(SECOND * 3)).await;
        let late = Err(AsyncError::Timeout(SECOND * 3));
        assert_eq!(seen, [(Ok(1), 1), (late, 4), (Ok(5), 5), (Ok(6), 6)]);
        putting.await.unwrap();
    });
}

#[test]
fn items_of_a_debounced_stream() {
    sweep("debounce", |point| async move {
        let (queue, putting) = at_seconds(&[0, 1, 2, 6, 7]);
        let putting = spawn_local(putting);
        let seen = all(point, stream::from_queue(queue).debounce(SECOND * 3)).await;
        assert_eq!(seen, [(2, 5), (7, 7)]);
        putting.await.unwrap();
    });
}

#[test]
fn items_of_a_channel() {
    sweep("ReceiverStream", |point| async move {
        let (sender, receiver) = channel::mpsc::channel(1);
        let sending = spawn_local(async move {
            for number in 0..4 {
                sender.send(number).await.unwrap();
            }
        });
        let seen = all(point, ReceiverStream::new(receiver)).await;
        assert_eq!(seen, [0, 1, 2, 3].map(|number| (number, 0)));
        sending.await.unwrap();
    });
}

#[test]
fn streams_of_one_queue() {
    sweep("QueueStream", |point| async move {
        let queue = Rc::new(Queue::new(1));
        let parts = [(); 2].map(|()| {
            let (queue, point) = (queue.clone(), point.clone());
            spawn_local(async move {
                let mut got = Vec::new();
                loop {
                    // The stream goes with its wait, and with it its place in the line.
                    let mut items = stream::from_queue(queue.clone());
                    match point.cancel(async move { items.next().await }).await {
                        Some(Some(item)) => got.push(item),
                        Some(None) => return got,
                        None => {}
                    }
                }
            })
        });
        for item in 0..5 {
            queue.put(item).await.unwrap();
        }
        queue.shutdown(Shutdown::Drain);
        let mut got = Vec::new();
        for part in parts {
            got.extend(part.await.unwrap());
        }
        got.sort_unstable();
        assert_eq!((got, queue.getters()), ((0..5).collect(), 0));
    });
}

#[test]
fn a_select_between_two_queues() {
    sweep("select!", |point| async move {
        let queues = Rc::new([Queue::new(0), Queue::new(0)]);
        let there = queues.clone();
        let putting = spawn_local(async move {
            for item in 0..3 {
                there[0].put_nowait(item).unwrap();
                there[1].put_nowait(item + 10).unwrap();
                yield_now().await;
            }
        });
        let mut got = Vec::new();
        while got.len() < 6 {
            // It's dropped half-way, and each time one branch loses.
            let next = async {
                select! {
                    Ok(item) = queues[0].get() => item,
                    Ok(item) = queues[1].get() => item,
                    () = sleep(SECOND) => panic!("an item is lost"),
                }
            };
            got.extend(point.cancel(next).await);
        }
        got.sort_unstable();
        assert_eq!(got, [0, 1, 2, 10, 11, 12]);
        putting.await.unwrap();
    });
}
