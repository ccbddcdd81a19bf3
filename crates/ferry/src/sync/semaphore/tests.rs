//! Semaphores as CPython 3.13 documents them ("Synchronization Primitives", Semaphore and BoundedSemaphore).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, executor::run_by_hand, sleep, spawn_local, yield_now};
use futures_lite::future::poll_once;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

#[test]
fn never_more_at_once_than_there_are_permits() {
    for seed in 0..if cfg!(miri) { 2 } else { 50 } {
        run_by_hand(Some(Order::Seeded(seed)), async {
            let (semaphore, running) = (Rc::new(Semaphore::new(3)), Rc::new(Cell::new((0, 0))));
            let tasks: Vec<_> = (0..10)
                .map(|number| {
                    let (semaphore, running) = (semaphore.clone(), running.clone());
                    spawn_local(async move {
                        let permit = semaphore.acquire().await;
                        let (now, most) = running.get();
                        running.set((now + 1, most.max(now + 1)));
                        sleep(Duration::from_millis(number % 3)).await;
                        running.set((running.get().0 - 1, running.get().1));
                        drop(permit);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!((running.get(), semaphore.permits()), ((0, 3), 3));
        });
    }
}

#[test]
fn permits_are_given_in_order_and_nobody_overtakes() {
    run_by_hand(Some(Order::Fifo), async {
        let (semaphore, log) = (Rc::new(Semaphore::new(1)), Rc::new(RefCell::new(Vec::new())));
        let first = semaphore.try_acquire().unwrap();
        let tasks: Vec<_> = (0..3)
            .map(|number| {
                let (semaphore, log) = (semaphore.clone(), log.clone());
                spawn_local(async move {
                    let _permit = semaphore.acquire().await;
                    log.borrow_mut().push(number);
                    yield_now().await;
                })
            })
            .collect();
        yield_now().await;
        drop(first);
        // The permit is the first waiter's already, though it has not run.
        assert!(semaphore.locked() && semaphore.try_acquire().is_none());
        log.borrow_mut().push(100);
        drop(semaphore.acquire().await);
        log.borrow_mut().push(101);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*log.borrow(), [100, 0, 1, 2, 101]);
    });
}

#[test]
fn a_waiter_that_gives_up_hands_its_permit_on() {
    run_by_hand(Some(Order::Fifo), async {
        let semaphore = Semaphore::new(1);
        let held = semaphore.acquire().await;
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(semaphore.acquire())).collect();
        for waiter in &mut waiting {
            assert!(poll_once(waiter).await.is_none());
        }
        drop(held);
        // Called, and dropped before its turn; the second gives up without having been called.
        drop(waiting.remove(0));
        let mut last = waiting.pop().unwrap();
        assert!(poll_once(&mut last).await.is_none());
        drop(waiting);
        let permit = poll_once(&mut last).await.expect("it is the next in line");
        assert_eq!(semaphore.permits(), 0);
        drop(permit);
        assert_eq!(format!("{semaphore:?}"), "Semaphore { permits: 1, waiters: 0 }");
    });
}

#[test]
fn more_may_be_released_than_were_acquired_except_from_a_bounded_one() {
    let semaphore = Semaphore::new(0);
    assert!(semaphore.locked());
    semaphore.release();
    semaphore.release();
    assert_eq!(semaphore.permits(), 2);

    let bounded = BoundedSemaphore::new(1);
    let permit = bounded.try_acquire().unwrap();
    bounded.release().unwrap();
    // The permit's own release would be one too many; it changes nothing.
    drop(permit);
    assert_eq!((bounded.permits(), bounded.release()), (1, Err(OverReleased)));
}

#[test]
fn an_owned_permit_moves_to_another_task() {
    run_by_hand(Some(Order::Fifo), async {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.clone().acquire_owned().await;
        let task = spawn_local(async move {
            sleep(Duration::from_secs(1)).await;
            drop(permit);
        });
        drop(semaphore.acquire().await);
        assert!(task.is_finished());
        // Forgotten, it neither comes back nor keeps the semaphore.
        semaphore.clone().acquire_owned().await.forget();
        assert_eq!((semaphore.permits(), Arc::strong_count(&semaphore)), (0, 1));
    });
}
