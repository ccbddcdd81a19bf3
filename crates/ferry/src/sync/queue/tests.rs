//! Queues as CPython 3.13 documents them ("Queues").

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, executor::run_by_hand, spawn_local, yield_now};
use futures_lite::future::poll_once;
use std::{rc::Rc, sync::Arc};

fn waits<F: Future + Unpin>(future: &mut F) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(future).poll(&mut cx).is_pending()
}

fn filled(maxsize: usize, items: impl IntoIterator<Item = u32>) -> Queue<u32> {
    let queue = Queue::new(maxsize);
    for item in items {
        queue.put_nowait(item).unwrap();
    }
    queue
}

#[test]
fn items_come_out_in_the_order_of_the_queue() {
    let items = [3, 1, 2];
    let fifo = filled(0, items);
    let (lifo, least) = (LifoQueue::new(0), PriorityQueue::new(0));
    for item in items {
        lifo.put_nowait(item).unwrap();
        least.put_nowait(item).unwrap();
    }
    let all =
        |get: &dyn Fn() -> Result<u32, GetError>| -> Vec<_> { std::iter::from_fn(|| get().ok()).collect() };
    assert_eq!(all(&|| fifo.get_nowait()), [3, 1, 2]);
    assert_eq!(all(&|| lifo.get_nowait()), [2, 1, 3]);
    assert_eq!(all(&|| least.get_nowait()), [1, 2, 3]);
    assert_eq!(fifo.get_nowait(), Err(GetError::Empty));
}

