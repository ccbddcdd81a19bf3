//! The end of a pool: drained, cut off, or dropped.

use super::{SECOND, Sure, nap, one_worker, run};
use asyncferry::{
    AsyncRuntime, Failure, Instant, cancellable,
    jobs::{Pool, Retry, SubmitError},
    patterns::Drained,
    sleep, spawn_local, yield_now,
};
use std::{sync::mpsc, time::Duration};

#[test]
fn a_drain_waits_for_what_runs_and_what_waits() {
    run(async {
        let pool = one_worker();
        let retry = Retry::new(2).delay(SECOND).jitter(0.0);
        let again =
            pool.task_again(retry, |job| async move { if job.attempt() == 1 { Err("once") } else { Ok(0) } });
        let mut jobs = vec![again.submit().await.unwrap()];
        for number in 1..4 {
            jobs.push(nap(&pool, 1, number).submit().await.unwrap());
        }
        yield_now().await;
        assert_eq!(pool.shutdown(SECOND * 60).await, Drained::Finished);
        assert!(matches!(nap(&pool, 1, 9).submit().await, Err(SubmitError::ShutDown)));
        for (number, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), number);
        }
    });
}

#[test]
fn what_is_left_at_the_deadline_is_cancelled_and_named() {
    run(async {
        let pool = one_worker();
        let runs = pool.task(|_| async {
            let cancelled = cancellable(sleep(SECOND * 100)).await;
            sleep(SECOND / 2).await;
            cancelled
        });
        let runs = runs.name("runs").submit().await.unwrap();
        yield_now().await;
        yield_now().await;
        let waits = nap(&pool, 1, ()).name("waits").submit().await.unwrap();
        let later =
            nap(&pool, 1, ()).name("planned").latent("rule", "space", pool.clock_now() + 1e6).unwrap();
        let begun = Instant::now();
        let left = vec!["runs".to_owned(), "waits".to_owned()];
        assert_eq!(pool.shutdown(SECOND * 2).await, Drained::DeadlinePassed { left });
        assert_eq!(begun.elapsed(), SECOND * 2 + SECOND / 2, "what cleans up is waited for");
        for job in [runs, waits, later.materialize()] {
            assert_eq!(job.await.unwrap_err().to_string(), "cancelled: the pool was shut down");
        }
    });
}

#[test]
fn what_does_not_end_is_dropped() {
    run(async {
        let pool = one_worker();
        let stubborn = pool.task(|_| async {
            loop {
                let _ = cancellable(sleep(SECOND * 100)).await;
            }
            #[allow(unreachable_code, reason = "it says what the job gives")]
            Sure::Ok(())
        });
        let job = stubborn.submit().await.unwrap();
        sleep(SECOND).await;
        assert!(!pool.shutdown(Duration::ZERO).await.is_finished());
        assert!(matches!(job.await, Err(Failure::Cancelled(_))));
    });
}

#[test]
fn who_waits_for_room_is_told() {
    run(async {
        let pool = Pool::builder().workers(1).max_queued(1).build();
        let _runs = nap(&pool, 5, ()).submit().await.unwrap();
        yield_now().await;
        yield_now().await;
        let _waits = nap(&pool, 5, ()).submit().await.unwrap();
        let there = pool.clone();
        let parked = spawn_local(async move { nap(&there, 1, ()).submit().await.map(drop) });
        yield_now().await;
        assert!(pool.shutdown(SECOND * 60).await.is_finished());
        assert!(matches!(parked.await.unwrap(), Err(SubmitError::ShutDown)));
    });
}

#[test]
fn a_pool_that_is_dropped_works_off_what_it_has() {
    let (sender, values) = mpsc::channel();
    let pool = Pool::builder().workers(2).build();
    let jobs: Vec<_> = (0..100)
        .map(|number| {
            let sender = sender.clone();
            let job = pool.blocking(move |_| sender.send(number).map(|()| number));
            job.submit_blocking().unwrap()
        })
        .collect();
    drop((pool, sender));
    assert_eq!(values.iter().count(), 100);
    for (number, job) in jobs.into_iter().enumerate() {
        assert_eq!(AsyncRuntime::block_on(job).unwrap(), number);
    }
}

#[test]
fn the_end_of_its_loop_cancels_what_a_pool_has_there() {
    let (pool, jobs) = run(async {
        let pool = one_worker();
        let jobs = [nap(&pool, 5, 1).submit().await.unwrap(), nap(&pool, 5, 2).submit().await.unwrap()];
        yield_now().await;
        yield_now().await;
        (pool, jobs)
    });
    for job in jobs {
        let error = AsyncRuntime::block_on(job).unwrap_err().to_string();
        assert!(error.contains("loop"), "{error}");
    }
    assert!(matches!(nap(&pool, 1, 3).submit_nowait(), Err(SubmitError::ShutDown)));
}
