//! Where a thread may wait: a loop for each test.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

/// Whether there are WebSockets here.
pub fn has_websockets() -> bool {
    cfg!(not(target_family = "wasm"))
}

/// A number that no other run has.
pub fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A test on the real clock.
#[macro_export]
macro_rules! real_clock {
    ($body:expr) => {
        #[test]
        fn real_clock() {
            asyncferry::AsyncRuntime::block_on($body);
        }
    };
}

/// A test on the virtual clock.
#[macro_export]
macro_rules! virtual_clock {
    ($body:expr) => {
        #[test]
        fn virtual_clock() {
            asyncferry::AsyncRuntime::block_on_virtual(asyncferry::Order::Fifo, $body);
        }
    };
}

/// A test that starts loops itself.
#[macro_export]
macro_rules! plain {
    ($body:block) => {
        #[test]
        fn plain() $body
    };
}
