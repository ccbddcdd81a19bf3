"""Cancelling, from whatever side, with its message; and what may happen before it takes effect."""

import asyncio
import threading

import pytest
from conftest import PATIENCE

import asyncferry as ferry


class Work:
    """A coroutine function that waits until it's cancelled, and then does as it was told."""

    def __init__(self, then=None):
        self.then = then
        self.began = asyncio.Event()
        self.messages = []

    async def __call__(self):
        self.began.set()
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError as error:
            self.messages.append(error.args)
            if self.then is not None:
                return await self.then()
            raise


def test_a_message_reaches_the_coroutine_and_those_who_wait(run):
    async def main():
        work = Work()
        job = ferry.submit(work)
        await work.began.wait()
        assert job.cancel("enough") is True
        # It's asked, and has not ended yet.
        assert not job.done()
        for _ in range(2):
            with pytest.raises(asyncio.CancelledError) as caught:
                await job
            assert caught.value.args == ("enough",)
        assert work.messages == [("enough",)]

    run(main)


@pytest.mark.parametrize("message", [None, 3, ("a", "b"), "\udc80", ValueError("x"), "x" * 100_000], ids=repr)
def test_a_message_may_be_anything(run, message):
    async def main():
        work = Work()
        jobs = [ferry.submit(work), ferry.sleep(1000)]
        await work.began.wait()
        for job in jobs:
            assert job.cancel(message)
            with pytest.raises(asyncio.CancelledError) as caught:
                await job
            assert caught.value.args == (() if message is None else (message,))
        assert work.messages == [() if message is None else (message,)]

    run(main)


def test_cancelling_a_task_cancels_the_job_it_awaits(run):
    async def main():
        work = Work()
        for job in ferry.submit(work), ferry.sleep(1000), ferry.gather(ferry.sleep(1000), ferry.submit(Work())):

            async def wait():
                await job

            task = asyncio.create_task(wait())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel("no time")
            with pytest.raises(asyncio.CancelledError, match="no time"):
                await task
            assert task.cancelled() and job.cancelled()
        assert work.messages == [("no time",)]

    run(main)


def test_a_coroutine_that_has_not_begun_never_does(run):
    async def main():
        work = Work()
        job = ferry.submit(work)
        assert job.cancel("early")
        with pytest.raises(asyncio.CancelledError, match="early"):
            await job
        assert not work.began.is_set()

    run(main)


def test_a_clean_up_is_awaited(run):
    async def main():
        log = []

        async def clean_up():
            await ferry.sleep(0.001)
            await ferry.submit(log.append, "cleaned up")
            raise asyncio.CancelledError("with other words")

        work = Work(clean_up)
        job = ferry.submit(work)
        await work.began.wait()
        job.cancel("stop")
        with pytest.raises(asyncio.CancelledError, match="with other words"):
            await job
        assert log == ["cleaned up"] and job.cancelled()

    run(main)


def test_a_coroutine_may_refuse(run):
    async def main():
        async def refuse():
            await asyncio.sleep(0)
            return "still here"

        work = Work(refuse)
        job = ferry.submit(work)
        await work.began.wait()
        assert job.cancel() is True
        assert await job == "still here"
        assert not job.cancelled() and job.state is ferry.State.COMPLETED

    run(main)


def test_a_coroutine_may_fail_instead(run):
    async def main():
        error = ValueError("of the clean-up")

        async def fail():
            raise error

        work = Work(fail)
        job = ferry.submit(work)
        await work.began.wait()
        job.cancel("stop")
        with pytest.raises(ValueError) as caught:
            await job
        assert caught.value is error
        assert isinstance(error.__context__, asyncio.CancelledError) and error.__context__.args == ("stop",)

    run(main)


def test_a_coroutine_that_cancels_itself(run):
    async def main():
        async def work():
            raise asyncio.CancelledError("by itself")

        async def by_its_task():
            asyncio.current_task().cancel("by its task")
            await asyncio.sleep(0)

        def on_a_thread():
            raise asyncio.CancelledError("on a thread")

        for function, message in (work, "by itself"), (by_its_task, "by its task"), (on_a_thread, "on a thread"):
            job = ferry.submit(function)
            with pytest.raises(asyncio.CancelledError, match=message):
                await job
            assert job.cancelled() and asyncio.current_task().cancelling() == 0

    run(main)


