//! Awaiting Rust work from Python: when, how often, by whom.

use crate::check;

#[test]
fn a_ready_future_is_done_at_once() {
    check(
        r#"
async def main():
    aw = probe.ready(42)
    assert aw.done() and not aw.cancelled() and aw.result() == 42 and aw.exception() is None
    assert await aw == 42
    assert await aw == 42, "an awaitable may be awaited again"
    assert repr(aw) == "<Job finished result=42>"
asyncio.run(main())
"#,
    );
}

#[test]
fn values_that_python_treats_specially_come_through_whole() {
    check(
        r#"
async def main():
    error = ValueError("x")
    for value in [(), (1, 2), None, error, StopIteration(3), [1]]:
        for make in probe.ready, probe.later:
            assert (await make(value)) is value
asyncio.run(main())
"#,
    );
}

#[test]
fn a_job_that_ends_while_it_is_awaited() {
    check(
        r#"
async def main():
    jobs = [probe.Manual() for _ in range(100)]
    aws = [job.start() for job in jobs]
    tasks = [asyncio.create_task(aw) for aw in aws]
    await asyncio.sleep(0)
    probe.complete_all(jobs)
    assert [await task for task in tasks] == list(range(100))
asyncio.run(main())
"#,
    );
}

#[test]
fn many_tasks_await_the_same_one() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    async def wait():
        return await aw
    tasks = [asyncio.create_task(wait()) for _ in range(10)]
    await asyncio.sleep(0)
    job.complete_on_thread(5)
    assert [await task for task in tasks] == [5] * 10
asyncio.run(main())
"#,
    );
}

#[test]
fn everything_in_asyncio_takes_an_awaitable() {
    check(
        r#"
async def main():
    def pending():
        job = probe.Manual()
        asyncio.get_running_loop().call_soon(job.complete_on_thread, 1)
        return job.start()
    for make in pending, lambda: probe.ready(1):
        assert await asyncio.gather(make(), make()) == [1, 1]
        assert await asyncio.gather(make(), make(), return_exceptions=True) == [1, 1]
        assert await asyncio.wait_for(make(), 60) == 1
        assert await asyncio.shield(make()) == 1
        assert await asyncio.create_task(make(), name="mine") == 1
        assert await asyncio.ensure_future(make()) == 1
        async with asyncio.timeout(60):
            assert await make() == 1
        async with asyncio.TaskGroup() as group:
            task = group.create_task(make())
        assert task.result() == 1
        assert [await each for each in asyncio.as_completed([make(), make()])] == [1, 1]
        done, rest = await asyncio.wait([asyncio.create_task(make()), asyncio.create_task(make())])
        assert len(done) == 2 and not rest
        assert await asyncio.wrap_future(make()) == 1
        assert await ferry.gather(make(), make()) == [1, 1]
        assert await asyncio.to_thread(lambda: asyncio.run(alone(make))) == 1
async def alone(make):
    return await asyncio.wait_for(make(), 60)
asyncio.run(main())
assert ferry.Job[int].__origin__ is ferry.Job
"#,
    );
}

#[test]
fn a_task_of_an_awaitable_can_be_shown() {
    check(
        r#"
async def main():
    job = probe.Manual()
    task = asyncio.create_task(job.start())
    assert "coro=<Job()>" in repr(task), repr(task)
    await asyncio.sleep(0)
    assert "Job" in repr(task)
    task.get_stack()
asyncio.run(main())
"#,
    );
}

#[test]
fn callbacks_run_in_their_context_and_can_be_taken_back() {
    check(
        r#"
import contextvars
name = contextvars.ContextVar("name")
async def main():
    job, log = probe.Manual(), []
    aw = job.start()
    def note(done): log.append((name.get(), done is aw))
    name.set("first"); aw.add_done_callback(note)
    name.set("second"); aw.add_done_callback(note)
    other = contextvars.copy_context()
    other.run(name.set, "third")
    aw.add_done_callback(note, context=other)
    def gone(done): log.append("gone")
    aw.add_done_callback(gone); aw.add_done_callback(gone)
    assert aw.remove_done_callback(gone) == 2
    name.set("none of them")
    job.complete_on_thread(1)
    await aw
    while len(log) < 3: await asyncio.sleep(0)
    assert log == [("first", True), ("second", True), ("third", True)], log
    aw.add_done_callback(note)
    assert len(log) == 3, "a callback is never called inside add_done_callback"
    await asyncio.sleep(0)
    assert log[3:] == [("none of them", True)]
asyncio.run(main())
"#,
    );
}

