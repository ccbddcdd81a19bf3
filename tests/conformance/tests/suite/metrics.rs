//! What a loop counts.

use asyncferry::{AsyncRuntime, sleep, spawn_local, yield_now};
use asyncferry_conformance::{platform::HAS_THREADS, portable};
use std::time::Duration;

portable! {
    a_loop_counts_tasks_and_timers: async {
        let before = AsyncRuntime::metrics().expect("a loop runs");
        let task = spawn_local(sleep(Duration::from_millis(1)));
        yield_now().await;
        let during = AsyncRuntime::metrics().expect("a loop runs");
        assert_eq!(during.tasks_live, before.tasks_live + 1);
        assert_eq!(during.tasks_spawned, before.tasks_spawned + 1);
        assert_eq!(during.timers_armed, before.timers_armed + 1);
        assert!(during.polls > before.polls);
        assert_eq!(task.await, Ok(()));
        let after = AsyncRuntime::metrics().expect("a loop runs");
        assert_eq!(after.timers_fired, before.timers_fired + 1);
    };

    polls_are_timed_on_demand: async {
        AsyncRuntime::time_polls(true);
        let task = spawn_local(async { (0..1000_u32).sum::<u32>() });
        let id = task.id();
        assert!(task.await.is_ok());
        yield_now().await;
        let longest = AsyncRuntime::metrics().and_then(|metrics| metrics.longest_poll).expect("one was timed");
        AsyncRuntime::time_polls(false);
        assert!(longest.task == id || longest.spawned_at.is_none());
    };

    a_pool_has_metrics_where_there_is_one: async {
        assert_eq!(AsyncRuntime::start_pool().is_ok(), HAS_THREADS);
        assert_eq!(AsyncRuntime::pool_metrics().is_some(), HAS_THREADS);
    };
}
