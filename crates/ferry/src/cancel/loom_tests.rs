//! Scopes under the model checker.

use super::{
    Cancelled,
    scope::{Scope, Waiting},
};
use loom::{future::block_on, thread};
use std::{future::poll_fn, task::Poll};

/// A request races with a task that begins to wait: it always arrives.
#[test]
fn loom_a_request_reaches_who_waits() {
    loom::model(|| {
        let scope = Scope::new(None);
        let other = scope.clone();
        let requesting = thread::spawn(move || other.request(Cancelled::new("now")));
        let mut waiting = Waiting::new(scope.clone());
        assert_eq!(block_on(poll_fn(|cx| waiting.poll(cx))).message(), "now");
        assert!(requesting.join().unwrap());
        assert_eq!(scope.cancelling(), 1);
    });
}

/// Two wait while one request comes: it arrives exactly once, and the other is not disturbed.
#[test]
fn loom_a_request_arrives_once() {
    loom::model(|| {
        let scope = Scope::new(None);
        let other = scope.clone();
        let requesting = thread::spawn(move || other.request(Cancelled::default()));
        let mut both = [Waiting::new(scope.clone()), Waiting::new(scope)];
        let mut arrived = 0;
        block_on(poll_fn(|cx| {
            for waiting in &mut both {
                arrived += usize::from(waiting.poll(cx).is_ready());
            }
            if arrived > 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert_eq!(arrived, 1);
        requesting.join().unwrap();
    });
}

/// A body ends while a request is passed to its scope: it's used there, or refused for the caller to keep, or
/// goes back outside.
#[test]
fn loom_a_request_is_not_lost_when_a_body_ends() {
    loom::model(|| {
        let outer = Scope::new(None);
        let inner = Scope::new(Some(outer.clone()));
        let body = inner.clone();
        let ending = thread::spawn(move || body.end());
        let passed = inner.pass(Cancelled::new("kept"));
        ending.join().unwrap();
        let mut waiting = Waiting::new(outer);
        let mut waits = Box::pin(poll_fn(|cx| Poll::Ready(waiting.poll(cx).is_ready())));
        assert_eq!(block_on(&mut waits), passed);
    });
}
