//! What breaks in peers, and must not here: a test for each row, named after what breaks there.
//!
//! | in peers | the test | in |
//! |---|---|---|
//! | exit with 200 in flight (19 of 40 runs crash) | `exit_with_200_in_flight` | `ending` |
//! | loop closed with work pending (778 "Event loop is closed") | `a_loop_closed_with_work_pending` | `ending` |
//! | gather(10k) starts 516 threads | `the_threads_of_a_gather_of_10k` | `waiting` |
//! | a dropped Rust future leaves the Python task running | `a_dropped_rust_future_and_its_python_task` | `stopping` |
//! | … and the reverse | `a_dropped_awaitable_and_its_rust_future` | `stopping` |
//! | … of a submitted function | `a_dropped_job_and_what_was_submitted` | `stopping` |
//! | a non-awaitable never resolves | `a_non_awaitable` | `stopping` |
//! | "boom" becomes "unknown error" | `the_text_of_boom` | `stopping` |
//! | fork hangs | `fork_beside_work_in_flight` | `ending` |
//! | `TaskGroup.create_task` refuses the awaitable | `task_group_create_task` | `waiting` |
//! | completion under a lock that Python takes deadlocks | `completion_under_a_lock_that_python_takes` | `waiting` |
//! | cancel messages are lost | `cancel_messages` | `stopping` |
//! | … and with them anyio's scopes | `cancel_messages_of_anyio_scopes` | `stopping` |
//! | runtime dropped with the GIL held hangs | `a_runtime_dropped_with_the_gil_held` | `ending` |
//! | … or at exit | `exit_with_destructors_that_take_the_gil` | `ending` |
//! | lost wake-up when a job ends before it is awaited | `a_job_that_ends_before_it_is_awaited` | `waiting` |
//! | … or while another thread looks | `a_look_from_another_thread_and_the_wake_up` | `waiting` |
//! | Ctrl-C in the middle of a batch: wake-ups are lost | `ctrl_c_in_the_middle_of_a_batch_and_its_wake_ups` | `ending` |
//! | … and work goes on | `ctrl_c_in_the_middle_of_a_batch_and_its_work` | `ending` |
//! | reference cycles through a waiting task | `reference_cycles_through_a_waiting_task` | `stopping` |
//! | two loops in two threads | `two_loops_in_two_threads` | `waiting` |
//! | … with a job for both | `two_loops_in_two_threads_await_the_same` | `waiting` |
//! | contextvars | `contextvars` | `waiting` |
//! | … of somebody else | `contextvars_of_who_came_first` | `waiting` |
//! | asyncio debug mode | `asyncio_debug_mode` | `waiting` |
//!
//! The same under `ferry run`, for a whole program: `crates/ferry-cli/tests/run/jobs.rs` (exit, fork, Ctrl-C).

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

#[path = "../bridge/alone.rs"]
mod alone;
mod ending;
#[path = "../bridge/probe.rs"]
mod probe;
#[path = "../bridge/program.rs"]
mod program;
mod stopping;
mod waiting;

use alone::check_alone;
use program::check;
