//! Where a thread may wait: a loop for each test.

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
