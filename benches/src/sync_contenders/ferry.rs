//! Ferry's primitives.

use super::{OPS, alike, on_ferry};
use asyncferry::promise;
use futures_lite::future::poll_once;
use std::hint::black_box;

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