def test_uncancel_keeps_working(run):
    async def main():
        go_on = asyncio.Event()

        async def persistent():
            try:
                await ferry.sleep(1000)
            except asyncio.CancelledError:
                assert asyncio.current_task().uncancel() == 0
            go_on.set()
            # It's not cancelled any more, so this waits.
            async with asyncio.timeout(PATIENCE):
                return await ferry.submit(str, "went on")

        task = asyncio.create_task(persistent())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == "went on" and go_on.is_set()

    run(main)


def test_timeouts_in_timeouts_tell_whose_it_was(run):
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001) as outer:
                async with asyncio.timeout(PATIENCE) as inner:
                    await ferry.submit(asyncio.sleep, 1000)
        assert outer.expired() and not inner.expired()
        async with asyncio.timeout(PATIENCE) as outer:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001) as inner:
                    await ferry.sleep(1000)
            assert inner.expired() and not outer.expired()
            assert await ferry.submit(str, 1) == "1"

    run(main)


def test_cancelling_in_chains_of_jobs_that_await_jobs(run):
    async def main():
        innermost = ferry.sleep(1000)
        began = asyncio.Event()

        async def layer(inner):
            began.set()
            return await inner

        job = innermost
        for _ in range(20):
            job = ferry.submit(layer, job)
        for _ in range(5):
            await asyncio.sleep(0)
        job.cancel("from the top")
        with pytest.raises(asyncio.CancelledError, match="from the top"):
            await job
        assert innermost.cancelled()

    run(main)


def test_one_of_many_waiting_tasks_is_cancelled(run):
    # As with asyncio's futures: the job is cancelled, and so is all that waits for it. A shield is against that.
    async def main():
        job = ferry.sleep(1000)

        async def wait(what):
            await what

        shielded, other = asyncio.create_task(wait(asyncio.shield(job))), asyncio.create_task(wait(job))
        await asyncio.sleep(0)
        shielded.cancel()
        await asyncio.wait([shielded])
        assert shielded.cancelled() and not job.done()
        third = asyncio.create_task(wait(job))
        await asyncio.sleep(0)
        third.cancel("all of us")
        for task in other, third:
            with pytest.raises(asyncio.CancelledError, match="all of us"):
                await task

    run(main)


def test_a_thread_that_finishes_nevertheless_changes_nothing(run):
    began, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        began.set()
        go_on.wait(PATIENCE)
        ended.set()
        return "too late"

    async def main():
        job = ferry.submit(work)
        await asyncio.to_thread(began.wait, PATIENCE)
        assert job.cancel("stop")
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await job
        go_on.set()
        assert await asyncio.to_thread(ended.wait, PATIENCE)
        assert job.cancelled()

    run(main)


def test_cancelling_without_a_loop():
    began, ended = threading.Event(), []

    async def work():
        began.set()
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError as error:
            ended.append(error.args)
            raise

    job = ferry.submit(work)
    assert began.wait(PATIENCE)
    assert job.cancel("from no loop") is True
    with pytest.raises(asyncio.CancelledError, match="from no loop"):
        job.result(PATIENCE)
    assert ended == [("from no loop",)]


def test_the_race_of_ending_and_cancelling_has_one_winner(run):
    async def main():
        for _ in range(300):
            job = ferry.submit(str, 1)
            taken = job.cancel("stop")
            if taken:
                with pytest.raises(asyncio.CancelledError, match="stop"):
                    await job
            else:
                assert await job == "1"
            assert job.cancelled() is taken

    run(main)


def test_cancelled_again_it_hears_it_again(run):
    async def main():
        async def insist():
            await asyncio.sleep(1000)

        work = Work(insist)
        job = ferry.submit(work)
        await work.began.wait()
        assert job.cancel("once")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not job.done()
        assert job.cancel("twice")
        with pytest.raises(asyncio.CancelledError, match="twice"):
            await job

    run(main)


def test_a_cancel_counts_although_the_coroutine_returns_before_it_hears_of_it(run):
    began, go_on = threading.Event(), threading.Event()

    async def compute():
        began.set()
        return go_on.wait(PATIENCE)

    async def main():
        # It runs on the background loop.
        job = await asyncio.to_thread(ferry.submit, compute)
        await asyncio.to_thread(began.wait, PATIENCE)
        task = asyncio.create_task(wait_for(job))
        await asyncio.sleep(0)
        task.cancel("stop")
        go_on.set()
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await task
        assert job.cancelled()

    async def wait_for(job):
        await job

    run(main)


