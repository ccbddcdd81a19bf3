//! The two clocks: the virtual one jumps, stands still while it's held, and never reaches what never comes; the
//! real one is never early. And what zero and huge durations do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncError, AsyncRuntime, Instant, Order, hold_clock, promise, sleep, sleep_until, spawn, spawn_blocking,
    spawn_local, timeout, yield_now,
};
use std::{
    cell::Cell,
    future::{pending, ready},
    rc::Rc,
    sync::mpsc,
    thread,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn on_virtual<T>(program: impl Future<Output = T>) -> T {
    AsyncRuntime::block_on_virtual(Order::Fifo, program)
}

#[test]
fn the_virtual_clock_jumps_to_each_timer_and_nowhere_else() {
    on_virtual(async {
        let start = Instant::now();
        let year = Duration::from_secs(365 * 86_400);
        let seen = Rc::new(Cell::new(Duration::ZERO));
        let there = seen.clone();
        let task = spawn_local(async move {
            sleep(3 * SECOND).await;
            there.set(start.elapsed());
        });
        sleep(year).await;
        assert_eq!((seen.get(), start.elapsed()), (3 * SECOND, year));
        task.await.unwrap();
    });
}

#[test]
fn the_virtual_clock_stands_while_tasks_run() {
    on_virtual(async {
        let start = Instant::now();
        let sleeper = spawn_local(sleep(Duration::from_nanos(1)));
        for _ in 0..10_000 {
            yield_now().await;
        }
        assert_eq!((start.elapsed(), sleeper.is_finished()), (Duration::ZERO, false));
    });
}

#[test]
fn a_timer_that_was_taken_back_is_not_jumped_to() {
    on_virtual(async {
        let start = Instant::now();
        assert_eq!(timeout(SECOND, yield_now()).await, Ok(()));
        timeout(10 * SECOND, sleep(2 * SECOND)).await.unwrap();
        assert_eq!(start.elapsed(), 2 * SECOND);
        let task = spawn_local(sleep(5 * SECOND));
        yield_now().await;
        task.abort();
        sleep(7 * SECOND).await;
        assert_eq!(start.elapsed(), 9 * SECOND);
    });
}

#[test]
fn a_hold_keeps_the_clock_while_a_thread_works() {
    let (answer, elapsed) = on_virtual(async {
        let start = Instant::now();
        let (promise, future) = promise();
        let (first, second) = (hold_clock(), hold_clock());
        drop(first);
        thread::spawn(move || {
            // tidy: sleep: the loop must have had the time to jump, if it would.
            thread::sleep(Duration::from_millis(5));
            promise.complete(42).unwrap();
            drop(second);
        });
        let answer = timeout(SECOND, future).await.expect("the clock ran on although it was held").unwrap();
        (answer, start.elapsed())
    });
    assert_eq!((answer, elapsed), (42, Duration::ZERO));
}

#[test]
fn without_a_hold_the_clock_does_not_wait_for_threads() {
    on_virtual(async {
        let (promise, future) = promise();
        let (go, wait) = mpsc::channel();
        let working = thread::spawn(move || {
            wait.recv().unwrap();
            promise.complete(42)
        });
        assert_eq!(timeout(SECOND, future).await.unwrap_err(), AsyncError::Timeout(SECOND));
        go.send(()).unwrap();
        // The future went with its timeout, which cancelled the promise.
        assert_eq!(working.join().unwrap(), Err(42));
    });
}

#[test]
fn a_clock_runs_on_once_its_hold_is_let_go() {
    on_virtual(async {
        let hold = hold_clock();
        thread::spawn(move || drop(hold));
        sleep(SECOND).await;
        drop(hold_clock());
        sleep(SECOND).await;
    });
}

#[test]
fn a_hold_that_outlives_its_loop_stops_no_other_clock() {
    let hold = on_virtual(async { hold_clock() });
    on_virtual(async { sleep(SECOND).await });
    drop(hold);
    on_virtual(async { sleep(SECOND).await });
}

#[test]
fn a_hold_on_the_real_clock_does_nothing() {
    AsyncRuntime::block_on(async {
        let _hold = hold_clock();
        sleep(Duration::from_micros(100)).await;
    });
}

#[test]
fn under_the_virtual_clock_spawned_work_takes_its_turn_on_the_loop() {
    on_virtual(async {
        let home = thread::current().id();
        let (said, word) = mpsc::channel();
        let say = |text: &'static str| {
            let said = said.clone();
            move || {
                assert_eq!(thread::current().id(), home);
                said.send(text).unwrap();
            }
        };
        let (local, sent, blocking) = (say("local"), say("sent"), say("blocking"));
        let tasks =
            [spawn_blocking(blocking), spawn(async move { sent() }), spawn_local(async move { local() })];
        assert!(word.try_recv().is_err(), "nothing runs before its turn");
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(word.try_iter().collect::<Vec<_>>(), ["blocking", "sent", "local"]);
        let start = Instant::now();
        spawn(sleep(SECOND)).await.unwrap();
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn each_virtual_loop_starts_its_clock_anew() {
    let start = on_virtual(async {
        let start = Instant::now();
        sleep(SECOND).await;
        start
    });
    assert_eq!(on_virtual(async { Instant::now() }), start);
}

#[test]
fn no_time_is_a_timeout_before_the_future_is_polled() {
    for virtual_clock in [true, false] {
        let program = async {
            let untouched = timeout(Duration::ZERO, async { panic!("it was polled") });
            assert_eq!(untouched.await, Err::<(), _>(AsyncError::Timeout(Duration::ZERO)));
            assert!(timeout(Duration::ZERO, ready(1)).await.is_err());
            sleep(Duration::ZERO).await;
        };
        if virtual_clock { on_virtual(program) } else { AsyncRuntime::block_on(program) }
    }
}

#[test]
fn a_future_that_is_ready_when_its_time_ends_wins() {
    on_virtual(async {
        let raced = timeout(SECOND, sleep(SECOND)).await;
        assert_eq!(raced, Ok(()), "both are due in one tick; the work is done, so it counts");
    });
}

#[test]
fn a_timeout_counts_from_when_its_future_first_waited() {
    on_virtual(async {
        let late = timeout(SECOND, pending::<()>());
        sleep(5 * SECOND).await;
        let start = Instant::now();
        assert_eq!(late.await, Err(AsyncError::Timeout(SECOND)));
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn a_huge_duration_never_ends() {
    on_virtual(async {
        let century = Duration::from_secs(100 * 365 * 86_400);
        let forever = spawn_local(sleep(Duration::MAX));
        assert!(timeout(century, sleep(Duration::MAX)).await.is_err());
        assert_eq!(timeout(Duration::MAX, sleep(century)).await, Ok(()));
        assert!(!forever.is_finished());
    });
    AsyncRuntime::block_on(async {
        let forever = spawn_local(sleep(Duration::MAX));
        let instant = spawn_local(sleep_until(Instant::now() + Duration::MAX));
        assert!(timeout(Duration::from_millis(1), sleep(Duration::MAX)).await.is_err());
        assert_eq!(timeout(Duration::MAX, sleep(Duration::from_millis(1))).await, Ok(()));
        assert!(!forever.is_finished() && !instant.is_finished());
    });
}

#[test]
fn instants_saturate() {
    let now = Instant::now();
    assert_eq!(now + Duration::MAX, now + Duration::MAX + SECOND);
    assert_eq!(now - (now + SECOND), Duration::ZERO);
    assert_eq!((now + SECOND) - now, SECOND);
    assert_eq!((now + SECOND).elapsed(), Duration::ZERO);
}

#[test]
fn real_sleeps_are_never_early() {
    AsyncRuntime::block_on(async {
        for micros in [1, 50, 300, 1_500] {
            let (start, clock) = (Instant::now(), std::time::Instant::now());
            sleep(Duration::from_micros(micros)).await;
            assert!(start.elapsed() >= Duration::from_micros(micros));
            assert!(clock.elapsed() >= Duration::from_micros(micros));
        }
    });
}

#[test]
fn an_earlier_timer_moves_the_alarm_forward() {
    AsyncRuntime::block_on(async {
        let far = spawn_local(sleep(Duration::from_secs(3600)));
        // While it waits for a thread, the loop sleeps with the far timer as its next.
        for _ in 0..10 {
            spawn_blocking(|| ()).await.unwrap();
        }
        let near = spawn_local(sleep(Duration::from_millis(2)));
        // If the alarm stayed where it was, this would take an hour.
        near.await.unwrap();
        far.abort();
    });
}

#[test]
fn an_alarm_that_rings_for_a_cancelled_timer_does_not_stop_later_ones() {
    AsyncRuntime::block_on(async {
        for _ in 0..50 {
            assert!(timeout(Duration::from_micros(30), pending::<()>()).await.is_err());
            timeout(Duration::from_micros(200), yield_now()).await.unwrap();
            sleep(Duration::from_micros(150)).await;
        }
    });
}

#[test]
fn a_real_instant_is_stds_too() {
    AsyncRuntime::block_on(async {
        let (before, instant, after) = (std::time::Instant::now(), Instant::now(), std::time::Instant::now());
        let same = std::time::Instant::from(instant);
        assert!(before <= same && same <= after);
    });
}

#[test]
fn a_timer_comes_at_the_next_tick_however_fast_the_tasks_were_before() {
    let turns = AsyncRuntime::block_on(async {
        for _ in 0..10_000 {
            yield_now().await;
        }
        let sleeper = spawn_local(sleep(Duration::from_millis(1)));
        let mut turns = 0;
        while !sleeper.is_finished() {
            // A slow task: each of its turns takes as long as the timer.
            let start = std::time::Instant::now();
            while start.elapsed() < Duration::from_millis(1) {}
            turns += 1;
            yield_now().await;
        }
        turns
    });
    assert!(turns <= 4, "the timer was {turns} ticks late");
}
