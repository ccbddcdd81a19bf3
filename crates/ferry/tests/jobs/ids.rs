//! Jobs by bare numbers, with the words that scripts see.

use super::{SECOND, Sure, list, run};
use asyncferry::{
    State, Value,
    jobs::{IdError, JobId, Pool},
    sleep, spawn_local,
};

fn pool() -> Pool {
    let pool = Pool::builder().workers(2).retain_for(SECOND * 100).max_retained(5).build();
    pool.register("nap", |seconds: u32| async move {
        sleep(SECOND * seconds).await;
        Sure::Ok(seconds)
    })
    .unwrap();
    pool.register("nothing", |(): ()| async { Sure::Ok(()) }).unwrap();
    pool.register("fail", |text: String| async move { Err::<(), _>(text) }).unwrap();
    pool
}

fn text<T: std::fmt::Debug>(result: Result<T, IdError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn each_state_has_its_number_and_its_words() {
    run(async {
        let pool = pool();
        let ids = pool.ids();
        let pending = ids.call("nap", list([50])).await.unwrap();
        let done = ids.call("nap", list([1])).await.unwrap();
        let failed = ids.call("fail", list(["it broke"])).await.unwrap();
        let cancelled = ids.call("nap", list([60])).await.unwrap();
        assert!(ids.cancel(cancelled, "enough").unwrap());
        sleep(SECOND * 2).await;
        let states = [pending, done, failed, cancelled].map(|id| ids.state(id).unwrap() as u8);
        assert_eq!(states, [0, 1, 2, 3]);
        assert_eq!(
            [pending, done, failed, cancelled].map(|id| ids.is_ready(id).unwrap()),
            [false, true, true, true]
        );
        assert_eq!(text(ids.get(pending)), "future not ready");
        assert_eq!(ids.get(done).unwrap(), Value::from(1));
        assert_eq!(ids.get(done).unwrap(), Value::from(1), "as often as one likes");
        assert_eq!(text(ids.get(failed)), "it broke");
        assert_eq!(text(ids.wait(failed).await), "it broke");
        assert_eq!(text(ids.get(cancelled)), "future was cancelled");
        assert_eq!(text(ids.wait(cancelled).await), "future was cancelled");
        assert!(!ids.cancel(done, "").unwrap());
        assert_eq!(text(ids.cleanup(pending)), "future not ready");
        let unknown = JobId::of(u64::MAX).unwrap();
        for error in [text(ids.get(unknown)), text(ids.wait(unknown).await), text(ids.cleanup(unknown))] {
            assert_eq!(error, "future not found");
        }
        let _ = pool.shutdown(SECOND).await;
        assert_eq!(text(ids.call("nap", list([1])).await), "async manager is shutting down");
    });
}

#[test]
fn a_result_that_is_nothing_is_a_success() {
    run(async {
        let pool = pool();
        let id = pool.ids().call("nothing", Value::no_arguments()).await.unwrap();
        assert_eq!(pool.ids().wait(id).await.unwrap(), Value::Null);
        assert_eq!(pool.ids().state(id).unwrap(), State::Completed);
    });
}

#[test]
fn many_wait_for_one_and_cleaning_up_does_not_disturb_them() {
    run(async {
        let pool = pool();
        let id = pool.ids().call("nap", list([3])).await.unwrap();
        let waiters: Vec<_> = (0..10).map(|_| spawn_local(pool.ids().wait(id))).collect();
        sleep(SECOND * 3).await;
        assert_eq!(pool.ids().wait(id).await.unwrap(), Value::from(3));
        pool.ids().cleanup(id).unwrap();
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap().unwrap(), Value::from(3));
        }
        assert!(pool.ids().is_empty());
    });
}

#[test]
fn results_go_after_a_time_or_when_they_are_too_many() {
    run(async {
        let pool = pool();
        let ids = pool.ids();
        let mut called = Vec::new();
        for _ in 0..8 {
            let id = ids.call("nothing", Value::no_arguments()).await.unwrap();
            ids.wait(id).await.unwrap();
            called.push(id);
        }
        assert_eq!(ids.len(), 5);
        assert_eq!(text(ids.get(called[2])), "future not found");
        assert_eq!(ids.get(called[3]).unwrap(), Value::Null);
        let runs = ids.call("nap", list([500])).await.unwrap();
        sleep(SECOND * 101).await;
        assert_eq!(ids.len(), 1, "only what has not ended is left");
        assert_eq!(ids.state(runs).unwrap(), State::Pending);
    });
}

#[test]
fn a_thousand_results_that_nobody_wants_are_bounded() {
    run(async {
        let pool = pool();
        for _ in 0..1000 {
            pool.ids().call("nothing", Value::no_arguments()).await.unwrap();
        }
        sleep(SECOND).await;
        assert_eq!(pool.ids().len(), 5);
    });
}
