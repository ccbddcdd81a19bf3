//! Intervals, on the virtual clock: when their ticks are due, and when they come.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::{Order, executor::run_by_hand, sleep, spawn_local, timeout, yield_now};
use std::{cell::Cell, rc::Rc};

const PERIOD: Duration = Duration::from_millis(100);

/// When ticks were due and when they came, in milliseconds from the start, if so much work follows each.
fn ticks(missed: MissedTicks, period: Duration, work: &[u64]) -> Vec<(u64, u64)> {
    run_by_hand(Some(Order::Fifo), async {
        let begun = Instant::now();
        let since = |moment: Instant| u64::try_from((moment - begun).as_millis()).unwrap();
        let mut interval = interval(period);
        interval.set_missed_ticks(missed);
        let mut ticks = Vec::new();
        for work in work {
            let due = interval.tick().await;
            ticks.push((since(due), since(Instant::now())));
            sleep(Duration::from_millis(*work)).await;
        }
        ticks
    })
}

#[test]
fn the_first_tick_comes_at_once_and_each_next_one_a_period_later() {
    let expected = [(0, 0), (100, 100), (200, 200), (300, 300)];
    for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
        assert_eq!(ticks(missed, PERIOD, &[0, 50, 99, 0]), expected, "{missed:?}");
    }
}

/// The diagrams in tokio's documentation of `MissedTickBehavior`, and the edges.
#[test]
fn missed_ticks() {
    let check = |missed, work: &[u64], expected: &[(u64, u64)]| {
        assert_eq!(ticks(missed, PERIOD, work), expected, "{missed:?} after {work:?}");
    };
    let late = [0, 250, 0, 0, 0, 0];
    check(MissedTicks::Burst, &late, &[(0, 0), (100, 100), (200, 350), (300, 350), (400, 400), (500, 500)]);
    check(MissedTicks::Skip, &late, &[(0, 0), (100, 100), (200, 350), (400, 400), (500, 500), (600, 600)]);
    check(MissedTicks::Delay, &late, &[(0, 0), (100, 100), (200, 350), (450, 450), (550, 550), (650, 650)]);
    // By exactly whole periods.
    check(MissedTicks::Skip, &[200, 0, 0], &[(0, 0), (100, 200), (300, 300)]);
    check(MissedTicks::Burst, &[200, 0, 0], &[(0, 0), (100, 200), (200, 200)]);
    check(MissedTicks::Delay, &[200, 0, 0], &[(0, 0), (100, 200), (300, 300)]);
    // 5 ms is a timer's own lateness, and moves nothing.
    check(MissedTicks::Delay, &[105, 0, 0], &[(0, 0), (100, 105), (200, 200)]);
    check(MissedTicks::Delay, &[106, 0, 0], &[(0, 0), (100, 106), (206, 206)]);
}

#[test]
fn a_period_shorter_than_a_timers_lateness_is_delayed_after_a_period() {
    let short = Duration::from_millis(2);
    assert_eq!(ticks(MissedTicks::Delay, short, &[5, 0, 0]), [(0, 0), (2, 5), (7, 7)]);
    assert_eq!(ticks(MissedTicks::Delay, short, &[4, 0, 0]), [(0, 0), (2, 4), (4, 4)]);
}

#[test]
fn it_begins_when_it_is_told_to_and_anew_after_a_reset() {
    run_by_hand(Some(Order::Fifo), async {
        let begun = Instant::now();
        let mut interval = interval_at(begun + PERIOD * 3, PERIOD);
        assert_eq!((interval.tick().await - begun, begun.elapsed()), (PERIOD * 3, PERIOD * 3));
        sleep(PERIOD / 2).await;
        interval.reset();
        assert_eq!(interval.tick().await - begun, PERIOD * 9 / 2);
        interval.reset_at(begun + PERIOD * 10);
        assert_eq!(interval.tick().await - begun, PERIOD * 10);
        assert_eq!(interval.tick().await - begun, PERIOD * 11);
        assert_eq!(interval.period(), PERIOD);
    });
}

#[test]
fn one_that_begins_in_the_past_comes_at_once() {
    run_by_hand(Some(Order::Fifo), async {
        let begun = Instant::now();
        sleep(PERIOD * 5 / 2).await;
        let mut interval = interval_at(begun, PERIOD);
        interval.set_missed_ticks(MissedTicks::Skip);
        assert_eq!(interval.missed_ticks(), MissedTicks::Skip);
        assert_eq!((interval.tick().await, interval.tick().await), (begun, begun + PERIOD * 3));
    });
}

#[test]
#[should_panic(expected = "the period of an interval must be longer than zero")]
fn a_period_of_zero_is_refused() {
    run_by_hand(Some(Order::Fifo), async { drop(interval(Duration::ZERO)) });
}

#[test]
fn a_period_beyond_all_time_gives_one_tick() {
    run_by_hand(Some(Order::Fifo), async {
        let mut interval = interval(Duration::MAX);
        for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
            interval.set_missed_ticks(missed);
            interval.reset_at(Instant::now());
            interval.tick().await;
            assert!(timeout(PERIOD * 1_000_000, interval.tick()).await.is_err());
        }
    });
}

#[test]
fn a_burst_leaves_others_their_turns() {
    run_by_hand(Some(Order::Fifo), async {
        let mut interval = interval(PERIOD);
        interval.tick().await;
        sleep(PERIOD * 50).await;
        let turns = Rc::new(Cell::new(0));
        let counted = turns.clone();
        let other = spawn_local(async move {
            for _ in 0..50 {
                yield_now().await;
                counted.set(counted.get() + 1);
            }
        });
        for _ in 0..40 {
            interval.tick().await;
        }
        assert!(turns.get() >= 39);
        other.await.unwrap();
    });
}
