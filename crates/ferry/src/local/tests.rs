//! Tests of the values that tasks carry.

use super::*;
use crate::{AsyncRuntime, Order, sleep, spawn, spawn_blocking, spawn_local, yield_now};
use std::time::Duration;

static NUMBER: TaskLocal<u32> = TaskLocal::new();
static NAME: TaskLocal<String> = TaskLocal::new();

fn both_clocks(test: impl AsyncFn()) {
    AsyncRuntime::block_on(test());
    AsyncRuntime::block_on_virtual(Order::Fifo, test());
}

#[test]
fn tasks_of_every_kind_inherit() {
    both_clocks(async || {
        let seen = NUMBER.scope(5, async {
            let local = spawn_local(async {
                yield_now().await;
                spawn_local(async { NUMBER.get() }).await
            });
            let pool = spawn(async {
                sleep(Duration::from_millis(1)).await;
                spawn(async { NUMBER.get() }).await
            });
            let blocking = spawn_blocking(|| NUMBER.get());
            (local.await, pool.await, blocking.await)
        });
        assert_eq!(seen.await, (Ok(Ok(Some(5))), Ok(Ok(Some(5))), Ok(Some(5))));
        assert_eq!(NUMBER.get(), None);
    });
}

#[test]
fn what_a_task_sets_stays_with_it() {
    both_clocks(async || {
        NUMBER.set(1);
        let tasks = [10, 20].map(|own| {
            spawn_local(async move {
                let inherited = NUMBER.get();
                NUMBER.set(own);
                yield_now().await;
                (inherited, NUMBER.get())
            })
        });
        for (task, own) in tasks.into_iter().zip([10, 20]) {
            assert_eq!(task.await, Ok((Some(1), Some(own))));
        }
        assert_eq!(NUMBER.get(), Some(1));
    });
    assert_eq!(NUMBER.get(), None, "it was the loop's main task that set it");
}

#[test]
fn scopes_nest_and_keep_what_is_set_in_them() {
    both_clocks(async || {
        let inner = async {
            assert_eq!((NUMBER.get(), NAME.get()), (Some(1), None));
            NAME.set("inner".to_owned());
            yield_now().await;
            NUMBER
                .scope(2, async {
                    yield_now().await;
                    assert_eq!((NUMBER.get(), NAME.get().as_deref()), (Some(2), Some("inner")));
                })
                .await;
            assert_eq!((NUMBER.get(), NAME.get().as_deref()), (Some(1), Some("inner")));
        };
        NUMBER.scope(1, inner).await;
        assert_eq!((NUMBER.get(), NAME.get()), (None, None));
    });
}

#[test]
fn a_destructor_sees_the_values_of_its_task() {
    struct Last(Arc<RefCellOfSeen>);
    type RefCellOfSeen = std::sync::Mutex<Vec<Option<u32>>>;
    impl Drop for Last {
        fn drop(&mut self) {
            self.0.lock().expect("nobody panics").push(NUMBER.get());
        }
    }
    let seen = Arc::<RefCellOfSeen>::default();
    AsyncRuntime::block_on(async {
        let owned = Last(seen.clone());
        let aborted = NUMBER.sync_scope(3, || {
            spawn_local(async move {
                let _owned = owned;
                std::future::pending::<()>().await;
            })
        });
        yield_now().await;
        aborted.abort();
        assert!(aborted.await.is_err());
        let owned = Last(seen.clone());
        drop(NUMBER.scope(4, async move { drop(owned) }));
    });
    assert_eq!(*seen.lock().expect("nobody panics"), [Some(3), Some(4)]);
}

#[test]
fn a_panic_leaves_the_values_as_they_were() {
    AsyncRuntime::block_on(async {
        let task = spawn_local(NUMBER.scope(9, async { panic!("oh") }));
        assert!(task.await.is_err());
        let caught = std::panic::catch_unwind(|| NUMBER.sync_scope(8, || panic!("no")));
        assert!(caught.is_err());
        assert_eq!(NUMBER.get(), None);
    });
}

#[test]
fn values_go_with_the_last_task_that_has_them() {
    static OWNED: TaskLocal<Arc<()>> = TaskLocal::new();
    let value = Arc::new(());
    AsyncRuntime::block_on(async {
        let task = OWNED.sync_scope(value.clone(), || spawn_local(yield_now()));
        assert_eq!(Arc::strong_count(&value), 2);
        assert_eq!(task.await, Ok(()));
        assert_eq!(Arc::strong_count(&value), 1);
        drop(OWNED.sync_scope(value.clone(), || spawn_local(std::future::pending::<()>())));
    });
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn what_is_not_set_says_so() {
    assert_eq!(NAME.try_with(String::len), Err(NotSet));
    let message = std::panic::catch_unwind(|| NAME.with(String::len)).expect_err("it's not set");
    assert!(message.downcast_ref::<String>().is_some_and(|text| text.contains("no value in this task")));
}

#[test]
fn a_scope_that_was_made_before_sees_what_stands_around_it() {
    both_clocks(async || {
        let inner = NUMBER.scope(1, async { (NUMBER.get(), NAME.get()) });
        assert_eq!(NAME.scope("outer".to_owned(), inner).await, (Some(1), Some("outer".to_owned())));
    });
}

#[test]
fn a_value_whose_destructor_panics_ends_neither_its_loop_nor_its_task() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    static BOMB: TaskLocal<Bomb> = TaskLocal::new();
    AsyncRuntime::block_on(async {
        assert_eq!(spawn_local(async { BOMB.set(Bomb) }).await, Ok(()));
        drop(spawn_local(async {
            BOMB.set(Bomb);
            std::future::pending::<()>().await;
        }));
        yield_now().await;
        assert_eq!(NUMBER.get(), None);
    });
}

#[test]
fn destructors_of_the_pools_tasks_see_their_values_too() {
    struct Last(std::sync::mpsc::Sender<Option<u32>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let _ = self.0.send(NUMBER.get());
        }
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    AsyncRuntime::block_on(async {
        let owned = Last(sender);
        let task = NUMBER.sync_scope(6, || {
            spawn(async move {
                let _owned = owned;
                std::future::pending::<()>().await;
            })
        });
        task.abort();
        assert!(task.await.is_err());
    });
    assert_eq!(receiver.recv(), Ok(Some(6)));
}

#[test]
fn a_value_can_be_taken_away() {
    AsyncRuntime::block_on(async {
        NUMBER.set(1);
        NUMBER.unset();
        assert_eq!(NUMBER.get(), None);
        assert!(TaskLocals::current().is_empty());
        NUMBER.unset();
    });
}
