//! Locks as CPython 3.13 documents them ("Synchronization Primitives", Lock).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{AsyncError, Order, executor::run_by_hand, spawn_local, timeout, yield_now};
use std::{sync::Arc, time::Duration};

#[test]
fn one_at_a_time_on_many_threads() {
    let lock = Arc::new(Lock::new(0));
    let (threads, rounds) = if cfg!(miri) { (2, 5) } else { (4, 1000) };
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let lock = lock.clone();
            std::thread::spawn(move || {
                futures_lite::future::block_on(async {
                    for _ in 0..rounds {
                        let mut count = lock.acquire().await;
                        let before = *count;
                        futures_lite::future::yield_now().await;
                        *count = before + 1;
                    }
                });
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    let lock = Arc::into_inner(lock).unwrap();
    assert!(!lock.locked());
    assert_eq!(lock.into_inner(), threads * rounds);
}

#[test]
fn it_is_handed_on_in_order() {
    run_by_hand(Some(Order::Fifo), async {
        let log = std::rc::Rc::new(Lock::new(Vec::new()));
        let held = log.acquire().await;
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let log = log.clone();
                spawn_local(async move { log.acquire().await.push(number) })
            })
            .collect();
        yield_now().await;
        tasks[1].abort();
        drop(held);
        assert!(log.try_acquire().is_none(), "it is the first waiter's");
        for task in tasks {
            let _ = task.await;
        }
        assert_eq!(*log.acquire().await, [0, 2, 3]);
    });
}

#[test]
fn a_timeout_leaves_the_line() {
    run_by_hand(Some(Order::Fifo), async {
        let (lock, second) = (Lock::new("data"), Duration::from_secs(1));
        let held = lock.acquire().await;
        assert_eq!(timeout(second, lock.acquire()).await.map(drop), Err(AsyncError::Timeout(second)));
        assert_eq!(format!("{lock:?} {held:?}"), "Lock { locked: true, .. } \"data\"");
        drop(held);
        assert!(lock.try_acquire().is_some() && !lock.locked());
    });
}

#[test]
fn data_without_a_size_can_be_locked() {
    run_by_hand(Some(Order::Fifo), async {
        let lock: Box<Lock<[u8]>> = Box::new(Lock::new([1, 2, 3]));
        lock.acquire().await[1] = 5;
        assert_eq!(*lock.acquire().await, [1, 5, 3]);
    });
}

#[test]
fn a_forgotten_lock_is_released_by_anybody_once() {
    let lock = Lock::new(());
    lock.try_acquire().unwrap().forget();
    assert!(lock.try_acquire().is_none());
    assert_eq!((lock.release(), lock.release()), (Ok(()), Err(NotAcquired)));
    assert!(lock.try_acquire().is_some());
}

/// Else two could hold it afterwards.
#[test]
fn a_guard_whose_lock_was_released_by_another_frees_no_second_place() {
    let lock = Lock::new(());
    let guard = lock.try_acquire().unwrap();
    lock.release().unwrap();
    drop(guard);
    let held = lock.try_acquire();
    assert!(held.is_some() && lock.try_acquire().is_none());
}
