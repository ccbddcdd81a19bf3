//! Approvals by a human: each request waits for the answer with its id, at most for a time.
//!
//!     cargo run -p asyncferry --example approvals
//!
//! The wrong way is an event beside a field that has the result: who wakes may find the result of another request, or
//! none any more. And a wait without a timeout waits for ever for a human who went home.

use asyncferry::{
    AsyncRuntime,
    patterns::{Answer, PendingRequests, RequestError},
    sleep, spawn_local,
};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_millis(300);

type Approvals = PendingRequests<&'static str, bool>;

async fn deploy(approvals: Approvals, id: &'static str) -> String {
    match approvals.request(id, PATIENCE).await {
        Ok(true) => format!("{id}: approved"),
        Ok(false) => format!("{id}: declined"),
        Err(RequestError::TimedOut(after)) => {
            format!("{id}: nobody answered within {after:?}, so not approved")
        }
        Err(error) => format!("{id}: {error}"),
    }
}

pub(crate) async fn demo() -> Vec<String> {
    let approvals = Approvals::new();
    let asked = ["docs", "website", "database"].map(|id| spawn_local(deploy(approvals.clone(), id)));

    // The human answers in an order of their own, and once too late.
    let mut log = Vec::new();
    for (pause, id, answer) in [(100, "website", false), (100, "docs", true), (200, "database", true)] {
        sleep(Duration::from_millis(pause)).await;
        match approvals.answer(&id, answer) {
            Answer::Delivered => log.push(format!("the answer for {id} is delivered")),
            Answer::Late(_) => log.push(format!("the answer for {id} is late: ask again")),
            Answer::Unknown(_) => log.push(format!("nobody asked for {id}")),
        }
    }
    for outcome in asked {
        log.push(outcome.await.unwrap_or_else(|error| error.to_string()));
    }
    log
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
