//! The pool as an engine: the rules of all engines, and pools that work for it.

use super::{SECOND, Sure, list, nap, run};
use asyncferry::{
    Instant, Value,
    jobs::{
        Acceptance, AttemptEnd, Beat, Engine, JobSpec, Pool, Retry, Serve, Submission, SubmitError, Update,
        serve,
    },
    sleep, spawn_local,
    testing::{self, engines},
};
use futures_util::StreamExt;
use std::{io::Write, sync::Arc};

#[test]
fn it_keeps_the_rules_of_all_engines() {
    let profile = engines::Profile::new(SECOND);
    // Made on the loop, so that its clock is the virtual one.
    let passed = run(async { engines::check(Arc::new(Pool::new().engine()), &profile).await });
    let schedules = testing::seeds(40).run(|| async {
        engines::check(Arc::new(Pool::new().engine()), &engines::Profile::new(SECOND)).await;
    });
    let mut stderr = std::io::stderr();
    writeln!(stderr, "engines: {} rules, under {schedules} schedules", passed.len()).unwrap();
}

#[test]
fn what_is_too_deep_is_refused_and_dropped() {
    let deep = || (0..1_000_000).fold(Value::Null, |inner, _| Value::from_iter([inner]));
    run(async {
        let pool = Pool::new();
        pool.register("same", |n: i64| async move { Sure::Ok(n) }).unwrap();
        let engine = pool.engine();
        let error = engine.submit(JobSpec::new("a", "same", deep())).await.unwrap_err().to_string();
        assert!(error.contains("too deep"), "{error}");
        engine.submit(JobSpec::new("b", "elsewhere", list([1]))).await.unwrap();
        let claimed = engine.claim(&["elsewhere".into()]).await.unwrap().unwrap();
        let accepted = engine.complete(&claimed.fence, AttemptEnd::Completed(deep())).await.unwrap();
        assert_eq!(accepted, Acceptance::Accepted);
        let error = outcome(&engine, "b").await.unwrap_err();
        assert!(error.contains("too deep"), "{error}");
    });
}

async fn outcome(engine: &dyn Engine, id: &str) -> Result<Value, String> {
    let mut updates = engine.watch(id).await.unwrap();
    while let Some(update) = updates.next().await {
        if let Update::Ended(outcome) = update {
            return outcome.map_err(|failure| failure.to_string());
        }
    }
    panic!("it ends with the job")
}

#[test]
fn a_pool_runs_what_is_registered_with_it_and_others_the_rest() {
    run(async {
        let (clients, workers) = (Pool::new(), Pool::builder().workers(3).build());
        clients.register("here", |n: i64| async move { Sure::Ok(n + 1) }).unwrap();
        let slow = |n: i64| async move {
            sleep(SECOND).await;
            Sure::Ok(n * 2)
        };
        workers.register("there", slow).unwrap();
        let engine = Arc::new(clients.engine());
        let options = Serve::default();
        let stop = options.stop.clone();
        let there = engine.clone();
        let serving = spawn_local(async move { serve(&*there, &workers, options).await });
        engine.submit(JobSpec::new("a", "here", list([1]))).await.unwrap();
        assert_eq!(outcome(&*engine, "a").await.unwrap(), Value::from(2));
        let begun = Instant::now();
        for n in 0..6 {
            engine.submit(JobSpec::new(&format!("b{n}"), "there", list([n]))).await.unwrap();
        }
        for n in 0..6_i64 {
            assert_eq!(outcome(&*engine, &format!("b{n}")).await.unwrap(), Value::from(n * 2));
        }
        assert_eq!(begun.elapsed(), SECOND * 2, "three at once");
        // As it's known by now that somebody runs it, a client need not go by the engine.
        let job = clients.named("there", list([21])).submit().await.unwrap();
        assert_eq!(job.await.unwrap(), Value::from(42));
        stop.cancel("done");
        let served = serving.await.unwrap().unwrap();
        assert_eq!((served.claimed, served.accepted, served.refused), (7, 7, 0));
    });
}

