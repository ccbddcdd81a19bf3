//! Health checks of many agents, a few at a time.
//!
//!     cargo run -p asyncferry --example parallel_checks
//!
//! The wrong way is a task for each agent that waits for a permit of a semaphore: a million agents are a million tasks
//! that wait. Here so many checks exist as run. Where the calls don't come from one list, a `sync::Semaphore` around each
//! of them is right.

use asyncferry::{
    AsyncRuntime,
    patterns::{map_limited, map_limited_all},
    sleep,
};
use std::{cell::Cell, rc::Rc, time::Duration};

#[derive(Default)]
struct Checker {
    at_once: Cell<usize>,
    most: Cell<usize>,
}

impl Checker {
    async fn check(&self, agent: u64) -> Result<&'static str, String> {
        self.at_once.set(self.at_once.get() + 1);
        self.most.set(self.most.get().max(self.at_once.get()));
        sleep(Duration::from_millis(60 - 5 * agent)).await;
        self.at_once.set(self.at_once.get() - 1);
        if agent == 5 { Err(format!("agent {agent} refused the connection")) } else { Ok("healthy") }
    }
}

pub(crate) async fn demo() -> Vec<String> {
    let checker = Rc::new(Checker::default());
    // Each gets its check, and the results come in the order of the agents.
    let checking = checker.clone();
    let check = move |agent| {
        let checker = checking.clone();
        async move { checker.check(agent).await }
    };
    let results = map_limited_all(3, 1..=8, check.clone()).await;
    let mut log: Vec<_> =
        (1..).zip(results).map(|(agent, result)| format!("agent {agent}: {result:?}")).collect();
    log.push(format!("at most {} checks ran at once", checker.most.get()));

    // Where one that fails is enough to know, the others need not go on.
    log.push(match map_limited(3, 1..=8, check).await {
        Ok(_) => "all are healthy".to_owned(),
        Err(error) => error,
    });
    log
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
