//! `select!` and intervals.

use asyncferry::{Instant, MissedTicks, interval, select, sleep};
use asyncferry_conformance::portable;
use std::{future::pending, time::Duration};

const MS: Duration = Duration::from_millis(1);

portable! {
    the_first_to_end_wins: async {
        let won = select! {
            () = sleep(Duration::from_secs(60)) => "slow",
            () = sleep(MS) => "fast",
            () = pending() => "never",
        };
        assert_eq!(won, "fast");
    };

    biased_takes_the_first_that_is_ready: async {
        for _ in 0..20 {
            let won = select! {
                biased;
                one = async { 1 } => one,
                two = async { 2 } => two,
            };
            assert_eq!(won, 1);
        }
    };

    fair_takes_either: async {
        let mut seen = [0; 2];
        for _ in 0..64 {
            let won = select! {
                one = async { 0 } => one,
                two = async { 1 } => two,
            };
            seen[won] += 1;
        }
        assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    };

    a_pattern_that_does_not_match_waits_for_the_others: async {
        let got = select! {
            Some(one) = async { None::<u32> } => one,
            two = async { sleep(MS).await; 2 } => two,
        };
        assert_eq!(got, 2);
        let none = select! {
            Some(one) = async { None::<u32> } => one,
            else => 0,
        };
        assert_eq!(none, 0);
    };

    intervals_tick: async {
        let start = Instant::now();
        let mut ticks = interval(2 * MS);
        for _ in 0..4 {
            ticks.tick().await;
        }
        assert!(start.elapsed() >= 6 * MS);
    };

    missed_ticks_are_skipped: async {
        let mut ticks = interval(2 * MS);
        ticks.set_missed_ticks(MissedTicks::Skip);
        let first = ticks.tick().await;
        sleep(5 * MS).await;
        ticks.tick().await;
        let next = ticks.tick().await;
        let since = (next - first).as_nanos();
        assert_eq!(since % (2 * MS).as_nanos(), 0, "{since}");
    };
}
