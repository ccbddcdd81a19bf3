//! WASI 0.2 alone: its pollables.

use asyncferry::{Instant, sleep, spawn_local, timeout, wasi::ready};
use asyncferry_conformance::real_clock;
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasip2::clocks::monotonic_clock::subscribe_duration;

const MS: Duration = Duration::from_millis(1);

async fn host_sleep(duration: Duration) {
    ready(Rc::new(subscribe_duration(duration.as_nanos() as u64))).await;
}

mod pollables_wake_their_tasks_among_timers {
    use super::*;

    real_clock!(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let tasks = [(30, true), (5, false), (15, true), (22, false)].map(|(order, is_hosts)| {
            let log = log.clone();
            spawn_local(async move {
                if is_hosts {
                    host_sleep(order * MS).await
                } else {
                    sleep(order * MS).await
                }
                log.borrow_mut().push(order);
            })
        });
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*log.borrow(), [5, 15, 22, 30]);
    });
}

mod a_pollable_that_nobody_awaits_any_more_is_forgotten {
    use super::*;

    real_clock!(async {
        let start = Instant::now();
        assert!(timeout(2 * MS, host_sleep(Duration::from_secs(3600))).await.is_err());
        sleep(MS).await;
        assert!(start.elapsed() < Duration::from_secs(60));
    });
}

mod two_may_await_one_pollable {
    use super::*;

    real_clock!(async {
        let pollable = Rc::new(subscribe_duration(3_000_000));
        let tasks = [(); 2].map(|()| spawn_local(ready(pollable.clone())));
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
    });
}
