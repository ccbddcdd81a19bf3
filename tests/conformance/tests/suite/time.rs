//! Time: sleeps, timeouts, deadlines.

use asyncferry::{AsyncError, Instant, sleep, sleep_until, spawn_local, timeout, timeout_at, yield_now};
use asyncferry_conformance::portable;
use std::{cell::RefCell, future::pending, rc::Rc, time::Duration};

const MS: Duration = Duration::from_millis(1);

portable! {
    a_sleep_is_never_short: async {
        for micros in [0, 1, 300, 1_000, 1_700, 4_500] {
            let duration = Duration::from_micros(micros);
            let start = Instant::now();
            sleep(duration).await;
            assert!(start.elapsed() >= duration, "{:?} for {duration:?}", start.elapsed());
        }
    };

    sleepers_wake_by_deadline: async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = [5, 1, 4, 2, 3]
            .map(|order| {
                let log = log.clone();
                spawn_local(async move {
                    sleep(order * 3 * MS).await;
                    log.borrow_mut().push(order);
                })
            })
            .into();
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*log.borrow(), [1, 2, 3, 4, 5]);
    };

    equal_deadlines_wake_in_the_order_of_asking: async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let at = Instant::now() + 2 * MS;
        let tasks: Vec<_> = (0..4)
            .map(|order| {
                let log = log.clone();
                spawn_local(async move {
                    sleep_until(at).await;
                    log.borrow_mut().push(order);
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*log.borrow(), [0, 1, 2, 3]);
    };

    a_sleep_that_is_dropped_wakes_nobody: async {
        let task = spawn_local(sleep(Duration::from_secs(3600)));
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
    };

    a_timeout_ends_what_never_does: async {
        let start = Instant::now();
        assert_eq!(timeout(2 * MS, pending::<()>()).await, Err(AsyncError::Timeout(2 * MS)));
        assert!(start.elapsed() >= 2 * MS);
    };

    a_timeout_gives_what_comes_in_time: async {
        assert_eq!(timeout(Duration::from_secs(60), async { 7 }).await, Ok(7));
        let slow = async {
            sleep(MS).await;
            8
        };
        assert_eq!(timeout(Duration::from_secs(60), slow).await, Ok(8));
        assert!(timeout_at(Instant::now() + MS, sleep(Duration::from_secs(60))).await.is_err());
    };

    short_sleeps_in_a_row_add_up: async {
        let start = Instant::now();
        for _ in 0..10 {
            sleep(MS).await;
        }
        assert!(start.elapsed() >= 10 * MS);
    };
}
