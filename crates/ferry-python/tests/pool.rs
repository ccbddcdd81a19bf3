//! A pool that Rust and Python share: jobs by name, both ways.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use asyncferry::{
    AsyncRuntime, Failure, Value,
    jobs::{Job, JobContext, Retry},
    value::to_value,
};
use asyncferry_python::{ArtifactInfo, default_pool, interpreter};
use pyo3::prelude::*;
use std::{ffi::CString, io, sync::LazyLock};

static POOL: LazyLock<asyncferry::jobs::Pool> = LazyLock::new(|| {
    interpreter::ensure_started().unwrap();
    let pool = Python::attach(default_pool).unwrap();
    let made = |id: String| async move {
        Ok::<_, io::Error>(ArtifactInfo { id, content_hash: "6f".to_owned(), tags: vec!["x".to_owned()] })
    };
    pool.register("made", made).unwrap();
    let steps = |job: &JobContext, to: i64| {
        for step in 0..to {
            job.check()?;
            job.report(step);
        }
        Ok::<_, asyncferry::Cancelled>(to)
    };
    pool.register_blocking("steps", steps).unwrap();
    pool.register_blocking("fails", |_, text: String| Err::<(), _>(text)).unwrap();
    python(
        "
import asyncio
import asyncferry as ferry

pool = ferry.default_pool()
tries = []

def describe(name, size=1):
    return {'name': name, 'size': size}

async def later(value):
    await asyncio.sleep(0)
    return [value, value]

def flaky():
    tries.append(1)
    if len(tries) < 3:
        raise OSError('again')
    return len(tries)

async def endless():
    await asyncio.sleep(3600)

for function in [describe, later, flaky, endless]:
    pool.register(function.__name__, function)
",
    );
    pool
});

fn python(program: &str) {
    let program = CString::new(program).unwrap();
    Python::attach(|py| py.run(&program, None, None)).unwrap();
}

fn ended(job: asyncferry::jobs::JobBuilder<Value>) -> Result<Value, Failure> {
    AsyncRuntime::block_on(async { job.submit().await.unwrap().await })
}

fn call(name: &str, arguments: Value) -> Result<Value, Failure> {
    ended(POOL.named(name, arguments))
}

#[test]
fn rust_calls_pythons_functions_by_their_names() {
    let by_position = to_value(&("a", 2)).unwrap();
    let by_name = Value::from_iter([("name", Value::from("a")), ("size", Value::from(2))]);
    assert_eq!(call("describe", by_position).unwrap(), by_name);
    assert_eq!(call("describe", by_name.clone()).unwrap(), by_name);
    assert_eq!(call("later", to_value(&[true]).unwrap()).unwrap(), to_value(&[true, true]).unwrap());
    let error = call("describe", Value::no_arguments()).unwrap_err().to_string();
    assert!(error.contains("missing 1 required positional argument: 'name'"), "{error}");
    let retry = Retry::new(3).delay(std::time::Duration::from_micros(100));
    assert_eq!(ended(POOL.named_again(retry, "flaky", Value::Null)).unwrap(), Value::from(3));
}

#[test]
fn a_coroutine_that_rust_cancels_ends() {
    AsyncRuntime::block_on(async {
        let job: Job<Value> = POOL.named("endless", Value::Null).submit().await.unwrap();
        while job.stage() != asyncferry::jobs::Stage::Running {
            asyncferry::yield_now().await;
        }
        assert!(job.cancel("enough"));
        assert!(
            matches!(job.await, Err(Failure::Cancelled(message)) if message.as_deref() == Some("enough"))
        );
    });
}

#[test]
fn python_calls_rusts_functions_by_their_names() {
    LazyLock::force(&POOL);
    python(
        "
import asyncio
import asyncferry as ferry

pool = ferry.default_pool()

async def main():
    made = await pool.submit('made', 'report')
    assert ferry.Artifact(**made) == ferry.Artifact('report', '6f', ['x'])
    assert await pool.submit('steps', 5) == 5
    for name, arguments, error, text in [
        ('steps', ['x'], TypeError, \"job 'steps' can't take these arguments: at [0]: an i64 is wanted\"),
        ('steps', [1, 2], TypeError, \"job 'steps' can't take these arguments: an i64 is wanted, not a list\"),
        ('fails', ['on purpose'], ferry.FerryError, 'on purpose'),
    ]:
        try:
            await pool.submit(name, *arguments)
        except error as raised:
            assert str(raised).startswith(text), raised
        else:
            raise AssertionError(name)
    latent = pool.latent('rule', 'space', pool.clock_now() + 1000, 'made', 'soon')
    assert (await latent.materialize())['id'] == 'soon'
    number = pool.ids.call('steps', 3)
    assert await pool.ids.wait(number) == 3
    assert pool.ids.progress(number) == 2
    assert 'describe' in pool.names and 'made' in pool.names

asyncio.run(main())
",
    );
}
