//! Which job comes next: priorities, ageing, and how many run at once.

use super::{SECOND, Sure, nap, one_worker, run};
use asyncferry::{jobs::Pool, sleep, yield_now};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// Submits jobs of these priorities at these seconds, and gives the order in which they ran; each takes a second.
fn ran(pool: impl Fn() -> Pool, jobs: &[(&'static str, i8, u64)]) -> Vec<&'static str> {
    run(async {
        let pool = pool();
        let begun = Arc::new(Mutex::new(Vec::new()));
        let mut handles = Vec::new();
        let mut now = 0;
        for &(name, priority, at) in jobs {
            sleep(SECOND * u32::try_from(at - now).unwrap()).await;
            now = at;
            let there = begun.clone();
            let job = pool.task(move |_| async move {
                there.lock().unwrap().push(name);
                sleep(SECOND).await;
                Sure::Ok(())
            });
            handles.push(job.priority(priority).submit().await.unwrap());
            yield_now().await;
            yield_now().await;
        }
        for handle in handles {
            handle.await.unwrap();
        }
        let begun = begun.lock().unwrap();
        begun.clone()
    })
}

#[test]
fn the_highest_priority_runs_first() {
    let jobs = [("blocker", 0, 0), ("low", -1, 0), ("normal", 0, 0), ("high", 9, 0), ("second", 0, 0)];
    assert_eq!(ran(one_worker, &jobs), ["blocker", "high", "normal", "second", "low"]);
}

#[test]
fn age_makes_up_for_priority() {
    let pool = || Pool::builder().workers(1).ageing(Some(SECOND * 2)).build();
    let mut jobs = vec![("blocker", 0, 0), ("old", 0, 0)];
    jobs.extend((0..8).map(|second| ("high", 3, second)));
    let ran = ran(pool, &jobs);
    let place = ran.iter().position(|name| *name == "old").unwrap();
    // What came more than six seconds after it is behind it.
    assert_eq!(place, 8, "{ran:?}");
}

#[test]
fn without_ageing_a_low_one_waits_for_all() {
    let pool = || Pool::builder().workers(1).ageing(None).build();
    let mut jobs = vec![("blocker", 0, 0), ("old", 0, 0)];
    jobs.extend((0..8).map(|second| ("high", 1, second)));
    assert_eq!(ran(pool, &jobs).last(), Some(&"old"));
}

#[test]
fn at_most_so_many_run_at_once_and_that_can_be_changed() {
    run(async {
        let pool = Pool::builder().workers(2).build();
        let [now, most] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let submit = |count: usize| {
            let (pool, now, most) = (pool.clone(), now.clone(), most.clone());
            async move {
                let mut jobs = Vec::new();
                for _ in 0..count {
                    let (now, most) = (now.clone(), most.clone());
                    let job = pool.task(move |_| async move {
                        most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                        sleep(SECOND).await;
                        now.fetch_sub(1, Ordering::Relaxed);
                        Sure::Ok(())
                    });
                    jobs.push(job.submit().await.unwrap());
                }
                jobs
            }
        };
        for (workers, expected) in [(2, 2), (5, 5), (1, 1), (3, 3)] {
            most.store(0, Ordering::Relaxed);
            let jobs = submit(10).await;
            pool.set_workers(workers);
            assert_eq!(pool.workers(), workers);
            for job in jobs {
                job.await.unwrap();
            }
            assert_eq!(most.load(Ordering::Relaxed), expected);
        }
    });
}

#[test]
fn metrics_tell_names_and_priorities_apart() {
    run(async {
        let pool = one_worker();
        let jobs = [
            nap(&pool, 1, ()).name("a").submit().await.unwrap(),
            nap(&pool, 2, ()).name("a").priority(-1).submit().await.unwrap(),
            nap(&pool, 3, ()).name("b").submit().await.unwrap(),
        ];
        sleep(SECOND / 2).await;
        let seen = |pool: &Pool| {
            let metrics = pool.metrics();
            let row = |row: &asyncferry::jobs::JobMetrics| {
                (row.name.to_string(), row.priority, row.queued, row.running, row.done)
            };
            metrics.iter().map(row).collect::<Vec<_>>()
        };
        let name = |name: &str| name.to_owned();
        assert_eq!(seen(&pool), [(name("a"), 0, 0, 1, 0), (name("a"), -1, 1, 0, 0), (name("b"), 0, 1, 0, 0)]);
        for job in jobs {
            job.await.unwrap();
        }
        assert_eq!(seen(&pool), [(name("a"), 0, 0, 0, 1), (name("a"), -1, 0, 0, 1), (name("b"), 0, 0, 0, 1)]);
        let low = &pool.metrics()[1];
        assert!(low.wait_p50 >= SECOND * 4 && low.run_p99 >= SECOND * 2, "{low:?}");
    });
}
