//! Promises under std's primitives, natively and under Miri.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use futures_lite::future::{block_on, poll_once};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};
use std::task::{Wake, Waker};

struct Note(u32, Arc<Mutex<Vec<u32>>>);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn wait(future: &mut Future<u32>, number: u32, log: &Arc<Mutex<Vec<u32>>>) {
    let waker = Waker::from(Arc::new(Note(number, log.clone())));
    assert!(future.poll_settled(&mut Context::from_waker(&waker)).is_pending());
}

#[test]
fn the_first_to_settle_wins() {
    let (promise, future) = promise();
    assert_eq!(promise.state(), State::Pending);
    assert_eq!(promise.clone().complete(1), Ok(()));
    assert_eq!(promise.complete(2), Err(2));
    assert!(!promise.fail("late") && !promise.cancel("late") && !future.cancel("late"));
    assert_eq!(future.state(), State::Completed);
    assert_eq!(block_on(future).unwrap(), 1);
}

#[test]
fn an_error_keeps_what_it_was() {
    let (promise, future) = promise::<()>();
    assert!(promise.fail(std::io::Error::from(std::io::ErrorKind::NotFound)));
    let Err(Failure::Failed(error)) = block_on(future.clone()) else { panic!("it should have failed") };
    assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::NotFound);
    assert_eq!(future.state(), State::Failed);
}

#[test]
fn a_cancellation_keeps_its_message() {
    let (promise, future) = promise::<()>();
    assert!(future.cancel("enough"));
    assert_eq!(promise.state(), State::Cancelled);
    assert_eq!(block_on(future).unwrap_err().to_string(), "cancelled: enough");
}

#[test]
fn a_dropped_promise_cancels_its_waiters() {
    let (promise, future) = promise::<()>();
    let other = promise.clone();
    drop(promise);
    assert_eq!(future.state(), State::Pending);
    drop(other);
    assert_eq!(future.state(), State::Cancelled);
}

#[test]
fn the_last_waiter_gone_cancels_the_promise() {
    let (promise, future) = promise::<()>();
    let mut settled = Box::pin(promise.settled());
    assert_eq!(block_on(poll_once(&mut settled)), None);
    let other = future.clone();
    drop(future);
    assert_eq!(promise.state(), State::Pending);
    drop(other);
    assert_eq!(block_on(settled), State::Cancelled);
}