def test_a_job_cancelled_before_its_loop_begins_it_keeps_the_message():
    began, go_on = threading.Event(), threading.Event()

    async def hold_up():
        began.set()
        go_on.wait(PATIENCE)

    held_up = ferry.submit(hold_up)
    assert began.wait(PATIENCE)
    message = ("a", object())
    job, in_disguise = ferry.submit(asyncio.sleep, 1000), ferry.submit(lambda: asyncio.sleep(1000))
    assert job.cancel(message)
    while "starts" not in repr(in_disguise):
        pass
    assert in_disguise.cancel(message)
    go_on.set()
    held_up.result(PATIENCE)
    for cancelled in job, in_disguise:
        with pytest.raises(asyncio.CancelledError) as caught:
            cancelled.result(PATIENCE)
        assert caught.value.args == (message,) and cancelled.cancelled()


def test_an_async_function_in_disguise_is_cancelled_as_any_other(run):
    async def main():
        log = []

        async def clean_up():
            await ferry.sleep(0.001)
            log.append("cleaned up")
            raise asyncio.CancelledError("with other words")

        for then, words in [(None, "stop"), (clean_up, "with other words")]:
            work = Work(then)
            job = ferry.submit(lambda: work())
            await work.began.wait()
            assert job.cancel("stop") is True
            with pytest.raises(asyncio.CancelledError, match=words):
                await job
            assert work.messages == [("stop",)]
        assert log == ["cleaned up"]

    run(main)


def test_one_that_goes_on_with_a_coroutine_after_its_cancel_never_begins_it(run):
    began, go_on = threading.Event(), threading.Event()

    async def main():
        def disguise():
            began.set()
            go_on.wait(PATIENCE)
            return work()

        work = Work()
        job = ferry.submit(disguise)
        await asyncio.to_thread(began.wait, PATIENCE)
        assert job.cancel("stop") is True
        go_on.set()
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await job
        # The only thread that was there has gone on, or another has begun.
        await ferry.submit(str)
        assert not work.began.is_set()

    run(main)


def test_jobs_that_wait_for_each_other_can_be_cancelled(run):
    async def main():
        log, jobs = [], []

        async def wait_for(place):
            try:
                await ferry.gather(jobs[place])
            except asyncio.CancelledError as error:
                log.append(error.args)
                raise

        for ring in 1, 3:
            jobs[:] = [ferry.submit(wait_for, (place + 1) % ring) for place in range(ring)]
            for _ in range(3):
                await asyncio.sleep(0)
            assert jobs[0].cancel("stop") is True
            for job in jobs:
                with pytest.raises(asyncio.CancelledError, match="stop"):
                    await job
            # The first was given up so that the others could end, and hears of it last.
            while len(log) < ring:
                await asyncio.sleep(0)
            assert log == [("stop",)] * ring
            log.clear()

    run(main)


@pytest.mark.parametrize("wrap", [lambda function: function, lambda function: lambda: function()], ids=["", "lambda"])
def test_a_job_that_awaits_itself_is_told(run, wrap):
    async def main():
        box, caught = [], []
        got_it = asyncio.Event()

        async def itself():
            await got_it.wait()
            try:
                await box[0]
            except RuntimeError as error:
                caught.append(str(error))
            return await inner()

        async def inner():
            return await box[0]

        box.append(ferry.submit(wrap(itself)))
        got_it.set()
        with pytest.raises(RuntimeError, match="can't await itself"):
            await box[0]
        assert caught == ["a job can't await itself, as it would wait for ever"]

    run(main)


def test_cancelling_breaks_a_ring_of_jobs_that_await_each_other(run):
    async def main():
        jobs, told = [], []

        async def wait_for(number):
            try:
                await jobs[number]
            except asyncio.CancelledError as error:
                told.append((number, *error.args))
                raise

        jobs += [ferry.submit(wait_for, number) for number in (1, 2, 0)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert jobs[0].cancel("stop")
        await ferry.wait(jobs)
        assert all(job.cancelled() for job in jobs)
        while len(told) < 3:
            await asyncio.sleep(0)
        assert sorted(told) == [(0, "stop"), (1, "stop"), (2, "stop")]

    run(main)
