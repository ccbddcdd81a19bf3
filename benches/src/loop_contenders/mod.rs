//! The same programs on each contender's own API, and what they share.

pub mod asyncio;
pub mod ferry;
pub mod local;
pub mod tokio_ct;

use std::future::pending;

/// How many operations a round has.
pub const OPS: usize = 20_000;
/// How many timers are armed at once.
pub const TIMERS: usize = 1_000_000;
/// How many tasks sleep at once.
pub const SLEEPERS: usize = 200_000;

/// Pseudo-random spread, the same for each contender: number `i` of a sequence, below `limit`.
pub fn spread(i: usize, limit: u64) -> u64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) % limit
}

/// What an idle task adds to the resident memory of this process, in bytes.
pub fn idle_bytes(contender: &str) -> f64 {
    const TASKS: usize = 500_000;
    let grown = |spawn: &mut dyn FnMut()| {
        let before = resident();
        for _ in 0..TASKS {
            spawn();
        }
        before
    };
    match contender {
        "ferry" => asyncferry::AsyncRuntime::block_on(async {
            let before = grown(&mut || drop(asyncferry::spawn_local(async { pending::<()>().await })));
            asyncferry::yield_now().await;
            asyncferry::yield_now().await;
            (resident() - before) / TASKS as f64
        }),
        "tokio" => tokio_ct::runtime().block_on(async {
            let before = grown(&mut || drop(tokio::spawn(async { pending::<()>().await })));
            for _ in 0..TASKS / 32 {
                tokio::task::yield_now().await;
            }
            (resident() - before) / TASKS as f64
        }),
        _ => {
            let executor = async_executor::LocalExecutor::new();
            futures_lite::future::block_on(executor.run(async {
                let before = grown(&mut || executor.spawn(async { pending::<()>().await }).detach());
                for _ in 0..TASKS / 32 {
                    futures_lite::future::yield_now().await;
                }
                (resident() - before) / TASKS as f64
            }))
        }
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib * 1024.0)
}