#[test]
fn equal_priorities_stay_in_order() {
    #[derive(Debug, PartialEq, Eq)]
    struct Item(u32, &'static str);
    impl Ord for Item {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Item {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    let queue = PriorityQueue::new(0);
    for item in [Item(1, "a"), Item(0, "b"), Item(1, "c"), Item(0, "d")] {
        queue.put_nowait(item).unwrap();
    }
    let names: Vec<_> = std::iter::from_fn(|| queue.get_nowait().ok()).map(|item| item.1).collect();
    assert_eq!(names, ["b", "d", "a", "c"]);
}

/// anchors: an unbounded channel in a queue's place takes 100,000 puts at maxsize 2.
#[test]
fn a_full_queue_takes_no_more() {
    let queue = filled(2, [1, 2]);
    assert!(queue.is_full() && queue.qsize() == 2 && queue.maxsize() == 2);
    assert_eq!(queue.put_nowait(3), Err(PutError::Full(3)));
    let mut putting = queue.put(3);
    assert!(waits(&mut putting));
    assert_eq!(queue.get_nowait(), Ok(1));
    assert!(!queue.is_full(), "asyncio's room is free until the putter's turn too");
    assert!(!waits(&mut putting) && queue.is_full());
}

#[test]
fn an_item_that_was_not_put_can_be_taken_back() {
    let queue = filled(1, [1]);
    let mut putting = queue.put(2);
    assert!(waits(&mut putting));
    assert_eq!(putting.take_item(), Some(2));
    drop(putting);
    assert_eq!(queue.get_nowait(), Ok(1));
    assert!(queue.is_empty());
}

#[test]
fn who_waits_longest_is_served_first() {
    for seed in 0..if cfg!(miri) { 2 } else { 20 } {
        run_by_hand(Some(Order::Seeded(seed)), async {
            let queue = Queue::new(0);
            let mut getting: Vec<_> = (0..4).map(|_| queue.get()).collect();
            assert!(getting.iter_mut().all(waits));
            queue.put_nowait(0).unwrap();
            // A get that comes later does not take what another was called for; get_nowait does.
            let mut later = queue.get();
            assert!(waits(&mut later));
            assert_eq!(queue.get_nowait(), Ok(0));
            assert!(waits(&mut getting[0]));
            for item in 1..=5 {
                queue.put_nowait(item).unwrap();
            }
            getting.push(later);
            for (getter, expected) in getting.into_iter().zip(1..) {
                assert_eq!(getter.await, Ok(expected));
            }
        });
    }
}

#[test]
fn a_getter_that_gives_up_loses_no_item() {
    let queue = Queue::new(0);
    let (mut first, mut second) = (queue.get(), queue.get());
    assert!(waits(&mut first) && waits(&mut second));
    queue.put_nowait(7).unwrap();
    drop(first);
    let Poll::Ready(got) = Pin::new(&mut second).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the item is there")
    };
    assert_eq!((got, queue.unfinished()), (Ok(7), 1));
}

#[test]
fn a_putter_that_gives_up_leaves_its_room_to_the_next() {
    let queue = filled(1, [0]);
    let (mut first, mut second) = (queue.put(1), queue.put(2));
    assert!(waits(&mut first) && waits(&mut second));
    assert_eq!(queue.get_nowait(), Ok(0));
    drop(first);
    assert!(!waits(&mut second));
    assert_eq!(queue.get_nowait(), Ok(2));
}

#[test]
fn join_waits_for_each_item_to_be_reported() {
    run_by_hand(Some(Order::Fifo), async {
        let queue = Rc::new(filled(0, 0..3));
        let mut joining = queue.join();
        assert!(waits(&mut joining));
        let there = queue.clone();
        let worker = spawn_local(async move {
            while let Ok(_item) = there.get_nowait() {
                yield_now().await;
                there.task_done().unwrap();
            }
        });
        joining.await;
        assert_eq!((queue.unfinished(), queue.task_done()), (0, Err(TaskDoneTooOften)));
        worker.await.unwrap();
        assert!(poll_once(queue.join()).await.is_some(), "nothing is unfinished");
    });
}

#[test]
fn a_drained_shutdown_gives_what_is_there_and_then_ends_all() {
    run_by_hand(Some(Order::Fifo), async {
        let queue = filled(2, [1, 2]);
        let mut putting = queue.put(3);
        assert!(waits(&mut putting));
        queue.shutdown(Shutdown::Drain);
        assert_eq!(putting.await, Err(QueueShutDown(3)));
        assert_eq!(queue.put_nowait(4), Err(PutError::ShutDown(4)));
        assert_eq!((queue.get().await, queue.get_nowait()), (Ok(1), Ok(2)));
        assert_eq!(
            (queue.get().await, queue.get_nowait()),
            (Err(QueueShutDown(())), Err(GetError::ShutDown))
        );
        queue.task_done().unwrap();
        queue.task_done().unwrap();
        queue.join().await;
    });
}

#[test]
fn an_immediate_shutdown_drops_the_items_and_ends_all() {
    run_by_hand(Some(Order::Fifo), async {
        let queue = Queue::new(0);
        let mut getting = [queue.get(), queue.get()];
        assert!(getting.iter_mut().all(waits));
        let item = Arc::new(());
        queue.put_nowait(item.clone()).unwrap();
        queue.put_nowait(item.clone()).unwrap();
        let mut joining = queue.join();
        assert!(waits(&mut joining));
        queue.shutdown(Shutdown::Immediate);
        assert_eq!(Arc::strong_count(&item), 1);
        for getter in getting {
            assert_eq!(getter.await, Err(QueueShutDown(())));
        }
        joining.await;
        assert_eq!(queue.unfinished(), 0);
    });
}

#[test]
fn after_a_shutdown_nobody_waits_whoever_was_called_before() {
    run_by_hand(Some(Order::Fifo), async {
        let queue = Queue::new(0);
        let mut called = queue.get();
        assert!(waits(&mut called));
        queue.put_nowait(1).unwrap();
        queue.shutdown(Shutdown::Drain);
        assert_eq!(queue.get().await, Ok(1));
        assert_eq!(called.await, Err(QueueShutDown(())));
    });
}

#[test]
fn nothing_is_lost_between_threads() {
    let (count, threads) = if cfg!(miri) { (20, 2) } else { (5_000, 3) };
    let queue = Arc::new(Queue::new(8));
    let producers: Vec<_> = (0..threads)
        .map(|_| {
            let queue = queue.clone();
            std::thread::spawn(move || {
                futures_lite::future::block_on(async {
                    for number in 0..count {
                        queue.put(number).await.unwrap();
                    }
                });
            })
        })
        .collect();
    let consumers: Vec<_> = (0..threads)
        .map(|_| {
            let queue = queue.clone();
            std::thread::spawn(move || {
                futures_lite::future::block_on(async {
                    let mut sum = 0u64;
                    while let Ok(number) = queue.get().await {
                        sum += number;
                        queue.task_done().unwrap();
                    }
                    sum
                })
            })
        })
        .collect();
    producers.into_iter().for_each(|producer| producer.join().unwrap());
    futures_lite::future::block_on(queue.join());
    queue.shutdown(Shutdown::Drain);
    let sum: u64 = consumers.into_iter().map(|consumer| consumer.join().unwrap()).sum();
    assert_eq!(sum, threads * count * (count - 1) / 2);
}

#[test]
fn in_turn_takes_nothing_that_others_were_called_for() {
    let queue = Queue::new(1);
    let mut getting = queue.get();
    assert!(waits(&mut getting));
    assert_eq!(queue.put_in_turn(1), Ok(()));
    assert_eq!(queue.get_in_turn(), Err(GetError::Empty), "the item is for who waited before");
    assert_eq!(queue.getters(), 0);
    assert!(!waits(&mut getting));
    assert_eq!(queue.put_in_turn(2), Ok(()));
    let mut putting = queue.put(3);
    assert!(waits(&mut putting) && queue.putters() == 1);
    assert_eq!(queue.get_in_turn(), Ok(2));
    assert_eq!(queue.put_in_turn(4), Err(PutError::Full(4)), "the room is for who waited before");
    assert!(!waits(&mut putting));
    queue.shutdown(Shutdown::Drain);
    assert!(queue.is_shut_down());
    assert_eq!(queue.put_in_turn(5), Err(PutError::ShutDown(5)));
    assert_eq!((queue.get_in_turn(), queue.get_in_turn()), (Ok(3), Err(GetError::ShutDown)));
}

#[test]
fn each_item_can_be_looked_at() {
    let mut seen = Vec::new();
    filled(0, [3, 1, 2]).look_at_each(&mut |item| seen.push(*item));
    assert_eq!(seen, [3, 1, 2]);
}
