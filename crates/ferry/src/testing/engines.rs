//! The rules that each [`Engine`] must keep, as one suite of tests: [`check`].
//!
//! A scenario uses one engine, which it shares with those before it: ids and names are its own. It takes its time in units
//! ([`Profile`]), so that the same suite runs on a virtual clock in no time, and against a service over a network in
//! minutes.

use crate::{
    error::{AsyncError, Failure},
    jobs::{Acceptance, AttemptEnd, Beat, Claimed, Engine, EngineError, JobSpec, Retry, Submission, Update},
    promise::Outcome,
    time::{sleep, timeout},
    value::Value,
};
use futures_util::StreamExt;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// How fast an engine is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// Longer than the engine takes for anything that it does at once.
    pub unit: Duration,
    /// Put before each id and name, so that a run doesn't meet the jobs of another in an engine that remembers them.
    pub prefix: String,
}

impl Profile {
    /// One whose unit is so long.
    pub fn new(unit: Duration) -> Self {
        Self { unit, prefix: String::new() }
    }

    /// See [`prefix`](Self::prefix).
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }
}

/// Runs all scenarios on `engine`, one after another, and gives their names.
///
/// # Panics
/// When the engine breaks a rule: with the scenario's name, and what happened.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, jobs::Pool, testing::engines};
/// use std::{sync::Arc, time::Duration};
///
/// let passed = AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let engine = Arc::new(Pool::new().engine());
///     engines::check(engine, &engines::Profile::new(Duration::from_secs(1))).await
/// });
/// assert!(passed.len() > 10);
/// ```
pub async fn check(engine: Arc<dyn Engine>, profile: &Profile) -> Vec<&'static str> {
    let mut passed = Vec::new();
    for (name, scenario) in SCENARIOS {
        let tried = Tried { engine: engine.clone(), profile: profile.clone(), name };
        let limit = profile.unit * 100;
        if timeout(limit, scenario(&tried)).await.is_err() {
            panic!("{name}: it waits for what does not come");
        }
        passed.push(*name);
    }
    passed
}

type Scenario = for<'a> fn(&'a Tried) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! scenarios {
    ($($name:ident,)*) => {
        const SCENARIOS: &[(&str, Scenario)] = &[$((stringify!($name), |tried| Box::pin($name(tried))),)*];
    };
}

scenarios! {
    a_job_is_run_and_all_who_watch_see_its_result,
    an_id_is_run_once,
    a_result_that_is_nothing_is_a_success,
    an_end_is_accepted_once,
    a_job_that_fails_is_tried_again_and_then_fails,
    a_failure_that_is_final_is_not_tried_again,
    a_worker_may_cancel_its_own_attempt,
    a_queued_job_that_is_cancelled_is_not_run,
    a_running_job_that_is_cancelled_is_told_so_and_its_end_refused,
    a_cancel_that_comes_too_late_changes_nothing,
    progress_is_seen,
    a_heartbeat_keeps_an_attempt_alive,
    an_attempt_that_is_not_heard_of_is_lost_and_its_end_refused,
    an_attempt_that_takes_too_long_is_given_up,
    who_claims_gets_only_what_it_can_run,
    the_highest_priority_is_claimed_first,
    values_come_as_they_were,
    an_unknown_id_is_an_error,
}

/// An engine in a scenario.
struct Tried {
    engine: Arc<dyn Engine>,
    profile: Profile,
    name: &'static str,
}

impl Tried {
    fn unit(&self) -> Duration {
        self.profile.unit
    }

    fn id(&self, id: &str) -> String {
        format!("{}{}-{id}", self.profile.prefix, self.name)
    }

    /// A job of the function that is this scenario's own.
    fn job(&self, id: &str) -> JobSpec {
        JobSpec::new(&self.id(id), &self.id("function"), Value::from(id))
    }

    async fn submit(&self, job: JobSpec) -> Submission {
        self.done(self.engine.submit(job).await)
    }

    async fn claim(&self) -> Claimed {
        self.claim_of("function").await
    }

    async fn claim_of(&self, function: &str) -> Claimed {
        let claimed = self.engine.claim(&[self.id(function).into()]).await;
        self.done(claimed).unwrap_or_else(|| panic!("{}: the engine has no more jobs", self.name))
    }

