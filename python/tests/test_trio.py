"""Jobs under trio, which has no event loop of asyncio's kind."""

import asyncio
import contextvars
import threading

import pytest
import trio
from conftest import PATIENCE, fail_now, give_now

import asyncferry as ferry


async def give(value):
    await trio.lowlevel.checkpoint()
    return value


async def fail(error):
    await trio.lowlevel.checkpoint()
    raise error


def run(main):
    async def bounded():
        with trio.fail_after(PATIENCE):
            return await main()

    return trio.run(bounded, strict_exception_groups=True)


def test_jobs_of_all_kinds_are_awaited(gate):
    async def main():
        assert await ferry.submit(give_now, 1) == 1
        assert await ferry.submit(give, 2) == 2
        assert await ferry.sleep(0.001) is None
        ferry.register("tests.trio.give", give)
        assert await ferry.submit("tests.trio.give", 3) == 3
        job = gate.job()
        await trio.to_thread.run_sync(gate.open)
        assert (await job).content_hash
        assert await job is await job

    run(main)


def test_an_async_function_is_a_trio_task(run=run):
    async def work():
        return trio.lowlevel.current_task().name, threading.current_thread() is threading.main_thread()

    async def main():
        assert await ferry.submit(work) == ("test_an_async_function_is_a_trio_task.<locals>.work", True)

    run(main)


def test_errors_keep_their_identity():
    async def main():
        for failing in fail, fail_now:
            error = ValueError("no")
            with pytest.raises(ValueError) as caught:
                await ferry.submit(failing, error)
            assert caught.value is error

    run(main)


def test_many_tasks_wait_for_the_same_one():
    async def main():
        go_on, results = trio.Event(), []
        job = ferry.submit(go_on.wait)

        async def wait():
            results.append(await job)

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            assert results == []
            go_on.set()
        assert results == [None] * 10

    import trio.testing

    run(main)


def test_a_scope_that_is_cancelled_cancels_the_job():
    async def main():
        log = []

        async def work():
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.lowlevel.checkpoint()
                log.append("cleaned up")

        for job in ferry.sleep(1000), ferry.submit(work):
            with trio.move_on_after(0.001) as scope:
                await job
            assert scope.cancelled_caught and job.cancelled()
        # The clean-up was waited for.
        assert log == ["cleaned up"]
        with pytest.raises(trio.TooSlowError):
            with trio.fail_after(0.001):
                await ferry.sleep(1000)

    run(main)


def test_a_shield_protects_it():
    async def main():
        go_on = trio.Event()
        job = ferry.submit(go_on.wait)
        with trio.CancelScope() as outer:
            with trio.CancelScope(shield=True):
                outer.cancel()
                go_on.set()
                assert await job is None
            assert not job.cancelled()

    run(main)


def test_a_nursery_whose_task_fails_cancels_the_jobs_of_the_others():
    async def main():
        error, rust = ValueError("no"), ferry.sleep(1000)

        async def wait(job):
            await job

        with pytest.raises(ExceptionGroup) as caught:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait, rust)
                nursery.start_soon(wait, ferry.submit(fail, error))
        assert caught.value.exceptions == (error,)
        assert rust.cancelled()

    run(main)


def test_a_job_that_is_cancelled_raises_its_message():
    async def main():
        for job in ferry.sleep(1000), ferry.submit(trio.sleep_forever):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait_cancelled, job)
                await trio.testing.wait_all_tasks_blocked()
                assert job.cancel("enough") is True

    async def wait_cancelled(job):
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await job

    import trio.testing

    run(main)


def test_groups():
    async def main():
        assert await ferry.gather(ferry.submit(give, 1), ferry.submit(give_now, 2), give(3)) == [1, 2, 3]
        assert await ferry.race(ferry.submit(give, 1), ferry.sleep(1000)) == 1
        jobs = [ferry.submit(give, number) for number in range(3)]
        assert await ferry.wait(jobs) == (set(jobs), set())
        assert {job.result() async for job in ferry.as_completed(jobs)} == {0, 1, 2}
        assert await ferry.map(give, range(20), limit=3) == list(range(20))
        assert await ferry.map(give_now, range(20)) == list(range(20))
        with pytest.raises(ValueError):
            await ferry.gather(ferry.submit(fail, ValueError()), ferry.submit(give, 1))

    run(main)


