//! `gather`: of ours, of Python's, of both.

use crate::check;

#[test]
fn results_stand_in_the_order_of_the_awaitables() {
    check(
        r#"
async def main():
    async def coroutine(value):
        await asyncio.sleep(0)
        return value
    jobs = [probe.Job() for _ in range(1000)]
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
    jobs = [probe.Job() for _ in range(100)]
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
    good, bad, late = probe.Job(), probe.Job(), probe.Job()
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
    job = probe.Job()
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
fn what_cannot_be_awaited_is_refused_at_once() {
    check(
        r#"
async def main():
    log = []
    async def started(): log.append("started")
    coroutine = started()
    for wrong in 1, main, None, "text":
        try:
            ferry.gather(coroutine, wrong)
        except TypeError as error:
            assert "argument 2" in str(error), error
        else:
            assert False
        try:
            probe.relay(wrong)
        except TypeError as error:
            assert "can't be awaited" in str(error), error
        else:
            assert False
    assert await probe.relay_from_thread([1, coroutine]) == ["error", "ok"]
    assert log == ["started"], "nothing was started by the calls that were refused"
asyncio.run(main())
"#,
    );
}

#[test]
fn cancelling_a_gather_cancels_all_of_it() {
    check(
        r#"
async def main():
    job = probe.Job()
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
    jobs = [probe.Job() for _ in range(3)]
    all = ferry.gather(*[job.start() for job in jobs])
    del all
    gc.collect()
    for job in jobs:
        assert job.stopped()
asyncio.run(main())
"#,
    );
}
