//! Jobs by name: typed arguments and results, and what is said of wrong ones.

use super::{SECOND, Sure, list, run};
use asyncferry::{
    Value, ValueLimits,
    jobs::{NamedError, Pool, Retry, SubmitError},
    sleep,
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Resize {
    path: String,
    width: u32,
    #[serde(default)]
    tags: Vec<String>,
}

fn pool() -> Pool {
    let pool = Pool::builder().values(ValueLimits { depth: 4, size: 10_000 }).build();
    pool.register("resize", |resize: Resize| async move { Sure::Ok(resize) }).unwrap();
    pool.register_blocking("sum", |_, numbers: Vec<i64>| Sure::Ok(numbers.iter().sum::<i64>())).unwrap();
    pool.register("deep", |(): ()| async { Sure::Ok([[[[[1]]]]]) }).unwrap();
    pool.register_with_context("count", |job, to: i64| async move {
        for step in 1..=to {
            job.report(step);
            sleep(SECOND).await;
        }
        Sure::Ok(())
    })
    .unwrap();
    pool
}

async fn call(pool: &Pool, name: &str, arguments: Value) -> Result<Value, String> {
    match pool.named(name, arguments).submit().await {
        Ok(job) => job.await.map_err(|failure| failure.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn arguments_come_by_name_or_by_position() {
    run(async {
        let pool = pool();
        let by_name = Value::from_iter([("width", Value::from(20)), ("path", Value::from("a.png"))]);
        let by_position = Value::from_iter([Value::from("a.png"), Value::from(20), Value::List(Vec::new())]);
        let expected = Value::from_iter([
            ("path", Value::from("a.png")),
            ("width", Value::from(20)),
            ("tags", Value::List(Vec::new())),
        ]);
        assert_eq!(call(&pool, "resize", by_name).await.unwrap(), expected);
        assert_eq!(call(&pool, "resize", by_position).await.unwrap(), expected);
        assert_eq!(call(&pool, "sum", list([1, 2, 3])).await.unwrap(), Value::from(6));
    });
}

#[test]
fn each_mistake_has_one_clear_error() {
    run(async {
        let pool = pool();
        let error = async |name, arguments| call(&pool, name, arguments).await.unwrap_err();
        assert_eq!(
            error("rezise", Value::Null).await,
            "no job is registered as 'rezise'; registered are: 'count', 'deep', 'resize', 'sum'"
        );
        assert_eq!(
            error("resize", Value::from_iter([("path", Value::from(1)), ("width", Value::from(20))])).await,
            "job 'resize' can't take these arguments: at .path: a string is wanted, not the number 1"
        );
        assert_eq!(
            error("resize", Value::from_iter([("path", Value::from("a.png"))])).await,
            "job 'resize' can't take these arguments: \"width\" is missing"
        );
        assert_eq!(
            error("sum", Value::from_iter([list([list([list([list([1])])])])])).await,
            "job 'sum' can't be given these arguments: it's too deep: at most 4 lists and maps may lie within each \
             other, and a list that contains itself has no end"
        );
        assert_eq!(
            error("sum", Value::from("x".repeat(10_000))).await,
            "job 'sum' can't be given these arguments: it's too large: it may take at most 10000 bytes in all"
        );
        let deep = error("deep", Value::Null).await;
        assert!(
            deep.starts_with(
                "job 'deep' gave a result that can't be handed on: at [0][0][0][0]: it's too deep"
            )
        );
        let twice = pool.register("sum", |(): ()| async { Sure::Ok(()) }).unwrap_err();
        assert!(twice.to_string().starts_with("another job is registered as 'sum' already"));
    });
}

#[test]
fn wrong_arguments_are_not_tried_again() {
    run(async {
        let pool = pool();
        let job = pool.named_again(Retry::new(5), "sum", Value::from("text")).submit().await.unwrap();
        let failure = job.await.unwrap_err();
        assert!(matches!(failure, asyncferry::Failure::Failed(error) if error.is::<NamedError>()));
        assert_eq!(pool.metrics()[0].retried, 0);
    });
}

#[test]
fn a_name_can_be_taken_back_and_no_pool_knows_anothers() {
    run(async {
        let (pool, other) = (pool(), Pool::new());
        assert!(matches!(
            other.named("sum", Value::Null).submit().await,
            Err(SubmitError::UnknownName { known, .. }) if known.is_empty()
        ));
        assert!(pool.unregister("sum"));
        assert!(!pool.unregister("sum"));
        assert!(pool.named("sum", Value::Null).submit_nowait().is_err());
    });
}

#[test]
fn progress_is_seen_while_it_comes_and_ends_with_the_job() {
    run(async {
        let pool = pool();
        let job = pool.named("count", list([3])).submit().await.unwrap();
        assert_eq!(job.progress(), None);
        let all: Vec<_> = job.watch_progress().collect().await;
        assert_eq!(all, [1, 2, 3].map(Value::from));
        assert_eq!(job.progress(), Some(Value::from(3)));
        let late: Vec<_> = job.watch_progress().collect().await;
        assert_eq!(late, [Value::from(3)], "what it told last");
        job.await.unwrap();
    });
}