    /// Whether there is nothing to claim, for a while.
    async fn has_nothing(&self) -> bool {
        timeout(self.unit() * 2, self.claim()).await.is_err()
    }

    async fn complete(&self, claimed: &Claimed, value: Value) -> Acceptance {
        self.done(self.engine.complete(&claimed.fence, AttemptEnd::Completed(value)).await)
    }

    async fn fail(&self, claimed: &Claimed, error: &str, may_retry: bool) -> Acceptance {
        let end = AttemptEnd::Failed { error: error.to_owned(), may_retry };
        self.done(self.engine.complete(&claimed.fence, end).await)
    }

    async fn beat(&self, claimed: &Claimed, progress: Option<Value>) -> Beat {
        self.done(self.engine.heartbeat(&claimed.fence, progress).await)
    }

    async fn cancel(&self, id: &str) -> bool {
        self.done(self.engine.cancel(&self.id(id), "not needed").await)
    }

    /// What is seen of a job, to its end.
    async fn updates(&self, id: &str) -> (Vec<Value>, Outcome<Value>) {
        let mut updates = self.done(self.engine.watch(&self.id(id)).await);
        let mut progress = Vec::new();
        while let Some(update) = updates.next().await {
            match update {
                Update::Progress(value) => progress.push(value),
                Update::Ended(outcome) => return (progress, outcome),
            }
        }
        panic!("{}: watching ended before the job", self.name)
    }

    async fn outcome(&self, id: &str) -> Outcome<Value> {
        self.updates(id).await.1
    }

