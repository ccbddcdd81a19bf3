//! `gather`: of ours, of Python's, of both; and other groups.

use crate::{check, check_alone};

#[test]
fn results_stand_in_the_order_of_the_awaitables() {
    check(
        r#"
async def main():
    async def coroutine(value):
        await asyncio.sleep(0)
        return value
    jobs = [probe.Manual() for _ in range(1000)]
    shared = coroutine("twice")
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, "future")
    for make in ferry.gather, lambda *aws: probe.gather(list(aws)):
        assert await make() == []
        assert await make(probe.ready(1)) == [1]
    one = probe.later(2)
    all = ferry.gather(*[job.start() for job in jobs], shared, one, future, shared, one, ferry.gather(probe.ready(5)))
    assert not all.done()
    await asyncio.sleep(0)
    probe.complete_all(jobs)
    assert await all == [*range(1000), "twice", 2, "future", "twice", 2, [5]]
    assert await all is await all
asyncio.run(main())
"#,
    );
}

#[test]
fn a_gather_of_ours_wakes_the_loop_once() {
    check(
        r#"
async def main():
    jobs = [probe.Manual() for _ in range(100)]
    all = ferry.gather(*[job.direct() for job in jobs])
    task = asyncio.create_task(all)
    await asyncio.sleep(0)
    for n, job in enumerate(jobs[:-1]):
        job.complete_on_thread(n)
    for _ in range(3): await asyncio.sleep(0)
    assert not task.done() and not all.done()
    jobs[-1].complete_on_thread(99)
    assert all.done(), "the last one completes it, on whatever thread"
    assert await task == list(range(100))
asyncio.run(main())
"#,
    );
}

#[test]
fn the_first_error_ends_it_and_the_others_run_on() {
    check(
        r#"
async def main():
    problems = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    good, bad, late = probe.Manual(), probe.Manual(), probe.Manual()
    aws = [good.start(), bad.start(), late.start()]
    log = []
    async def python():
        await aws[0]
        log.append("ran on")
    all = ferry.gather(*aws, python())
    await asyncio.sleep(0)
    bad.fail("first")
    try:
        await all
    except ferry.FerryError as error:
        assert str(error) == "first"
    else:
        assert False
    assert not aws[0].done()
    good.complete(1)
    late.fail("nobody's business any more")
    while not log: await asyncio.sleep(0)
    assert aws[0].result() == 1
    del aws, all
    import gc; gc.collect()
    assert problems == [], problems
asyncio.run(main())
"#,
    );
}

#[test]
fn errors_stand_in_the_list_if_asked_for() {
    check(
        r#"
async def main():
    error = ValueError("x")
    async def raises(): raise error
    job = probe.Manual()
    cancelled = job.start()
    cancelled.cancel("gone")
    got = await ferry.gather(
        probe.fail_with(error, "bare"), probe.ready(1), raises(), cancelled, return_exceptions=True
    )
    assert got[:3] == [error, 1, error]
    assert type(got[3]) is asyncio.CancelledError and got[3].args == ("gone",)
asyncio.run(main())
"#,
    );
}

#[test]
fn cancelling_a_gather_cancels_all_of_it() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    async def slow():
        await asyncio.Event().wait()
    task = asyncio.create_task(slow())
    all = ferry.gather(aw, task)
    await asyncio.sleep(0)
    assert all.cancel("all of you") is True
    try:
        await all
    except asyncio.CancelledError as error:
        assert error.args == ("all of you",)
    else:
        assert False
    assert aw.cancelled() and job.stopped()
    try:
        await task
    except asyncio.CancelledError as error:
        assert error.args == ("all of you",)
    assert all.cancel() is False
asyncio.run(main())
"#,
    );
}

#[test]
fn an_abandoned_gather_stops_its_children() {
    check(
        r#"
import gc
async def main():
    jobs = [probe.Manual() for _ in range(3)]
    all = ferry.gather(*[job.start() for job in jobs])
    del all
    gc.collect()
    for job in jobs:
        assert job.stopped()
asyncio.run(main())
"#,
    );
}

