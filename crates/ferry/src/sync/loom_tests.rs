//! The primitives under the model checker: who comes, who leaves and who serves, all at once.

use super::*;
use loom::{future::block_on, sync::Arc, thread};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

/// Polls a future once, and drops it.
fn give_up(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn loom_an_event_is_set_while_one_begins_to_wait() {
    loom::model(|| {
        let event = Arc::new(Event::new());
        let there = event.clone();
        let setter = thread::spawn(move || there.set());
        block_on(event.wait());
        setter.join().unwrap();
    });
}

#[test]
fn loom_a_permit_is_given_back_while_one_waiter_leaves_and_another_waits() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let held = semaphore.try_acquire().unwrap();
        held.forget();
        let (there, leaving) = (semaphore.clone(), semaphore.clone());
        let releaser = thread::spawn(move || there.release());
        let leaver = thread::spawn(move || give_up(leaving.acquire()));
        drop(block_on(semaphore.acquire()));
        releaser.join().unwrap();
        leaver.join().unwrap();
        assert_eq!(semaphore.permits(), 1);
    });
}

#[test]
fn loom_an_item_is_put_while_one_getter_leaves_and_another_waits() {
    loom::model(|| {
        let queue = Arc::new(Queue::new(1));
        let (there, leaving) = (queue.clone(), queue.clone());
        let putter = thread::spawn(move || there.put_nowait(5).unwrap());
        let leaver = thread::spawn(move || {
            let mut got = None;
            if let std::task::Poll::Ready(item) =
                pin!(leaving.get()).poll(&mut Context::from_waker(Waker::noop()))
            {
                got = Some(item.unwrap());
            }
            // What it took goes to the other, as everybody here wants one item.
            got.map(|item| leaving.put_nowait(item).unwrap())
        });
        assert_eq!(block_on(queue.get()), Ok(5));
        putter.join().unwrap();
        leaver.join().unwrap();
    });
}

#[test]
fn loom_two_meet_at_a_barrier() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let there = barrier.clone();
        let other = thread::spawn(move || block_on(there.wait()).unwrap());
        let here = block_on(barrier.wait()).unwrap();
        assert_eq!(here + other.join().unwrap(), 1);
    });
}
