//! Tests of what a loop counts.

use super::*;
use crate::{Order, sleep, spawn_local, yield_now};
use std::future::pending;

fn now() -> Metrics {
    AsyncRuntime::metrics().expect("a loop runs")
}

#[test]
fn tasks_and_polls_are_counted() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        assert_eq!((now().tasks_live, now().tasks_spawned, now().polls, now().queue_depth), (1, 1, 1, 0));
        let tasks: Vec<_> = (0..5).map(|_| spawn_local(yield_now())).collect();
        assert_eq!((now().tasks_live, now().tasks_spawned, now().queue_depth), (6, 6, 5));
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!((now().tasks_live, now().tasks_spawned), (1, 6));
        assert!(now().polls >= 11, "{:?}", now());
    });
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        assert_eq!((now().tasks_spawned, now().polls), (1, 1), "each loop begins anew");
    });
}

#[test]
fn timers_are_counted_and_their_lag_is_told() {
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        let never = spawn_local(sleep(Duration::from_secs(60)));
        sleep(Duration::from_secs(1)).await;
        assert_eq!((now().timers_armed, now().timers_fired), (1, 1));
        assert_eq!((now().timer_lag, now().timer_lag_max), (Duration::ZERO, Duration::ZERO));
        drop(never);
    });
    AsyncRuntime::block_on(async {
        let timer = spawn_local(sleep(Duration::from_micros(100)));
        yield_now().await;
        // A busy task makes the timer late.
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(3) {}
        assert_eq!(timer.await, Ok(()));
        assert!(now().timer_lag_max >= Duration::from_millis(2), "{:?}", now());
        sleep(Duration::from_micros(1)).await;
        assert!(now().timer_lag <= now().timer_lag_max);
    });
}

#[test]
fn the_longest_poll_is_told_with_its_place() {
    AsyncRuntime::block_on(async {
        spawn_local(async {}).await.expect("it ends");
        assert_eq!(now().longest_poll, None, "polls are not timed yet");
        AsyncRuntime::time_polls(true);
        let quick = spawn_local(async {});
        let slow = spawn_local(async {
            yield_now().await;
            let start = std::time::Instant::now();
            while start.elapsed() < Duration::from_millis(5) {}
        });
        let line = line!() - 5;
        let id = slow.id();
        assert_eq!((quick.await, slow.await), (Ok(()), Ok(())));
        let longest = now().longest_poll.expect("polls were timed");
        assert_eq!(longest.task, id);
        assert!(longest.duration >= Duration::from_millis(5));
        let place = longest.spawned_at.expect("it was spawned since");
        assert!(place.file().ends_with("tests.rs"), "{place}");
        assert_eq!(place.line(), line);
        AsyncRuntime::time_polls(false);
        drop(spawn_local(pending::<()>()));
        yield_now().await;
        assert_eq!(now().longest_poll.map(|poll| poll.task), Some(id), "what was seen stays");
    });
}