def test_chains_progress_and_callbacks():
    async def main():
        assert await ferry.submit(give, 1).then(give).then(str) == "1"
        assert await ferry.submit(fail, KeyError()).catch(lambda error: "caught") == "caught"
        log = []
        assert await ferry.submit(give, 1).finally_(lambda: log.append("finally")) == 1

        def work():
            for percent in range(3):
                ferry.report_progress(percent)

        job = ferry.submit(work)
        assert [percent async for percent in job.progress()] == [0, 1, 2]
        called = trio.Event()
        job.add_done_callback(lambda of: (log.append(of), called.set()))
        await called.wait()
        assert log == ["finally", job]

    run(main)


def test_context_variables_reach_it():
    name = contextvars.ContextVar("name")

    async def look():
        return name.get()

    async def main():
        name.set("trio")
        assert await ferry.submit(name.get) == "trio"
        assert await ferry.submit(look) == "trio"

    run(main)


def test_result_does_not_block_the_run():
    async def main():
        job = ferry.submit(trio.sleep, 0.001)
        with pytest.raises(asyncio.InvalidStateError, match="await it instead"):
            job.result()
        assert await trio.to_thread.run_sync(job.result, PATIENCE) is None

    run(main)


def test_a_job_is_dropped(recwarn):
    async def main():
        log = []

        async def work():
            try:
                log.append("began")
                await trio.sleep_forever()
            finally:
                log.append("ended")

        job = ferry.submit(work)
        while not log:
            await trio.lowlevel.checkpoint()
        del job
        while len(log) < 2:
            await trio.lowlevel.checkpoint()

    run(main)


def test_an_error_that_nobody_looked_at_is_logged_once(caplog):
    async def main():
        error = ValueError("lost")
        job = ferry.submit(fail, error)
        while not job.done():
            await trio.lowlevel.checkpoint()
        del job
        return error

    error = run(main)
    assert [record.exc_info[1] for record in caplog.records if record.name == "asyncferry"] == [error]


def test_many_runs_and_other_loops_beside_them():
    job = ferry.submit(give_now, 7)

    async def main():
        return await job, await ferry.submit(give, 1), await ferry.submit(give_now, 2)

    async def on_asyncio():
        return await job, await ferry.submit(asyncio.sleep, 0, 1), await ferry.submit(give_now, 2)

    for _ in range(20):
        assert run(main) == (7, 1, 2)
        assert asyncio.run(on_asyncio()) == (7, 1, 2)
    threads = [threading.Thread(target=run, args=(main,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_job_is_left_when_the_run_ends():
    async def main():
        return ferry.submit(trio.sleep_forever), ferry.sleep(1000), ferry.submit(give_now, 1)

    forever, rust, done = run(main)
    assert done.result(PATIENCE) == 1
    assert not rust.done() and rust.cancel()
    with pytest.raises((asyncio.CancelledError, RuntimeError)):
        forever.result(PATIENCE)


def test_a_coroutine_that_raises_cancelled_error_ends_with_its_words():
    async def main():
        async def own(*arguments):
            await trio.lowlevel.checkpoint()
            raise asyncio.CancelledError(*arguments)

        for arguments in (), ("own message",):
            with pytest.raises(asyncio.CancelledError) as caught:
                await ferry.submit(own, *arguments)
            assert caught.value.args == arguments

    run(main)


def test_trio_that_must_not_be_imported_is_left_alone(program):
    assert program(
        """
        import sys
        sys.modules["trio"] = None
        import asyncio, asyncferry as ferry
        async def main(): return await ferry.submit(abs, -1)
        print(ferry.submit(abs, -1).result(), asyncio.run(main()))
        """
    ) == "1 1\n"
