//! Tasks that are distributed to a few workers, with a bound on how many wait.
//!
//!     cargo run -p asyncferry --example task_distribution
//!
//! The wrong ways: a queue without a bound, which grows as long as who submits is faster; and a worker without a net,
//! which ends with the first task that fails, so that the queue fills and everybody waits for ever.

use asyncferry::{
    AsyncRuntime,
    patterns::{SubmitError, WorkerPool},
    sleep,
};
use std::time::Duration;

async fn process(task: u32) -> Result<u32, String> {
    sleep(Duration::from_millis(50)).await;
    match task {
        3 => Err("task 3 is not for us".to_owned()),
        4 => panic!("task 4 is broken"),
        _ => Ok(task * task),
    }
}

pub(crate) async fn demo() -> Vec<String> {
    let mut log = Vec::new();
    let pool = WorkerPool::new(2, 2, process);
    let mut outcomes = Vec::new();
    for task in 1..=6 {
        // Waits while the queue is full: so fast as the workers are, so fast are the tasks submitted.
        match pool.submit(task).await {
            Ok(outcome) => outcomes.push((task, outcome)),
            Err(refused) => log.push(format!("task {task}: {refused}")),
        }
    }
    for (task, outcome) in outcomes {
        log.push(match outcome.await {
            Ok(result) => format!("task {task}: {result}"),
            Err(failure) => format!("task {task}: {failure}"),
        });
    }
    log.push(pool.shutdown(Duration::from_secs(1)).await.to_string());
    if let Err(SubmitError::ShutDown(task)) = pool.submit(7).await {
        log.push(format!("task {task} comes too late"));
    }
    log
}

fn main() {
    AsyncRuntime::block_on(demo()).iter().for_each(|line| println!("{line}"));
}
