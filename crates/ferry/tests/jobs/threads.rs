//! Jobs on real threads: sorts of work mixed, and many who submit.

use super::Sure;
use asyncferry::{AsyncRuntime, TaskLocal, jobs::Pool, spawn, yield_now};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

#[test]
fn blocking_and_async_jobs_share_the_workers() {
    let pool = Pool::builder().workers(3).build();
    let total = Arc::new(AtomicU64::new(0));
    AsyncRuntime::block_on(async {
        let submitters: Vec<_> = (0..4)
            .map(|_| {
                let (pool, total) = (pool.clone(), total.clone());
                spawn(async move {
                    let mut jobs = Vec::new();
                    for number in 0..2000_u64 {
                        let total = total.clone();
                        jobs.push(if number % 3 == 0 {
                            let job = pool.task(move |_| async move {
                                yield_now().await;
                                Sure::Ok(total.fetch_add(number, Ordering::Relaxed))
                            });
                            job.submit().await.unwrap()
                        } else {
                            let job =
                                pool.blocking(move |_| Sure::Ok(total.fetch_add(number, Ordering::Relaxed)));
                            job.submit().await.unwrap()
                        });
                    }
                    for job in jobs {
                        job.await.unwrap();
                    }
                })
            })
            .collect();
        for submitter in submitters {
            submitter.await.unwrap();
        }
    });
    assert_eq!(total.load(Ordering::Relaxed), 4 * (0..2000).sum::<u64>());
    let counted = &pool.metrics()[0];
    assert_eq!((counted.done, counted.queued, counted.running), (8000, 0, 0));
}

#[test]
fn workers_that_were_added_and_taken_away_lose_nothing() {
    let pool = Pool::builder().workers(1).build();
    AsyncRuntime::block_on(async {
        let mut jobs = Vec::new();
        for round in 0..200 {
            pool.set_workers(1 + round % 5);
            for number in 0..50_u64 {
                jobs.push((number, pool.blocking(move |_| Sure::Ok(number)).submit().await.unwrap()));
            }
        }
        for (number, job) in jobs {
            assert_eq!(job.await.unwrap(), number);
        }
    });
}

#[test]
fn a_job_inherits_the_task_locals_of_who_submits_it() {
    static USER: TaskLocal<&str> = TaskLocal::new();
    let pool = Pool::builder().workers(1).build();
    AsyncRuntime::block_on(async {
        let blocking =
            USER.sync_scope("ann", || pool.blocking(|_| Sure::Ok(USER.get())).submit_blocking().unwrap());
        let task = USER.sync_scope("bob", || {
            let job = pool.task(|_| async {
                yield_now().await;
                Sure::Ok(USER.get())
            });
            job.submit_blocking().unwrap()
        });
        let plain = pool.blocking(|_| Sure::Ok(USER.get())).submit_blocking().unwrap();
        assert_eq!(blocking.await.unwrap(), Some("ann"));
        assert_eq!(task.await.unwrap(), Some("bob"));
        assert_eq!(plain.await.unwrap(), None, "nothing is left of the jobs before");
    });
}

#[test]
fn round_trips_from_many_threads() {
    let pool = Pool::builder().workers(2).build();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                for number in 0..3000_u64 {
                    let job = pool.blocking(move |_| Sure::Ok(number)).submit_blocking().unwrap();
                    assert_eq!(AsyncRuntime::block_on(job).unwrap(), number);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
