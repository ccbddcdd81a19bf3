"""One job and several event loops: of different kinds, after each other, in threads, closed, thousands."""

import asyncio
import gc
import os
import threading
import weakref

import pytest
from conftest import LOOPS, PATIENCE, give

import asyncferry as ferry


async def wait_for(job):
    return await job


def on(kind, main):
    with asyncio.Runner(loop_factory=LOOPS[kind]) as runner:
        return runner.run(main)


def test_loops_of_all_kinds_after_each_other_wait_for_the_same_job():
    go_on = threading.Event()
    job = ferry.submit(go_on.wait, PATIENCE)

    async def look():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(job), 0.001)

    for kind in LOOPS:
        on(kind, look())
    go_on.set()
    for kind in LOOPS:
        assert on(kind, wait_for(job)) is True


def test_loops_of_all_kinds_in_threads_wait_for_the_same_job():
    go_on = threading.Event()
    job = ferry.submit(go_on.wait, PATIENCE)
    waiting, results = threading.Barrier(2 * len(LOOPS) + 1), []

    async def main():
        task = asyncio.create_task(wait_for(job))
        await asyncio.sleep(0)
        waiting.wait(PATIENCE)
        results.append(await task)

    threads = [threading.Thread(target=on, args=(kind, main())) for kind in list(LOOPS) * 2]
    for thread in threads:
        thread.start()
    waiting.wait(PATIENCE)
    go_on.set()
    for thread in threads:
        thread.join()
    assert results == [True] * len(threads)


def test_a_coroutine_of_one_loop_awaited_on_another(run):
    # The coroutine stays on its own loop, whoever waits for it.
    seen, box = [], []
    ready, awaited = threading.Event(), threading.Event()

    async def work():
        seen.append(threading.current_thread().name)
        await asyncio.to_thread(awaited.wait, PATIENCE)
        seen.append(threading.current_thread().name)
        return "done"

    async def owner():
        box.append(ferry.submit(work))
        ready.set()
        await box[0]

    thread = threading.Thread(target=asyncio.run, args=(owner(),), name="owner")
    thread.start()
    assert ready.wait(PATIENCE)

    async def main():
        task = asyncio.create_task(wait_for(box[0]))
        await asyncio.sleep(0)
        awaited.set()
        return await task

    assert run(main) == "done"
    thread.join()
    assert seen == ["owner", "owner"]


def test_a_job_of_the_background_awaited_on_a_loop(run):
    job = ferry.submit(give, 1)

    async def main():
        return await job, await ferry.gather(job, give(2)), await asyncio.wait_for(job, PATIENCE)

    assert run(main) == (1, [1, 2], 1)


def test_a_job_cancelled_from_another_thread(run, in_thread):
    async def main():
        job = ferry.submit(asyncio.sleep, 1000)
        await asyncio.sleep(0)
        assert await asyncio.to_thread(job.cancel, "from outside") is True
        with pytest.raises(asyncio.CancelledError, match="from outside"):
            await job

    run(main)


def test_a_loop_closed_with_work_in_flight_is_silent(run, gate):
    jobs = []

    async def main():
        jobs.append(gate.job())
        jobs.append(ferry.submit(asyncio.sleep, 1000))
        jobs.append(ferry.submit(give, 1))
        jobs[0].add_done_callback(print)
        asyncio.create_task(wait_for(jobs[0])).add_done_callback(print)

    loop = run.new_loop()
    loop.set_exception_handler(lambda *what: run.reports.append(what[-1]))
    loop.run_until_complete(main())
    # Tasks that are left over are asyncio's to complain of; here nobody cancels them.
    run.reports = [report for report in run.reports if "Task" not in report["message"]]
    loop.close()
    gate.open()
    assert jobs[0].result(PATIENCE).content_hash
    gc.collect()
    # Its loop is gone, so a coroutine that ran there has ended, one way or another.
    for job in jobs[1:]:
        job.cancel()
    jobs.clear()
    gc.collect()
    run.take_reports()
    assert run(lambda: give("on")) == "on"


