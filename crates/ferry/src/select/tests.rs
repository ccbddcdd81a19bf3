//! What `select!` promises, rule by rule of its documentation.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::{
    Instant, Order,
    executor::run_by_hand,
    promise, sleep, spawn_local,
    sync::{Event, Queue},
    yield_now,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::{Future, pending, ready},
    rc::Rc,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn run<F: Future>(main: F) -> F::Output {
    run_by_hand(Some(Order::Fifo), main)
}

/// Which of four branches that are ready wins, so many times in a row.
async fn winners(rounds: usize) -> Vec<u32> {
    let mut winners = Vec::new();
    for _ in 0..rounds {
        winners.push(select! {
            () = ready(()) => 0,
            () = ready(()) => 1,
            () = ready(()) => 2,
            () = ready(()) => 3,
        });
    }
    winners
}

#[test]
fn the_first_that_ends_wins_and_the_others_are_dropped_before_its_handler() {
    run(async {
        let begun = Instant::now();
        let owned = Rc::new(());
        let there = owned.clone();
        let slow = async move {
            sleep(SECOND * 9).await;
            drop(there);
        };
        let value = select! {
            () = slow => unreachable!(),
            () = sleep(SECOND) => Rc::strong_count(&owned),
        };
        assert_eq!((value, begun.elapsed()), (1, SECOND));
    });
}

#[test]
fn a_handler_may_use_what_the_futures_had_borrowed() {
    run(async {
        let mut numbers = vec![1, 2];
        async fn take(numbers: &mut Vec<u32>) -> u32 {
            yield_now().await;
            numbers.pop().unwrap()
        }
        select! {
            number = take(&mut numbers) => numbers.push(number * 10),
            () = pending() => {}
        }
        assert_eq!(numbers, [1, 20]);
    });
}

#[test]
fn a_handler_may_await_break_continue_and_return() {
    async fn first_even(queue: &Queue<u32>) -> Result<u32, String> {
        let mut seen = 0;
        'all: loop {
            select! {
                number = queue.get() => {
                    let number = number.map_err(|_| "shut down")?;
                    seen += 1;
                    if number % 2 == 1 {
                        continue;
                    }
                    yield_now().await;
                    if number == 4 { return Ok(seen) }
                    break 'all;
                },
                () = sleep(SECOND) => break,
            }
        }
        Err(format!("ended after {seen}"))
    }
    let check = |items: &[u32], expected: Result<u32, &str>| {
        run(async {
            let queue = Queue::new(0);
            for item in items {
                queue.put_nowait(*item).unwrap();
            }
            assert_eq!(first_even(&queue).await, expected.map_err(str::to_owned));
        });
    };
    check(&[1, 3, 4], Ok(3));
    check(&[1, 2, 4], Err("ended after 2"));
    check(&[1], Err("ended after 1"));
}

#[test]
fn a_branch_whose_pattern_does_not_fit_is_disabled_and_its_output_dropped() {
    run(async {
        let dropped = Rc::new(());
        let there = dropped.clone();
        let value = select! {
            Err(number) = ready(Ok::<_, u32>(there)) => number,
            () = sleep(SECOND) => Rc::strong_count(&dropped) as u32,
        };
        assert_eq!(value, 1);
    });
}

#[test]
fn patterns_of_every_kind() {
    run(async {
        let owned = select! { Some(mut text) = ready(Some("a".to_owned())) => { text.push('b'); text } };
        assert_eq!(owned, "ab");
        let length = select! { (ref text, _) = ready(("abc".to_owned(), 1)) => text.len() };
        assert_eq!(length, 3);
        let changed = select! { (ref mut number, 2) = ready((1, 2)) => { *number += 1; *number } };
        assert_eq!(changed, 2);
        let either = select! { Ok(number) | Err(number) = ready(Err::<u32, u32>(5)) => number };
        assert_eq!(either, 5);
        let near = select! { number @ 1..=9 = ready(7) => number, else => 0 };
        assert_eq!(near, 7);
        let same = select! { &number = ready(&8) => number };
        assert_eq!(same, 8);
        let any = select! { _ = ready(Box::new(1)) => 1 };
        assert_eq!(any, 1);
        let moved = select! { boxed = ready(Box::new(9)) => *boxed };
        assert_eq!(moved, 9);
    });
}

#[test]
fn conditions_come_first_and_futures_of_disabled_branches_are_made_but_not_polled() {
    run(async {
        let log = RefCell::new(Vec::new());
        let say = |what| log.borrow_mut().push(what);
        let condition = |what, holds| {
            say(what);
            holds
        };
        let future = |what| {
            say(what);
            async move { say("polled") }
        };
        select! {
            biased;
            () = future("first"), if condition("no", false) => unreachable!(),
            () = future("second"), if condition("yes", true) => say("handled"),
        }
        assert_eq!(log.into_inner(), ["no", "yes", "first", "second", "polled", "handled"]);
    });
}

