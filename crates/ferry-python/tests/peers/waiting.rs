//! What breaks in peers while work is awaited: by many, in threads, in contexts, under locks.

use crate::{check, check_alone};

#[test]
fn the_threads_of_a_gather_of_10k() {
    check_alone(
        "waiting::the_threads_of_a_gather_of_10k",
        "",
        r#"
import os, threading
def threads(): return len(os.listdir("/proc/self/task"))
async def most_during(job, expected):
    most = 0
    task = asyncio.ensure_future(job)
    while not task.done():
        most = max(most, threads())
        await asyncio.sleep(0)
    assert await task == expected
    return most
async def most_while_blocked(everything, open_the_gate, expected):
    most = 0
    for _ in range(1000):
        most = max(most, threads())
        await asyncio.sleep(0)
    open_the_gate()
    return max(most, await most_during(everything, expected))
async def main():
    cores = os.cpu_count()
    pool = min(cores + 4, 32)
    before = threads()
    numbers = list(range(10_000))
    # Each is completed by a thread of Rust: tokio's workers, of which there is one for each core, do all of it.
    for gather in asyncio.gather, ferry.gather:
        most = await most_during(gather(*[probe.later(n) for n in numbers]), numbers)
        assert most <= before + cores, (gather, before, most)
        manuals = [probe.Manual() for _ in numbers]
        everything = gather(*[manual.start() for manual in manuals])
        await asyncio.sleep(0)
        probe.complete_all(manuals)
        most = await most_during(everything, numbers)
        assert most <= before + cores, (gather, before, most)
    # Functions that were submitted have a bounded pool, and so has blocking work of Rust, also when all block.
    gate = threading.Event()
    everything = ferry.gather(*[ferry.submit(gate.wait, 100) for _ in numbers])
    most = await most_while_blocked(everything, gate.set, [True] * len(numbers))
    assert most <= before + cores + pool, (before, most)
    gate = probe.Manual()
    everything = ferry.gather(*[probe.blocks_until(gate) for _ in numbers])
    most = await most_while_blocked(everything, lambda: gate.complete(1), [1] * len(numbers))
    assert most <= before + cores + 2 * pool, (before, most)
if os.path.exists("/proc/self/task"): asyncio.run(asyncio.wait_for(main(), 100))
"#,
    );
}

