//! A forked child has a pool of its own. One test, as it changes the whole process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{AsyncRuntime, RuntimeConfig, spawn, spawn_blocking};
use std::num::NonZeroUsize;

#[test]
fn the_pool_of_a_child_is_another_of_the_same_size() {
    let config = RuntimeConfig { worker_threads: NonZeroUsize::new(3), ..RuntimeConfig::default() };
    AsyncRuntime::configure(config).unwrap();
    let work = || AsyncRuntime::block_on(async { (spawn(async { 1 }).await, spawn_blocking(|| 2).await) });
    assert_eq!(work(), (Ok(1), Ok(2)));
    let parents = AsyncRuntime::tokio().id();
    assert!(AsyncRuntime::configure(config).is_err(), "it has started");

    AsyncRuntime::forked();

    AsyncRuntime::configure(config).unwrap();
    assert_eq!(work(), (Ok(1), Ok(2)));
    assert_ne!(AsyncRuntime::tokio().id(), parents);
    assert_eq!(AsyncRuntime::tokio().metrics().num_workers(), 3);
}
