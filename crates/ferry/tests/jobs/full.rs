//! A full queue, under each policy.

use super::{SECOND, Sure, nap, run};
use asyncferry::{
    AsyncError, AsyncRuntime, Instant,
    jobs::{Pool, SubmitError, WhenFull},
    sleep, spawn_local, yield_now,
};
use std::sync::mpsc;

fn full(when_full: WhenFull) -> Pool {
    Pool::builder().workers(1).max_queued(2).when_full(when_full).build()
}

#[test]
fn park_waits_for_room_first_come_first_served() {
    run(async {
        let pool = full(WhenFull::Park);
        let begun = Instant::now();
        let submitters = (0..6_u64).map(|number| {
            let pool = pool.clone();
            spawn_local(async move {
                let job = nap(&pool, 1, number).submit().await.unwrap();
                let waited = begun.elapsed().as_secs();
                (number, waited, job.await.unwrap())
            })
        });
        let submitters: Vec<_> = submitters.collect();
        let mut waited = Vec::new();
        for submitter in submitters {
            let (number, seconds, value) = submitter.await.unwrap();
            assert_eq!(number, value);
            waited.push(seconds);
        }
        assert_eq!(waited, [0, 0, 0, 1, 2, 3]);
    });
}

#[test]
fn who_parks_and_gives_up_leaves_its_place_to_the_next() {
    run(async {
        let pool = full(WhenFull::Park);
        let mut jobs = Vec::new();
        jobs.push(nap(&pool, 1, 0).submit().await.unwrap());
        yield_now().await;
        yield_now().await;
        jobs.push(nap(&pool, 1, 1).submit().await.unwrap());
        jobs.push(nap(&pool, 1, 2).submit().await.unwrap());
        let there = pool.clone();
        let gives_up = spawn_local(async move { nap(&there, 1, 3).submit().await.unwrap().await });
        let there = pool.clone();
        let stays = spawn_local(async move { nap(&there, 1, 4).submit().await.unwrap().await });
        yield_now().await;
        gives_up.abort();
        assert!(matches!(gives_up.await, Err(AsyncError::Cancelled(_))));
        assert_eq!(stays.await.unwrap().unwrap(), 4);
        for (number, job) in jobs.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), number);
        }
        assert_eq!(pool.metrics()[0].done, 4);
    });
}

#[test]
fn reject_says_so_at_once() {
    run(async {
        let pool = full(WhenFull::Reject);
        let mut jobs = vec![nap(&pool, 1, ()).submit().await.unwrap()];
        yield_now().await;
        yield_now().await;
        jobs.push(nap(&pool, 1, ()).submit().await.unwrap());
        jobs.push(nap(&pool, 1, ()).submit().await.unwrap());
        let error = nap(&pool, 1, ()).submit().await.unwrap_err();
        assert!(matches!(error, SubmitError::Full { max_queued: 2 }));
        assert_eq!(
            error.to_string(),
            "the pool is full: 2 jobs wait already; await some before you submit more, or wait for room"
        );
        sleep(SECOND * 2).await;
        jobs.push(nap(&pool, 1, ()).submit().await.unwrap());
        for job in jobs {
            job.await.unwrap();
        }
    });
}

#[test]
fn block_is_refused_on_the_loop_that_the_pool_lives_on() {
    run(async {
        let pool = full(WhenFull::Block);
        let jobs = [nap(&pool, 1, ()).submit().await.unwrap(), nap(&pool, 1, ()).submit().await.unwrap()];
        assert!(matches!(nap(&pool, 1, ()).submit().await, Err(SubmitError::WouldBlockLoop)));
        assert!(matches!(nap(&pool, 1, ()).submit_nowait(), Err(SubmitError::Full { .. })));
        for job in jobs {
            job.await.unwrap();
        }
    });
}

#[test]
fn block_blocks_the_thread_until_there_is_room() {
    let pool = full(WhenFull::Block);
    let (let_go, gate) = mpsc::channel::<()>();
    let first = pool.blocking(move |_| Sure::Ok(gate.recv().is_err())).submit_blocking().unwrap();
    while pool.queued() > 0 {
        std::thread::yield_now();
    }
    let mut jobs = vec![pool.blocking(|_| Sure::Ok(true)).submit_blocking().unwrap()];
    jobs.push(pool.blocking(|_| Sure::Ok(true)).submit_blocking().unwrap());
    let there = pool.clone();
    let blocked = std::thread::spawn(move || there.blocking(|_| Sure::Ok(true)).submit_blocking().unwrap());
    assert!(matches!(pool.blocking(|_| Sure::Ok(())).submit_nowait(), Err(SubmitError::Full { .. })));
    drop(let_go);
    jobs.push(blocked.join().unwrap());
    jobs.push(first);
    for job in jobs {
        assert!(AsyncRuntime::block_on(job).unwrap());
    }
}
