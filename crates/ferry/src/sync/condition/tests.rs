//! Conditions as CPython 3.13 documents them ("Synchronization Primitives", Condition).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, TaskHandle, executor::run_by_hand, spawn_local, sync::Lock, yield_now};
use futures_lite::future::poll_once;
use std::rc::Rc;

#[derive(Default)]
struct Shared {
    log: Lock<Vec<u32>>,
    changed: Condition,
}

fn waiter(shared: &Rc<Shared>, number: u32) -> TaskHandle<()> {
    let shared = shared.clone();
    spawn_local(async move {
        let mut log = shared.changed.wait(shared.log.acquire().await).await;
        log.push(number);
        yield_now().await;
    })
}

#[test]
fn as_many_as_were_notified_go_on_in_order_one_by_one() {
    run_by_hand(Some(Order::Fifo), async {
        let shared = Rc::new(Shared::default());
        let waiters: Vec<_> = (0..5).map(|number| waiter(&shared, number)).collect();
        for _ in 0..5 {
            yield_now().await;
        }
        {
            let log = shared.log.acquire().await;
            shared.changed.notify(2);
            yield_now().await;
            assert!(log.is_empty(), "the lock is held here");
        }
        for _ in 0..10 {
            yield_now().await;
        }
        assert_eq!(*shared.log.acquire().await, [0, 1]);
        shared.changed.notify_all();
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(*shared.log.acquire().await, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_notification_of_one_that_gives_up_goes_to_the_next() {
    run_by_hand(Some(Order::Fifo), async {
        let (lock, changed) = (Lock::new(0), Condition::new());
        let mut first = Box::pin(changed.wait(lock.acquire().await));
        assert!(poll_once(&mut first).await.is_none());
        let mut second = Box::pin(changed.wait(lock.acquire().await));
        assert!(poll_once(&mut second).await.is_none());
        changed.notify(1);
        // The first is called and stands in the lock's line, when it is dropped.
        let held = lock.acquire().await;
        assert!(poll_once(&mut first).await.is_none());
        drop(first);
        drop(held);
        assert!(poll_once(&mut second).await.is_some());
        assert_eq!(format!("{changed:?} {}", lock.locked()), "Condition { waiters: 0 } false");
    });
}

#[test]
fn waiting_for_what_holds_already_takes_no_turn() {
    run_by_hand(Some(Order::Fifo), async {
        let (lock, changed) = (Lock::new(3), Condition::new());
        let guard = lock.acquire().await;
        let guard = poll_once(changed.wait_for(guard, |value| *value == 3)).await.expect("it holds");
        assert_eq!(*guard, 3);
    });
}

#[test]
fn a_bounded_buffer_of_a_lock_and_two_conditions() {
    for seed in 0..if cfg!(miri) { 2 } else { 50 } {
        run_by_hand(Some(Order::Seeded(seed)), async {
            let shared = Rc::new((Lock::new(Vec::new()), Condition::new(), Condition::new()));
            let there = shared.clone();
            let producer = spawn_local(async move {
                let (buffer, filled, emptied) = &*there;
                for number in 0..20 {
                    let mut buffer =
                        emptied.wait_for(buffer.acquire().await, |buffer| buffer.len() < 3).await;
                    buffer.push(number);
                    filled.notify(1);
                }
            });
            let (buffer, filled, emptied) = &*shared;
            let mut sum = 0;
            for _ in 0..20 {
                let mut buffer = filled.wait_for(buffer.acquire().await, |buffer| !buffer.is_empty()).await;
                assert!(buffer.len() <= 3);
                sum += buffer.remove(0);
                emptied.notify(1);
            }
            producer.await.unwrap();
            assert_eq!(sum, 190);
        });
    }
}

#[test]
fn a_notification_without_a_lock_is_passed_on_by_who_gives_up() {
    let condition = Condition::new();
    let mut waiting = [condition.notified(), condition.notified()];
    let mut cx = Context::from_waker(std::task::Waker::noop());
    for notified in &mut waiting {
        assert!(Pin::new(notified).poll(&mut cx).is_pending());
    }
    assert_eq!(condition.waiters(), 2);
    condition.notify(1);
    let [first, mut second] = waiting;
    assert!(Pin::new(&mut second).poll(&mut cx).is_pending());
    drop(first);
    assert!(Pin::new(&mut second).poll(&mut cx).is_ready());
}
