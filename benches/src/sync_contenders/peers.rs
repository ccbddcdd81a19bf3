//! Peers that have no runtime of their own, on Ferry's loop.

use super::{BOUND, CHILDREN, OPS, PERMITS, TASKS, TURNS, Task, alike, on_ferry, on_threads};
use async_lock::{Mutex, Semaphore};
use asyncferry::yield_now;
use futures_lite::future::poll_once;
use std::{hint::black_box, sync::Arc};

pub fn promise_set_await() -> f64 {
    let program = || async {
        for i in 0..OPS {
            let (promise, future) = oneshot::async_channel();
            promise.send(black_box(i)).unwrap();
            black_box(future.await.unwrap());
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn promise_await_set() -> f64 {
    let program = || async {
        for i in 0..OPS {
            let (promise, mut future) = oneshot::async_channel();
            assert!(poll_once(&mut future).await.is_none());
            promise.send(black_box(i)).unwrap();
            black_box(future.await.unwrap());
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn async_channel_128() -> f64 {
    on_ferry(OPS, by_async_channel())
}

pub fn async_channel_128_two_threads() -> f64 {
    on_threads(on_ferry, OPS, by_async_channel())
}

fn by_async_channel() -> [Task; 2] {
    let (sender, receiver) = async_channel::bounded(BOUND);
    let producer = async move {
        for i in 0..OPS {
            sender.send(i).await.unwrap();
        }
    };
    let consumer = async move {
        for _ in 0..OPS {
            black_box(receiver.recv().await.unwrap());
        }
    };
    [Box::pin(producer), Box::pin(consumer)]
}

pub fn flume_128() -> f64 {
    on_ferry(OPS, by_flume())
}

pub fn flume_128_two_threads() -> f64 {
    on_threads(on_ferry, OPS, by_flume())
}

fn by_flume() -> [Task; 2] {
    let (sender, receiver) = flume::bounded(BOUND);
    let producer = async move {
        for i in 0..OPS {
            sender.send_async(i).await.unwrap();
        }
    };
    let consumer = async move {
        for _ in 0..OPS {
            black_box(receiver.recv_async().await.unwrap());
        }
    };
    [Box::pin(producer), Box::pin(consumer)]
}

pub fn kanal_128() -> f64 {
    on_ferry(OPS, by_kanal())
}

pub fn kanal_128_two_threads() -> f64 {
    on_threads(on_ferry, OPS, by_kanal())
}

fn by_kanal() -> [Task; 2] {
    let (sender, receiver) = kanal::bounded_async(BOUND);
    let producer = async move {
        for i in 0..OPS {
            sender.send(i).await.unwrap();
        }
    };
    let consumer = async move {
        for _ in 0..OPS {
            black_box(receiver.recv().await.unwrap());
        }
    };
    [Box::pin(producer), Box::pin(consumer)]
}

pub fn lock_free() -> f64 {
    let program = || async {
        let lock = Mutex::new(0);
        for _ in 0..OPS {
            *black_box(&lock).lock().await += 1;
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn lock_100_tasks() -> f64 {
    let lock = Arc::new(Mutex::new(0));
    let program = || {
        let lock = lock.clone();
        async move {
            for _ in 0..TURNS {
                let mut held = lock.lock().await;
                yield_now().await;
                *held += 1;
            }
        }
    };
    on_ferry(OPS, alike(TASKS, program))
}

pub fn semaphore_free() -> f64 {
    let program = || async {
        let semaphore = Semaphore::new(PERMITS);
        for _ in 0..OPS {
            drop(black_box(&semaphore).acquire().await);
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn semaphore_100_tasks() -> f64 {
    let semaphore = Arc::new(Semaphore::new(PERMITS));
    let program = || {
        let semaphore = semaphore.clone();
        async move {
            for _ in 0..TURNS {
                let _permit = semaphore.acquire().await;
                yield_now().await;
            }
        }
    };
    on_ferry(OPS, alike(TASKS, program))
}

pub fn gather_10k() -> f64 {
    let child = |i| async move {
        yield_now().await;
        i
    };
    let program = move || async move {
        let values = futures_buffered::join_all((0..CHILDREN).map(child)).await;
        assert_eq!(values.len(), CHILDREN);
    };
    on_ferry(CHILDREN, alike(1, program))
}
