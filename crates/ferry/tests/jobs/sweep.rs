//! Races, under many orders of the tasks: whatever meets, a job has exactly one outcome. Each test says how many schedules it
//! ran; one that fails names its seed, and `FERRY_SEED` runs that again.

use super::{SECOND, nap};
use asyncferry::{
    AsyncError, Failure, State, cancellable,
    jobs::{Job, Pool, Retry},
    patterns::Drained,
    sleep, spawn_local, testing, yield_now,
};
use std::{
    future::Future,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

const SEEDS: u64 = 300;

fn sweep<F: Future<Output = Result<(), AsyncError>>>(name: &str, scenario: impl FnMut() -> F) {
    let schedules = testing::seeds(SEEDS).run(scenario);
    let mut stderr = std::io::stderr();
    writeln!(stderr, "jobs, {name}: {schedules} schedules").unwrap();
}

/// What a pool has counted agrees with itself: as many ended as were submitted, each once.
fn check_counts(pool: &Pool, submitted: u64) {
    let all = pool.metrics();
    let ended: u64 = all.iter().map(|row| row.done + row.failed + row.cancelled).sum();
    let left: u64 = all.iter().map(|row| row.queued + row.running + row.waiting).sum();
    assert_eq!((ended, left), (submitted, 0), "{all:?}");
}

#[test]
fn cancel_meets_completion() {
    sweep("cancel and complete", || async {
        let pool = Pool::builder().workers(2).build();
        let mut jobs = Vec::new();
        for number in 0..6_u32 {
            jobs.push(nap(&pool, u64::from(number % 3), number).submit().await.unwrap());
        }
        let mut outcomes = Vec::new();
        for (number, job) in jobs.into_iter().enumerate() {
            outcomes.push(spawn_local(async move {
                sleep(SECOND * u32::try_from(number % 3).unwrap()).await;
                let cancelled = job.cancel("stop");
                let before = job.state();
                let outcome = job.await;
                (cancelled, before, outcome)
            }));
        }
        for outcome in outcomes {
            match outcome.await? {
                (true, _, Err(Failure::Cancelled(message))) => assert_eq!(message.as_deref(), Some("stop")),
                // It had ended; or its code had, before the request was looked at.
                (_, _, Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(pool.shutdown(SECOND).await, Drained::Finished);
        check_counts(&pool, 6);
        Ok(())
    });
}

#[test]
fn timeout_meets_completion_and_cancel_and_retry() {
    sweep("timeout, complete, cancel and retry", || async {
        let pool = Pool::builder().workers(2).build();
        let began = Arc::new(AtomicU32::new(0));
        let retry = || Retry::new(3).delay(SECOND).jitter(0.0);
        let mut jobs: Vec<Job<u32>> = Vec::new();
        for _ in 0..4 {
            let began = began.clone();
            let job = pool.task_again(retry(), move |job| {
                let began = began.clone();
                async move {
                    began.fetch_add(1, Ordering::Relaxed);
                    // It ends in the very moment in which its time is up, or fails then.
                    sleep(SECOND).await;
                    if job.attempt() == 2 { Err("second") } else { Ok(job.attempt()) }
                }
            });
            jobs.push(job.timeout(SECOND).submit().await.unwrap());
        }
        let cancels = jobs.split_off(2);
        let cancels: Vec<_> = cancels
            .into_iter()
            .map(|job| {
                spawn_local(async move {
                    sleep(SECOND * 2).await;
                    let cancelled = job.cancel("stop");
                    (cancelled, job.await)
                })
            })
            .collect();
        for job in jobs {
            match job.await {
                Ok(attempt) => assert!(attempt == 1 || attempt == 3),
                Err(Failure::Failed(error)) => {
                    assert!(error.to_string() == "second" || error.is::<AsyncError>(), "{error}");
                }
                Err(Failure::Cancelled(_)) => panic!("nobody cancelled it"),
            }
        }
        for cancel in cancels {
            let (cancelled, outcome) = cancel.await?;
            assert!(cancelled || outcome.is_ok() || matches!(outcome, Err(Failure::Failed(_))));
        }
        assert_eq!(pool.shutdown(SECOND * 60).await, Drained::Finished);
        check_counts(&pool, 4);
        Ok(())
    });
}

#[test]
fn shutdown_meets_everything_in_flight() {
    sweep("shutdown with everything in flight", || async {
        let pool = Pool::builder().workers(2).max_queued(4).build();
        let retry = Retry::new(9).delay(SECOND).jitter(0.0);
        let submitters: Vec<_> = (0..12_u64)
            .map(|number| {
                let (pool, retry) = (pool.clone(), retry.clone());
                spawn_local(async move {
                    let job = match number % 4 {
                        0 => nap(&pool, number, number),
                        1 => pool.task_again(retry, |_| async { Err("again") }),
                        2 => pool.task(move |_| async move {
                            let cancelled = cancellable(sleep(SECOND * 50)).await;
                            yield_now().await;
                            cancelled.map(|()| number)
                        }),
                        _ => nap(&pool, 1, number).timeout(SECOND),
                    };
                    match job.submit().await {
                        Ok(job) => {
                            let outcome = job.await;
                            Some(outcome)
                        }
                        Err(_) => None,
                    }
                })
            })
            .collect();
        sleep(SECOND * 2).await;
        let drained = pool.shutdown(SECOND * 3).await;
        assert!(!drained.is_finished());
        let mut submitted = 0;
        for submitter in submitters {
            // Each that was taken has an outcome now: nobody waits for ever.
            submitted += u64::from(submitter.await?.is_some());
        }
        check_counts(&pool, submitted);
        Ok(())
    });
}

#[test]
fn submitters_that_give_up_meet_room() {
    let schedules = testing::seeds(60).sweep(|point| async move {
        let pool = Pool::builder().workers(1).max_queued(1).build();
        let submit = |number: u64| {
            let pool = pool.clone();
            async move { nap(&pool, 1, number).submit().await.unwrap().await.unwrap() }
        };
        let first = spawn_local(submit(1));
        let second = spawn_local(submit(2));
        let gives_up = spawn_local(point.cancel(submit(3)));
        let last = spawn_local(submit(4));
        assert_eq!(first.await.unwrap(), 1);
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(last.await.unwrap(), 4, "the room that was given up went to the next");
        assert!(matches!(gives_up.await.unwrap(), None | Some(3)));
        assert!(pool.shutdown(SECOND * 9).await.is_finished());
        let done = pool.metrics()[0].done;
        assert!(done == 3 || done == 4);
    });
    let mut stderr = std::io::stderr();
    writeln!(stderr, "jobs, submitters that give up: {schedules} schedules").unwrap();
}

#[test]
fn a_job_that_is_cancelled_while_it_is_claimed_runs_or_is_cancelled() {
    sweep("cancel and claim", || async {
        let pool = Pool::builder().workers(3).build();
        let ran = Arc::new(AtomicU32::new(0));
        let mut tasks = Vec::new();
        for _ in 0..8 {
            let ran = ran.clone();
            let job = pool.blocking(move |_| Ok::<_, AsyncError>(ran.fetch_add(1, Ordering::Relaxed)));
            let job = job.submit().await.unwrap();
            tasks.push(spawn_local(async move {
                let cancelled = job.cancel("");
                let state = job.state();
                assert_eq!(cancelled, state == State::Cancelled);
                job.await.is_ok()
            }));
        }
        let mut completed = 0;
        for task in tasks {
            completed += u32::from(task.await?);
        }
        assert_eq!(completed, ran.load(Ordering::Relaxed), "what was cancelled never ran");
        check_counts(&pool, 8);
        Ok(())
    });
}