#[test]
fn callbacks_are_called_in_the_order_in_which_they_came() {
    check(
        r#"
async def main():
    job, log = probe.Manual(), []
    aw = job.direct()
    def note(what): return lambda _: log.append(what)
    aw.add_done_callback(note(1))
    aw.add_done_callback(note(2))
    aw.add_done_callback(lambda aw: aw.add_done_callback(note(5)))
    job.complete_on_thread(1)
    # It's done now, but the loop has had no turn yet in which to call them.
    assert aw.done()
    aw.add_done_callback(note(3))
    aw.add_done_callback(note(4))
    while len(log) < 5: await asyncio.sleep(0)
    assert log == [1, 2, 3, 4, 5], log
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn callbacks_that_add_callbacks_do_not_hold_the_loop() {
    check(
        r#"
async def main():
    job, calls = probe.Manual(), []
    aw = job.direct()
    going_on = True
    def again(done):
        calls.append(1)
        if going_on: done.add_done_callback(again)
    for _ in range(3): aw.add_done_callback(again)
    job.complete_on_thread(1)
    while len(calls) < 300: await asyncio.sleep(0)
    assert len(calls) < 320, f"{len(calls)} calls in one turn"
    going_on = False
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn a_heartbeat_keeps_its_pace_while_jobs_run() {
    // Each completion's callback completes the next job, so there is always mail. A coroutine that takes part
    // in each turn of the loop still does: a drain handles what was there when it began, and no more. Beside
    // them real jobs read files, and one surely doesn't end before the beats are counted: it reads a pipe that
    // nobody has written to.
    check(
        r#"
import os, tempfile
async def main(folder):
    path, pipe = os.path.join(folder, "file"), os.path.join(folder, "pipe")
    with open(path, "wb") as file: file.write(bytes(range(256)) * 16384)
    os.mkfifo(pipe)
    digests = [ferry.digest_file(path) for _ in range(16)]
    endless = ferry.digest_file(pipe)
    jobs = [probe.Manual() for _ in range(1000)]
    aws = [job.direct() for job in jobs]
    for aw, following in zip(aws, jobs[1:]):
        aw.add_done_callback(lambda _, job=following: job.complete_on_thread(1))
    aws[-1].add_done_callback(lambda _: None)
    jobs[0].complete_on_thread(1)
    beats = 0
    while not aws[-1].done():
        beats += 1
        await asyncio.sleep(0)
    assert beats >= 900, f"the heart beat {beats} times during 1000 completions"
    assert not endless.done()
    with open(pipe, "wb") as writer: writer.write(b"x")
    assert len({artifact.content_hash for artifact in await ferry.gather(*digests)}) == 1
    assert (await endless).content_hash
with tempfile.TemporaryDirectory() as folder:
    asyncio.run(asyncio.wait_for(main(folder), 60))
"#,
    );
}

#[test]
fn an_error_that_nobody_retrieves_is_told_without_a_loop() {
    check(
        r#"
import sys
told, before = [], sys.unraisablehook
sys.unraisablehook = lambda what: told.append((type(what.exc_value), str(what.object)))
try:
    job = probe.Manual()
    aw = job.direct()
    job.fail("lost")
    del aw
finally:
    sys.unraisablehook = before
# Other tests may tell of theirs meanwhile.
message = "Job 'job' failed, and nobody retrieved its exception"
assert (ferry.FerryError, message) in told, told
"#,
    );
}

#[test]
fn outside_of_a_loop_a_job_is_called_back_on_the_background_loop() {
    check(
        r#"
import threading, queue
aw = probe.ready(1)
assert aw.result() == 1
job = probe.Manual()
pending = job.start()
calls = queue.Queue()
pending.add_done_callback(lambda job: calls.put((job, threading.current_thread().name)))
job.complete_on_thread(1)
assert calls.get(timeout=30) == (pending, "asyncferry-loop")
async def main():
    return await aw
assert asyncio.run(main()) == 1
"#,
    );
}

#[test]
fn sleep_takes_any_sensible_time() {
    check(
        r#"
async def main():
    for seconds in 0, 0.001, -5:
        assert await ferry.sleep(seconds) is None
    for forever in float("inf"), 1e300:
        aw = ferry.sleep(forever)
        await asyncio.sleep(0)
        assert not aw.done() and aw.cancel()
    try:
        ferry.sleep(float("nan"))
    except ValueError as error:
        assert "NaN" in str(error)
    else:
        assert False
asyncio.run(main())
"#,
    );
}
