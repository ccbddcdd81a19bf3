//! Ferry's primitives.

use super::{BOUND, CHILDREN, OPS, PERMITS, TASKS, TURNS, Task, alike, on_ferry, on_threads};
use asyncferry::{
    AsyncError, gather, promise,
    sync::{Event, Lock, Queue, Semaphore},
    yield_now,
};
use futures_lite::future::poll_once;
use std::{hint::black_box, sync::Arc};

pub fn promise_set_await() -> f64 {
    let program = || async {
        for i in 0..OPS {
            let (promise, future) = promise();
            promise.complete(black_box(i)).unwrap();
            black_box(future.await.unwrap());
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn promise_await_set() -> f64 {
    let program = || async {
        for i in 0..OPS {
            let (promise, mut future) = promise();
            assert!(poll_once(&mut future).await.is_none());
            promise.complete(black_box(i)).unwrap();
            black_box(future.await.unwrap());
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn queue_128() -> f64 {
    on_ferry(OPS, producer_and_consumer())
}

pub fn queue_128_two_threads() -> f64 {
    on_threads(on_ferry, OPS, producer_and_consumer())
}

/// With the full semantics: each item is reported as done.
fn producer_and_consumer() -> [Task; 2] {
    let queue = Arc::new(Queue::new(BOUND));
    let source = queue.clone();
    let producer = async move {
        for i in 0..OPS {
            source.put(i).await.unwrap();
        }
    };
    let consumer = async move {
        for _ in 0..OPS {
            black_box(queue.get().await.unwrap());
            queue.task_done().unwrap();
        }
    };
    [Box::pin(producer), Box::pin(consumer)]
}

pub fn event_set() -> f64 {
    let program = || async {
        let event = Event::new();
        event.set();
        for _ in 0..OPS {
            black_box(&event).wait().await;
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn lock_free() -> f64 {
    let program = || async {
        let lock = Lock::new(0);
        for _ in 0..OPS {
            *black_box(&lock).acquire().await += 1;
        }
    };
    on_ferry(OPS, alike(1, program))
}

pub fn lock_100_tasks() -> f64 {
    let lock = Arc::new(Lock::new(0));
    let program = || {
        let lock = lock.clone();
        async move {
            for _ in 0..TURNS {
                let mut held = lock.acquire().await;
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
    let program = || async {
        let children = (0..CHILDREN).map(|i| async move {
            yield_now().await;
            Ok::<_, AsyncError>(i)
        });
        black_box(gather(children).await.unwrap());
    };
    on_ferry(CHILDREN, alike(1, program))
}
