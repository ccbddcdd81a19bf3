//! Retries, and panics.

use super::{SECOND, Sure, nap, one_worker, run};
use asyncferry::{
    AsyncError, Failure, Instant,
    jobs::{Pool, Retry, Stage},
    sleep,
};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

fn exact(attempts: u32) -> Retry {
    Retry::new(attempts).delay(SECOND).jitter(0.0)
}

#[test]
fn one_that_fails_is_tried_again_until_it_may_not() {
    run(async {
        let pool = one_worker();
        let tries = Arc::new(AtomicU32::new(0));
        let there = tries.clone();
        let job = pool.blocking_again(exact(3), move |job| {
            there.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(format!("attempt {}", job.attempt()))
        });
        let begun = Instant::now();
        assert_eq!(job.submit().await.unwrap().await.unwrap_err().to_string(), "attempt 3");
        assert_eq!((tries.load(Ordering::Relaxed), begun.elapsed()), (3, SECOND * 3));
        let counted = &pool.metrics()[0];
        assert_eq!((counted.failed, counted.retried, counted.queued, counted.waiting), (1, 2, 0, 0));
    });
}

#[test]
fn a_worker_does_others_while_one_waits_for_its_next_attempt() {
    run(async {
        let pool = one_worker();
        let job = pool.task_again(exact(2), |job| async move {
            if job.attempt() == 1 { Err("once") } else { Ok("twice") }
        });
        let job = job.submit().await.unwrap();
        sleep(SECOND / 2).await;
        assert_eq!((job.stage(), job.attempt()), (Stage::Waiting, 1));
        assert_eq!(pool.metrics()[0].waiting, 1);
        assert_eq!(nap(&pool, 0, 1).submit().await.unwrap().await.unwrap(), 1);
        assert_eq!(job.await.unwrap(), "twice");
    });
}

#[test]
fn one_that_waits_for_its_next_attempt_can_be_cancelled() {
    run(async {
        let pool = one_worker();
        let job = pool.blocking_again(exact(5), |_| Err::<(), _>("again")).submit().await.unwrap();
        sleep(SECOND / 2).await;
        assert!(job.cancel("stop"));
        assert!(matches!(job.await, Err(Failure::Cancelled(_))));
        sleep(SECOND * 10).await;
        let counted = &pool.metrics()[0];
        assert_eq!((counted.cancelled, counted.retried, counted.waiting, counted.queued), (1, 1, 0, 0));
    });
}

#[test]
fn one_that_takes_too_long_is_tried_again_and_its_first_attempt_counts_for_nothing() {
    run(async {
        let pool = Pool::builder().workers(2).build();
        let job = pool.task_again(exact(3), |job| async move {
            sleep(SECOND * if job.attempt() == 3 { 1 } else { 100 }).await;
            Sure::Ok(job.attempt())
        });
        let begun = Instant::now();
        assert_eq!(job.timeout(SECOND * 2).submit().await.unwrap().await.unwrap(), 3);
        assert_eq!(begun.elapsed(), SECOND * (2 + 1 + 2 + 2 + 1));
    });
}

#[test]
fn a_panic_is_an_error_with_its_text_and_the_worker_goes_on() {
    run(async {
        let pool = one_worker();
        let blocking = pool.blocking(|_| -> Sure<()> { panic!("oh no") }).submit().await.unwrap();
        let task = pool.task(|_| async { if true { panic!("oh {}", 2) } else { Sure::Ok(()) } });
        let starts = pool.task(|_| -> std::future::Ready<Sure<()>> { panic!("before it is async") });
        let (task, starts) = (task.submit().await.unwrap(), starts.submit().await.unwrap());
        for (job, text) in [(blocking, "oh no"), (task, "oh 2"), (starts, "before it is async")] {
            let Failure::Failed(error) = job.await.unwrap_err() else { panic!() };
            assert_eq!(error.downcast_ref(), Some(&AsyncError::Panic(text.to_owned())));
        }
        assert_eq!(nap(&pool, 1, 1).submit().await.unwrap().await.unwrap(), 1);
    });
}

#[test]
fn jitter_is_the_same_for_the_same_seed() {
    let waited = |seed| {
        asyncferry::AsyncRuntime::block_on_virtual(asyncferry::Order::Seeded(seed), async {
            let pool = one_worker();
            let begun = Instant::now();
            let job = pool.blocking_again(Retry::new(4), |_| Err::<(), _>("again")).submit().await.unwrap();
            let _ = job.await;
            begun.elapsed()
        })
    };
    assert_eq!(waited(1), waited(1));
    assert_ne!(waited(1), waited(2));
}
