"""What nobody refers to any more is freed, also where a job and what it gave have each other."""

import asyncio
import contextvars
import gc
import threading
import weakref

import pytest
from conftest import PATIENCE

import asyncferry as ferry


class Thing:
    """Something with a job, for rings."""


async def value_of_progress(thing):
    def report():
        ferry.report_progress(thing)

    thing.job = ferry.submit(report)
    await thing.job


async def part_of_a_value_of_progress(thing):
    def report():
        # A tuple, which the collector can't clear.
        assert submitted.wait(PATIENCE)
        ferry.report_progress((thing, jobs.pop()))

    submitted = threading.Event()
    jobs = [job := ferry.submit(report)]
    submitted.set()
    await job


async def value_of_progress_with_its_context(thing):
    async def report():
        thing.context = contextvars.copy_context()
        thing.task = asyncio.current_task()
        ferry.report_progress(thing)

    await ferry.submit(report)


async def value_of_progress_of_one_that_goes_on(thing):
    async def report(thing):
        ferry.report_progress(thing())
        await asyncio.sleep(1000)

    thing.job = ferry.submit(report, weakref.ref(thing))
    async for value in thing.job.progress():
        assert value is thing
        break


async def part_of_the_result(thing):
    async def give():
        await asyncio.sleep(0)
        return thing, jobs.pop()

    jobs = [ferry.submit(give)]
    await jobs[0]


async def part_of_the_result_of_a_thread(thing):
    def give():
        assert submitted.wait(PATIENCE)
        return thing, jobs.pop()

    submitted = threading.Event()
    jobs = [job := ferry.submit(give)]
    submitted.set()
    await job


async def part_of_the_message_of_its_cancel(thing):
    for job in ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000), ferry.gather(ferry.sleep(1000)):
        job.cancel((thing, job))
        await ferry.wait([job])


async def argument_of_a_call_that_is_cancelled(thing):
    thing.job = ferry.submit(lambda _: None, (thing,))
    thing.job.cancel()


@pytest.mark.parametrize(
    "make",
    [
        value_of_progress,
        part_of_a_value_of_progress,
        value_of_progress_with_its_context,
        value_of_progress_of_one_that_goes_on,
        part_of_the_result,
        part_of_the_result_of_a_thread,
        part_of_the_message_of_its_cancel,
        argument_of_a_call_that_is_cancelled,
    ],
    ids=lambda make: make.__name__,
)
def test_rings_of_a_job_and_what_it_gave_are_freed(run, make):
    async def main():
        await make(Thing())
        # A thread may just be about to let go of it. Looked for among all, as the collector clears weak references
        # also to what it then can't free.
        while any(type(each) is Thing for each in gc.get_objects()):
            await asyncio.sleep(0)
            gc.collect()

    run(main)


@pytest.mark.parametrize("make", [lambda: ferry.sleep(1000), lambda: ferry.submit(asyncio.sleep, 1000)])
def test_loops_that_gave_up_waiting_for_a_job_leave_nothing_with_it(make):
    async def look(job):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(job), 0)
        # One that waits until the loop is closed.
        waiting = asyncio.create_task(asyncio.wait([asyncio.shield(job)]))
        await asyncio.sleep(0)
        waiting.cancel()

    def references():
        # The home of each loop has one.
        gc.collect()
        return sum(type(each) is weakref.ReferenceType for each in gc.get_objects())

    job = make()
    asyncio.run(look(job))
    before = references()
    for _ in range(100):
        asyncio.run(look(job))
    assert references() <= before + 10
