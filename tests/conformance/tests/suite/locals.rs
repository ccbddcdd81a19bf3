//! Values that tasks carry.

use asyncferry::{TaskLocal, TaskLocals, sleep, spawn, spawn_blocking, spawn_local, yield_now};
use asyncferry_conformance::portable;
use std::time::Duration;

static NUMBER: TaskLocal<u32> = TaskLocal::new();

portable! {
    tasks_inherit_values: async {
        let seen = NUMBER.scope(7, async {
            let local = spawn_local(async {
                sleep(Duration::from_millis(1)).await;
                NUMBER.get()
            });
            let pool = spawn(async { NUMBER.get() });
            let blocking = spawn_blocking(|| NUMBER.get());
            (local.await, pool.await, blocking.await)
        });
        assert_eq!(seen.await, (Ok(Some(7)), Ok(Some(7)), Ok(Some(7))));
        assert_eq!(NUMBER.get(), None);
    };

    what_a_task_sets_stays_with_it: async {
        let tasks = [1, 2].map(|own| {
            spawn_local(async move {
                NUMBER.set(own);
                yield_now().await;
                NUMBER.get()
            })
        });
        for (task, own) in tasks.into_iter().zip([1, 2]) {
            assert_eq!(task.await, Ok(Some(own)));
        }
        let captured = NUMBER.sync_scope(5, TaskLocals::current);
        assert_eq!(captured.enter(|| NUMBER.get()), Some(5));
    };
}
