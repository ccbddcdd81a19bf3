"""patterns.BackgroundTasks: kept, named, reported, waited for and cancelled."""

import asyncio
import gc
import weakref

import pytest

from asyncferry import testing
from asyncferry.patterns import BackgroundTasks, Closed, LimitReached

SEEDS = 50


def on_every_order(main):
    testing.run_seeds(main, seeds=SEEDS)


class Reports:
    """What the loop's exception handler was told."""

    def __init__(self):
        self.all = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: self.all.append(what))


async def fails_after(seconds, error):
    await asyncio.sleep(seconds)
    raise error


def test_a_task_that_nothing_else_refers_to_goes_on():
    async def main():
        ended = []

        async def work():
            # A future that only the task refers to: asyncio itself would let both go.
            future = asyncio.get_running_loop().create_future()
            waited = weakref.ref(future)
            asyncio.get_running_loop().call_later(5, lambda: waited().set_result(None))
            await future
            ended.append("work")

        background = BackgroundTasks()
        background.spawn(work())
        await asyncio.sleep(1)
        gc.collect()
        await background.join()
        assert ended == ["work"]

    testing.run(main())


def test_names():
    async def main():
        background = BackgroundTasks()
        background.spawn(asyncio.sleep(2), name="long")
        background.spawn(asyncio.sleep(1))
        assert background.names() == ["long", "sleep"] and len(background) == 2
        await asyncio.sleep(1.5)
        assert background.names() == ["long"]
        await background.join()
        assert len(background) == 0 and background

    on_every_order(main)


def test_a_failure_is_told_to_the_loop_at_once():
    async def main():
        reports, background = Reports(), BackgroundTasks()
        error = KeyError("lost")
        task = background.spawn(fails_after(1, error), name="sync")
        background.spawn(asyncio.sleep(2))
        await asyncio.sleep(1.5)
        [report] = reports.all
        assert report == {"message": "background task 'sync' failed", "exception": error, "task": task}
        # It cancels nothing else, and is told once.
        assert background.names() == ["sleep"]
        await background.join()
        del task
        gc.collect()
        assert len(reports.all) == 1

    on_every_order(main)


def test_a_failure_is_told_to_the_handler():
    async def main():
        told = []
        background = BackgroundTasks(on_failure=lambda *what: told.append(what))
        error = ValueError("bad")
        background.spawn(fails_after(1, error), name="a")
        await background.join()
        assert told == [("a", error)]

    on_every_order(main)


def test_a_handler_that_fails_is_told_to_the_loop():
    async def main():
        reports = Reports()

        def handler(name, error):
            raise OSError("no log")

        background = BackgroundTasks(on_failure=handler)
        background.spawn(fails_after(1, ValueError("bad")))
        await background.join()
        [report] = reports.all
        assert isinstance(report["exception"], OSError) and len(background) == 0

    on_every_order(main)


def test_cancelled_tasks_are_no_failures():
    async def main():
        reports, background = Reports(), BackgroundTasks()
        tasks = [background.spawn(asyncio.sleep(seconds)) for seconds in (0, 5, 9)]
        await asyncio.sleep(1)
        assert background.cancel_all("enough") == 2
        await background.join()
        assert [task.cancelled() for task in tasks] == [False, True, True]
        assert not reports.all

    on_every_order(main)


def test_join_waits_for_those_that_are_spawned_meanwhile():
    async def main():
        background = BackgroundTasks()

        async def spawns(depth):
            await asyncio.sleep(1)
            if depth:
                background.spawn(spawns(depth - 1))

        background.spawn(spawns(4))
        await background.join()
        assert asyncio.get_running_loop().time() == 5

    on_every_order(main)


def test_a_task_that_joins_does_not_wait_for_itself():
    async def main():
        background = BackgroundTasks()
        joined = background.spawn(background.join())
        background.spawn(asyncio.sleep(1))
        await joined
        assert asyncio.get_running_loop().time() == 1

    on_every_order(main)


def test_a_join_that_is_cancelled_leaves_them_running():
    async def main():
        background = BackgroundTasks()
        task = background.spawn(asyncio.sleep(5))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await background.join()
        assert not task.done() and len(background) == 1
        await background.join()

    on_every_order(main)


def test_the_with_statement_waits_at_its_end():
    async def main():
        async with BackgroundTasks() as background:
            task = background.spawn(asyncio.sleep(5))
        assert task.done() and not task.cancelled()
        coroutine = asyncio.sleep(1)
        with pytest.raises(Closed, match="their with statement has ended"):
            background.spawn(coroutine)
        assert coroutine.cr_frame is None

    on_every_order(main)


def test_an_exception_in_the_with_statement_cancels_them():
    async def main():
        cleaned = []

        async def work():
            try:
                await asyncio.sleep(5)
            finally:
                await asyncio.sleep(1)
                cleaned.append(1)

        with pytest.raises(ValueError, match="body"):
            async with BackgroundTasks() as background:
                background.spawn(work())
                await asyncio.sleep(1)
                raise ValueError("body")
        assert cleaned == [1] and asyncio.get_running_loop().time() == 2

    on_every_order(main)


def test_who_is_cancelled_at_the_end_of_the_with_statement_cancels_them():
    async def main():
        tasks = []

        async def body():
            async with BackgroundTasks() as background:
                tasks.append(background.spawn(asyncio.sleep(5)))

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await body()
        assert tasks[0].cancelled()

    on_every_order(main)


def test_the_limit():
    async def main():
        background = BackgroundTasks(limit=1)
        background.spawn(asyncio.sleep(1))
        coroutine = asyncio.sleep(1)
        with pytest.raises(LimitReached, match="1 background tasks are running"):
            background.spawn(coroutine)
        assert coroutine.cr_frame is None
        await background.join()
        background.spawn(asyncio.sleep(1))
        await background.join()

    on_every_order(main)


def test_bad_input():
    async def main():
        with pytest.raises(TypeError, match=r"spawn\(\) takes a coroutine, not <function"):
            BackgroundTasks().spawn(fails_after)

    testing.run(main())
    with pytest.raises(TypeError, match="on_failure must be a function of a name and an exception, not 'log'"):
        BackgroundTasks(on_failure="log")
    with pytest.raises(ValueError, match="limit must be 1 or more"):
        BackgroundTasks(limit=-1)
