//! What a platform can't do, and that it says so; what it does instead.

use asyncferry::{AsyncError, AsyncRuntime, Order, sleep, spawn_blocking, spawn_local, yield_now};
use asyncferry_conformance::{
    plain,
    platform::{CAN_BLOCK, HAS_THREADS},
    real_clock, virtual_clock,
};
use std::{cell::Cell, rc::Rc, time::Duration};

mod a_blocking_call_inside_a_loop_is_an_error {
    use super::*;

    async fn check() {
        let error = AsyncRuntime::try_block_on(async {}).expect_err("a loop runs here");
        assert_eq!(matches!(error, AsyncError::PlatformNotSupported(_)), !CAN_BLOCK, "{error}");
        assert_eq!(matches!(error, AsyncError::Runtime(_)), CAN_BLOCK, "{error}");
    }
    real_clock!(check());
}

mod a_virtual_loop_inside_a_loop_is_refused {
    use super::*;

    async fn check() {
        let nested = || AsyncRuntime::try_block_on_virtual(Order::Fifo, async { 1 });
        assert!(matches!(nested(), Err(AsyncError::Runtime(_))));
        sleep(Duration::from_millis(1)).await;
        assert!(matches!(nested(), Err(AsyncError::Runtime(_))));
    }
    real_clock!(check());
    virtual_clock!(check());
}

mod without_threads_blocking_work_runs_at_the_next_turn {
    use super::*;

    async fn check() {
        if HAS_THREADS {
            return;
        }
        let turn = Rc::new(Cell::new(0));
        let seen = turn.clone();
        let other = spawn_local(async move { seen.set(seen.get() + 1) });
        let work = spawn_blocking(|| 3);
        assert_eq!(turn.get(), 0);
        yield_now().await;
        assert_eq!(turn.get(), 1);
        assert!(work.is_finished());
        assert_eq!((work.await, other.await), (Ok(3), Ok(())));
    }
    real_clock!(check());
}

mod a_pool_is_started_only_where_there_are_threads {
    use super::*;

    async fn check() {
        let started = AsyncRuntime::start_pool();
        assert_eq!(started.is_ok(), HAS_THREADS);
        assert_eq!(matches!(started, Err(AsyncError::PlatformNotSupported(_))), !HAS_THREADS);
    }
    real_clock!(check());
}

mod a_seed_gives_the_same_order_everywhere {
    use super::*;
    use std::cell::RefCell;

    async fn shuffled() -> Vec<u32> {
        let log = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let log = log.clone();
                spawn_local(async move { log.borrow_mut().push(number) })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        log.take()
    }

    plain!({
        let orders = [1, 2, 7].map(|seed| AsyncRuntime::block_on_virtual(Order::Seeded(seed), shuffled()));
        assert_eq!(orders, EXPECTED);
    });

    const EXPECTED: [[u32; 8]; 3] =
        [[7, 2, 0, 4, 3, 5, 1, 6], [2, 1, 0, 7, 3, 4, 5, 6], [4, 1, 5, 7, 2, 6, 0, 3]];
}

mod loops_on_virtual_clocks_leave_the_others_alone {
    use super::*;

    plain!({
        for _ in 0..2 {
            let slept = AsyncRuntime::block_on_virtual(Order::Fifo, async {
                let task = spawn_local(sleep(Duration::from_secs(3600)));
                task.await
            });
            assert_eq!(slept, Ok(()));
        }
    });

    async fn check() {
        sleep(Duration::from_millis(1)).await;
    }
    real_clock!(check());
}
