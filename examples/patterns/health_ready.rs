//! A service whose parts become ready one by one, and who waits for all of them.
//!
//!     cargo run -p asyncferry --example health_ready
//!
//! The wrong way is one event that is set after all checks: when a check fails it's never set, and who waits learns
//! nothing but that time is up. Here the wait ends at once, and names the part and its error.

use asyncferry::{AsyncRuntime, patterns::Readiness, sleep, spawn_local};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_millis(200);

async fn check(part: &'static str, milliseconds: u64, refused: &[&str]) -> Result<(), String> {
    sleep(Duration::from_millis(milliseconds)).await;
    if refused.contains(&part) { Err("connection refused".to_owned()) } else { Ok(()) }
}

async fn start(refused: &'static [&'static str], redis_takes: u64) -> String {
    let readiness = Readiness::new(["database", "redis"]);
    for (part, takes) in [("database", 50), ("redis", redis_takes)] {
        let readiness = readiness.clone();
        drop(spawn_local(async move { readiness.starting(part, check(part, takes, refused)).await }));
    }
    // Any number of tasks may wait for it.
    let waits = [(); 2].map(|()| {
        let readiness = readiness.clone();
        spawn_local(async move { readiness.wait(PATIENCE).await })
    });
    let mut told = Vec::new();
    for wait in waits {
        told.push(match wait.await {
            Ok(Ok(())) => "ready".to_owned(),
            Ok(Err(not_ready)) => not_ready.to_string(),
            Err(error) => error.to_string(),
        });
    }
    told.dedup();
    told.join(", but also ")
}

pub(crate) async fn demo() -> Vec<String> {
    vec![start(&[], 100).await, start(&["database"], 100).await, start(&[], 10_000).await]
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
