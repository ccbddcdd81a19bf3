//! Jobs: what a pool promises, on the virtual clock and on real threads.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cancel;
mod engine;
mod full;
mod ids;
mod latent;
mod named;
mod order;
mod retry;
mod shutdown;
mod sweep;
mod threads;

use asyncferry::{AsyncRuntime, Order, Value, jobs::Pool, sleep};
use std::{future::Future, io, time::Duration};

const SECOND: Duration = Duration::from_secs(1);

/// Runs `test` on the virtual clock.
fn run<F: Future>(test: F) -> F::Output {
    AsyncRuntime::block_on_virtual(Order::Fifo, test)
}

fn one_worker() -> Pool {
    Pool::builder().workers(1).build()
}

/// What a job gives that can't fail.
type Sure<T> = Result<T, io::Error>;

/// A job that takes so many seconds, and gives `value`.
fn nap<T: Send + 'static>(pool: &Pool, seconds: u64, value: T) -> asyncferry::jobs::JobBuilder<T> {
    pool.task(move |_| async move {
        sleep(SECOND * u32::try_from(seconds).unwrap()).await;
        Sure::Ok(value)
    })
}

/// Arguments by position.
fn list<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Value {
    values.into_iter().map(Into::into).collect()
}
