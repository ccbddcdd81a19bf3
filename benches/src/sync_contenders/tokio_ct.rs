//! tokio's primitives, and tokio-util's, on tokio's current-thread runtime.

use super::{BOUND, OPS, PERMITS, TASKS, TURNS, Task, alike, on_threads, on_tokio};
use futures_lite::future::poll_once;
use std::{hint::black_box, sync::Arc};
use tokio::{
    sync::{Mutex, Semaphore, mpsc, oneshot},
    task::yield_now,
};
use tokio_util::sync::CancellationToken;

pub fn promise_set_await() -> f64 {
    let program = || async {
        for i in 0..OPS {
            let (promise, future) = oneshot::channel();
            promise.send(black_box(i)).unwrap();
            black_box(future.await.unwrap());
        }
    };
    on_tokio(OPS, alike(1, program))
}

pub fn promise_await_set() -> f64 {
    let program = || async {
        for i in 0..OPS {
            let (promise, mut future) = oneshot::channel();
            assert!(poll_once(&mut future).await.is_none());
            promise.send(black_box(i)).unwrap();
            black_box(future.await.unwrap());
        }
    };
    on_tokio(OPS, alike(1, program))
}

pub fn queue_128() -> f64 {
    on_tokio(OPS, producer_and_consumer())
}

pub fn queue_128_two_threads() -> f64 {
    on_threads(on_tokio, OPS, producer_and_consumer())
}

fn producer_and_consumer() -> [Task; 2] {
    let (sender, mut receiver) = mpsc::channel(BOUND);
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

pub fn event_set() -> f64 {
    let program = || async {
        let token = CancellationToken::new();
        token.cancel();
        for _ in 0..OPS {
            black_box(&token).cancelled().await;
        }
    };
    on_tokio(OPS, alike(1, program))
}

pub fn lock_free() -> f64 {
    let program = || async {
        let lock = Mutex::new(0);
        for _ in 0..OPS {
            *black_box(&lock).lock().await += 1;
        }
    };
    on_tokio(OPS, alike(1, program))
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
    on_tokio(OPS, alike(TASKS, program))
}

pub fn semaphore_free() -> f64 {
    let program = || async {
        let semaphore = Semaphore::new(PERMITS);
        for _ in 0..OPS {
            drop(black_box(&semaphore).acquire().await.unwrap());
        }
    };
    on_tokio(OPS, alike(1, program))
}

pub fn semaphore_100_tasks() -> f64 {
    let semaphore = Arc::new(Semaphore::new(PERMITS));
    let program = || {
        let semaphore = semaphore.clone();
        async move {
            for _ in 0..TURNS {
                let _permit = semaphore.acquire().await.unwrap();
                yield_now().await;
            }
        }
    };
    on_tokio(OPS, alike(TASKS, program))
}
