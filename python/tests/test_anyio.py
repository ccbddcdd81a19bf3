"""Jobs under anyio, on both of its backends: task groups, scopes, threads."""

import asyncio
import functools

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from conftest import PATIENCE, give_now

import asyncferry as ferry

BACKENDS = {
    "asyncio": {"backend": "asyncio"},
    "asyncio with uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


@pytest.fixture(params=BACKENDS)
def run(request):
    def run(main):
        async def bounded():
            with anyio.fail_after(PATIENCE):
                return await main()

        return anyio.run(bounded, **BACKENDS[request.param])

    return run


async def give(value):
    await anyio.lowlevel.checkpoint()
    return value


async def fail(error):
    await anyio.lowlevel.checkpoint()
    raise error


async def wait_for(job, results):
    results.append(await job)


def test_a_task_group(run):
    async def main():
        results = []
        async with anyio.create_task_group() as group:
            group.start_soon(wait_for, ferry.submit(give, 1), results)
            group.start_soon(wait_for, ferry.submit(give_now, 2), results)
            group.start_soon(wait_for, ferry.sleep(0.001), results)
        assert sorted(results, key=str) == [1, 2, None]

    run(main)


def test_a_task_group_of_which_one_fails(run):
    async def main():
        error, rust = ValueError("no"), ferry.sleep(1000)
        with pytest.raises(ExceptionGroup) as caught:
            async with anyio.create_task_group() as group:
                group.start_soon(wait_for, rust, [])
                group.start_soon(wait_for, ferry.submit(anyio.sleep_forever), [])
                group.start_soon(wait_for, ferry.submit(fail, error), [])
        assert caught.value.exceptions == (error,)
        assert rust.cancelled()

    run(main)


def test_scopes(run):
    async def main():
        for make in functools.partial(ferry.sleep, 1000), functools.partial(ferry.submit, anyio.sleep_forever):
            job = make()
            with anyio.move_on_after(0.001) as scope:
                await job
            assert scope.cancelled_caught and job.cancelled()
            job = make()
            with pytest.raises(TimeoutError):
                with anyio.fail_after(0.001):
                    await job
            assert job.cancelled()

    run(main)


def test_a_scope_inside_of_submitted_work(run):
    async def work():
        with anyio.move_on_after(0.001) as scope:
            await ferry.sleep(1000)
        async with anyio.create_task_group() as group:
            group.start_soon(wait_for, ferry.submit(give_now, 1), [])
        return scope.cancelled_caught

    async def main():
        assert await ferry.submit(work) is True

    run(main)


def test_a_shield(run):
    async def main():
        go_on = anyio.Event()
        with anyio.CancelScope() as outer:
            job = ferry.submit(go_on.wait)
            with anyio.CancelScope(shield=True):
                outer.cancel()
                go_on.set()
                await job
        assert job.done() and not job.cancelled()

    run(main)


def test_a_guard_may_await_jobs_while_it_cleans_up(run):
    async def main():
        log = []
        with anyio.move_on_after(0.001) as scope:
            try:
                await ferry.submit(anyio.sleep_forever)
            finally:
                with anyio.CancelScope(shield=True):
                    log.append(await ferry.submit(give, "on the loop"))
                    log.append(await ferry.submit(give_now, "on a thread"))
                    await ferry.sleep(0.001)
        assert scope.cancelled_caught and log == ["on the loop", "on a thread"]

    run(main)


def test_threads(run):
    async def main():
        job = ferry.submit(give, 1)
        assert await anyio.to_thread.run_sync(job.result, PATIENCE) == 1

        def on_thread():
            return anyio.from_thread.run(give_there)

        async def give_there():
            return await ferry.submit(give, 2)

        assert await anyio.to_thread.run_sync(on_thread) == 2

    run(main)


def test_groups_of_ferrys(run):
    async def main():
        assert await ferry.gather(ferry.submit(give, 1), ferry.submit(give_now, 2)) == [1, 2]
        assert await ferry.map(give, range(10), limit=2) == list(range(10))
        assert await ferry.race(ferry.submit(give, 1), ferry.sleep(1000)) == 1
        with anyio.move_on_after(0.001) as scope:
            await ferry.gather(ferry.sleep(1000), ferry.submit(anyio.sleep_forever))
        assert scope.cancelled_caught
        with anyio.move_on_after(0.001) as scope:
            await ferry.map(anyio.sleep, [1000, 1000])
        assert scope.cancelled_caught

    run(main)


def test_streams_beside_it(run):
    async def main():
        send, receive = anyio.create_memory_object_stream(1)

        async def produce():
            async with send:
                for number in range(10):
                    await send.send(await ferry.submit(give_now, number))

        job = ferry.submit(produce)
        async with receive:
            assert [number async for number in receive] == list(range(10))
        await job

    run(main)


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_a_portal_from_a_thread_without_a_loop(name):
    with anyio.from_thread.start_blocking_portal(name) as portal:

        async def wait(job):
            return await job

        assert portal.call(wait, ferry.submit(give_now, 1)) == 1
        assert portal.call(wait, ferry.submit(asyncio.sleep, 0, 2)) == 2