#[test]
fn cancels_progress_and_failures_cross_both_ways() {
    run(async {
        let (clients, workers) = (Pool::new(), Pool::new());
        let steps = |job: asyncferry::jobs::JobContext, to: i64| async move {
            for step in 0..to {
                job.report(step);
                sleep(SECOND).await;
            }
            if to == 3 { Err("three is too many") } else { Ok(to) }
        };
        workers.register_with_context("steps", steps).unwrap();
        let engine = Arc::new(clients.engine());
        let mut options = Serve::default();
        options.heartbeat = SECOND / 2;
        let stop = options.stop.clone();
        let (there, pool) = (engine.clone(), workers.clone());
        let serving = spawn_local(async move { serve(&*there, &pool, options).await });
        engine.submit(JobSpec::new("fails", "steps", list([3]))).await.unwrap();
        assert_eq!(outcome(&*engine, "fails").await.unwrap_err(), "three is too many");
        engine.submit(JobSpec::new("wrong", "steps", list(["x"])).retry(Retry::new(5))).await.unwrap();
        let error = outcome(&*engine, "wrong").await.unwrap_err();
        assert!(error.starts_with("job 'steps' can't take these arguments"), "{error}");

        engine.submit(JobSpec::new("long", "steps", list([1000]))).await.unwrap();
        let mut updates = engine.watch("long").await.unwrap();
        let mut seen = 0;
        while let Some(Update::Progress(step)) = updates.next().await {
            seen = step.as_i64().unwrap();
            if seen == 5 {
                assert!(engine.cancel("long", "enough").await.unwrap());
            }
        }
        assert!(seen >= 5);
        sleep(SECOND * 2).await;
        assert_eq!(workers.metrics()[0].running, 0, "the worker was told to stop");
        stop.cancel("done");
        assert_eq!(serving.await.unwrap().unwrap().refused, 1);
    });
}

#[test]
fn a_worker_that_is_dropped_loses_nothing() {
    run(async {
        let (clients, workers) = (Pool::new(), Pool::new());
        workers
            .register("nap", |(): ()| async {
                sleep(SECOND * 5).await;
                Sure::Ok(())
            })
            .unwrap();
        let engine = Arc::new(clients.engine());
        let retry = Retry::new(3).delay(SECOND).jitter(0.0);
        let job = JobSpec::new("a", "nap", Value::Null).heartbeat_timeout(SECOND * 3).retry(retry);
        engine.submit(job).await.unwrap();
        let serving = || {
            let (engine, workers) = (engine.clone(), workers.clone());
            spawn_local(async move { serve(&*engine, &workers, Serve::default()).await })
        };
        let first = serving();
        sleep(SECOND).await;
        first.abort();
        let _second = serving();
        assert_eq!(outcome(&*engine, "a").await.unwrap(), Value::Null);
    });
}

#[test]
fn bounds_and_shutdown_hold_for_what_others_run() {
    run(async {
        let clients = Pool::builder().workers(1).max_queued(2).build();
        let engine = clients.engine();
        let spec = |id: &str| JobSpec::new(id, "elsewhere", Value::Null);
        engine.submit(spec("a")).await.unwrap();
        engine.submit(spec("b")).await.unwrap();
        assert!(matches!(nap(&clients, 1, ()).submit_nowait(), Err(SubmitError::Full { .. })));
        let there = engine.clone();
        let parked =
            spawn_local(async move { there.submit(JobSpec::new("c", "elsewhere", Value::Null)).await });
        sleep(SECOND).await;
        assert!(!parked.is_finished());
        let claimed = engine.claim(&["elsewhere".into()]).await.unwrap().unwrap();
        assert_eq!(parked.await.unwrap().unwrap(), Submission::New);
        assert_eq!(engine.heartbeat(&claimed.fence, None).await.unwrap(), Beat::GoOn);
        let left = clients.shutdown(SECOND).await;
        assert!(matches!(left, asyncferry::patterns::Drained::DeadlinePassed { left } if left.len() == 3));
        let end = AttemptEnd::Completed(Value::Null);
        assert_eq!(engine.complete(&claimed.fence, end).await.unwrap(), Acceptance::Refused);
        assert!(engine.claim(&["elsewhere".into()]).await.unwrap().is_none());
        for id in ["a", "b", "c"] {
            assert!(outcome(&engine, id).await.unwrap_err().starts_with("cancelled"));
        }
    });
}