#[test]
fn else_runs_when_all_branches_are_disabled() {
    run(async {
        let check = async |number: Option<u32>, is_enabled: bool, expected: &str| {
            let value = select! {
                Some(_) = ready(number) => "a number",
                () = pending(), if is_enabled => unreachable!(),
                () = sleep(SECOND), if is_enabled => "time",
                else => "nothing"
            };
            assert_eq!(value, expected);
        };
        check(Some(1), false, "a number").await;
        check(None, true, "time").await;
        check(None, false, "nothing").await;
        assert_eq!(select! { else => 3 }, 3);
        assert_eq!(select! { biased; else => 4, }, 4);
    });
}

#[test]
#[should_panic(expected = "all branches of a select! are disabled, and it has no `else`")]
fn without_an_else_that_panics() {
    run(async {
        select! {
            Some(()) = ready(None) => {}
            () = pending(), if false => {}
        }
    });
}

#[test]
fn futures_by_reference_go_on_later() {
    run(async {
        let begun = Instant::now();
        let mut long = std::pin::pin!(async {
            sleep(SECOND * 3).await;
            "done"
        });
        let mut ticks = 0;
        let ended = loop {
            select! {
                ended = &mut long => break ended,
                () = sleep(SECOND * 2) => ticks += 1,
            }
        };
        assert_eq!((ended, ticks, begun.elapsed()), ("done", 1, SECOND * 3));
    });
}

#[test]
fn a_biased_one_polls_in_the_order_of_its_branches() {
    run(async {
        for _ in 0..50 {
            let won = select! {
                biased;
                () = pending() => 0,
                () = ready(()) => 1,
                () = ready(()) => 2,
            };
            assert_eq!(won, 1);
        }
    });
}

#[test]
fn a_fair_one_gives_each_branch_its_share() {
    let check = |winners: Vec<u32>| {
        for branch in 0..4 {
            let won = winners.iter().filter(|winner| **winner == branch).count();
            assert!((150..350).contains(&won), "branch {branch} won {won} of 1000 times");
        }
    };
    check(run(winners(1000)));
    check(run_by_hand(Some(Order::Seeded(5)), winners(1000)));
    check(run_by_hand(None, winners(1000)));
    check(futures_lite::future::block_on(winners(1000)));
}

#[test]
fn on_the_virtual_clock_a_seed_repeats_what_wins() {
    for order in [Order::Fifo, Order::Seeded(1), Order::Seeded(2)] {
        let first = run_by_hand(Some(order), winners(64));
        assert_eq!(first, run_by_hand(Some(order), winners(64)));
    }
    let runs: BTreeSet<_> = (0..20).map(|seed| run_by_hand(Some(Order::Seeded(seed)), winners(64))).collect();
    assert_eq!(runs.len(), 20);
    // Off the virtual clock it begins elsewhere each time.
    let runs: BTreeSet<_> = (0..20).map(|_| run_by_hand(None, winners(64))).collect();
    assert_eq!(runs.len(), 20);
}

#[test]
fn it_waits_without_being_polled_in_vain() {
    run(async {
        let (event, polls) = (Rc::new(Event::new()), Rc::new(Cell::new(0)));
        let (there, counted) = (event.clone(), polls.clone());
        let waiting = spawn_local(async move {
            let counting = std::future::poll_fn(|_| {
                counted.set(counted.get() + 1);
                std::task::Poll::<()>::Pending
            });
            select! {
                () = counting => unreachable!(),
                () = there.wait() => {}
            }
        });
        sleep(SECOND).await;
        event.set();
        waiting.await.unwrap();
        assert!(polls.get() <= 2, "one poll at first, one at most when it was woken");
    });
}

#[test]
fn what_a_loser_waited_for_is_left_to_others() {
    run(async {
        let queue = Queue::new(0);
        let (promise, future) = promise::<u32>();
        promise.complete(1).unwrap();
        let won = select! {
            biased;
            Ok(item) = queue.get() => item,
            Ok(value) = future => value,
        };
        queue.put_nowait(2).unwrap();
        assert_eq!((won, queue.get().await), (1, Ok(2)));
    });
}

#[test]
fn a_task_of_the_pool_may_use_it() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let task = is_send(async {
        let queue = Queue::new(0);
        select! {
            Ok(item) = queue.get() => item,
            () = sleep(SECOND) => 5,
        }
    });
    assert_eq!(run(task), 5);
}

#[test]
fn many_branches() {
    run(async {
        let won = select! {
            0 = ready(1) => 0, 0 = ready(1) => 1, 0 = ready(1) => 2, 0 = ready(1) => 3, 0 = ready(1) => 4,
            0 = ready(1) => 5, 0 = ready(1) => 6, 0 = ready(1) => 7, 0 = ready(1) => 8, 0 = ready(1) => 9,
            0 = ready(1) => 10, 0 = ready(1) => 11, 0 = ready(1) => 12, 0 = ready(1) => 13, 0 = ready(1) => 14,
            0 = ready(1) => 15, 0 = ready(1) => 16, 0 = ready(1) => 17, 0 = ready(1) => 18, 0 = ready(1) => 19,
            number = ready(20) => number,
        };
        assert_eq!(won, 20);
    });
}