#[test]
fn task_group_create_task() {
    check(
        r#"
async def main():
    def double(n): return 2 * n
    async def quadruple(n): return 4 * n
    def pending():
        manual = probe.Manual()
        asyncio.get_running_loop().call_soon(manual.complete_on_thread, 2)
        return manual.start()
    makes = [
        pending, lambda: probe.ready(2), lambda: probe.later(2), lambda: ferry.submit(double, 1),
        lambda: ferry.submit(quadruple, 0.5), lambda: ferry.submit(double, 1).then(lambda value: value),
        lambda: probe.relay(quadruple(0.5)),
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(make(), name="mine") for make in makes]
    assert [task.result() for task in tasks] == [2] * len(makes)
    # One that fails cancels the others, on both sides.
    manual = probe.Manual()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(manual.start())
            group.create_task(probe.fail_with(ValueError("boom"), "wrapped"))
    except* ValueError as group:
        assert str(group.exceptions[0]) == "boom"
    else:
        assert False
    assert manual.stopped()
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn completion_under_a_lock_that_python_takes() {
    check(
        r#"
async def main():
    for _ in range(200):
        await probe.under_lock()
        await probe.poll_under_lock()
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn a_job_that_ends_before_it_is_awaited() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.direct()
    assert not aw.done() and repr(aw) == "<Job 'job' pending>"
    try:
        aw.result()
    except asyncio.InvalidStateError:
        pass
    else:
        assert False, "a pending awaitable has no result"
    job.complete_on_thread(7)
    assert aw.done() and await aw == 7
asyncio.run(main())
"#,
    );
    check(
        r#"
# Another thread settles each job about when the first callback is added: a little earlier, or a little later.
async def main():
    for _ in range(20):
        manuals = [probe.Manual() for _ in range(1000)]
        jobs = [manual.direct() for manual in manuals]
        ended, all_ended = [], asyncio.Event()
        def end(job):
            ended.append(job.result())
            if len(ended) == len(jobs): all_ended.set()
        pace = probe.complete_in_step(manuals)
        for n, job in enumerate(jobs):
            pace.step()
            job.add_done_callback(end)
            if n % 100 == 0: await asyncio.sleep(0)
        await all_ended.wait()
        assert sorted(ended) == list(range(len(jobs)))
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
    check(
        r#"
import threading
# Jobs of every kind that end while, or just before, somebody begins to await them.
def at_once(): return 1
async def works(): return 1
async def main():
    for round in range(300):
        manual = probe.Manual()
        jobs = [manual.start(), probe.later(1), ferry.submit(at_once), ferry.submit(works), probe.relay(works())]
        jobs += [ferry.gather(*jobs), ferry.submit(at_once).then(lambda value: value)]
        completes = threading.Thread(target=manual.complete, args=(1,))
        completes.start()
        for _ in range(round % 4): await asyncio.sleep(0)
        if round % 2: completes.join()
        tasks = [asyncio.create_task(job) for job in jobs]
        assert [await task for task in tasks] == [1, 1, 1, 1, 1, [1, 1, 1, 1, 1], 1]
        completes.join()
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn a_look_from_another_thread_and_the_wake_up() {
    // Another thread looks at the gather, and is kept in the middle of the conversion while the loop's drain
    // comes, or while the first callback is added, or both.
    check(
        r#"
import threading
here = threading.current_thread()
class Slow(asyncio.Future):
    def result(self):
        if threading.current_thread() is not here:
            inside.set()
            go_on.wait(60)
        return super().result()
async def main(waits, adds):
    global inside, go_on
    inside, go_on = threading.Event(), threading.Event()
    slow, log = Slow(), []
    all = ferry.gather(slow)
    async def wait(): return await all
    task = asyncio.create_task(wait()) if waits else None
    await asyncio.sleep(0)
    looks = threading.Thread(target=all.done)
    def look(_):
        looks.start()
        inside.wait(60)
    slow.add_done_callback(look)
    slow.set_result(5)
    for _ in range(5): await asyncio.sleep(0)
    assert inside.is_set() and not (task and task.done())
    if adds:
        all.add_done_callback(log.append)
        for _ in range(5): await asyncio.sleep(0)
    go_on.set()
    assert not task or await asyncio.wait_for(task, 30) == [5]
    looks.join()
    for _ in range(5): await asyncio.sleep(0)
    assert log == ([all] if adds else []), log
for waits, adds in (True, False), (False, True), (True, True): asyncio.run(main(waits, adds))
"#,
    );
}

#[test]
fn two_loops_in_two_threads() {
    check(
        r#"
import threading
failures = []
def run(start):
    async def one(n):
        return await probe.later(n)
    async def main():
        for round in range(20):
            values = range(start, start + 50)
            assert await asyncio.gather(*[one(n) for n in values]) == list(values)
            assert await ferry.gather(*[probe.later(n) for n in values]) == list(values)
    try:
        asyncio.run(main())
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=run, args=(n * 1000,)) for n in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
"#,
    );
}

#[test]
fn two_loops_in_two_threads_await_the_same() {
    check(
        r#"
import threading
job, box = probe.Manual(), []
waiting = threading.Barrier(3)
results = []
def run():
    async def main():
        async def wait():
            return await box[0]
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        loop, done = asyncio.get_running_loop(), []
        box[0].add_done_callback(lambda aw: done.append(asyncio.get_running_loop()))
        waiting.wait()
        results.append(await task)
        await asyncio.sleep(0)
        assert done == [loop], "a callback is called on the loop that added it"
    asyncio.run(main())
box.append(job.start())
threads = [threading.Thread(target=run) for _ in range(2)]
for thread in threads: thread.start()
waiting.wait()
job.complete(3)
for thread in threads: thread.join()
assert results == [3, 3]
"#,
    );
    check(
        r#"
import threading
# The job is born on one of the loops.
for round in range(50):
    manual, box, results = probe.Manual(), [], []
    born, waiting = threading.Event(), threading.Barrier(3)
    def run(bears):
        async def main():
            if bears:
                box.append(manual.start())
                born.set()
            else: born.wait(60)
            called = asyncio.Event()
            here = asyncio.get_running_loop()
            box[0].add_done_callback(lambda job: called.set() if asyncio.get_running_loop() is here else None)
            task = asyncio.create_task(box[0])
            await asyncio.sleep(0)
            waiting.wait(60)
            results.append(await task)
            await called.wait()
        asyncio.run(asyncio.wait_for(main(), 60))
    threads = [threading.Thread(target=run, args=(bears,)) for bears in (True, False)]
    for thread in threads: thread.start()
    waiting.wait(60)
    manual.complete(3)
    for thread in threads: thread.join()
    assert results == [3, 3], results
"#,
    );
}

#[test]
fn contextvars() {
    check(
        r#"
import contextvars
name = contextvars.ContextVar("name")
async def task(mine, aw):
    name.set(mine)
    await aw
    assert name.get() == mine
    name.set(mine + "!")
    await probe.later(1)
    assert name.get() == mine + "!"
async def main():
    jobs = [probe.Manual() for _ in range(20)]
    tasks = [asyncio.create_task(task(str(n), job.start())) for n, job in enumerate(jobs)]
    await asyncio.sleep(0)
    probe.complete_all(jobs)
    await asyncio.gather(*tasks)
asyncio.run(main())
"#,
    );
    check(
        r#"
import contextvars
name = contextvars.ContextVar("name", default="nobody")
async def main():
    async def who():
        before = name.get()
        name.set("changed inside")
        await asyncio.sleep(0)
        return before, name.get()
    name.set("caller")
    aw = probe.relay(who())
    name.set("later")
    assert await aw == ("caller", "changed inside")
    assert name.get() == "later"
asyncio.run(main())
"#,
    );
    check(
        r#"
import contextvars
name = contextvars.ContextVar("name", default="nobody")
def on_thread(): return name.get()
async def on_loop(): return name.get()
async def main():
    name.set("caller")
    jobs = [ferry.submit(on_thread), ferry.submit(on_loop), ferry.submit(on_thread).then(lambda value: (value, name.get()))]
    name.set("later")
    assert await ferry.gather(*jobs) == ["caller", "caller", ("caller", "caller")]
asyncio.run(asyncio.wait_for(main(), 60))
# Outside of a loop, on the background loop.
name.set("mine")
assert ferry.submit(on_loop).result(30) == ferry.submit(on_thread).result(30) == "mine"
"#,
    );
}

#[test]
fn contextvars_of_who_came_first() {
    check(
        r#"
import contextvars
request = contextvars.ContextVar("request", default="none")
seen = []
async def handler():
    seen.append(request.get())
    return "ok"
async def main():
    request.set("secret of request 1")
    await probe.relay_from_thread([handler()])
asyncio.run(main())
assert seen == ["none"], seen
"#,
    );
}

#[test]
fn asyncio_debug_mode() {
    check(
        r#"
import warnings
warnings.simplefilter("error")
async def main():
    problems = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    asyncio.get_running_loop().slow_callback_duration = 0.0  # shows every callback
    import logging; logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    jobs = [probe.Manual() for _ in range(5)]
    tasks = [asyncio.create_task(job.start()) for job in jobs]
    await asyncio.sleep(0)
    probe.complete_all(jobs)
    assert await ferry.gather(*tasks, probe.later(5), probe.ready(6)) == [0, 1, 2, 3, 4, 5, 6]
    assert problems == []
asyncio.run(main(), debug=True)
"#,
    );
    check(
        r#"
import warnings
warnings.simplefilter("error")
def on_thread(): return 1
async def on_loop():
    await asyncio.sleep(0)
    return 1
async def main():
    problems = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    jobs = [ferry.submit(on_thread), ferry.submit(on_loop), probe.relay(on_loop()), probe.later(1)]
    jobs += [ferry.submit(on_thread).then(lambda value: value), ferry.map(on_thread_of, [1])]
    assert await ferry.gather(*jobs) == [1, 1, 1, 1, 1, [1]]
    assert problems == []
def on_thread_of(value): return value
asyncio.run(main(), debug=True)
"#,
    );
}
