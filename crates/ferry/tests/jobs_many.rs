//! A million jobs, in bounded memory. It says how much that was; in a process of its own, as it looks at all that this has.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{AsyncRuntime, jobs::Pool};
use std::io::{self, Write};

/// The memory of this process, in kilobytes.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

#[test]
fn a_million_jobs_take_no_more_memory_than_the_queue_has_room_for() {
    const JOBS: u64 = 1_000_000;
    let pool = Pool::builder().workers(2).max_queued(1000).build();
    let submit = |jobs: u64| {
        AsyncRuntime::block_on(async {
            for number in 0..jobs {
                // One in a thousand has its result looked at.
                let job = pool.blocking(move |_| Ok::<_, io::Error>(number)).submit().await.unwrap();
                if number % 1000 == 0 {
                    assert_eq!(job.await.unwrap(), number);
                }
            }
        });
    };
    submit(10_000);
    let before = resident();
    submit(JOBS);
    let after = resident();
    assert!(AsyncRuntime::block_on(pool.shutdown(std::time::Duration::from_secs(60))).is_finished());
    assert_eq!(pool.metrics()[0].done, JOBS + 10_000);
    if let (Some(before), Some(after)) = (before, after) {
        let grown = after.saturating_sub(before);
        let mut stderr = io::stderr();
        writeln!(stderr, "1,000,000 jobs: {before} kB of memory before, {after} kB after").unwrap();
        assert!(grown < 20_000, "the memory grew by {grown} kB");
    }
}
