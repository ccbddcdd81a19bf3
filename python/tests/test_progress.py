"""`async for p in job.progress()`: what work tells of itself while it runs."""

import asyncio
import threading

import pytest
from conftest import PATIENCE

import asyncferry as ferry


def report(values):
    for value in values:
        ferry.report_progress(value)
    return "done"


async def report_async(values):
    for value in values:
        ferry.report_progress(value)
        await asyncio.sleep(0)
    return "done"


@pytest.mark.parametrize("reporting", [report, report_async])
def test_values_come_in_order_and_the_result_after_them(run, reporting):
    async def main():
        values = [0, None, (1, 2), ValueError("no error"), StopAsyncIteration(), "x"]
        job = ferry.submit(reporting, values)
        seen = [value async for value in job.progress()]
        assert len(seen) == len(values) and all(a is b for a, b in zip(seen, values))
        assert await job == "done"

    run(main)


def test_they_come_while_the_work_goes_on(run):
    async def main():
        answers = asyncio.Queue()

        async def work():
            for number in range(5):
                ferry.report_progress(number)
                assert await answers.get() == number

        job = ferry.submit(work)
        async for number in job.progress():
            assert not job.done()
            answers.put_nowait(number)
        assert number == 4
        await job

    run(main)


def test_each_reader_sees_all(run):
    async def main():
        go_on = threading.Event()

        def work():
            go_on.wait(PATIENCE)
            report(range(10))

        job = ferry.submit(work)

        async def read():
            return [value async for value in job.progress()]

        readers = [asyncio.create_task(read()) for _ in range(3)]
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*readers) == [list(range(10))] * 3
        # Who comes late sees them too.
        assert await read() == list(range(10))

    run(main)


def test_the_last_256_are_kept(run):
    async def main():
        job = ferry.submit(report, range(1000))
        await job
        assert [value async for value in job.progress()] == list(range(744, 1000))

    run(main)


def test_it_ends_with_the_job_however_that_ends(run):
    async def main():
        async def fail():
            ferry.report_progress(1)
            raise ValueError("no")

        job = ferry.submit(fail)
        assert [value async for value in job.progress()] == [1]
        with pytest.raises(ValueError):
            await job

        async def forever():
            ferry.report_progress(1)
            await asyncio.sleep(1000)

        job = ferry.submit(forever)
        seen = []
        async for value in job.progress():
            seen.append(value)
            job.cancel("enough")
        assert seen == [1]
        with pytest.raises(asyncio.CancelledError):
            await job

    run(main)


def test_what_reports_nothing_has_none(run):
    async def main():
        for job in ferry.submit(str), ferry.submit(asyncio.sleep, 0), ferry.sleep(0.001), ferry.gather():
            assert [value async for value in job.progress()] == []
            await job

    run(main)


def test_a_reader_that_is_cancelled_loses_nothing(run):
    async def main():
        go_on = asyncio.Event()

        async def work():
            await go_on.wait()
            ferry.report_progress("first")

        job = ferry.submit(work)
        progress = job.progress()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await anext(progress)
        go_on.set()
        assert await anext(progress) == "first"
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(progress)

    run(main)


def test_readers_at_the_same_time_get_each_value_once(run):
    async def main():
        turns = asyncio.Queue()

        async def work():
            while (value := await turns.get()) is not None:
                ferry.report_progress(value)

        job = ferry.submit(work)
        progress = job.progress()
        # Those who wait.
        first, second, third = anext(progress), anext(progress), anext(progress)
        for value in "abc":
            turns.put_nowait(value)
        assert await ferry.gather(first, second, third) == ["a", "b", "c"]
        # One that gives up before its value comes, one that goes with it, and one that others wait behind.
        first, second, third = anext(progress), anext(progress), anext(progress)
        first.cancel()
        for value in "def":
            turns.put_nowait(value)
        assert [await second, await third, await anext(progress)] == ["d", "e", "f"]
        # One that had its value, and that nobody looked at.
        dropped, last = anext(progress), anext(progress)
        turns.put_nowait("g")
        turns.put_nowait("h")
        turns.put_nowait(None)
        await job
        del dropped
        assert [await last, await anext(progress)] == ["h", "g"]
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(progress)

    run(main)


@pytest.mark.parametrize("work", [report, report_async])
def test_what_a_map_calls_reports_to_the_map(run, work):
    async def main():
        mapped = ferry.map(work, [["a"], ["b"], ["c"]], limit=1)
        assert [value async for value in mapped.progress()] == ["a", "b", "c"]
        assert await mapped == ["done"] * 3

    run(main)


def test_a_reader_keeps_its_job(run):
    async def main():
        progress = ferry.submit(report_async, range(3)).progress()
        assert [value async for value in progress] == [0, 1, 2]
        assert "progress of <Job 'report_async' finished" in repr(progress)

    run(main)


def test_what_is_called_in_its_context_may_report(run):
    async def helper(value):
        ferry.report_progress(value)

    async def work():
        await helper(1)
        await asyncio.create_task(helper(2))
        await asyncio.to_thread(ferry.report_progress, 3)

    async def main():
        job = ferry.submit(work)
        assert [value async for value in job.progress()] == [1, 2, 3]
        await job

    run(main)


def test_submitted_work_reports_to_its_own_job(run):
    async def work():
        ferry.report_progress("outer")
        inner = ferry.submit(report, ["inner"])
        assert [value async for value in inner.progress()] == ["inner"]

    async def main():
        job = ferry.submit(work)
        assert [value async for value in job.progress()] == ["outer"]
        await job

    run(main)


def test_outside_of_submitted_work_there_is_nobody_to_tell(run):
    with pytest.raises(RuntimeError, match="given to submit"):
        ferry.report_progress(1)

    async def main():
        with pytest.raises(RuntimeError, match="given to submit"):
            ferry.report_progress(1)

    run(main)


def test_an_iterator_read_on_two_loops():
    job = ferry.submit(report, range(4))
    progress = job.progress()

    async def first(count):
        return [await anext(progress) for _ in range(count)]

    assert asyncio.run(first(2)) == [0, 1]
    assert asyncio.run(first(2)) == [2, 3]
    assert job.result(PATIENCE) == "done"
