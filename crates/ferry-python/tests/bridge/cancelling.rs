//! Cancelling, across the bridge, both ways; and work that nobody waits for any more.

use crate::{check, check_alone};

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
fn a_cancelled_gather_that_is_left_at_exit_is_silent() {
    check_alone(
        "cancelling::a_cancelled_gather_that_is_left_at_exit_is_silent",
        "",
        r#"
import sys
async def main():
    async def wait(): await ferry.sleep(1000)
    tasks = [asyncio.create_task(wait()) for _ in range(3)]
    # A module's names go when modules are taken apart; so late nothing can be imported.
    sys.modules["asyncio"].left = ferry.gather(*tasks), tasks
    await asyncio.sleep(0)
asyncio.run(main())
"#,
    );
}
