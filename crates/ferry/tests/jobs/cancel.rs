//! Cancelling: a queued job is removed, async code is asked where it waits, and code that blocks is left behind.

use super::{SECOND, Sure, nap, one_worker, run};
use asyncferry::{
    AsyncRuntime, State, cancellable,
    jobs::{Pool, Stage},
    sleep,
};
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

#[test]
fn one_in_the_queue_is_removed_and_its_work_dropped() {
    run(async {
        let pool = one_worker();
        let first = nap(&pool, 5, "first").submit().await.unwrap();
        let held = Arc::new(());
        let there = held.clone();
        let second = pool
            .blocking(move |_| {
                drop(there);
                Sure::Ok(())
            })
            .submit()
            .await
            .unwrap();
        sleep(SECOND).await;
        assert_eq!((second.stage(), pool.queued(), Arc::strong_count(&held)), (Stage::Queued, 1, 2));
        assert!(second.cancel("not needed"));
        assert!(!second.cancel("again"), "it has ended");
        assert_eq!((second.state(), pool.queued(), Arc::strong_count(&held)), (State::Cancelled, 0, 1));
        assert_eq!(second.await.unwrap_err().to_string(), "cancelled: not needed");
        assert_eq!(first.await.unwrap(), "first");
    });
}

#[test]
fn async_code_is_dropped_where_it_waits() {
    run(async {
        let pool = one_worker();
        let held = Arc::new(());
        let there = held.clone();
        let job = pool.task(move |_| async move {
            sleep(SECOND * 100).await;
            drop(there);
            Sure::Ok(())
        });
        let job = job.submit().await.unwrap();
        sleep(SECOND).await;
        assert!(job.cancel("enough"));
        assert_eq!(job.await.unwrap_err().to_string(), "cancelled: enough");
        assert_eq!(Arc::strong_count(&held), 1, "what it owned is gone before its waiters hear of it");
        assert_eq!(nap(&pool, 1, 1).submit().await.unwrap().await.unwrap(), 1, "the worker goes on");
    });
}

#[test]
fn async_code_may_clean_up_or_go_on() {
    run(async {
        let pool = Pool::builder().workers(2).build();
        let begun = asyncferry::Instant::now();
        let tidy = pool.task(move |_| async move {
            let cancelled = cancellable(sleep(SECOND * 100)).await;
            sleep(SECOND).await;
            cancelled
        });
        let stubborn = pool.task(move |_| async move {
            let cancelled = cancellable(sleep(SECOND * 100)).await.unwrap_err();
            Sure::Ok(format!("went on, {cancelled}"))
        });
        let (tidy, stubborn) = (tidy.submit().await.unwrap(), stubborn.submit().await.unwrap());
        sleep(SECOND).await;
        assert!(tidy.cancel("one") && stubborn.cancel("two"));
        assert_eq!(tidy.await.unwrap_err().to_string(), "cancelled: one");
        assert_eq!(begun.elapsed(), SECOND * 2, "clean-up may await");
        assert_eq!(stubborn.await.unwrap(), "went on, cancelled: two");
    });
}

#[test]
fn code_that_blocks_ends_for_its_waiters_at_once_and_can_see_it() {
    let pool = one_worker();
    let (begun, has_begun) = mpsc::channel();
    let (seen, was_seen) = mpsc::channel();
    let job = pool.blocking(move |job| {
        let token = job.token();
        begun.send(()).unwrap();
        while job.check().is_ok() || !token.is_cancelled() {
            std::thread::yield_now();
        }
        seen.send((job.is_cancelled(), token.reason().unwrap().message().to_owned())).unwrap();
        Sure::Ok(())
    });
    AsyncRuntime::block_on(async {
        let job = job.submit().await.unwrap();
        has_begun.recv().unwrap();
        assert!(job.cancel("too slow"));
        assert_eq!(job.await.unwrap_err().to_string(), "cancelled: too slow");
        assert_eq!(was_seen.recv().unwrap(), (true, "too slow".to_owned()));
        assert_eq!(pool.blocking(|_| Sure::Ok(7)).submit().await.unwrap().await.unwrap(), 7);
    });
    let counted = &pool.metrics()[0];
    assert_eq!((counted.done, counted.cancelled, counted.running), (1, 1, 0));
}

#[test]
fn a_timeout_gives_up_async_code_and_code_that_blocks() {
    run(async {
        let pool = Pool::builder().workers(2).build();
        let slow = nap(&pool, 100, ()).timeout(SECOND * 3).submit().await.unwrap();
        let begun = asyncferry::Instant::now();
        assert_eq!(slow.await.unwrap_err().to_string(), "timed out after 3s");
        assert_eq!(begun.elapsed(), SECOND * 3);
        assert_eq!(nap(&pool, 2, 5).timeout(SECOND * 3).submit().await.unwrap().await.unwrap(), 5);
    });
    let pool = one_worker();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let blocked = pool.blocking(move |job| {
        let _ = may_go_on.recv();
        assert!(job.is_cancelled());
        Sure::Ok("too late")
    });
    AsyncRuntime::block_on(async {
        let job = blocked.timeout(Duration::from_millis(20)).submit().await.unwrap();
        assert_eq!(job.await.unwrap_err().to_string(), "timed out after 20ms");
        drop(go_on);
        assert_eq!(pool.blocking(|_| Sure::Ok(7)).submit().await.unwrap().await.unwrap(), 7);
    });
    let counted = &pool.metrics()[0];
    assert_eq!((counted.done, counted.failed, counted.running), (1, 1, 0), "one outcome each");
}

#[test]
fn many_that_are_cancelled_in_the_queue_leave_nothing_behind() {
    run(async {
        let pool = one_worker();
        let first = nap(&pool, 5, ()).submit().await.unwrap();
        sleep(SECOND).await;
        let held = Arc::new(());
        for _ in 0..10_000 {
            let there = held.clone();
            let job = pool
                .blocking(move |_| {
                    drop(there);
                    Sure::Ok(())
                })
                .submit_nowait()
                .unwrap();
            assert!(job.cancel(""));
        }
        assert_eq!((pool.queued(), Arc::strong_count(&held)), (0, 1));
        first.await.unwrap();
    });
}

#[test]
fn a_job_whose_handle_is_dropped_runs_on_and_its_error_is_told() {
    let (told, errors) = mpsc::channel();
    let report = move |name: &str, error: &(dyn std::error::Error + Send + Sync + 'static)| {
        told.send(format!("{name}: {error}")).unwrap();
    };
    run(async move {
        let pool = Pool::builder().on_failure(report).build();
        let failing = |name| pool.blocking(|_| Err::<(), _>("it broke")).name(name);
        drop(failing("dropped before").submit().await.unwrap());
        let later = failing("dropped after").submit().await.unwrap();
        let seen = failing("seen").submit().await.unwrap();
        sleep(SECOND).await;
        assert_eq!(later.state(), State::Failed);
        drop(later);
        assert_eq!(seen.await.unwrap_err().to_string(), "it broke");
    });
    assert_eq!(errors.iter().collect::<Vec<_>>(), ["dropped before: it broke", "dropped after: it broke"]);
}
