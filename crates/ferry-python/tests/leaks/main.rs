//! No reference leaks: what there is in the process is counted before and after many jobs of each kind and of each
//! outcome (done, failed, cancelled, dropped without being awaited). The kinds stand in `kinds.py`, the counting in
//! `census.py`.
//!
//! | counted | by |
//! |---|---|
//! | objects of Python that its collector knows, jobs and what a home holds among them | `gc.get_objects()` |
//! | blocks of memory of Python | `sys.getallocatedblocks()` |
//! | blocks of memory of Rust: promises, wakers, letters, tasks | this binary's allocator |
//! | Rust futures that were not dropped | a guard in those of `probe` |
//! | tasks of tokio | its metrics |
//! | threads of Ferry, descriptors | the process's entries in `/proc`, where there is one |
//!
//! Of the five basic kinds 20,000 jobs are run for each outcome, so 100,000 for each; of the others fewer, as the
//! tests say. Python's collector is off meanwhile, and what there is then, before it has run, is held against nearly
//! the same bounds: reference counts alone free all of it.
//!
//! With `FERRY_SHOW_COUNTS` in the environment each count is printed (`--nocapture`).
//!
//! What threads do after a job has ended may take a moment, so a count that is too high is taken again for a while
//! before it fails a test.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

#[path = "../bridge/probe.rs"]
mod probe;
#[path = "../bridge/program.rs"]
mod program;

use asyncferry::AsyncRuntime;
use pyo3::prelude::*;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicIsize, Ordering},
    },
};

/// Counts the blocks that are in use.
struct Counting;

static BLOCKS: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: each call goes to the system's allocator as it is, whose contract is the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BLOCKS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps to the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BLOCKS.fetch_sub(1, Ordering::Relaxed);
        // SAFETY: the block came from `alloc` above, and so from the system.
        unsafe { System.dealloc(block, layout) }
    }
}

#[pymodule]
mod rust_side {
    use super::*;

    /// How many blocks of memory Rust has in use.
    #[pyfunction]
    fn blocks() -> isize {
        BLOCKS.load(Ordering::Relaxed)
    }

    /// How many tasks of the pool have not ended.
    #[pyfunction]
    fn tasks() -> usize {
        AsyncRuntime::tokio().metrics().num_alive_tasks()
    }
}

/// Runs `jobs` jobs of the kind that `kinds.py` calls `kind`, for each outcome, and counts.
#[track_caller]
fn count(kind: &str, jobs: usize) {
    // Others would be counted along.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    static INIT: std::sync::Once = std::sync::Once::new();
    INIT.call_once(|| pyo3::append_to_inittab!(rust_side));
    let program = format!("{}\n{}\nrun({kind}, {jobs})", include_str!("census.py"), include_str!("kinds.py"));
    program::check(&program);
}

#[test]
fn rust_futures_that_are_ready_at_once() {
    count("ready", 20_000);
}

#[test]
fn rust_futures_that_another_thread_completes() {
    count("from_a_thread", 20_000);
}

#[test]
fn plain_callables_that_were_submitted() {
    count("plain", 20_000);
}

#[test]
fn coroutine_functions_that_were_submitted() {
    count("coroutine", 20_000);
}

#[test]
fn rust_functions_that_were_submitted_by_name() {
    count("by_name", 20_000);
}

#[test]
fn coroutines_that_rust_awaits() {
    count("relayed", 2_000);
}

#[test]
fn gathers_of_ten() {
    count("gathered", 2_000);
}

#[test]
fn waits_for_ten() {
    count("waited", 2_000);
}

#[test]
fn races_of_ten() {
    count("raced", 2_000);
}

#[test]
fn ten_as_they_are_completed() {
    count("as_completed", 2_000);
}

#[test]
fn maps_of_ten() {
    count("mapped", 2_000);
}

#[test]
fn chains_of_three() {
    count("chained", 2_000);
}

#[test]
fn readers_of_progress() {
    count("progress", 2_000);
}

#[test]
fn detached_jobs() {
    count("detached", 2_000);
}

#[test]
fn timers() {
    count("timed", 2_000);
}

#[test]
fn jobs_that_are_waited_for_without_a_loop() {
    count("blocking", 2_000);
}
