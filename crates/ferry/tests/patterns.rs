//! What the patterns promise, under many orders of the tasks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    AsyncRuntime, Cancelled, Failure, Instant, cancellable,
    patterns::{
        Answer, BackgroundTasks, DeadlinePassed, Drained, PendingRequests, Readiness, RequestError, Shutdown,
        ShuttingDown, SpawnRefused, SubmitError, TrackError, WorkerPool, map_limited, map_limited_all,
    },
    sleep, spawn_local, testing,
};
use std::{
    cell::{Cell, RefCell},
    future::{Future, pending},
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn check<F: Future<Output = ()>>(scenario: impl FnMut() -> F) {
    testing::seeds(30).run(scenario);
}

type Failed = dyn std::error::Error + Send + Sync + 'static;

/// What a report of failures was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn report(&self) -> impl Fn(&str, &Failed) + Send + Sync + use<> {
        let told = self.0.clone();
        move |name: &str, error: &Failed| told.lock().unwrap().push(format!("{name}: {error}"))
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

async fn nap(time: Duration) -> Result<(), Cancelled> {
    sleep(time).await;
    Ok(())
}

#[test]
fn a_request_that_gave_up_is_told_from_one_that_never_was() {
    check(|| async {
        let requests = PendingRequests::with_limits(2, 2);
        for key in 1..=3 {
            let error = requests.request(key, SECOND).await.unwrap_err();
            assert!(matches!(error, RequestError::TimedOut(SECOND)));
        }
        // The first is forgotten, as two are remembered.
        let answers = [0, 1, 2, 3].map(|key| requests.answer(&key, "yes"));
        let [unknown, late] = [Answer::Unknown("yes"), Answer::Late("yes")];
        assert_eq!(answers, [unknown, unknown, late, late]);
        // Asked again, it is a request as any other, and its answer is delivered once.
        let mut again = requests.register(3).unwrap();
        assert_eq!(requests.answer(&3, "yes"), Answer::Delivered);
        assert_eq!(requests.answer(&3, "no"), Answer::Unknown("no"));
        assert_eq!(again.wait(SECOND).await.unwrap(), "yes");
        assert!(matches!(again.wait(SECOND).await, Err(RequestError::Over)));
    });
}

#[test]
fn requests_have_a_bound_and_keys_of_their_own() {
    check(|| async {
        let requests = PendingRequests::<_, ()>::with_limits(2, 2);
        let first = requests.register("a").unwrap();
        assert!(matches!(requests.register("a"), Err(RequestError::Duplicate)));
        let _second = requests.register("b").unwrap();
        assert!(matches!(requests.register("c"), Err(RequestError::LimitReached(2))));
        drop(first);
        assert_eq!(requests.answer(&"a", ()), Answer::Late(()));
        assert!(requests.register("c").is_ok());
    });
}

#[test]
fn requests_fail_and_are_closed() {
    check(|| async {
        let requests = PendingRequests::<_, ()>::new();
        let waits = ["a", "b"].map(|key| {
            let requests = requests.clone();
            spawn_local(async move { requests.request(key, SECOND).await.unwrap_err().to_string() })
        });
        sleep(SECOND / 2).await;
        assert_eq!(requests.fail(&"a", "refused"), Answer::Delivered);
        requests.close();
        assert!(matches!(requests.register("c"), Err(RequestError::Closed)));
        assert_eq!(requests.answer(&"b", ()), Answer::Late(()));
        let [a, b] = waits;
        assert_eq!(
            (a.await.unwrap(), b.await.unwrap()),
            ("refused".into(), "the requests are closed".into())
        );
    });
}

#[test]
fn an_answer_comes_from_any_thread() {
    let requests = PendingRequests::new();
    let answered = AsyncRuntime::block_on(async {
        let mut pending = requests.register(7).unwrap();
        let there = requests.clone();
        let thread = std::thread::spawn(move || there.answer(&7, "from a thread"));
        let answer = pending.wait(60 * SECOND).await;
        assert_eq!(thread.join().unwrap(), Answer::Delivered);
        answer
    });
    assert_eq!(answered.unwrap(), "from a thread");
}

#[test]
fn background_tasks_report_errors_and_panics_but_no_cancels() {
    check(|| async {
        let told = Told::default();
        let background = BackgroundTasks::with_limit(3).on_failure(told.report());
        background.spawn("error", async { Err::<(), _>("no host") }).unwrap();
        background.spawn("stays", pending::<Result<(), Cancelled>>()).unwrap();
        background.spawn_local("cleans", async { cancellable(pending::<()>()).await }).unwrap();
        let refused = background.spawn("fourth", async { Ok::<_, Cancelled>(()) });
        assert_eq!(refused, Err(SpawnRefused::LimitReached(3)));
        assert_eq!(background.names(), ["error", "stays", "cleans"]);
        sleep(SECOND).await;
        background.spawn::<(), Cancelled, _>("panic", async { panic!("on purpose") }).unwrap();
        sleep(SECOND).await;
        assert_eq!((background.cancel("stays", "enough"), background.cancel("nobody", "")), (1, 0));
        assert_eq!(background.cancel_all("enough"), 2);
        background.join().await;
        assert!(background.is_empty());
        assert_eq!(told.all(), ["error: no host", "panic: panicked: on purpose"]);
    });
}

#[test]
fn background_tasks_are_drained_with_a_deadline() {
    check(|| async {
        let background = BackgroundTasks::new();
        background.spawn("short", nap(SECOND)).unwrap();
        background.spawn("long", nap(60 * SECOND)).unwrap();
        let begun = Instant::now();
        let drained = background.drain(5 * SECOND).await;
        assert_eq!(drained, Drained::DeadlinePassed { left: vec!["long".to_owned()] });
        assert!(background.is_empty() && begun.elapsed() == 5 * SECOND);
        let refused = background.spawn("late", async { Ok::<_, Cancelled>(()) });
        assert_eq!(refused, Err(SpawnRefused::Closed));
    });
}

#[test]
fn a_shutdown_waits_for_work_refuses_other_and_cancels_what_is_left() {
    check(|| async {
        let shutdown = Shutdown::new();
        let log = Rc::new(RefCell::new(Vec::new()));
        let cleaned = log.clone();
        let careful = spawn_local(shutdown.track("careful", async move {
            let ended = cancellable(pending::<()>()).await;
            sleep(SECOND / 2).await;
            cleaned.borrow_mut().push("rolled back");
            ended.unwrap_err().message().to_owned()
        }));
        let plain = spawn_local(shutdown.track("plain", pending::<()>()));
        let short = spawn_local(shutdown.track("short", async { sleep(SECOND).await }));
        assert_eq!(shutdown.in_flight(), ["careful", "plain", "short"]);
        let drained = shutdown.drain(3 * SECOND).await;
        assert_eq!(*log.borrow(), ["rolled back"], "the drain waits for the clean-up");
        assert_eq!(drained, Drained::DeadlinePassed { left: vec!["careful".into(), "plain".into()] });
        assert_eq!(careful.await.unwrap().unwrap(), "the deadline of the shutdown has passed");
        assert_eq!(plain.await.unwrap(), Err(TrackError::DeadlinePassed(DeadlinePassed)));
        assert_eq!(short.await.unwrap(), Ok(()));
        assert_eq!(shutdown.guard("late").map(drop), Err(ShuttingDown));
        assert_eq!(shutdown.track("late", async {}).await, Err(TrackError::ShuttingDown(ShuttingDown)));
    });
}

#[test]
fn a_shutdown_with_guards_ends_when_they_do() {
    check(|| async {
        let shutdown = Shutdown::new();
        let guard = shutdown.guard("import").unwrap();
        let importing = spawn_local(async move {
            sleep(2 * SECOND).await;
            drop(guard);
        });
        let waits = shutdown.clone();
        let waits = spawn_local(async move { waits.begun().await });
        let begun = Instant::now();
        assert_eq!(shutdown.drain(60 * SECOND).await, Drained::Finished);
        assert!(begun.elapsed() == 2 * SECOND && shutdown.is_begun());
        waits.await.unwrap();
        importing.await.unwrap();
        // A loop whose queue is never empty stops as well.
        assert_eq!(shutdown.run_until(async { "an item" }).await, None);
    });
}

#[test]
fn readiness_waits_for_all_and_names_what_lacks() {
    check(|| async {
        let readiness = Readiness::new(["cache", "database"]);
        let waits = readiness.clone();
        let waits = spawn_local(async move { waits.wait(60 * SECOND).await });
        readiness.set_ready("cache").unwrap();
        let early = readiness.wait(SECOND).await.unwrap_err();
        assert_eq!(early.to_string(), "not ready within 1s: database");
        readiness.starting("database", async { Err::<(), _>("refused") }).await.unwrap();
        let failed = waits.await.unwrap().unwrap_err();
        assert_eq!(failed.to_string(), "not ready: database (failed: refused)");
        readiness.starting("database", async { Ok::<_, Cancelled>(()) }).await.unwrap();
        readiness.wait(SECOND).await.unwrap();
        readiness.set_waiting("cache").unwrap();
        assert!(!readiness.is_ready() && readiness.wait(SECOND).await.is_err());
        let unknown = readiness.set_ready("queue").unwrap_err();
        assert_eq!(unknown.to_string(), "there is no part \"queue\": the parts are cache, database");
    });
}

#[test]
fn a_limited_map_holds_its_limit_and_the_order() {
    check(|| async {
        let (now, most) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (inside, peak) = (now.clone(), most.clone());
        let mapped = map_limited_all(3, 0..10_u32, move |item| {
            let (inside, peak) = (inside.clone(), peak.clone());
            async move {
                inside.set(inside.get() + 1);
                peak.set(peak.get().max(inside.get()));
                sleep(SECOND * (10 - item)).await;
                inside.set(inside.get() - 1);
                item
            }
        });
        assert_eq!(mapped.await, (0..10).collect::<Vec<_>>());
        assert_eq!((now.get(), most.get()), (0, 3));
    });
}

#[test]
fn the_first_error_of_a_limited_map_cancels_the_rest() {
    check(|| async {
        let (begun, done) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (begins, ends) = (begun.clone(), done.clone());
        let mapped = map_limited(2, 1..=9_u64, move |item| {
            let (begins, ends) = (begins.clone(), ends.clone());
            async move {
                begins.set(begins.get() + 1);
                sleep(Duration::from_secs(item)).await;
                ends.set(ends.get() + 1);
                if item == 3 { Err(item) } else { Ok(item) }
            }
        });
        // 1 and 2 end, 3 fails at second 4, while 4 runs until second 6.
        assert_eq!(mapped.await, Err(3));
        sleep(100 * SECOND).await;
        assert_eq!((begun.get(), done.get()), (4, 3));
    });
}

#[test]
fn a_worker_outlives_its_jobs_failures_and_reports_those_nobody_waits_for() {
    check(|| async {
        let told = Told::default();
        let pool = WorkerPool::new(1, 2, async |job: u32| match job {
            0 => panic!("on purpose"),
            1 => Err("no such job"),
            _ => Ok(job * 10),
        });
        let pool = pool.on_failure(told.report());
        for job in [0, 1] {
            drop(pool.submit(job).await.unwrap());
        }
        assert!(matches!(pool.submit_nowait(5), Err(SubmitError::Full(5))));
        let known = pool.submit(1).await.unwrap();
        let good = pool.submit(2).await.unwrap();
        assert_eq!(known.await.unwrap_err().to_string(), "no such job");
        assert_eq!(good.await.unwrap(), 20);
        pool.join().await;
        assert_eq!(told.all(), ["job 1: panicked: on purpose", "job 2: no such job"]);
    });
}

#[test]
fn a_pool_that_is_shut_down_gives_up_after_the_deadline() {
    check(|| async {
        let pool = WorkerPool::on_threads(1, 10, async |seconds: u64| {
            sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Cancelled>(seconds)
        });
        let [short, long, queued] = [1, 60, 1].map(|seconds| pool.submit_nowait(seconds).unwrap());
        let drained = pool.shutdown(5 * SECOND).await;
        assert_eq!(drained, Drained::DeadlinePassed { left: vec!["job 2".into(), "job 3".into()] });
        assert_eq!(short.await.unwrap(), 1);
        for given_up in [long, queued] {
            assert!(matches!(given_up.await, Err(Failure::Cancelled(_))));
        }
        pool.join().await;
        assert!(matches!(pool.submit(1).await, Err(SubmitError::ShutDown(1))));
    });
}

#[test]
fn a_pool_that_is_dropped_works_off_what_it_has() {
    check(|| async {
        let pool = WorkerPool::new(1, 10, async |job: u32| Ok::<_, Cancelled>(job));
        let jobs = [1, 2, 3].map(|job| pool.submit_nowait(job).unwrap());
        drop(pool);
        for (job, number) in jobs.into_iter().zip(1..) {
            assert_eq!(job.await.unwrap(), number);
        }
    });
}