def test_a_job_of_a_closed_loop_gives_its_result(run):
    async def main():
        job = ferry.submit(give, 1)
        await job
        return job, ferry.submit(str, 2)

    done, running = run(main)
    assert done.result() == 1 and running.result(PATIENCE) == "2"
    assert run(lambda: wait_for(done)) == 1 and run(lambda: wait_for(running)) == "2"

    async def after():
        return await done.then(lambda value: value + 1), await ferry.gather(done, running)

    assert run(after) == (2, [1, "2"])


def job_of_a_closed_loop(new_loop, event):
    """The job of a coroutine that waits for `event` on a loop that is closed."""

    async def main():
        return ferry.submit(event.wait)

    loop = new_loop()
    job = loop.run_until_complete(main())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    return job


# rloop 0.5 keeps its loops alive by itself.
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")
def test_a_coroutine_that_went_with_its_loop_ends_its_job(kind):
    job = job_of_a_closed_loop(LOOPS[kind], asyncio.Event())
    # Now nobody refers to the event.
    gc.collect()
    with pytest.raises(asyncio.CancelledError):
        job.result(PATIENCE)


# The event is still referred to, and so are the future in it and the task.
def test_a_coroutine_of_a_closed_loop_ends_its_job(run):
    event = asyncio.Event()
    with pytest.raises(asyncio.CancelledError, match="its event loop was closed"):
        job_of_a_closed_loop(run.new_loop, event).result(PATIENCE)


def test_thousands_of_short_loops_leave_nothing_behind():
    loops = []

    async def main():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        job = ferry.submit(give, 1)
        await ferry.sleep(0)
        return await job

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def turn(times):
        for _ in range(times):
            assert asyncio.run(main()) == 1
        gc.collect()

    turn(5)
    before = descriptors()
    turn(1000)
    assert descriptors() <= before
    assert sum(loop() is not None for loop in loops) <= 1


def test_short_loops_of_all_kinds_in_threads():
    failures = []

    async def main(number):
        assert await ferry.submit(give, number) == number
        assert await ferry.submit(str, number) == str(number)

    def live(kind):
        try:
            for number in range(50):
                on(kind, main(number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=live, args=(kind,)) for kind in LOOPS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# rloop 0.5 keeps its loops alive by itself.
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_a_loop_is_not_kept_alive_by_a_job(kind):
    async def main():
        job = ferry.submit(give, 1)
        await job
        return job, weakref.ref(asyncio.get_running_loop())

    job, loop = on(kind, main())
    gc.collect()
    assert loop() is None
    assert job.result() == 1
    with pytest.raises(RuntimeError):
        job.get_loop()


def test_waiting_jobs_are_no_cycles(run):
    async def main():
        class Thing:
            pass

        thing = Thing()
        job = ferry.submit(asyncio.sleep, 1000)
        thing.job = job
        job.add_done_callback(lambda _, thing=thing: None)
        gone = weakref.ref(thing)
        job.cancel()
        await ferry.wait([job])
        await asyncio.sleep(0)
        del job, thing
        gc.collect()
        assert gone() is None

    run(main)


def test_an_interrupt_inside_of_call_soon_loses_nothing():
    class Loop(asyncio.SelectorEventLoop):
        interrupts = False

        def call_soon(self, callback, *arguments, context=None):
            if self.interrupts and type(callback).__name__ == "_SendReplies":
                self.interrupts = False
                raise KeyboardInterrupt
            return super().call_soon(callback, *arguments, context=context)

    async def main():
        # A function that gives a coroutine: Rust awaits that.
        return await asyncio.wait_for(ferry.submit(lambda: give(1)), PATIENCE)

    with asyncio.Runner(loop_factory=Loop) as runner:
        loop = runner.get_loop()
        assert loop.run_until_complete(main()) == 1
        loop.interrupts = True
        task = loop.create_task(main())
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(task)
        assert loop.run_until_complete(main()) == 1
        assert loop.run_until_complete(task) == 1
