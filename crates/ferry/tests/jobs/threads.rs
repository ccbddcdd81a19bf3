//! Jobs on real threads: sorts of work mixed, and many who submit.

use super::{SECOND, Sure};
use asyncferry::{
    AsyncRuntime, Failure, TaskLocal,
    jobs::{Job, Pool, Retry},
    patterns::Drained,
    spawn, yield_now,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
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

/// Numbers that look random, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A job of some kind: short or async, that fails, is tried again, or takes too long.
fn some_job(pool: &Pool, chance: &mut Chance) -> Job<u64> {
    let retry = || Retry::new(3).delay(Duration::from_micros(200));
    let job = match chance.below(5) {
        0 => pool.blocking(|_| Sure::Ok(1)),
        1 => pool.task(|_| async {
            yield_now().await;
            Sure::Ok(1)
        }),
        2 => pool.blocking_again(retry(), |job| if job.attempt() < 3 { Err("again") } else { Ok(1) }),
        3 => pool.task_again(retry(), |_| async { Err::<u64, _>("always") }),
        _ => pool
            .blocking(|job| {
                while job.check().is_ok() {
                    std::thread::yield_now();
                }
                Sure::Ok(1)
            })
            .timeout(Duration::from_millis(1 + chance.below(2))),
    };
    let priority = i8::try_from(chance.below(7)).unwrap() - 3;
    job.priority(priority).submit_blocking().unwrap()
}

#[test]
fn whatever_meets_on_threads_each_job_has_one_outcome() {
    let pool = Pool::builder().workers(3).max_queued(64).build();
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                let mut chance = Chance(seed);
                let (mut ended, mut kept) = ([0_u64; 3], Vec::new());
                for _ in 0..1500 {
                    let job = some_job(&pool, &mut chance);
                    if chance.below(4) == 0 {
                        job.cancel("not needed");
                    }
                    if chance.below(20) == 0 {
                        pool.set_workers(1 + usize::try_from(chance.below(4)).unwrap());
                    }
                    kept.push(job);
                }
                for job in kept {
                    ended[match job.wait() {
                        Ok(_) => 0,
                        Err(Failure::Failed(_)) => 1,
                        Err(Failure::Cancelled(_)) => 2,
                    }] += 1;
                }
                ended
            })
        })
        .collect();
    let mut seen = [0; 3];
    for thread in threads {
        let ended = thread.join().unwrap();
        (0..3).for_each(|how| seen[how] += ended[how]);
    }
    assert_eq!(AsyncRuntime::block_on(pool.shutdown(SECOND * 30)), Drained::Finished);
    let all = pool.metrics();
    let sum = |count: fn(&asyncferry::jobs::JobMetrics) -> u64| all.iter().map(count).sum::<u64>();
    assert_eq!([sum(|row| row.done), sum(|row| row.failed), sum(|row| row.cancelled)], seen);
    assert_eq!(sum(|row| row.queued + row.running + row.waiting), 0);
    assert_eq!(seen.iter().sum::<u64>(), 6000);
}
