//! The order of events is asyncio's. Each program here was worked out for CPython's loop first: what is ready
//! runs first in, first out; a task's end reaches its waiter one tick later; timers come by deadline, then by
//! the order in which they were armed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncError, AsyncRuntime, Instant, Order, Sleep, TaskHandle, promise, sleep, sleep_until, spawn_local,
    timeout, yield_now,
};
use std::{cell::RefCell, future::Future, rc::Rc, time::Duration};

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn say(&self, word: impl ToString) {
        self.0.borrow_mut().push(word.to_string());
    }

    fn said(&self) -> String {
        self.0.borrow().join(" ")
    }

    /// A task that says its name with a number, once in each of so many ticks.
    fn ticker(&self, name: &'static str, ticks: u32) -> TaskHandle<()> {
        let log = self.clone();
        spawn_local(async move {
            for tick in 0..ticks {
                log.say(format!("{name}{tick}"));
                yield_now().await;
            }
        })
    }

    fn saying<T: 'static>(
        &self,
        word: &'static str,
        future: impl Future<Output = T> + 'static,
    ) -> TaskHandle<T> {
        let log = self.clone();
        spawn_local(async move {
            let output = future.await;
            log.say(word);
            output
        })
    }
}

/// Runs a program on the virtual and on the real clock, and compares what it says.
fn check(program: impl AsyncFn(Log), expected: &str) {
    let log = Log::default();
    AsyncRuntime::block_on_virtual(Order::Fifo, program(log.clone()));
    assert_eq!(log.said(), expected, "on the virtual clock");
    let log = Log::default();
    AsyncRuntime::block_on(program(log.clone()));
    assert_eq!(log.said(), expected, "on the real clock");
}

fn check_virtual(program: impl AsyncFn(Log), expected: &str) {
    let log = Log::default();
    AsyncRuntime::block_on_virtual(Order::Fifo, program(log.clone()));
    assert_eq!(log.said(), expected);
}

async fn join<T>(tasks: impl IntoIterator<Item = TaskHandle<T>>) {
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn ready_tasks_run_first_in_first_out() {
    let program = async |log: Log| {
        let tasks = [log.ticker("a", 3), log.ticker("b", 2), log.ticker("c", 3)];
        log.say("main");
        join(tasks).await;
    };
    check(program, "main a0 b0 c0 a1 b1 c1 a2 c2");
}

#[test]
fn a_tasks_end_reaches_its_waiter_one_tick_later() {
    let program = async |log: Log| {
        let child = log.saying("child", async {});
        let ticker = log.ticker("t", 3);
        child.await.unwrap();
        log.say("main");
        join([ticker]).await;
    };
    check(program, "child t0 main t1 t2");
}

#[test]
fn each_task_of_a_chain_costs_one_tick() {
    let program = async |log: Log| {
        let inner = log.saying("inner", yield_now());
        let middle = log.saying("middle", inner);
        let outer = log.saying("outer", middle);
        let ticker = log.ticker("t", 5);
        outer.await.unwrap().unwrap().unwrap();
        log.say("main");
        join([ticker]).await;
    };
    check(program, "t0 inner t1 middle t2 outer t3 main t4");
}

#[test]
fn a_task_that_has_ended_is_awaited_without_a_tick() {
    let program = async |log: Log| {
        let child = log.saying("child", async {});
        yield_now().await;
        assert!(child.is_finished());
        let ticker = log.ticker("t", 1);
        child.await.unwrap();
        log.say("main");
        join([ticker]).await;
    };
    check(program, "child main t0");
}

#[test]
fn a_future_awaited_directly_and_a_timeout_cost_no_tick() {
    let program = async |log: Log| {
        let ticker = log.ticker("t", 1);
        async { log.say("direct") }.await;
        timeout(Duration::from_secs(1), async { log.say("in time") }).await.unwrap();
        join([ticker]).await;
    };
    check(program, "direct in time t0");
}

#[test]
fn a_promise_wakes_its_waiters_in_order_one_tick_later() {
    let program = async |log: Log| {
        let (promise, future) = promise();
        let tasks = ["a", "b", "c"].map(|word| log.saying(word, future.clone()));
        yield_now().await;
        let ticker = log.ticker("t", 2);
        promise.complete(()).unwrap();
        log.say("settled");
        join(tasks).await;
        join([ticker]).await;
    };
    check(program, "settled t0 a b c t1");
}

#[test]
fn what_is_woken_first_runs_first() {
    let program = async |log: Log| {
        let (promise, future) = promise();
        let waiter = log.saying("waiter", future);
        yield_now().await;
        promise.complete(()).unwrap();
        let late = log.saying("late", async {});
        waiter.await.unwrap().unwrap();
        late.await.unwrap();
    };
    check(program, "waiter late");
}

#[test]
fn sleeping_for_no_time_takes_one_tick() {
    let program = async |log: Log| {
        let tasks = [log.saying("slept", sleep(Duration::ZERO)), log.ticker("t", 3)];
        join(tasks).await;
    };
    check(program, "t0 slept t1 t2");
}

#[test]
fn an_aborted_task_ends_in_the_next_tick_and_its_waiter_one_later() {
    struct Dropped(Log);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.say("dropped");
        }
    }
    let program = async |log: Log| {
        let owned = Dropped(log.clone());
        let task = spawn_local(async move {
            let _owned = owned;
            std::future::pending::<()>().await;
        });
        yield_now().await;
        let ticker = log.ticker("t", 3);
        task.abort();
        assert!(matches!(task.await, Err(AsyncError::Cancelled(_))));
        log.say("main");
        join([ticker]).await;
    };
    check(program, "t0 dropped t1 main t2");
}

