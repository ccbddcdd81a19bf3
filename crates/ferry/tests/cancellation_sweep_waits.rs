//! Whoever waits for something that ends (a promise, a group, children, a time) is cancelled at each of its await points,
//! under many orders: no task, value or request is lost, and nothing runs on that nobody wants. See
//! `cancellation_sweep.rs` for the primitives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use asyncferry::{
    CancellationToken, ReturnWhen, TaskHandle, as_completed, cancellable, gather, gather_all, promise,
    shield, sleep, spawn_local, task_group,
    testing::{self, CancelPoint},
    timeout, wait, yield_now,
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    io::Write,
    rc::Rc,
    time::Duration,
};

const SEEDS: u64 = 100;
/// So many seconds does a child take that must be stopped.
const LONG: u32 = 1000;
const SECOND: Duration = Duration::from_secs(1);

/// Sweeps `scenario`. Its report goes past the test harness, which would keep it to itself.
fn sweep<F: Future<Output = ()>>(name: &str, scenario: impl FnMut(CancelPoint) -> F) {
    let schedules = testing::seeds(SEEDS).sweep(scenario);
    let mut stderr = std::io::stderr();
    writeln!(stderr, "cancellation sweep, {name}: {schedules} schedules").unwrap();
}

/// Counts children that began, and that ended in whatever way.
#[derive(Clone, Default)]
struct Census(Rc<Counts>);

#[derive(Default)]
struct Counts {
    alive: Cell<usize>,
    began: Cell<usize>,
    completed: Cell<usize>,
    cleaned_up: Cell<usize>,
}

struct Alive(Census);

impl Drop for Alive {
    fn drop(&mut self) {
        let counts = &self.0.0;
        counts.alive.set(counts.alive.get() - 1);
    }
}

impl Census {
    fn enter(&self) -> Alive {
        self.0.alive.set(self.0.alive.get() + 1);
        self.0.began.set(self.0.began.get() + 1);
        Alive(self.clone())
    }

    fn alive(&self) -> usize {
        self.0.alive.get()
    }

    /// Works for so long, and cleans up for a second when it's asked to stop.
    async fn child(self, number: u32) -> Result<u32, String> {
        let _alive = self.enter();
        if let Err(cancelled) = cancellable(sleep(SECOND * number)).await {
            sleep(SECOND).await;
            self.0.cleaned_up.set(self.0.cleaned_up.get() + 1);
            return Err(cancelled.to_string());
        }
        self.0.completed.set(self.0.completed.get() + 1);
        Ok(number)
    }
}

/// Long enough for all that was asked to stop.
async fn until_quiet() {
    sleep(10 * SECOND).await;
}

#[test]
fn waiters_of_a_promise() {
    sweep("Promise", |point| async move {
        let (promise, outcome) = promise();
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let (outcome, point) = (outcome.clone(), point.clone());
                spawn_local(async move { point.cancel(outcome).await.map(|outcome| outcome.unwrap()) })
            })
            .collect();
        drop(outcome);
        yield_now().await;
        // All of them may be gone, who stay get the value.
        let taken = promise.complete(7).is_ok();
        let mut got = 0;
        for waiter in waiters {
            if let Some(value) = waiter.await.unwrap() {
                assert_eq!(value, 7);
                got += 1;
            }
        }
        assert!(got >= 2 && taken);
    });
}

