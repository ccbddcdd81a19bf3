//! Each way of using the runtime wrongly, or where it is not, has a defined answer; and what a panic does.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncError, AsyncRuntime, Instant, Order, TaskBuilder, catch_panic, sleep, sleep_until, spawn,
    spawn_blocking, spawn_local, timeout, yield_now,
};
use std::{
    any::Any,
    future::{pending, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

const MILLI: Duration = Duration::from_millis(1);

fn text(payload: &(dyn Any + Send)) -> &str {
    payload.downcast_ref::<String>().map_or_else(|| *payload.downcast_ref::<&str>().unwrap(), String::as_str)
}

/// The panic of `work`, as text.
fn panic_of<T>(work: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => text(&*payload).to_owned(),
    }
}

struct PanicOnDrop(&'static str);

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_nested_block_on_panics_and_says_what_to_do() {
    for virtual_clock in [false, true] {
        AsyncRuntime::block_on(async move {
            let nested = panic_of(|| {
                if virtual_clock {
                    AsyncRuntime::block_on_virtual(Order::Fifo, ready(1))
                } else {
                    AsyncRuntime::block_on(ready(1))
                }
            });
            assert!(
                nested.contains("inside a task of a loop") && nested.contains("spawn_blocking"),
                "{nested}"
            );
            // The outer loop goes on: tasks, timers and wake-ups.
            assert_eq!(spawn_local(async { 2 }).await, Ok(2));
            sleep(MILLI).await;
        });
    }
}

#[test]
fn a_nested_try_block_on_gives_an_error_and_drops_its_future() {
    AsyncRuntime::block_on(async {
        let dropped = Arc::new(AtomicUsize::new(0));
        let counted = CountDrop(dropped.clone());
        let refused = AsyncRuntime::try_block_on(async move { drop(counted) });
        assert!(matches!(refused, Err(AsyncError::Runtime(_))), "{refused:?}");
        assert_eq!(dropped.load(SeqCst), 1);
        assert_eq!(spawn_local(async { 2 }).await, Ok(2));
    });
}

#[test]
fn block_on_works_again_in_a_blocking_job() {
    let sum = AsyncRuntime::block_on(async {
        spawn_blocking(|| {
            AsyncRuntime::block_on(async {
                sleep(MILLI).await;
                3
            })
        })
        .await
    });
    assert_eq!(sum, Ok(3));
}

#[test]
fn block_on_inside_a_tokio_runtime_is_tokios_panic_and_leaves_the_thread_usable() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = CountDrop(dropped.clone());
    let outer = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let nested = outer.block_on(async { panic_of(|| AsyncRuntime::block_on(async move { drop(counted) })) });
    assert!(nested.contains("Cannot start a runtime from within a runtime"), "{nested}");
    assert_eq!(dropped.load(SeqCst), 1, "its future was dropped, once");
    drop(outer);
    assert_eq!(AsyncRuntime::block_on(async { spawn_local(async { 1 }).await }), Ok(1));
    let on_pool = AsyncRuntime::block_on(spawn(async { AsyncRuntime::block_on(ready(1)) }));
    assert!(matches!(on_pool, Err(AsyncError::Panic(text)) if text.contains("within a runtime")));
}

#[test]
fn spawn_local_outside_of_a_loop_panics_and_the_builder_gives_an_error() {
    let panic = panic_of(|| spawn_local(async {}));
    assert!(panic.contains("no loop runs on this thread"), "{panic}");
    let refused = TaskBuilder::new().name("lost").spawn_local(async {});
    assert!(matches!(refused, Err(AsyncError::Spawn(_))));
    AsyncRuntime::block_on(async {
        let there = spawn_blocking(|| TaskBuilder::new().spawn_local(async {}).is_err());
        assert_eq!(there.await, Ok(true));
    });
}

#[test]
fn time_works_without_a_loop() {
    let start = Instant::now();
    futures_lite::future::block_on(async {
        sleep(2 * MILLI).await;
        assert!(start.elapsed() >= 2 * MILLI);
        sleep(Duration::ZERO).await;
        sleep_until(start).await;
        assert_eq!(timeout(2 * MILLI, pending::<()>()).await, Err(AsyncError::Timeout(2 * MILLI)));
        assert_eq!(timeout(Duration::MAX, sleep(MILLI)).await, Ok(()));
        assert_eq!(timeout(MILLI, ready(1)).await, Ok(1));
        assert!(timeout(Duration::ZERO, ready(1)).await.is_err());
        assert!(timeout(MILLI, sleep(Duration::MAX)).await.is_err());
    });
}

#[test]
fn spawn_works_without_a_loop() {
    let task = spawn(async {
        sleep(MILLI).await;
        7
    });
    assert_eq!(futures_lite::future::block_on(task), Ok(7));
    assert_eq!(futures_lite::future::block_on(spawn_blocking(|| 8)), Ok(8));
}

#[test]
fn a_panic_keeps_its_text_wherever_the_task_runs() {
    let boom = || Err::<(), _>(AsyncError::Panic("boom".to_owned()));
    AsyncRuntime::block_on(async {
        assert_eq!(spawn_local(async { panic!("boom") }).await, boom());
        assert_eq!(spawn_local(async { panic!("{}m", "boo") }).await, boom());
        assert_eq!(spawn(async { panic!("boom") }).await, boom());
        assert_eq!(spawn_blocking(|| panic!("{}m", "boo")).await, boom());
        assert_eq!(catch_panic(async { panic!("boom") }).await, boom());
        let Err(AsyncError::Panic(other)) = spawn_local(async { panic_any(5) }).await else { panic!() };
        assert!(other.contains("not text"), "{other}");
    });
    AsyncRuntime::block_on_virtual(Order::Fifo, async {
        assert_eq!(spawn(async { panic!("boom") }).await, boom());
        assert_eq!(spawn_blocking(|| panic!("boom")).await, boom());
    });
}

#[test]
fn a_panic_in_a_futures_destructor_keeps_its_text_and_the_process() {
    fn owning<T>(word: &'static str, poll: impl Fn() -> Poll<T>) -> impl Future<Output = T> {
        let owned = PanicOnDrop(word);
        poll_fn(move |_| {
            let _owned = &owned;
            poll()
        })
    }
    AsyncRuntime::block_on(async {
        let ended = spawn_local(owning("at its end", || Poll::Ready(())));
        assert_eq!(ended.await, Err(AsyncError::Panic("at its end".to_owned())));
        let early = spawn_local(owning("unpolled", || Poll::Ready(())));
        early.abort();
        assert_eq!(early.await, Err(AsyncError::Panic("unpolled".to_owned())));
        let parked = spawn_local(owning("aborted", || Poll::<()>::Pending));
        yield_now().await;
        parked.abort();
        assert_eq!(parked.await, Err(AsyncError::Panic("aborted".to_owned())));
        let caught = catch_panic(owning("caught", || Poll::Ready(()))).await;
        assert_eq!(caught, Err(AsyncError::Panic("caught".to_owned())));
        drop(spawn_local(owning("detached", || Poll::<()>::Pending)));
        yield_now().await;
    });
    // The detached one was dropped by the end of its loop.
    assert_eq!(AsyncRuntime::block_on(ready(1)), 1);
}

#[test]
fn a_panic_in_an_outputs_destructor_hurts_nobody_else() {
    AsyncRuntime::block_on(async {
        drop(spawn_local(async { PanicOnDrop("output") }));
        yield_now().await;
        let unread = spawn_local(async { PanicOnDrop("unread") });
        yield_now().await;
        assert!(unread.is_finished());
        drop(unread);
        assert_eq!(spawn_local(async { 2 }).await, Ok(2));
    });
}

#[test]
fn a_panic_in_main_comes_out_with_its_payload_after_the_tasks_were_dropped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counted = CountDrop(dropped.clone());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        AsyncRuntime::block_on(async {
            drop(spawn_local(async move {
                let _counted = counted;
                pending::<()>().await;
            }));
            yield_now().await;
            panic_any(vec![1, 2, 3]);
        })
    }));
    let payload = caught.expect_err("it panicked");
    assert_eq!(payload.downcast_ref::<Vec<i32>>(), Some(&vec![1, 2, 3]));
    assert_eq!(dropped.load(SeqCst), 1);
    assert_eq!(AsyncRuntime::block_on(async { spawn_local(async { 1 }).await }), Ok(1));
}

#[test]
fn what_a_thread_keeps_for_its_end_may_be_a_sleep_or_a_handle() {
    use std::cell::RefCell;
    thread_local!(static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) });
    // Whether the loop's own thread-local goes first depends on which was used first: try both.
    for loop_first in [true, false] {
        let ended = std::thread::spawn(move || {
            if !loop_first {
                KEPT.with_borrow_mut(|kept| kept.push(Box::new(0)));
            }
            let mut kept: Vec<Box<dyn Any>> = Vec::new();
            AsyncRuntime::block_on(async {
                let mut sleeping = Box::pin(sleep(Duration::from_secs(60)));
                assert!(futures_lite::future::poll_once(&mut sleeping).await.is_none());
                kept.push(Box::new(sleeping));
                kept.push(Box::new(spawn_local(pending::<()>())));
            });
            KEPT.with_borrow_mut(|all| all.append(&mut kept));
        });
        ended.join().unwrap();
    }
}
