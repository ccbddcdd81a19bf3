//! What the scripts of the tests can call.

use asyncferry::{
    AsyncError, Value,
    jobs::{JobContext, Pool},
    sleep, stream, sync,
    value::{Callback, Foreign},
};
use asyncferry_wren::Vm;
use std::{io, sync::Arc, time::Duration};

fn other(text: &str) -> io::Error {
    io::Error::other(text.to_owned())
}

/// A pool whose jobs are in Rust: one runs at a time, and two wait.
pub(crate) fn pool() -> Pool {
    let pool = Pool::builder().workers(1).max_queued(2).build();
    let registered = [
        pool.register_blocking("add", |_, (a, b): (i64, i64)| Ok::<_, io::Error>(a + b)),
        pool.register("job", |milliseconds: u64| async move {
            sleep(Duration::from_millis(milliseconds)).await;
            Ok::<_, io::Error>(milliseconds)
        }),
        pool.register("failing job", |(): ()| async { Err::<(), _>(other("the job failed")) }),
        pool.register("nothing", |(): ()| async { Ok::<_, io::Error>(()) }),
        pool.register_with_context("flaky", |job: JobContext, times: u32| async move {
            if job.attempt() <= times { Err(other("not yet")) } else { Ok(job.attempt()) }
        }),
        pool.register_with_context("told", |job: JobContext, (): ()| async move {
            job.report("half");
            sleep(Duration::from_millis(10)).await;
            Ok::<_, io::Error>(())
        }),
        pool.register("panicking job", |(): ()| async {
            if true {
                panic!("the job panicked");
            }
            Ok::<_, io::Error>(())
        }),
        pool.register("named", |given: std::collections::BTreeMap<String, i64>| async move {
            Ok::<_, io::Error>(given.values().sum::<i64>())
        }),
    ];
    registered.into_iter().for_each(|registered| registered.expect("the names differ"));
    pool
}

/// The machine's own functions.
pub(crate) fn register(vm: &Vm) {
    let registered = [
        vm.register_async("double", |number: f64| async move { Ok::<_, io::Error>(2.0 * number) }),
        vm.register_async("echo", |value: Value| async move {
            Ok::<_, io::Error>(value.as_list().and_then(|all| all.first()).cloned())
        }),
        vm.register_async("later", |(milliseconds, value): (u64, Value)| async move {
            sleep(Duration::from_millis(milliseconds)).await;
            Ok::<_, io::Error>(value)
        }),
        vm.register_async("fail", |text: String| async move { Err::<(), _>(other(&text)) }),
        vm.register_async("fail later", |(milliseconds, text): (u64, String)| async move {
            sleep(Duration::from_millis(milliseconds)).await;
            Err::<(), _>(other(&text))
        }),
        vm.register_async("panic", |(): ()| async {
            asyncferry::yield_now().await;
            if true {
                panic!("the function panicked");
            }
            Ok::<_, io::Error>(())
        }),
        vm.register_async("call twice", |(function, argument): (Callback, Value)| async move {
            let first = function.call([argument]).await?;
            function.call([first]).await
        }),
        vm.register_async("kind", |object: Foreign| async move { Ok::<_, io::Error>(object.kind()) }),
        vm.register_async("set", |object: Foreign| async move {
            let event = object.get::<sync::Event>().ok_or(AsyncError::Other("no event".to_owned()))?;
            sleep(Duration::from_millis(5)).await;
            event.set();
            Ok::<_, AsyncError>(())
        }),
        vm.register_async("yields", |times: u32| async move {
            for _ in 0..times {
                asyncferry::yield_now().await;
            }
            Ok::<_, io::Error>(times)
        }),
        vm.register_async("big", |(): ()| async { Ok::<_, io::Error>(i64::MAX) }),
        vm.register_async("bytes", |(): ()| async { Ok::<_, io::Error>(Value::from(vec![255_u8, 0])) }),
        vm.register_async("event", |(): ()| async {
            let event = Arc::new(sync::Event::new());
            event.set();
            Ok::<_, io::Error>(Foreign::new("Event", event))
        }),
        vm.register_stream("count", |to: i64| stream::iter((1..=to).map(Ok::<_, io::Error>))),
        vm.register_stream("breaks", |(): ()| stream::iter([Ok(1), Err(other("the stream broke")), Ok(2)])),
    ];
    registered.into_iter().for_each(|registered| registered.expect("the names differ"));
}