#[test]
fn timers_come_by_deadline_then_by_arming() {
    let program = async |log: Log| {
        let ms = Duration::from_millis;
        let waits = [("c", 30), ("a", 10), ("b", 20), ("c2", 30), ("a2", 10)];
        join(waits.map(|(word, wait)| log.saying(word, sleep(ms(wait))))).await;
    };
    check_virtual(program, "a a2 b c c2");
}

#[test]
fn sleeps_that_differ_by_a_nanosecond_end_in_the_right_order() {
    let program = async |log: Log| {
        let waits = [("c", 1_000_002), ("b", 1_000_001), ("a", 1_000_000)];
        join(waits.map(|(word, wait)| log.saying(word, sleep(Duration::from_nanos(wait))))).await;
    };
    check_virtual(program, "a b c");
}

#[test]
fn sleeps_that_differ_by_microseconds_end_in_the_right_order_on_the_real_clock() {
    let log = Log::default();
    AsyncRuntime::block_on(async {
        let waits = [("e", 1_405), ("b", 1_102), ("a", 1_101), ("d", 1_404), ("c", 1_103)];
        let start = Instant::now();
        let until = |micros| sleep_until(start + Duration::from_micros(micros));
        join(waits.map(|(word, wait)| log.saying(word, until(wait)))).await;
        assert!(start.elapsed() >= Duration::from_micros(1_405), "a sleep ended too early");
    });
    assert_eq!(log.said(), "a b c d e");
}

#[test]
fn overdue_timers_come_in_the_order_of_their_deadlines() {
    let log = Log::default();
    AsyncRuntime::block_on(async {
        let start = Instant::now() + Duration::from_millis(1);
        let until = |millis| sleep_until(start + Duration::from_millis(millis));
        let tasks = [("c", 3), ("a", 1), ("b", 2)].map(|(word, wait)| log.saying(word, until(wait)));
        yield_now().await;
        // All three become due while the loop is held up.
        while Instant::now() < start + Duration::from_millis(3) {}
        join(tasks).await;
    });
    assert_eq!(log.said(), "a b c");
}

#[test]
fn timers_armed_when_they_were_overdue_come_by_deadline_in_the_next_tick() {
    let program = async |log: Log| {
        let (start, slept) = (Instant::now(), Duration::from_millis(1));
        sleep(slept).await;
        let before = |nanos| sleep_until(start + (slept - Duration::from_nanos(nanos)));
        let tasks =
            [("now", 0), ("b", 2), ("a", 3), ("b2", 2)].map(|(word, by)| log.saying(word, before(by)));
        let ticker = log.ticker("t", 3);
        join(tasks).await;
        join([ticker]).await;
    };
    check_virtual(program, "t0 t1 a b b2 now t2");
}

fn dense(count: u64) -> Vec<u64> {
    // A full period of a small generator: all different orders, many equal deadlines.
    let mut state = 12_345_u64;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % 5_000
        })
        .collect()
}

async fn arm_all(start: Instant, micros: &[u64]) -> Vec<(u64, usize)> {
    let ended = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..)
        .zip(micros)
        .map(|(number, micros)| {
            let (ended, micros) = (ended.clone(), *micros);
            let sleeping: Sleep = sleep_until(start + Duration::from_micros(micros));
            spawn_local(async move {
                sleeping.await;
                assert!(start.elapsed() >= Duration::from_micros(micros), "a sleep ended too early");
                ended.borrow_mut().push((micros, number));
            })
        })
        .collect();
    join(tasks).await;
    ended.take()
}

fn sorted(micros: &[u64]) -> Vec<(u64, usize)> {
    let mut sorted: Vec<_> = micros.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    sorted
}

#[test]
fn ten_thousand_dense_timers_end_sorted() {
    let micros = dense(10_000);
    let ended = AsyncRuntime::block_on_virtual(Order::Fifo, async { arm_all(Instant::now(), &micros).await });
    assert_eq!(ended, sorted(&micros));
}

#[test]
fn dense_timers_end_sorted_and_none_early_on_the_real_clock() {
    let micros = dense(500);
    let ended = AsyncRuntime::block_on(async {
        let start = Instant::now() + Duration::from_millis(5);
        arm_all(start, &micros).await
    });
    assert_eq!(ended, sorted(&micros));
}

fn seeded(order: Order) -> Vec<String> {
    let log = Log::default();
    AsyncRuntime::block_on_virtual(order, async {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        join(names.map(|name| log.ticker(name, 3))).await;
    });
    log.0.take()
}

#[test]
fn a_seed_gives_the_same_order_again_and_others_give_others() {
    let orders: Vec<_> = (0..20).map(|seed| seeded(Order::Seeded(seed))).collect();
    for (seed, order) in (0..).zip(&orders) {
        assert_eq!(*order, seeded(Order::Seeded(seed)));
    }
    let mut different = orders.clone();
    different.sort();
    different.dedup();
    // Two seeds that agree on 24 places would mean that there's no shuffle.
    assert_eq!(different.len(), orders.len());
}

#[test]
fn a_seed_shuffles_within_a_tick_only() {
    for seed in 0..20 {
        let order = seeded(Order::Seeded(seed));
        for (tick, words) in order.chunks(8).enumerate() {
            let mut words: Vec<_> = words.to_vec();
            words.sort();
            let expected = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| format!("{name}{tick}"));
            assert_eq!(words, expected, "seed {seed}");
        }
    }
}
