//! Cancelling, across the bridge, both ways; and work that nobody waits for any more.

use crate::check;

#[test]
fn cancelling_an_awaitable_stops_its_rust_future() {
    check(
        r#"
async def main():
    job = probe.Job()
    aw = job.start()
    assert aw.cancel("enough") is True
    assert aw.cancelled() and aw.done() and repr(aw) == "<Awaitable cancelled>"
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
    job = probe.Job()
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
    job = probe.Job()
    try:
        async with asyncio.timeout(0):
            await job.start()
    except TimeoutError:
        pass
    else:
        assert False
    assert job.stopped()
    job = probe.Job()
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
    job = probe.Job()
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
    job = probe.Job()
    aw = job.start()
    del aw
    assert job.stopped()
asyncio.run(main())
job = probe.Job()
aw = job.start()
del aw
assert job.stopped(), "also without a loop"
"#,
    );
}

#[test]
fn a_cycle_through_a_waiting_task_is_collected() {
    check(
        r#"
import gc, weakref
async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    job = probe.Job()
    async def wait(aw):
        await aw
    aw = job.start()
    task = asyncio.create_task(wait(aw))
    await asyncio.sleep(0)
    gone = weakref.ref(task), weakref.ref(aw)
    del task, aw
    gc.collect()
    assert gone[0]() is None and gone[1]() is None, "the task and its awaitable keep each other alive"
    assert job.stopped()
asyncio.run(main())
"#,
    );
}

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
