//! The first task-local that a program ever sets, set inside a task: one test, as there is one first in a process.

use asyncferry::{AsyncRuntime, TaskLocal, spawn_local, yield_now};

#[test]
fn the_first_value_of_all_stays_with_its_task_as_well() {
    static NUMBER: TaskLocal<u32> = TaskLocal::new();
    AsyncRuntime::block_on(async {
        let first = spawn_local(async {
            NUMBER.set(1);
            yield_now().await;
            NUMBER.get()
        });
        let other = spawn_local(async { NUMBER.get() });
        assert_eq!((first.await, other.await), (Ok(Some(1)), Ok(None)));
        assert_eq!(NUMBER.get(), None);
    });
}