#[test]
fn a_cancelled_gather_gives_no_list() {
    check(
        r#"
jobs = []
def pending():
    jobs.append(probe.Manual())
    return jobs[-1].start()
async def suppresses():
    try: await asyncio.Event().wait()
    except asyncio.CancelledError: return 1
async def cancelled_with(message, aw):
    task = asyncio.create_task(aw)
    await asyncio.sleep(0); await asyncio.sleep(0)
    task.cancel(message)
    try:
        got = await task
    except asyncio.CancelledError as error:
        assert error.args == (message,), error.args
        assert task.cancelled()
    else:
        assert False, f"it went on with {got}"
async def main():
    async def waits(*aws, **how):
        return await ferry.gather(*aws, **how)
    for mixed in [pending()], [asyncio.Event().wait()], [pending(), asyncio.Event().wait()]:
        await cancelled_with("stop", waits(*mixed, return_exceptions=True))
    await cancelled_with("stop", waits(suppresses(), suppresses()))
    await cancelled_with("stop", waits(suppresses(), return_exceptions=True))
    inner = ferry.gather(pending(), return_exceptions=True)
    await cancelled_with("stop", waits(inner))
    assert inner.cancelled()
    # An outer gather is told that the inner one failed, and doesn't wait for the others.
    inner = ferry.gather(pending(), return_exceptions=True)
    outer = ferry.gather(inner, pending())
    await asyncio.sleep(0)
    assert inner.cancel("only this")
    assert outer.cancelled()
    try:
        async with asyncio.timeout(0):
            await ferry.gather(pending(), return_exceptions=True)
    except TimeoutError:
        pass
    else:
        assert False, "the timeout was lost"
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn a_request_that_comes_too_late_changes_nothing() {
    check(
        r#"
async def main():
    class Done(asyncio.Future):
        def cancel(self, msg=None): return False
    last = Done()
    all = ferry.gather(last, probe.ready(1), return_exceptions=True)
    assert all.cancel() is False, "no child took it"
    last.set_result(2)
    assert await all == [2, 1]
    job = probe.Manual()
    all = ferry.gather(job.direct())
    job.complete_on_thread(3)
    assert all.cancel() is False
    assert await all == [3]
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn gathers_in_gathers_have_a_bound() {
    check(
        r#"
def nested(aw, depth):
    for _ in range(depth): aw = ferry.gather(aw)
    return aw
async def main():
    value = await nested(probe.later(1), 200)
    for _ in range(200): [value] = value
    assert value == 1
    job = probe.Manual()
    aw = nested(job.start(), 200)
    await asyncio.sleep(0)
    try:
        ferry.gather(aw)
    except RecursionError as error:
        assert "201 deep" in str(error), error
    else:
        assert False
    assert aw.cancel("deep")
    assert aw.cancelled() and job.stopped()
    job = probe.Manual()
    aw = nested(job.start(), 200)
    del aw
    assert job.stopped()
    # What is done counts no more.
    aw = probe.ready(1)
    for _ in range(2000): aw = ferry.gather(aw); await aw
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn readers_go_on_without_their_iterator() {
    check(
        r#"
import gc
async def main():
    jobs = [probe.Manual() for _ in range(3)]
    aws = [job.start() for job in jobs]
    async def works(): return await asyncio.sleep(0, "python")
    readers = list(ferry.as_completed([*aws, works()]))
    gc.collect()
    assert await readers[0] == "python"
    for n in 2, 0, 1: jobs[n].complete_on_thread(n); assert await readers.pop(1) == n
    # A reader of progress has the job, and hears of its end.
    async def reports(): ferry.report_progress("half"); await asyncio.sleep(0)
    reader = anext(ferry.submit(reports).progress())
    gc.collect()
    assert await reader == "half"
    async def quiet(): await asyncio.sleep(0)
    job = ferry.submit(quiet)
    reader = anext(job.progress())
    await job
    try: await reader
    except StopAsyncIteration: pass
    else: assert False
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn a_map_whose_loop_is_gone_ends_in_silence() {
    check_alone(
        "gathering::a_map_whose_loop_is_gone_ends_in_silence",
        "",
        r#"
import gc
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda loop, context: None)
async def main():
    async def works(_): await asyncio.Event().wait()
    loop.create_task(asyncio.wait_for(ferry.map(works, range(3)), 1000))
    for _ in range(10): await asyncio.sleep(0)
loop.run_until_complete(main())
loop.close()
del loop
gc.collect()
"#,
    );
}
