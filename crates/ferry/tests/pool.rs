//! The pool keeps to its bounds. One test, as a process configures its pool once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{AsyncError, AsyncRuntime, RuntimeConfig, spawn, spawn_blocking};
use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

const JOBS: usize = 12;
const THREADS: usize = 3;

#[derive(Default)]
struct Seen {
    running: usize,
    peak: usize,
    threads: HashSet<thread::ThreadId>,
}

#[test]
fn blocking_work_keeps_to_the_configured_threads() {
    let config =
        RuntimeConfig { worker_threads: NonZeroUsize::new(2), blocking_threads: NonZeroUsize::new(THREADS) };
    AsyncRuntime::configure(config).unwrap();
    let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
    let job = || {
        let seen = seen.clone();
        move || {
            let mut now = seen.0.lock().unwrap();
            now.running += 1;
            now.peak = now.peak.max(now.running);
            now.threads.insert(thread::current().id());
            seen.1.notify_all();
            // Leaves time for one more to start than there may be.
            let patience = Duration::from_millis(20);
            let mut now = seen.1.wait_timeout_while(now, patience, |now| now.running <= THREADS).unwrap().0;
            now.running -= 1;
        }
    };
    AsyncRuntime::block_on(async {
        let jobs: Vec<_> = (0..JOBS).map(|_| spawn_blocking(job())).collect();
        // The workers are not among the threads that blocking work holds.
        assert_eq!(spawn(async { 1 }).await, Ok(1));
        for job in jobs {
            job.await.unwrap();
        }
    });
    let seen = seen.0.lock().unwrap();
    assert_eq!((seen.peak, seen.threads.len()), (THREADS, THREADS));
    assert_eq!(AsyncRuntime::tokio().metrics().num_workers(), 2);
    assert!(matches!(AsyncRuntime::configure(config), Err(AsyncError::Runtime(_))), "it has started");
}