#[test]
fn a_task_group() {
    sweep("task_group", |point| async move {
        let census = Census::default();
        let told = census.clone();
        let ended = point
            .cancel(task_group(async |group| {
                let children: Vec<_> =
                    [1, LONG].map(|number| group.spawn_local(told.clone().child(number))).into();
                let mut sum = 0;
                for child in children {
                    sum += child?.await?;
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(sum)
            }))
            .await;
        let counts = &census.0;
        match ended {
            Some(sum) => assert_eq!((sum.unwrap(), census.alive()), (1 + LONG, 0), "it waits for its tasks"),
            None => {
                until_quiet().await;
                assert_eq!(census.alive(), 0);
                let (completed, cleaned_up) = (counts.completed.get(), counts.cleaned_up.get());
                assert_eq!(completed + cleaned_up, counts.began.get(), "each that began has cleaned up");
            }
        }
    });
}

#[test]
fn a_task_group_whose_task_fails_waits_for_the_others_to_clean_up() {
    sweep("task_group, failing", |point| async move {
        let census = Census::default();
        let told = census.clone();
        let ended = point
            .cancel(task_group(async |group| {
                group.spawn_local(told.clone().child(5))?.detach();
                group.spawn_local(async { Err::<(), _>("it fails") })?.detach();
                sleep(100 * SECOND).await;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            }))
            .await;
        if let Some(ended) = ended {
            // The other one, if it had begun, failed by giving up.
            assert!(ended.unwrap_err().to_string().contains("failed: it fails"));
            assert_eq!(census.alive(), 0, "it has waited for the other");
        }
        until_quiet().await;
        assert_eq!((census.alive(), census.0.completed.get()), (0, 0));
        assert_eq!(census.0.cleaned_up.get(), census.0.began.get());
    });
}

#[test]
fn a_gather() {
    sweep("gather", |point| async move {
        let census = Census::default();
        let children = [1, LONG, 3].map(|number| census.clone().child(number));
        match point.cancel(gather(children)).await {
            Some(values) => assert_eq!(values.unwrap(), [1, LONG, 3]),
            None => until_quiet().await,
        }
        let counts = &census.0;
        assert_eq!(census.alive(), 0);
        assert_eq!(counts.completed.get() + counts.cleaned_up.get(), counts.began.get());
    });
}

#[test]
fn a_gather_of_all_outcomes() {
    sweep("gather_all", |point| async move {
        let census = Census::default();
        let children = [LONG, 0, 1].map(|number| {
            let census = census.clone();
            async move { if number == 0 { Err("it fails".to_owned()) } else { census.child(number).await } }
        });
        match point.cancel(gather_all(children)).await {
            Some(outcomes) => assert_eq!(outcomes, [Ok(LONG), Err("it fails".to_owned()), Ok(1)]),
            None => until_quiet().await,
        }
        let counts = &census.0;
        assert_eq!(census.alive(), 0);
        assert_eq!(counts.completed.get() + counts.cleaned_up.get(), counts.began.get());
    });
}

fn start(census: &Census, numbers: impl IntoIterator<Item = u32>) -> Vec<TaskHandle<Result<u32, String>>> {
    numbers.into_iter().map(|number| spawn_local(census.clone().child(number))).collect()
}

#[test]
fn a_wait_leaves_what_it_waits_for_alone() {
    sweep("wait", |point| async move {
        let census = Census::default();
        let tasks = start(&census, 1..=3);
        let done = Rc::new(RefCell::new(Vec::new()));
        let waiting = async {
            let mut handles = tasks;
            while !handles.is_empty() {
                let (ended, pending) = wait(handles, ReturnWhen::FirstCompleted, None).await;
                done.borrow_mut().extend(ended.into_iter().map(|(_, ended)| ended.unwrap().unwrap()));
                handles = pending.into_iter().map(|(_, handle)| handle).collect();
            }
        };
        let ended = point.cancel(waiting).await.is_some();
        until_quiet().await;
        // Nobody cancels them: a handle that is dropped detaches.
        assert_eq!((census.alive(), census.0.completed.get()), (0, 3));
        let done = done.borrow();
        assert!(*done == [1, 2, 3][..done.len()] && (done.len() == 3 || !ended));
    });
}

#[test]
fn children_as_they_complete() {
    sweep("as_completed", |point| async move {
        let census = Census::default();
        let mut completed = as_completed([3, 1, 2].map(|number| census.clone().child(number)));
        let mut values = Vec::new();
        // A cancelled `next` loses nothing: the next one gives what it would have given.
        loop {
            match point.cancel(completed.next()).await {
                Some(Some((_, value))) => values.push(value.unwrap()),
                Some(None) => break,
                None => {}
            }
        }
        assert_eq!((values, census.alive(), census.0.completed.get()), (vec![1, 2, 3], 0, 3));
    });
}

#[test]
fn a_shielded_task_goes_on() {
    sweep("shield", |point| async move {
        let census = Census::default();
        let [task]: [_; 1] = start(&census, [2]).try_into().unwrap();
        let shielded = point.cancel(shield(task)).await;
        until_quiet().await;
        assert_eq!((census.0.completed.get(), census.0.cleaned_up.get(), census.alive()), (1, 0, 0));
        if let Some(value) = shielded {
            assert_eq!(value.unwrap(), Ok(2));
        }
    });
}

#[test]
fn a_timeout_over_a_body_that_cleans_up() {
    sweep("timeout", |point| async move {
        let census = Census::default();
        match point.cancel(timeout(2 * SECOND, census.clone().child(5))).await {
            Some(ended) => assert!(ended.is_err() && census.0.cleaned_up.get() == 1),
            // The body is a part of this task: it's dropped with the timeout.
            None => assert_eq!(census.0.completed.get(), 0),
        }
        assert_eq!(census.alive(), 0);
    });
}

#[test]
fn a_request_to_cancel_arrives_once_whatever_is_dropped() {
    sweep("cancellable", |point| async move {
        let arrived = Rc::new(Cell::new(0));
        let told = arrived.clone();
        let task = spawn_local(async move {
            let first = point.cancel(cancellable(sleep(10 * SECOND))).await;
            if matches!(first, Some(Err(_))) {
                told.set(told.get() + 1);
            }
            // What did not arrive there arrives here.
            if cancellable(sleep(10 * SECOND)).await.is_err() {
                told.set(told.get() + 1);
            }
        });
        sleep(SECOND).await;
        task.cancel("enough");
        task.await.unwrap();
        assert_eq!(arrived.get(), 1);
    });
}

#[test]
fn those_who_run_until_a_token_is_cancelled() {
    sweep("CancellationToken", |point| async move {
        let (token, census) = (CancellationToken::new(), Census::default());
        let tasks = [1, LONG, LONG].map(|number| {
            let (token, census, point) = (token.child_token(), census.clone(), point.clone());
            spawn_local(async move { point.cancel(token.run_until_cancelled(census.child(number))).await })
        });
        let waiting = [token.clone(), token.child_token()].map(|token| {
            let point = point.clone();
            spawn_local(async move { point.cancel(token.cancelled()).await })
        });
        sleep(5 * SECOND).await;
        token.cancel("enough");
        let (mut completed, mut cleaned_up, mut gone) = (0, 0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Some(Ok(ended)) => completed += usize::from(ended == Ok(1)),
                Some(Err(cancelled)) => cleaned_up += usize::from(cancelled.message() == "enough"),
                None => gone += 1,
            }
        }
        for task in waiting {
            match task.await.unwrap() {
                Some(cancelled) => assert_eq!(cancelled.message(), "enough"),
                None => gone += 1,
            }
        }
        assert_eq!(census.alive(), 0, "each was awaited until it had cleaned up, or is dropped");
        assert_eq!((completed, cleaned_up), (census.0.completed.get(), census.0.cleaned_up.get()));
        assert!(gone <= 1 && completed + cleaned_up >= 2);
        assert!(format!("{token:?}").ends_with("waiters: 0 }"));
    });
}
