"""asyncio's own functions, which take jobs for what they know: futures, and coroutines."""

import asyncio
import concurrent.futures
import sys
import threading

import pytest
from conftest import PATIENCE, fail, give, give_now

import asyncferry as ferry


KINDS = {
    "plain": lambda value: ferry.submit(give_now, value),
    "async": lambda value: ferry.submit(give, value),
    "rust": lambda value: ferry.gather(ferry.sleep(0.001)).then(lambda _: value),
}


@pytest.fixture(params=KINDS)
def make(request):
    """Makes a job that gives a value."""
    return KINDS[request.param]


def test_gather(run, make):
    async def main():
        assert await asyncio.gather(make(1), give(2), make(3)) == [1, 2, 3]
        error = ValueError("no")
        results = await asyncio.gather(make(1), ferry.submit(fail, error), return_exceptions=True)
        assert results == [1, error]
        with pytest.raises(ValueError) as caught:
            await asyncio.gather(make(1), ferry.submit(fail, error))
        assert caught.value is error

    run(main)


def test_cancelling_a_gather_of_asyncios(run):
    async def main():
        jobs = [ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000)]
        all = asyncio.gather(*jobs)
        await asyncio.sleep(0)
        all.cancel("stop")
        with pytest.raises(asyncio.CancelledError):
            await all
        await ferry.wait(jobs)
        assert [job.cancelled() for job in jobs] == [True, True]

    run(main)


def test_as_completed(run, make):
    async def main():
        assert sorted([await next for next in asyncio.as_completed([make(1), make(2), give(3)])]) == [1, 2, 3]
        if sys.version_info >= (3, 13):
            jobs = [make(1), make(2)]
            assert {job async for job in asyncio.as_completed(jobs)} == set(jobs)

    run(main)


def test_wait_for(run, make):
    async def main():
        assert await asyncio.wait_for(make(1), PATIENCE) == 1
        assert await asyncio.wait_for(make(1), None) == 1
        for pending in ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pending, 0.001)
            await ferry.wait([pending])
            assert pending.cancelled()
        # It has no time at all, but needs none.
        job = make(2)
        await job
        assert await asyncio.wait_for(job, 0) == 2

    run(main)


def test_shield(run, make):
    async def main():
        assert await asyncio.shield(make(1)) == 1
        go_on = asyncio.Event()
        job = ferry.submit(go_on.wait)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(job), 0.001)
        assert not job.done()
        go_on.set()
        assert await job is True

    run(main)


def test_timeout(run, make):
    async def main():
        async with asyncio.timeout(PATIENCE):
            assert await make(1) == 1
        for pending in ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await pending
            assert pending.cancelled()
            assert asyncio.current_task().cancelling() == 0
        async with asyncio.timeout(None) as scope:
            scope.reschedule(asyncio.get_running_loop().time() + PATIENCE)
            assert await make(1) == 1

    run(main)


def test_a_task_group(run, make):
    async def main():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(make(number), name=f"task {number}") for number in range(3)]
        assert [task.result() for task in tasks] == [0, 1, 2]
        assert tasks[2].get_name() == "task 2"

    run(main)


def test_a_task_group_of_which_one_fails(run):
    async def main():
        error = ValueError("no")
        rust, cleaned_up = ferry.sleep(1000), asyncio.Event()

        async def sibling():
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0)
                cleaned_up.set()

        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(rust)
                group.create_task(ferry.submit(sibling))
                group.create_task(ferry.submit(fail, error))
        assert caught.value.exceptions == (error,)
        assert rust.cancelled() and cleaned_up.is_set()

    run(main)


def test_wait_over_tasks_of_jobs(run, make):
    async def main():
        jobs = [make(1), make(2)]
        with pytest.raises(TypeError, match="coroutines"):
            await asyncio.wait(jobs)
        done, pending = await asyncio.wait([asyncio.create_task(job) for job in jobs])
        assert {task.result() for task in done} == {1, 2} and not pending
        slow = asyncio.create_task(ferry.sleep(1000))
        done, pending = await asyncio.wait([slow, asyncio.create_task(make(3))], return_when="FIRST_COMPLETED")
        assert pending == {slow}
        slow.cancel()

    run(main)


def test_tasks(run, make):
    async def main():
        job = make(1)
        tasks = [asyncio.create_task(job) for _ in range(3)]
        assert await asyncio.gather(*tasks) == [1, 1, 1]
        assert asyncio.ensure_future(job) is job
        job = make(2)
        task = asyncio.create_task(job, name="mine")
        assert f"name='mine' coro=<{job.name}()>" in repr(task)
        assert task.get_stack() is not None
        assert await task == 2
        assert await asyncio.wrap_future(make(3)) == 3

    run(main)


# uvloop 0.23 gives the factory of Python 3.13.0 an argument that it doesn't take.
@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
@pytest.mark.parametrize("run", ["asyncio", "rloop"], indirect=True)
def test_eager_tasks(run, make):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        job = make(1)
        assert await asyncio.create_task(job) == 1
        assert asyncio.create_task(job).result() == 1
        assert await ferry.gather(make(2), give(3)) == [2, 3]
        assert await ferry.map(give, range(10), limit=3) == list(range(10))
        error = ValueError("no")
        with pytest.raises(ValueError):
            await ferry.submit(fail, error)

    run(main)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
@pytest.mark.parametrize("run", ["asyncio", "rloop"], indirect=True)
@pytest.mark.parametrize("limit", [1, 2, 2000])
def test_map_has_its_limit_where_tasks_are_eager(run, limit):
    running = most = 0

    async def work(item):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return item

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        assert await ferry.map(work, range(2000), limit=limit) == list(range(2000))
        with pytest.raises(ValueError):
            await ferry.map(fail, [ValueError("no")] * 100, limit=limit)

    run(main)
    assert most <= limit


def test_a_job_can_be_a_whole_program(run):
    assert asyncio.run(ferry.submit(give_now, 1)) == 1
    with asyncio.Runner(loop_factory=run.new_loop) as runner:
        assert runner.run(ferry.submit(give_now, 2)) == 2

        async def make():
            return ferry.sleep(0.001)

        assert runner.get_loop().run_until_complete(runner.run(make())) is None


def test_from_another_thread(run, make):
    async def main():
        loop = asyncio.get_running_loop()

        def elsewhere():
            return asyncio.run_coroutine_threadsafe(make_there(), loop).result(PATIENCE)

        async def make_there():
            return await make(1)

        assert await asyncio.to_thread(elsewhere) == 1
        assert await asyncio.to_thread(make(2).result, PATIENCE) == 2
        with concurrent.futures.ThreadPoolExecutor() as pool:
            assert await loop.run_in_executor(pool, make(3).result, PATIENCE) == 3

    run(main)


def test_queues_and_locks_beside_it(run):
    async def main():
        queue, lock = asyncio.Queue(maxsize=1), asyncio.Lock()

        async def produce():
            for number in range(20):
                async with lock:
                    await ferry.submit(give_now, None)
                await queue.put(number)

        producer = ferry.submit(produce)
        assert [await queue.get() for _ in range(20)] == list(range(20))
        await producer

    run(main)


def test_debug_mode_finds_nothing_wrong(run, make, caplog):
    async def main():
        assert await asyncio.gather(make(1), make(2)) == [1, 2]
        assert await ferry.gather(make(1), give(2)) == [1, 2]
        ferry.sleep(1000).cancel()
        job = ferry.submit(threading.Event().wait, 0)
        assert "Job" in repr(job) and await job is False

    run(main, debug=True)
    assert [record for record in caplog.records if "took" not in record.message] == []