#[test]
fn waiters_are_woken_in_the_order_in_which_they_came() {
    let log = Arc::default();
    let (promise, future) = promise();
    let mut waiting: Vec<_> = (0..100).map(|_| future.clone()).collect();
    for (number, future) in (0..).zip(&mut waiting) {
        wait(future, number, &log);
    }
    // Those that give up, the first among them, leave the others in order; a late one comes last.
    let mut place = 0..;
    waiting.retain(|_| place.next().unwrap_or(0) % 3 != 0);
    let mut late = future.clone();
    wait(&mut late, 100, &log);
    promise.complete(7).unwrap();
    let expected: Vec<_> = (0..100).filter(|number| number % 3 != 0).chain([100]).collect();
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn a_waiter_that_moves_keeps_one_place() {
    let log = Arc::default();
    let (promise, mut future) = promise();
    wait(&mut future, 1, &log);
    wait(&mut future, 2, &log);
    promise.complete(0).unwrap();
    assert_eq!(*log.lock().unwrap(), [2]);
}

#[test]
fn places_of_waiters_that_left_are_given_back() {
    let (promise, future) = promise::<u32>();
    let log = Arc::default();
    let mut oldest = future.clone();
    wait(&mut oldest, 0, &log);
    let mut previous = future.clone();
    wait(&mut previous, 0, &log);
    for _ in 0..if cfg!(miri) { 100 } else { 10_000 } {
        let mut next = future.clone();
        wait(&mut next, 0, &log);
        previous = next;
    }
    assert!(promise.cell.queued() < 10);
    drop((oldest, previous));
}

#[test]
fn settled_on_another_thread_while_many_wait() {
    let (promise, future) = promise();
    let (sender, receiver) = mpsc::channel();
    let waiters: Vec<_> = (0..4)
        .map(|_| {
            let (future, sender) = (future.clone(), sender.clone());
            std::thread::spawn(move || {
                sender.send(()).unwrap();
                block_on(future).unwrap()
            })
        })
        .collect();
    for _ in 0..4 {
        receiver.recv().unwrap();
    }
    promise.complete("done".to_owned()).unwrap();
    for waiter in waiters {
        assert_eq!(waiter.join().unwrap(), "done");
    }
}

/// Owns an end of the promise that it waits for, as a waker of a combinator does.
struct OwnsFuture(#[expect(dead_code, reason = "owned for its destructor")] Mutex<Future<u32>>);

impl Wake for OwnsFuture {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_that_owns_an_end_may_be_replaced_by_another() {
    let (promise, mut future) = promise();
    let waker = Waker::from(Arc::new(OwnsFuture(Mutex::new(future.clone()))));
    assert!(future.poll_settled(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    // Polled by someone else, only the promise holds the first waker: it goes, and does not deadlock.
    assert!(future.poll_settled(&mut Context::from_waker(Waker::noop())).is_pending());
    promise.complete(1).unwrap();
}

#[test]
fn what_cant_be_cloned_is_lent() {
    struct NoClone(u32);
    let (promise, mut future) = promise();
    assert!(future.get().is_none());
    promise.settle(Ok(NoClone(3))).unwrap_or_else(|_| panic!("it was pending"));
    assert!(future.poll_settled(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_eq!(future.get().unwrap().as_ref().unwrap().0, 3);
    let Err(Ok(NoClone(given_back))) = promise.settle(Ok(NoClone(4))) else { panic!("it was settled") };
    assert_eq!((given_back, future.get().unwrap().as_ref().unwrap().0), (4, 3));
}

#[test]
fn the_outcome_is_dropped_once_with_the_last_end() {
    let counted = Arc::new(());
    let (promise, future) = promise();
    promise.complete(counted.clone()).unwrap();
    let other = future.clone();
    drop((promise, future));
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(other);
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn a_settled_future_may_be_awaited_again() {
    let (promise, mut future) = promise();
    promise.complete(9).unwrap();
    assert_eq!(block_on(&mut future).unwrap(), 9);
    assert_eq!(block_on(&mut future).unwrap(), 9);
    assert_eq!(block_on(promise.settled()), State::Completed);
}

#[test]
fn one_of_many_settlers_on_many_threads_wins() {
    for _ in 0..if cfg!(miri) { 3 } else { 200 } {
        let (promise, future) = promise();
        let settlers: Vec<_> = (0..4)
            .map(|number| {
                let promise = promise.clone();
                std::thread::spawn(move || promise.complete(number).is_ok().then_some(number))
            })
            .collect();
        let seen = block_on(future).unwrap();
        let won: Vec<_> = settlers.into_iter().filter_map(|settler| settler.join().unwrap()).collect();
        assert_eq!(won, [seen]);
    }
}

#[test]
fn waiters_that_leave_while_it_is_settled_harm_nobody() {
    for _ in 0..if cfg!(miri) { 3 } else { 200 } {
        let (promise, future) = promise();
        let leavers: Vec<_> = (0..3)
            .map(|_| {
                let mut leaving = future.clone();
                std::thread::spawn(move || {
                    let _ = leaving.poll_settled(&mut Context::from_waker(Waker::noop()));
                })
            })
            .collect();
        promise.complete("kept".to_owned()).unwrap();
        assert_eq!(block_on(future).unwrap(), "kept");
        leavers.into_iter().for_each(|leaver| leaver.join().unwrap());
    }
}

/// A callback that notes `number` in `log`.
fn noting<T>(number: u32, log: &Arc<Mutex<Vec<u32>>>) -> impl FnOnce(&Outcome<T>) + Send + use<T> {
    let log = log.clone();
    move |_| log.lock().unwrap().push(number)
}

#[test]
fn callbacks_and_waiters_are_told_in_the_order_in_which_they_came() {
    let log = Arc::default();
    let (promise, future) = promise();
    let (mut first, mut third) = (future.clone(), future.clone());
    wait(&mut first, 1, &log);
    future.on_settled(noting(2, &log));
    wait(&mut third, 3, &log);
    future.on_settled(noting(4, &log));
    promise.complete(0).unwrap();
    assert_eq!(*log.lock().unwrap(), [1, 2, 3, 4]);
    future.on_settled(noting(5, &log));
    assert_eq!(*log.lock().unwrap(), [1, 2, 3, 4, 5], "it is settled already, so it's called at once");
}

#[test]
fn a_waiter_that_comes_after_a_callback_is_told_after_it() {
    let log = Arc::default();
    let (promise, mut future) = promise();
    future.on_settled(noting(1, &log));
    wait(&mut future, 2, &log);
    promise.complete(0).unwrap();
    assert_eq!(*log.lock().unwrap(), [1, 2]);
}

#[test]
fn a_callback_gets_the_outcome_on_the_thread_that_settles() {
    let (promise, future) = promise();
    let (sender, seen) = mpsc::channel();
    future.on_settled(move |outcome| {
        sender.send((outcome.clone().unwrap(), std::thread::current().id())).unwrap();
    });
    let settler = std::thread::spawn(move || promise.complete(7).unwrap());
    let thread = settler.thread().id();
    settler.join().unwrap();
    assert_eq!(seen.recv().unwrap(), (7, thread));
    assert!(seen.recv().is_err(), "it is called once");
}

#[test]
fn a_callback_that_is_taken_back_is_not_called() {
    let log = Arc::default();
    let (promise, future) = promise::<u32>();
    let keys = [1, 2, 3].map(|number| future.on_settled(noting(number, &log)));
    let counted = Arc::strong_count(&log);
    assert!(future.clone().take_back(keys[1]));
    assert_eq!(Arc::strong_count(&log), counted - 1, "it is dropped at once");
    assert!(!future.take_back(keys[1]));
    promise.complete(0).unwrap();
    assert!(!future.take_back(keys[0]), "it was called");
    assert_eq!(*log.lock().unwrap(), [1, 3]);
    let late = future.on_settled(noting(4, &log));
    assert!(!future.take_back(late));
}

#[test]
fn a_key_of_another_promise_takes_nothing_back() {
    let log = Arc::default();
    let (promise, future) = promise::<u32>();
    let (other, other_future) = super::promise::<u32>();
    let key = future.on_settled(noting(1, &log));
    other_future.on_settled(noting(2, &log));
    assert!(!other_future.take_back(key));
    promise.complete(0).unwrap();
    other.complete(0).unwrap();
    assert_eq!(*log.lock().unwrap(), [1, 2]);
}

#[test]
fn a_callback_that_panics_stops_nobody() {
    let log = Arc::default();
    let (promise, future) = promise();
    future.on_settled(|_| panic!("a callback's own fault"));
    future.on_settled(noting(1, &log));
    let mut waiting = future.clone();
    wait(&mut waiting, 2, &log);
    assert_eq!(promise.complete(5), Ok(()));
    assert_eq!(*log.lock().unwrap(), [1, 2]);
    future.on_settled(|_| panic!("the same, when it's called at once"));
    assert_eq!(block_on(future).unwrap(), 5);
}

#[test]
fn a_callback_keeps_nothing_alive_and_hears_of_either_end_that_is_gone() {
    for drop_first in [|(promise, future): (Promise<u32>, Future<u32>)| drop((future, promise)), drop] {
        let (promise, future) = promise::<u32>();
        let (sender, heard) = mpsc::channel();
        future.on_settled(move |outcome| sender.send(outcome.clone()).unwrap());
        drop_first((promise, future));
        assert!(matches!(heard.recv().unwrap(), Err(Failure::Cancelled(Some(_)))));
    }
}

#[test]
fn a_callback_may_use_its_own_promise() {
    let (promise, future) = promise();
    let (sender, seen) = mpsc::channel();
    let own = future.clone();
    future.on_settled(move |_| {
        let nested = sender.clone();
        own.on_settled(move |outcome| nested.send(outcome.clone().unwrap()).unwrap());
        assert!(!own.cancel("too late"));
        sender.send(own.get().unwrap().clone().unwrap() + 1).unwrap();
    });
    promise.complete(1).unwrap();
    assert_eq!(seen.iter().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn places_of_callbacks_that_were_taken_back_are_given_back() {
    let (promise, future) = promise::<u32>();
    let oldest = future.on_settled(|_| ());
    for _ in 0..if cfg!(miri) { 100 } else { 10_000 } {
        let key = future.on_settled(|_| ());
        assert!(future.take_back(key));
    }
    assert!(promise.cell.queued() < 10);
    assert!(future.take_back(oldest));
}

/// A cell of a small value is one of the blocks that threads keep.
#[test]
fn the_cell_is_small() {
    assert!(size_of::<super::cell::Cell<u64>>() <= 64, "{}", size_of::<super::cell::Cell<u64>>());
    assert_eq!(size_of::<Promise<u64>>(), size_of::<usize>());
    assert!(size_of::<Future<u64>>() <= 16);
}

#[test]
fn one_inside_of_something_else_is_settled_once_and_freed_with_it() {
    let inline = super::Inline::new();
    let told = Arc::new(AtomicUsize::new(0));
    let there = told.clone();
    inline.on_settled(move |outcome: &Outcome<String>| {
        there.store(outcome.as_ref().map_or(1, String::len), Ordering::SeqCst);
    });
    let mut place = None;
    let waker = futures_lite::future::block_on(std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())));
    let mut cx = Context::from_waker(&waker);
    assert!(inline.poll_settled(&mut place, &mut cx).is_pending());
    assert!(inline.get().is_none());
    inline.settle(Ok("done".to_owned())).unwrap();
    assert!(inline.settle(Ok("again".to_owned())).is_err());
    assert!(inline.poll_settled(&mut place, &mut cx).is_ready());
    assert_eq!(inline.get().unwrap().as_ref().unwrap(), "done");
    assert_eq!((inline.state(), told.load(Ordering::SeqCst)), (State::Completed, 4));
}

#[test]
fn one_inside_of_something_else_that_is_dropped_before_tells_those_who_wait() {
    let inline = super::Inline::<String>::new();
    let told = Arc::new(AtomicUsize::new(0));
    let there = told.clone();
    inline.on_settled(move |outcome| {
        let is_cancelled = matches!(outcome, Err(Failure::Cancelled(_)));
        there.store(usize::from(is_cancelled), Ordering::SeqCst);
    });
    let mut place = None;
    let waker = futures_lite::future::block_on(std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())));
    assert!(inline.poll_settled(&mut place, &mut Context::from_waker(&waker)).is_pending());
    inline.forget(&mut place);
    assert!(inline.poll_settled(&mut place, &mut Context::from_waker(&waker)).is_pending());
    drop(inline);
    assert_eq!(told.load(Ordering::SeqCst), 1);
}
