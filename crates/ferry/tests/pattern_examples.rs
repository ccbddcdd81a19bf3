//! The programs of `examples/patterns` say what they should, in whichever order their tasks run.

#![allow(dead_code, reason = "the programs' `main` is not called here")]

use asyncferry::testing;
use std::future::Future;

#[path = "../../../examples/patterns/agent_requests.rs"]
mod agent_requests;
#[path = "../../../examples/patterns/approvals.rs"]
mod approvals;
#[path = "../../../examples/patterns/background_tasks.rs"]
mod background_tasks;
#[path = "../../../examples/patterns/graceful_shutdown.rs"]
mod graceful_shutdown;
#[path = "../../../examples/patterns/health_ready.rs"]
mod health_ready;
#[path = "../../../examples/patterns/parallel_checks.rs"]
mod parallel_checks;
#[path = "../../../examples/patterns/task_distribution.rs"]
mod task_distribution;

fn check<F: Future<Output = Vec<String>>>(demo: impl Fn() -> F, expected: &[&str]) {
    testing::seeds(20).run(|| {
        let said = demo();
        async move { assert_eq!(said.await, expected) }
    });
}

#[test]
fn agent_requests_says() {
    check(
        agent_requests::demo,
        &[
            "divide by zero: it can't be done",
            "fast question: FAST QUESTION",
            "slow question: SLOW QUESTION",
            "too slow: the request was not answered within 200ms",
            "a response comes too late",
        ],
    );
}

#[test]
fn approvals_says() {
    check(
        approvals::demo,
        &[
            "the answer for website is delivered",
            "the answer for docs is delivered",
            "the answer for database is late: ask again",
            "docs: approved",
            "website: declined",
            "database: nobody answered within 300ms, so not approved",
        ],
    );
}

#[test]
fn background_tasks_says() {
    check(
        background_tasks::demo,
        &[
            "running: refresh_cache, send_mail, count_users, watch_files",
            "send_mail failed: no such host",
            "count_users failed: panicked: there are no users",
            "not ended in time: watch_files",
        ],
    );
}

#[test]
fn graceful_shutdown_says() {
    check(
        graceful_shutdown::demo,
        &[
            "short request begins",
            "longer request begins",
            "endless request begins",
            "short request is done",
            "shutting down",
            "late request: the shutdown has begun, so no other work is taken",
            "longer request is done",
            "endless request is rolled back",
            "not ended in time: endless request",
            "left in the queue: 0",
        ],
    );
}

#[test]
fn health_ready_says() {
    check(
        health_ready::demo,
        &[
            "ready",
            "not ready: database (failed: connection refused), redis",
            "not ready within 200ms: redis",
        ],
    );
}

#[test]
fn parallel_checks_says() {
    check(
        parallel_checks::demo,
        &[
            r#"agent 1: Ok("healthy")"#,
            r#"agent 2: Ok("healthy")"#,
            r#"agent 3: Ok("healthy")"#,
            r#"agent 4: Ok("healthy")"#,
            r#"agent 5: Err("agent 5 refused the connection")"#,
            r#"agent 6: Ok("healthy")"#,
            r#"agent 7: Ok("healthy")"#,
            r#"agent 8: Ok("healthy")"#,
            "at most 3 checks ran at once",
            "agent 5 refused the connection",
        ],
    );
}

#[test]
fn task_distribution_says() {
    check(
        task_distribution::demo,
        &[
            "task 1: 1",
            "task 2: 4",
            "task 3: task 3 is not for us",
            "task 4: panicked: task 4 is broken",
            "task 5: 25",
            "task 6: 36",
            "all ended in time",
            "task 7 comes too late",
        ],
    );
}
