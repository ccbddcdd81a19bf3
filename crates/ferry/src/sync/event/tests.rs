//! Events as CPython 3.13 documents them ("Synchronization Primitives", Event).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, TaskHandle, executor::run_by_hand, spawn_local, yield_now};
use futures_lite::future::poll_once;
use std::{cell::RefCell, rc::Rc, sync::Arc};

type Log = Rc<RefCell<Vec<u32>>>;

fn waiter(event: &Rc<Event>, log: &Log, number: u32) -> TaskHandle<()> {
    let (event, log) = (event.clone(), log.clone());
    spawn_local(async move {
        event.wait().await;
        log.borrow_mut().push(number);
    })
}

#[test]
fn all_who_wait_are_woken_in_order_and_later_ones_do_not_wait() {
    run_by_hand(Some(Order::Fifo), async {
        let (event, log) = (Rc::new(Event::new()), Log::default());
        let waiters: Vec<_> = (0..3).map(|number| waiter(&event, &log, number)).collect();
        yield_now().await;
        assert!(log.borrow().is_empty() && !event.is_set());
        event.set();
        event.set();
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(*log.borrow(), [0, 1, 2]);
        assert_eq!(poll_once(event.wait()).await, Some(()));
    });
}

#[test]
fn who_was_woken_returns_although_it_was_cleared_again() {
    run_by_hand(Some(Order::Fifo), async {
        let (event, log) = (Rc::new(Event::new()), Log::default());
        let before = waiter(&event, &log, 1);
        yield_now().await;
        event.set();
        event.clear();
        let after = waiter(&event, &log, 2);
        before.await.unwrap();
        yield_now().await;
        assert_eq!((&*log.borrow(), event.is_set(), after.is_finished()), (&vec![1], false, false));
        event.set();
        after.await.unwrap();
    });
}

/// anchors: a Notify in an Event's place loses the set that comes before the wait, and wakes one of three.
#[test]
fn many_waiters_that_did_not_get_to_wait_yet_all_see_it() {
    run_by_hand(Some(Order::Seeded(1)), async {
        let (event, log) = (Rc::new(Event::new()), Log::default());
        let count = if cfg!(miri) { 20 } else { 1000 };
        let waiters: Vec<_> = (0..count).map(|number| waiter(&event, &log, number)).collect();
        yield_now().await;
        event.set();
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(log.borrow().len(), count as usize);
    });
}

#[test]
fn who_gives_up_leaves_nothing_behind() {
    run_by_hand(Some(Order::Fifo), async {
        let event = Event::new();
        let mut waiting = Box::pin(event.wait());
        assert_eq!(poll_once(&mut waiting).await, None);
        assert_eq!(format!("{event:?}"), "Event { set: false, waiters: 1 }");
        drop(waiting);
        assert_eq!(format!("{event:?}"), "Event { set: false, waiters: 0 }");
    });
}

#[test]
fn threads_wait_for_it_too() {
    let event = Arc::new(Event::new());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let event = event.clone();
            std::thread::spawn(move || futures_lite::future::block_on(event.wait()))
        })
        .collect();
    event.set();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
