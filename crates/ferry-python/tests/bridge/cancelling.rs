//! Cancelling, across the bridge, both ways; and work that nobody waits for any more.

use crate::check;
use asyncferry_python::interpreter;
use pyo3::prelude::*;
use std::process::Command;

#[test]
fn cancelling_an_awaitable_stops_its_rust_future() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    assert aw.cancel("enough") is True
    assert aw.cancelled() and aw.done() and repr(aw) == "<Job cancelled>"
    assert aw.cancel() is False
    assert job.stopped(), "the Rust future is still there"
    for look in aw.result, aw.exception, lambda: aw.send(None):
        try:
            look()
        except asyncio.CancelledError as error:
            assert error.args == ("enough",)
        else:
            assert False
    done = probe.ready(1)
    assert done.cancel() is False and not done.cancelled()
asyncio.run(main())
"#,
    );
}

#[test]
fn cancelling_a_task_stops_what_it_awaits_with_its_message() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    async def wait():
        await aw
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel("no time")
    try:
        await task
    except asyncio.CancelledError as error:
        assert error.args == ("no time",), error.args
    assert aw.cancelled() and job.stopped()
asyncio.run(main())
"#,
    );
}

#[test]
fn a_timeout_stops_it_and_a_shield_protects_it() {
    check(
        r#"
async def main():
    job = probe.Manual()
    try:
        async with asyncio.timeout(0):
            await job.start()
    except TimeoutError:
        pass
    else:
        assert False
    assert job.stopped()
    job = probe.Manual()
    aw = job.start()
    try:
        await asyncio.wait_for(asyncio.shield(aw), 0.001)
    except TimeoutError:
        pass
    assert not aw.done()
    job.complete_on_thread(4)
    assert await aw == 4
asyncio.run(main())
"#,
    );
}

#[test]
fn a_job_that_rust_cancels_raises_its_message() {
    check(
        r#"
async def main():
    job = probe.Manual()
    task = asyncio.create_task(job.start())
    await asyncio.sleep(0)
    job.cancel("by Rust")
    try:
        await task
    except asyncio.CancelledError as error:
        assert error.args == ("by Rust",), error.args
    else:
        assert False
    assert task.cancelled()
asyncio.run(main())
"#,
    );
}

#[test]
fn an_abandoned_awaitable_stops_its_rust_future() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    del aw
    assert job.stopped()
asyncio.run(main())
job = probe.Manual()
aw = job.start()
del aw
assert job.stopped(), "also without a loop"
"#,
    );
}

#[test]
fn a_task_that_nobody_refers_to_goes_on() {
    check(
        r#"
import gc
async def main():
    job, log = probe.Manual(), []
    async def background(aw):
        log.append(await aw)
    asyncio.create_task(background(job.start()))
    asyncio.create_task(background(ferry.gather(probe.later(2))))
    await asyncio.sleep(0)
    gc.collect()
    job.complete_on_thread(1)
    while len(log) < 2: await asyncio.sleep(0)
    assert sorted(log, key=str) == [1, [2]]
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn a_waiting_task_lives_as_long_as_its_loop() {
    check(
        r#"
import gc, warnings, weakref
warnings.simplefilter("ignore", ResourceWarning)
for how in "closed", "dropped":
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    job = probe.Manual()
    async def prepare():
        async def wait(aw):
            await aw
        aw = job.start()
        task = asyncio.create_task(wait(aw))
        await asyncio.sleep(0)
        return weakref.ref(task), weakref.ref(aw)
    gone = loop.run_until_complete(prepare())
    gc.collect()
    assert gone[0]() is not None and gone[1]() is not None, "the loop is there"
    if how == "closed": loop.close()
    del loop
    gc.collect()
    assert gone[0]() is None and gone[1]() is None, f"they outlive a loop that was {how}"
    assert job.stopped()
"#,
    );
}

#[test]
fn a_callback_that_is_taken_back_holds_nothing() {
    check(
        r#"
async def main():
    job, log = probe.Manual(), []
    aw = job.start()
    aw.add_done_callback(log.append)
    assert aw.remove_done_callback(log.append) == 1
    del aw
    assert job.stopped(), "nobody waits for it any more"
    job = probe.Manual()
    aw = job.start()
    aw.add_done_callback(log.append)
    aw.remove_done_callback(log.append)
    aw.add_done_callback(log.append)
    job.complete_on_thread(1)
    while not log: await asyncio.sleep(0)
    for _ in range(3): await asyncio.sleep(0)
    assert log == [aw], log
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn any_message_cancels() {
    check(
        r#"
class Bad:
    def __str__(self): raise ValueError("no str")
async def main():
    for message in "\udc80", Bad(), 3, None:
        job = probe.Manual()
        async def wait(): await job.start()
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        assert task.cancel(message)
        try:
            await task
        except asyncio.CancelledError as error:
            assert error.args == (() if message is None else (message,)), error.args
        else:
            assert False
        assert job.stopped()
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

/// Python's end with cancelled gathers left over, in a process of its own: this binary runs itself.
#[test]
fn a_cancelled_gather_that_is_left_at_exit_is_silent() {
    const CHILD: &str = "FERRY_TEST_LEFT_AT_EXIT";
    if std::env::var_os(CHILD).is_some() {
        let python = interpreter::start(interpreter::Options::default()).unwrap();
        let ran = Python::attach(|py| py.run(LEFT_AT_EXIT, None, None).map_err(|error| error.print(py)));
        let finished = python.finish();
        std::process::exit(i32::from(ran.is_err() || finished.is_err()));
    }
    let name = "cancelling::a_cancelled_gather_that_is_left_at_exit_is_silent";
    let this = std::env::current_exe().unwrap();
    let child = Command::new(this)
        .args(["--exact", name, "--nocapture", "--quiet"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&child.stderr), "");
    assert!(child.status.success(), "{:?}", child.status);
}

const LEFT_AT_EXIT: &std::ffi::CStr = c"
import asyncio, sys, asyncferry as ferry
async def main():
    async def wait(): await ferry.sleep(1000)
    tasks = [asyncio.create_task(wait()) for _ in range(3)]
    # A module's names go when modules are taken apart; so late nothing can be imported.
    sys.modules['asyncio'].left = ferry.gather(*tasks), tasks
    await asyncio.sleep(0)
asyncio.run(main())
";

#[test]
fn a_dropped_rust_future_cancels_its_python_task() {
    check(
        r#"
async def main():
    log = []
    async def slow():
        log.append("started")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            log.append(str(error))
            raise
        finally:
            log.append("finally")
    relayed = probe.relay(slow())
    while not log: await asyncio.sleep(0)
    relayed.cancel("from above")
    while "finally" not in log: await asyncio.sleep(0)
    assert log[0] == "started" and "Rust future" in log[1], log
    # Dropped before it began, it never begins, and doesn't complain of that.
    import warnings
    warnings.simplefilter("error")
    async def never():
        log.append("never")
    probe.drop_at_once(never())
    for _ in range(5): await asyncio.sleep(0)
    assert "never" not in log
asyncio.run(main())
"#,
    );
}

#[test]
fn a_cancelled_python_task_is_a_cancelled_error_in_rust() {
    check(
        r#"
async def main():
    async def doomed():
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(0)
    aw = probe.relay(doomed())
    try:
        await aw
    except asyncio.CancelledError as error:
        assert error.args == ("by itself",), error.args
    else:
        assert False
    assert aw.cancelled()
asyncio.run(main())
"#,
    );
}
