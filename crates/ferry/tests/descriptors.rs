//! Loops give their file descriptors and tasks back. One test, as it counts what the whole process has open.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{AsyncRuntime, sleep, spawn_local, yield_now};
use std::{future::pending, time::Duration};

fn open_descriptors() -> usize {
    std::fs::read_dir("/dev/fd").unwrap().count()
}

fn run_loops(count: usize) {
    for round in 0..count {
        AsyncRuntime::block_on(async {
            drop(spawn_local(pending::<()>()));
            sleep(Duration::from_nanos(1)).await;
            if round % 50 == 0 {
                // A runtime with a task left on it is not used again: it must be closed.
                drop(tokio::spawn(pending::<()>()));
                yield_now().await;
            }
        });
    }
}

#[test]
fn ten_thousand_loops_leave_no_file_descriptor_open() {
    run_loops(100);
    let before = open_descriptors();
    run_loops(10_000);
    assert!(open_descriptors() <= before, "{} open, {before} before", open_descriptors());
    // At once, so that more engines exist than are kept.
    let threads: Vec<_> = (0..32).map(|_| std::thread::spawn(|| run_loops(60))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // An engine has four descriptors, and sixteen are kept.
    assert!(open_descriptors() <= before + 16 * 5, "{} open, {before} before", open_descriptors());
}
