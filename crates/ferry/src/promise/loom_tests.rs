//! Promises under the model checker.

use super::*;
use loom::{future::block_on, sync::Arc, thread};
use std::task::Waker;

/// Two settlers race while a waiter registers: one wins, and the waiter always sees its outcome.
#[test]
fn loom_one_of_two_settlers_wins_and_the_waiter_wakes() {
    loom::model(|| {
        let (promise, future) = promise();
        let other = promise.clone();
        let settler = thread::spawn(move || other.complete(1).is_ok());
        let here = thread::spawn(move || promise.complete(2).is_ok());
        let got = block_on(future).unwrap();
        let (first, second) = (settler.join().unwrap(), here.join().unwrap());
        assert!(first != second, "exactly one settles");
        assert_eq!(got, if first { 1 } else { 2 });
    });
}

/// A waiter that gives up races with the settling and with another waiter: that one is served.
#[test]
fn loom_a_waiter_leaves_while_it_is_settled() {
    loom::model(|| {
        let (promise, future) = promise();
        let mut leaving = future.clone();
        let settler = thread::spawn(move || drop(promise.complete(Arc::new(5))));
        let leaver = thread::spawn(move || {
            let _ = leaving.poll_settled(&mut Context::from_waker(Waker::noop()));
            drop(leaving);
        });
        assert_eq!(*block_on(future).unwrap(), 5);
        settler.join().unwrap();
        leaver.join().unwrap();
    });
}

/// A waiter moves to another task while the promise is settled: the task that it moved to wakes.
#[test]
fn loom_a_waiter_moves_while_it_is_settled() {
    loom::model(|| {
        let (promise, mut future) = promise();
        let settler = thread::spawn(move || promise.complete(5).unwrap());
        let _ = future.poll_settled(&mut Context::from_waker(Waker::noop()));
        assert_eq!(block_on(future).unwrap(), 5);
        settler.join().unwrap();
    });
}

/// Two futures are dropped at once: the last of them, whichever that is, cancels the promise.
#[test]
fn loom_the_last_of_two_futures_to_go_cancels() {
    loom::model(|| {
        let (promise, future) = promise::<u32>();
        let droppers = [future.clone(), future].map(|future| thread::spawn(move || drop(future)));
        assert_eq!(block_on(promise.settled()), State::Cancelled);
        droppers.into_iter().for_each(|dropper| dropper.join().unwrap());
    });
}

/// The outcome is looked at while it is written: it's whole or not there.
#[test]
fn loom_the_outcome_is_read_while_it_is_settled() {
    loom::model(|| {
        let (promise, future) = promise();
        let reader = thread::spawn(move || {
            if let Some(Ok(seen)) = future.get() {
                assert_eq!(*seen, 5);
            }
        });
        // Refused where the reader was the last who waited.
        let _ = promise.complete(5);
        reader.join().unwrap();
    });
}

/// The last promise and the last future are dropped at once: it ends as cancelled, by one of the two.
#[test]
fn loom_both_ends_drop_at_once() {
    loom::model(|| {
        let (promise, future) = promise::<Arc<u32>>();
        let (sender, reasons) = std::sync::mpsc::channel();
        future.on_settled(move |outcome| sender.send(outcome.clone().map(drop)).unwrap());
        let ender = thread::spawn(move || drop(promise));
        drop(future);
        ender.join().unwrap();
        let Ok(Err(Failure::Cancelled(Some(why)))) = reasons.recv() else { panic!("it was not cancelled") };
        assert!(why.contains("dropped") || why.contains("nobody waits"), "{why}");
        assert!(reasons.recv().is_err(), "it is told once");
    });
}

/// A waiter registers on one thread while another registers here, and settles: both want the lock, and the waiter
/// is woken whoever has it first.
#[test]
fn loom_a_waiter_registers_beside_another_while_it_is_settled() {
    loom::model(|| {
        let (promise, mut future) = promise::<Arc<u32>>();
        let other = future.clone();
        let waiter = thread::spawn(move || assert_eq!(*block_on(other).unwrap(), 5));
        let _ = future.poll_settled(&mut Context::from_waker(Waker::noop()));
        promise.complete(Arc::new(5)).unwrap_or_else(|_| panic!("it was pending"));
        waiter.join().unwrap();
    });
}

/// Settled on one thread and read on another, both ends then go at once: the outcome is freed once, by the last,
/// after all that was done with it.
#[test]
fn loom_the_last_of_both_ends_frees_the_outcome() {
    loom::model(|| {
        let (promise, future) = promise::<Arc<u32>>();
        let settler = thread::spawn(move || drop(promise.complete(Arc::new(5))));
        if let Some(Ok(seen)) = future.get() {
            assert_eq!(**seen, 5);
        }
        drop(future);
        settler.join().unwrap();
    });
}

/// Clones of both ends are made and dropped on two threads: only with the last future is it cancelled.
#[test]
fn loom_clones_come_and_go_on_two_threads() {
    loom::model(|| {
        let (promise, future) = promise::<Arc<u32>>();
        let (other, settler) = (future.clone(), promise.clone());
        let cloner = thread::spawn(move || drop((other.clone(), other, settler)));
        drop(future.clone());
        assert_eq!(future.state(), State::Pending);
        cloner.join().unwrap();
        drop(future);
        assert_eq!(promise.state(), State::Cancelled);
    });
}

/// A callback is registered while the promise is settled: it's called once, by one of the two.
#[test]
fn loom_a_callback_is_registered_while_it_is_settled() {
    loom::model(|| {
        let (promise, future) = promise();
        let settler = thread::spawn(move || promise.complete(Arc::new(5)).unwrap());
        let (sender, calls) = std::sync::mpsc::channel();
        future.on_settled(move |outcome| sender.send(**outcome.as_ref().unwrap()).unwrap());
        settler.join().unwrap();
        assert_eq!(calls.iter().collect::<Vec<_>>(), [5]);
        drop(future);
    });
}

/// A callback is taken back while the promise is settled: it's called, or taken back.
#[test]
fn loom_a_callback_is_taken_back_while_it_is_settled() {
    loom::model(|| {
        let (promise, future) = promise();
        let (sender, calls) = std::sync::mpsc::channel();
        let owned = Arc::new(());
        let key = future.on_settled(move |_| sender.send(drop(owned)).unwrap());
        let settler = thread::spawn(move || promise.complete(5).unwrap());
        let taken_back = future.take_back(key);
        settler.join().unwrap();
        assert_eq!(calls.iter().count(), usize::from(!taken_back));
    });
}
