//! The runner of seeds, and the sweep.

use super::*;
use crate::{
    promise::promise, task::spawn_local, task::yield_now, time::Instant, time::hold_clock, time::sleep,
};
use std::{cell::RefCell, collections::BTreeSet, future::pending, rc::Rc};

/// `count` seeds, whatever the environment of the tests says.
fn seeds(count: u64) -> Seeds {
    Seeds { count, replay: None }
}

fn replaying(seed: &str) -> Seeds {
    Seeds { count: 3, replay: Some(seed.into()) }
}

/// The order in which eight tasks take their turn.
async fn order() -> String {
    let log = Rc::new(RefCell::new(String::new()));
    let tasks = "abcdefgh".chars().map(|name| {
        let log = log.clone();
        spawn_local(async move {
            yield_now().await;
            log.borrow_mut().push(name);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    log.take()
}

fn orders(seeds: Seeds) -> Vec<String> {
    let orders = RefCell::new(Vec::new());
    seeds.run(|| async {
        let order = order().await;
        orders.borrow_mut().push(order);
    });
    orders.into_inner()
}

#[test]
fn the_first_seed_is_fifo_and_each_has_its_own_order_again() {
    let first = orders(seeds(20));
    assert_eq!(first[0], "abcdefgh");
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(first, orders(seeds(20)));
    assert_eq!(orders(replaying("7")), first[7..8]);
    assert_eq!(orders(replaying(" 19\n")), first[19..], "a seed beyond the count runs too");
}

#[test]
fn what_fails_is_named_with_its_seed() {
    let fails_at = |bad: &'static str| {
        let seen = seeds(100).try_run(|| async move {
            let order = order().await;
            if order == bad { Err("that order") } else { Ok(()) }
        });
        seen.unwrap_err()
    };
    let all = orders(seeds(10));
    let failed = fails_at(all[9].clone().leak());
    assert_eq!((failed.seed(), failed.schedules()), (Some(9), 10));
    assert_eq!(
        failed.to_string(),
        "seed 9, failed after 9 schedules that did not: it gave Err(\"that order\")\nrun it alone with FERRY_SEED=9 \
         in the environment"
    );
}

#[test]
fn a_panic_and_a_nested_result_are_failures() {
    let panicked = seeds(1).try_run(async || -> () { panic!("boom") }).unwrap_err();
    assert!(panicked.to_string().contains("panicked: boom"), "{panicked}");
    let nested = seeds(1).try_run(|| async { Ok::<_, ()>(Err::<(), _>(5)) }).unwrap_err();
    assert!(nested.to_string().contains("Err(5)"), "{nested}");
    assert_eq!(seeds(3).try_run(|| async { Ok::<_, ()>(Ok::<(), ()>(())) }).unwrap(), 3);
}

#[test]
#[should_panic(expected = "run it alone with FERRY_SEED=0")]
fn run_panics_with_the_seed() {
    seeds(5).run(|| async { Err::<(), _>("no") });
}

#[test]
fn what_waits_for_ever_fails() {
    let failed = seeds(2).try_run(pending::<()>).unwrap_err();
    assert!(failed.to_string().contains("it waits for ever"), "{failed}");
    let years = Duration::from_secs(50 * 365 * 24 * 3600);
    seeds(1).run(|| async {
        let start = Instant::now();
        sleep(years).await;
        assert_eq!(start.elapsed(), years);
    });
}

#[test]
fn a_thread_holds_the_clock() {
    seeds(3).run(|| async {
        let (promise, future) = promise();
        let hold = hold_clock();
        let thread = std::thread::spawn(move || {
            promise.complete(1).unwrap();
            drop(hold);
        });
        assert_eq!(future.await.unwrap(), 1);
        thread.join().unwrap();
    });
}

#[test]
fn a_bad_seed_and_no_seed_are_told() {
    for bad in ["", "abc", "-1", "1.5", "18446744073709551616"] {
        let failed = replaying(bad).try_run(|| async {}).unwrap_err();
        assert_eq!(failed.seed(), None);
        let expected = format!("FERRY_SEED is {bad:?}, which is no seed");
        assert!(failed.to_string().starts_with(&expected), "{failed}");
    }
    assert_eq!(replaying("18446744073709551614").run(|| async {}), 1);
    let none = seeds(0).try_run(|| async {}).unwrap_err();
    assert!(none.to_string().contains("no seed to run"), "{none}");
}

/// What a sweep over a future with three await points has seen: how far it came, and whether it was cancelled.
#[test]
fn a_sweep_cancels_at_each_await_point_and_then_lets_through() {
    let seen = RefCell::new(Vec::new());
    let log = &seen;
    let schedules = seeds(1).sweep(|point| async move {
        let steps = RefCell::new(0);
        let ended = point
            .cancel(async {
                for _ in 0..3 {
                    *steps.borrow_mut() += 1;
                    yield_now().await;
                }
            })
            .await;
        log.borrow_mut().push((steps.take(), ended.is_some()));
    });
    let cancelled = |step| [(step, false); 3];
    let expected = [cancelled(1), cancelled(2), cancelled(3)].concat();
    assert_eq!(schedules, 10);
    assert_eq!(*seen.borrow(), [expected, vec![(3, true)]].concat());
}

#[test]
fn a_sweep_counts_the_await_points_of_all_its_futures() {
    let cancelled = RefCell::new(Vec::new());
    let log = &cancelled;
    let schedules = seeds(1).sweep(|point| async move {
        let [a, b] = ['a', 'b'].map(|name| (name, spawn_local(point.cancel(yield_now()))));
        for (name, task) in [a, b] {
            if task.await.unwrap().is_none() {
                log.borrow_mut().push(name);
            }
        }
    });
    assert_eq!((schedules, cancelled.into_inner().into_iter().collect::<String>()), (7, "aaabbb".to_owned()));
}

#[test]
fn a_sweep_drops_what_was_woken_with_its_value_on_the_way() {
    /// Hands its value to the first waiter only: one that is dropped loses it.
    async fn scenario(point: CancelPoint) -> Result<(), &'static str> {
        let (promise, future) = promise();
        let waiter = spawn_local(point.cancel(future));
        yield_now().await;
        yield_now().await;
        let was_taken = promise.complete(1).is_ok();
        match waiter.await.unwrap() {
            None if was_taken => Err("the value was lost"),
            _ => Ok(()),
        }
    }
    let failed = seeds(1).try_sweep(scenario).unwrap_err();
    assert_eq!((failed.seed(), failed.schedules()), (Some(0), 3));
    assert!(
        failed.to_string().starts_with("seed 0, cancelled when it was woken at await point 1, failed"),
        "{failed}"
    );
}

#[test]
fn a_sweep_that_cancels_nothing_is_told() {
    let failed = seeds(1).try_sweep(|_| async {}).unwrap_err();
    assert!(failed.to_string().contains("gave nothing to CancelPoint::cancel"), "{failed}");
}

#[test]
fn a_scenario_whose_await_points_have_no_end_is_told() {
    let point_1001 = CancelPoint::all().nth(3000).unwrap();
    assert_eq!(point_1001.to_string(), "cancelled at once at await point 1001");
    let awaits = |count| {
        let point = &point_1001;
        seeds(1).run(|| async move {
            for _ in 0..count {
                point.cancel(yield_now()).await;
            }
        });
        point_1001.is_through()
    };
    assert_eq!(awaits(1000), Ok(true));
    assert!(awaits(1).unwrap_err().contains("more than 1000 await points"));
}

#[test]
fn what_is_cancelled_but_never_woken_is_swept_on() {
    let schedules = seeds(1).sweep(|point| async move {
        drop(spawn_local(point.cancel(pending::<()>())));
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(schedules, 4);
}