    fn done<T>(&self, result: Result<T, EngineError>) -> T {
        result.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    #[track_caller]
    fn same<T: PartialEq + std::fmt::Debug>(&self, found: T, wanted: T) {
        assert_eq!(found, wanted, "{}", self.name);
    }

    /// That it failed, and with which text.
    #[track_caller]
    fn failed(&self, outcome: Outcome<Value>, text: &str) {
        match outcome {
            Err(Failure::Failed(error)) if error.to_string().contains(text) => {}
            other => panic!("{}: it should have failed with {text:?}, and gave {other:?}", self.name),
        }
    }

    #[track_caller]
    fn cancelled(&self, outcome: Outcome<Value>) {
        assert!(matches!(outcome, Err(Failure::Cancelled(_))), "{}: it gave {outcome:?}", self.name);
    }
}

async fn a_job_is_run_and_all_who_watch_see_its_result(tried: &Tried) {
    tried.same(tried.submit(tried.job("a")).await, Submission::New);
    let work = async {
        let claimed = tried.claim().await;
        tried.same((&claimed.arguments, claimed.attempt), (&Value::from("a"), 1));
        tried.same(tried.complete(&claimed, Value::from(42)).await, Acceptance::Accepted);
    };
    let watchers = futures_util::future::join(tried.outcome("a"), tried.outcome("a"));
    let (first, second) = futures_util::future::join(watchers, work).await.0;
    for outcome in [first, second, tried.outcome("a").await] {
        tried.same(outcome.ok(), Some(Value::from(42)));
    }
}

async fn an_id_is_run_once(tried: &Tried) {
    tried.same(tried.submit(tried.job("a")).await, Submission::New);
    tried.same(tried.submit(tried.job("a")).await, Submission::AlreadyThere);
    let claimed = tried.claim().await;
    tried.same(tried.submit(tried.job("a")).await, Submission::AlreadyThere);
    tried.complete(&claimed, Value::from(1)).await;
    tried.same(tried.submit(tried.job("a")).await, Submission::AlreadyThere);
    tried.same(tried.outcome("a").await.ok(), Some(Value::from(1)));
    tried.same(tried.has_nothing().await, true);
}

async fn a_result_that_is_nothing_is_a_success(tried: &Tried) {
    tried.submit(tried.job("a")).await;
    let claimed = tried.claim().await;
    tried.same(tried.complete(&claimed, Value::Null).await, Acceptance::Accepted);
    tried.same(tried.outcome("a").await.ok(), Some(Value::Null));
}

async fn an_end_is_accepted_once(tried: &Tried) {
    tried.submit(tried.job("a")).await;
    let claimed = tried.claim().await;
    tried.same(tried.complete(&claimed, Value::from(1)).await, Acceptance::Accepted);
    tried.same(tried.complete(&claimed, Value::from(2)).await, Acceptance::Refused);
    tried.same(tried.fail(&claimed, "too late", true).await, Acceptance::Refused);
    tried.same(tried.outcome("a").await.ok(), Some(Value::from(1)));
}

async fn a_job_that_fails_is_tried_again_and_then_fails(tried: &Tried) {
    let retry = Retry::new(3).delay(tried.unit() / 10).jitter(0.0);
    tried.submit(tried.job("a").retry(retry)).await;
    for attempt in 1..=3 {
        let claimed = tried.claim().await;
        tried.same(claimed.attempt, attempt);
        tried.same(tried.fail(&claimed, &format!("failure {attempt}"), true).await, Acceptance::Accepted);
    }
    tried.failed(tried.outcome("a").await, "failure 3");
    tried.same(tried.has_nothing().await, true);
}

async fn a_failure_that_is_final_is_not_tried_again(tried: &Tried) {
    tried.submit(tried.job("a").retry(Retry::new(3).delay(tried.unit() / 10))).await;
    let claimed = tried.claim().await;
    tried.fail(&claimed, "hopeless", false).await;
    tried.failed(tried.outcome("a").await, "hopeless");
    tried.same(tried.has_nothing().await, true);
}

async fn a_worker_may_cancel_its_own_attempt(tried: &Tried) {
    tried.submit(tried.job("a").retry(Retry::new(3))).await;
    let claimed = tried.claim().await;
    let end = AttemptEnd::Cancelled("enough".to_owned());
    tried.same(tried.done(tried.engine.complete(&claimed.fence, end).await), Acceptance::Accepted);
    tried.cancelled(tried.outcome("a").await);
    tried.same(tried.has_nothing().await, true);
}

async fn a_queued_job_that_is_cancelled_is_not_run(tried: &Tried) {
    tried.submit(tried.job("a")).await;
    tried.submit(tried.job("b")).await;
    tried.same(tried.cancel("a").await, true);
    tried.cancelled(tried.outcome("a").await);
    let claimed = tried.claim().await;
    tried.same(&claimed.arguments, &Value::from("b"));
    tried.complete(&claimed, Value::Null).await;
    tried.same(tried.has_nothing().await, true);
}

async fn a_running_job_that_is_cancelled_is_told_so_and_its_end_refused(tried: &Tried) {
    tried.submit(tried.job("a").heartbeat_timeout(tried.unit() * 5).retry(Retry::new(3))).await;
    let claimed = tried.claim().await;
    tried.same(tried.beat(&claimed, None).await, Beat::GoOn);
    tried.same(tried.cancel("a").await, true);
    tried.cancelled(tried.outcome("a").await);
    let stops = async {
        while let Beat::GoOn = tried.beat(&claimed, None).await {
            sleep(tried.unit() / 4).await;
        }
    };
    stops.await;
    tried.same(tried.complete(&claimed, Value::from(1)).await, Acceptance::Refused);
    tried.cancelled(tried.outcome("a").await);
    tried.same(tried.has_nothing().await, true);
}

async fn a_cancel_that_comes_too_late_changes_nothing(tried: &Tried) {
    tried.submit(tried.job("a")).await;
    let claimed = tried.claim().await;
    tried.complete(&claimed, Value::from(1)).await;
    tried.same(tried.outcome("a").await.ok(), Some(Value::from(1)));
    tried.same(tried.cancel("a").await, false);
    tried.same(tried.outcome("a").await.ok(), Some(Value::from(1)));
}

async fn progress_is_seen(tried: &Tried) {
    tried.submit(tried.job("a").heartbeat_timeout(tried.unit() * 20)).await;
    let work = async {
        let claimed = tried.claim().await;
        for step in [1, 2] {
            tried.beat(&claimed, Some(Value::from(step))).await;
            sleep(tried.unit()).await;
        }
        tried.complete(&claimed, Value::Null).await;
    };
    let ((progress, outcome), ()) = futures_util::future::join(tried.updates("a"), work).await;
    // One that comes fast may be passed over, but the last is seen.
    tried.same(progress.last(), Some(&Value::from(2)));
    tried.same(outcome.ok(), Some(Value::Null));
}

async fn a_heartbeat_keeps_an_attempt_alive(tried: &Tried) {
    tried.submit(tried.job("a").heartbeat_timeout(tried.unit() * 3).retry(Retry::new(2))).await;
    let claimed = tried.claim().await;
    for _ in 0..4 {
        sleep(tried.unit()).await;
        tried.same(tried.beat(&claimed, None).await, Beat::GoOn);
    }
    tried.same(tried.complete(&claimed, Value::from(1)).await, Acceptance::Accepted);
    tried.same(tried.outcome("a").await.ok(), Some(Value::from(1)));
}

async fn an_attempt_that_is_not_heard_of_is_lost_and_its_end_refused(tried: &Tried) {
    let retry = Retry::new(2).delay(tried.unit() / 10).jitter(0.0);
    tried.submit(tried.job("a").heartbeat_timeout(tried.unit()).retry(retry)).await;
    let lost = tried.claim().await;
    let second = tried.claim().await;
    tried.same((lost.attempt, second.attempt), (1, 2));
    tried.same(tried.complete(&lost, Value::from("late")).await, Acceptance::Refused);
    assert!(matches!(tried.beat(&lost, None).await, Beat::Stop(_)), "{}: the lost one goes on", tried.name);
    tried.same(tried.complete(&second, Value::from("second")).await, Acceptance::Accepted);
    tried.same(tried.outcome("a").await.ok(), Some(Value::from("second")));
}

async fn an_attempt_that_takes_too_long_is_given_up(tried: &Tried) {
    tried.submit(tried.job("a").timeout(tried.unit())).await;
    let claimed = tried.claim().await;
    let outcome = tried.outcome("a").await;
    let is_timeout = |error: &AsyncError| matches!(error, AsyncError::Timeout(_));
    match &outcome {
        Err(Failure::Failed(error)) if error.downcast_ref().is_some_and(is_timeout) => {}
        other => panic!("{}: it should have timed out, and gave {other:?}", tried.name),
    }
    tried.same(tried.complete(&claimed, Value::from("late")).await, Acceptance::Refused);
}

async fn who_claims_gets_only_what_it_can_run(tried: &Tried) {
    let other = JobSpec::new(&tried.id("other"), &tried.id("other-function"), Value::Null);
    tried.submit(other).await;
    tried.submit(tried.job("own")).await;
    let own = tried.claim().await;
    tried.same(&*own.name, &*tried.id("function"));
    tried.same(tried.has_nothing().await, true);
    let other = tried.claim_of("other-function").await;
    tried.complete(&own, Value::Null).await;
    tried.complete(&other, Value::Null).await;
}

async fn the_highest_priority_is_claimed_first(tried: &Tried) {
    for (id, priority) in [("low", -1), ("normal", 0), ("high", 1)] {
        tried.submit(tried.job(id).priority(priority)).await;
    }
    for id in ["high", "normal", "low"] {
        let claimed = tried.claim().await;
        tried.same(&claimed.arguments, &Value::from(id));
        tried.complete(&claimed, Value::Null).await;
    }
}

async fn values_come_as_they_were(tried: &Tried) {
    let value = Value::from_iter([
        ("null", Value::Null),
        ("numbers", Value::from_iter([Value::from(i64::MIN), Value::from(1.5), Value::from(f64::INFINITY)])),
        ("text", Value::from("\u{0}\"ÿ\u{1f6a2}")),
        ("bytes", Value::Bytes((0..=255).collect())),
        ("large", Value::from("x".repeat(100_000))),
    ]);
    tried.submit(JobSpec { arguments: value.clone(), ..tried.job("a") }).await;
    let claimed = tried.claim().await;
    tried.same(&claimed.arguments, &value);
    tried.complete(&claimed, value.clone()).await;
    tried.same(tried.outcome("a").await.ok(), Some(value));
}

async fn an_unknown_id_is_an_error(tried: &Tried) {
    let unknown = |error: Option<EngineError>| matches!(error, Some(EngineError::Unknown(_)));
    assert!(unknown(tried.engine.watch(&tried.id("none")).await.err()), "{}: watched", tried.name);
    assert!(unknown(tried.engine.cancel(&tried.id("none"), "").await.err()), "{}: cancelled", tried.name);
    let nobodys = crate::jobs::Fence::new(b"nobody's");
    let end = AttemptEnd::Completed(Value::Null);
    tried.same(tried.done(tried.engine.complete(&nobodys, end).await), Acceptance::Refused);
}
