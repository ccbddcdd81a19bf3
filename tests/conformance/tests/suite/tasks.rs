//! Tasks: spawned, joined, aborted, yielding.

use asyncferry::{
    AsyncError, TaskBuilder, promise, sleep, spawn, spawn_blocking, spawn_local, yield_now, yield_to_host,
};
use asyncferry_conformance::portable;
use std::{
    cell::{Cell, RefCell},
    future::pending,
    rc::Rc,
    time::Duration,
};

type Log = Rc<RefCell<Vec<u32>>>;

portable! {
    a_task_gives_its_value: async {
        assert_eq!(spawn_local(async { 6 * 7 }).await, Ok(42));
        assert_eq!(spawn(async { 6 * 7 }).await, Ok(42));
        assert_eq!(spawn_blocking(|| 6 * 7).await, Ok(42));
    };

    tasks_run_first_in_first_out: async {
        let log = Log::default();
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                let log = log.clone();
                spawn_local(async move {
                    for round in 0..3 {
                        log.borrow_mut().push(round * 10 + number);
                        yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(*log.borrow(), [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24]);
    };

    a_task_begins_after_the_one_that_spawned_it_waits: async {
        let began = Rc::new(Cell::new(false));
        let seen = began.clone();
        let task = spawn_local(async move { seen.set(true) });
        assert!(!began.get());
        assert!(!task.is_finished());
        yield_now().await;
        assert!(began.get());
        assert!(task.is_finished());
    };

    an_aborted_task_drops_what_it_owns_and_says_so: async {
        let owned = Rc::new(());
        let there = owned.clone();
        let task = spawn_local(async move {
            let _there = there;
            pending::<()>().await;
        });
        yield_now().await;
        assert_eq!(Rc::strong_count(&owned), 2);
        task.abort();
        assert!(matches!(task.await, Err(AsyncError::Cancelled(_))));
        assert_eq!(Rc::strong_count(&owned), 1);
    };

    a_task_that_ended_keeps_its_result_when_it_is_aborted: async {
        let task = spawn_local(async { 1 });
        yield_now().await;
        task.abort();
        assert!(task.is_finished());
        assert_eq!(task.await, Ok(1));
    };

    a_task_whose_handle_is_dropped_runs_on: async {
        let (promise, future) = promise();
        drop(spawn_local(async move {
            sleep(Duration::from_millis(1)).await;
            let _ = promise.complete(5);
        }));
        assert_eq!(future.await.ok(), Some(5));
    };

    names_and_ids_tell_tasks_apart: async {
        let named = TaskBuilder::new().name("reader").spawn_local(async {}).expect("a loop runs");
        let other = spawn_local(async {});
        assert_eq!(named.name(), Some("reader"));
        assert_eq!(other.name(), None);
        assert_ne!(named.id(), other.id());
        assert_eq!((named.await, other.await), (Ok(()), Ok(())));
    };

    a_thousand_tasks_all_end: async {
        let count = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..1000)
            .map(|_| {
                let count = count.clone();
                spawn_local(async move {
                    yield_now().await;
                    count.set(count.get() + 1);
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await, Ok(()));
        }
        assert_eq!(count.get(), 1000);
    };

    the_host_gets_its_turn: async {
        for _ in 0..3 {
            yield_to_host().await;
        }
    };

    tasks_wait_for_tasks: async {
        let inner = spawn_local(async {
            yield_now().await;
            20
        });
        let outer = spawn_local(async move { inner.await.map(|value| value + 1) });
        assert_eq!(outer.await, Ok(Ok(21)));
    };
}
