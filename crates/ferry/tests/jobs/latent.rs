//! Latent jobs: started in time, at once, or not at all.

use super::{SECOND, Sure, one_worker, run};
use asyncferry::{
    Instant, State,
    jobs::{BeatClock, Pool, Stage, SubmitError},
    sleep, spawn_local, testing,
};
use std::{rc::Rc, time::Duration};

fn pool() -> Pool {
    Pool::builder().workers(4).safety(1.5).max_latent(3).build()
}

/// A job that gives the seconds after `begun` at which it started.
fn starts(pool: &Pool, begun: Instant) -> asyncferry::jobs::JobBuilder<f64> {
    pool.blocking(move |_| Sure::Ok(begun.elapsed().as_secs_f64()))
}

#[test]
fn one_starts_so_long_before_its_deadline_as_it_takes() {
    run(async {
        let (pool, begun) = (pool(), Instant::now());
        let deadline = pool.clock_now() + 100.0;
        let latent = starts(&pool, begun).estimate(SECOND * 20).latent("rule-1", "stage", deadline).unwrap();
        assert_eq!((latent.rule_id(), latent.space(), latent.deadline()), ("rule-1", "stage", deadline));
        assert_eq!((latent.state(), latent.job().stage()), (State::Pending, Stage::Latent));
        assert_eq!(latent.starts_in(), Some(SECOND * 70));
        assert_eq!(latent.await.unwrap(), 70.0);
    });
}

#[test]
fn one_whose_time_is_past_starts_at_once() {
    run(async {
        let (pool, begun) = (pool(), Instant::now());
        let late =
            starts(&pool, begun).estimate(SECOND * 20).latent("r", "s", pool.clock_now() + 5.0).unwrap();
        assert_eq!(late.await.unwrap(), 0.0);
    });
}

#[test]
fn materialize_starts_it_now_and_only_once() {
    run(async {
        let (pool, begun) = (pool(), Instant::now());
        let latent = starts(&pool, begun).latent("r", "s", pool.clock_now() + 100.0).unwrap();
        sleep(SECOND).await;
        assert!(latent.start());
        assert!(!latent.start());
        assert_eq!(latent.starts_in(), None);
        assert_eq!(latent.materialize().await.unwrap(), 1.0);
        sleep(SECOND * 200).await;
        assert_eq!(pool.metrics()[0].done, 1);
    });
}

#[test]
fn one_that_is_withdrawn_never_starts() {
    run(async {
        let (pool, begun) = (pool(), Instant::now());
        let latent = starts(&pool, begun).latent("r", "s", pool.clock_now() + 100.0).unwrap();
        assert!(latent.cancel("the scene was cut"));
        assert!(!latent.start());
        assert_eq!(latent.materialize().await.unwrap_err().to_string(), "cancelled: the scene was cut");
        sleep(SECOND * 200).await;
        assert!(pool.metrics().is_empty());
    });
}

#[test]
fn of_two_at_once_one_wins() {
    let schedules = testing::seeds(200).run(|| async {
        let (pool, begun) = (one_worker(), Instant::now());
        let latent = Rc::new(starts(&pool, begun).latent("r", "s", pool.clock_now() + 1.0).unwrap());
        let there = latent.clone();
        let starts = spawn_local(async move {
            sleep(SECOND).await;
            there.start()
        });
        let there = latent.clone();
        let cancels = spawn_local(async move {
            sleep(SECOND).await;
            there.cancel("withdrawn")
        });
        let (_, cancelled) = (starts.await?, cancels.await?);
        let latent = Rc::into_inner(latent).unwrap();
        assert_eq!(latent.materialize().await.is_err(), cancelled, "withdrawn, or done: never both");
        Ok::<_, asyncferry::AsyncError>(())
    });
    assert_eq!(schedules, 200);
}

#[test]
fn deadlines_in_beats_follow_the_tempo() {
    run(async {
        let clock = BeatClock::new(120.0);
        let pool = Pool::builder().clock(clock.clone()).safety(1.0).build();
        let begun = Instant::now();
        let plan = |beat| starts(&pool, begun).latent("r", "s", beat).unwrap();
        let (eighth, sixteenth, never) = (plan(8.0), plan(16.0), plan(1000.0));
        sleep(SECOND * 2).await;
        assert_eq!(pool.clock_now(), 4.0);
        clock.set_tempo(60.0);
        assert_eq!(eighth.await.unwrap(), 6.0, "4 beats at 120, and 4 at 60");
        clock.set_tempo(0.0);
        sleep(SECOND * 50).await;
        assert_eq!(sixteenth.starts_in(), Some(Duration::MAX), "the clock stands still");
        clock.set_beat(16.0);
        assert_eq!(sixteenth.await.unwrap(), 56.0);
        assert_eq!(never.state(), State::Pending);
    });
}

#[test]
fn too_many_and_no_deadline_are_refused() {
    run(async {
        let (pool, begun) = (pool(), Instant::now());
        let nan = starts(&pool, begun).latent("r", "s", f64::NAN).unwrap_err();
        assert_eq!(nan.to_string(), "the deadline of a latent job must be a number, not NaN");
        let deadline = pool.clock_now() + 100.0;
        let kept: Vec<_> = (0..3).map(|_| starts(&pool, begun).latent("r", "s", deadline).unwrap()).collect();
        assert!(matches!(starts(&pool, begun).latent("r", "s", deadline), Err(SubmitError::Full { .. })));
        for latent in kept {
            latent.await.unwrap();
        }
        assert!(starts(&pool, begun).latent("r", "s", deadline).is_ok());
    });
}
