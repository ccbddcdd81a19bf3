"""Jobs that nobody waits for: dropped, detached, failed and never looked at."""

import asyncio
import gc
import threading
import weakref

import pytest
from conftest import PATIENCE, fail, fail_now, give, give_now

import asyncferry as ferry
from asyncferry import State


async def give_on_a_thread():
    return await ferry.submit(give_now, 1)


def test_an_async_one_that_is_dropped_is_cancelled(run):
    async def main():
        log = []

        async def work():
            log.append("began")
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError as error:
                log.append(str(error))
                raise

        job = ferry.submit(work)
        await asyncio.sleep(0)
        assert log == ["began"]
        del job
        while len(log) < 2:
            await asyncio.sleep(0)
        assert log[1] == "nobody refers to its job any more"

    run(main)


def test_a_thread_is_told_that_its_job_was_dropped(run):
    began, told = threading.Event(), threading.Event()

    def work():
        began.set()
        try:
            while True:
                ferry.check_cancelled()
        except asyncio.CancelledError:
            told.set()
            raise

    async def main():
        job = ferry.submit(work)
        await asyncio.to_thread(began.wait, PATIENCE)
        del job
        assert await asyncio.to_thread(told.wait, PATIENCE)

    run(main)


def test_one_that_somebody_waits_for_goes_on(run):
    async def main():
        done = asyncio.Event()

        async def background():
            await ferry.submit(give, 1)
            await ferry.submit(give_now, 1)
            await ferry.sleep(0.001)
            done.set()

        task = weakref.ref(asyncio.create_task(background()))
        await asyncio.sleep(0)
        gc.collect()
        assert task() is not None
        await done.wait()

    run(main)


# Only the job refers to what runs here: the event, the future that waits for it and the task refer to each other.
def test_the_job_keeps_its_coroutine_alive():
    async def forever():
        await asyncio.Event().wait()

    async def main():
        job = ferry.submit(forever)
        await asyncio.sleep(0)
        gc.collect()
        assert not job.done()
        job.cancel()

    asyncio.run(main())


def test_one_that_is_dropped_before_it_begins_never_does(run):
    begun = []

    async def begin():
        begun.append(1)

    async def main():
        job = ferry.submit(begin)
        assert repr(job).endswith("pending: starts at its loop's next turn>")
        del job
        for _ in range(5):
            await asyncio.sleep(0)

    run(main)
    assert not begun


def test_a_detached_one_goes_on(run):
    async def main():
        done, thread_done = asyncio.Event(), threading.Event()

        async def work():
            await ferry.sleep(0.001)
            done.set()

        job = ferry.submit(work)
        assert job.detach() is job
        del job
        ferry.submit(thread_done.set).detach()
        await done.wait()
        assert await asyncio.to_thread(thread_done.wait, PATIENCE)

    run(main)


def test_a_detached_one_that_fails_is_reported_once(run):
    async def main():
        errors = ValueError("async"), ValueError("plain")
        ferry.submit(fail, errors[0]).detach()
        ferry.submit(fail_now, errors[1]).detach()
        while len(run.reports) < 2:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return errors

    errors = run(main)
    reports = run.take_reports()
    assert {report["exception"] for report in reports} == set(errors)
    assert len(reports) == 2 and all("Detached job 'fail" in report["message"] for report in reports)


@pytest.mark.parametrize("failing", [fail, fail_now])
def test_a_failed_one_that_nobody_looked_at_is_reported_once(run, failing):
    async def main():
        error = ValueError("lost")
        job = ferry.submit(failing, error)
        while not job.done():
            await asyncio.sleep(0)
        # None of these is a look at the error.
        assert job.state is State.FAILED and not job.cancelled() and "lost" in repr(job)
        del job
        await asyncio.sleep(0)
        return error

    error = run(main)
    [report] = run.take_reports()
    assert report["exception"] is error
    assert report["message"] == f"Job '{failing.__name__}' failed, and nobody retrieved its exception"


# Python's collector takes the exception apart before it drops the job: it must be reported before that.
def test_the_error_of_a_job_that_is_garbage_is_reported_whole(program):
    assert program(
        """
        import asyncio, gc, asyncferry as ferry
        kept = []
        async def fail(error): raise error
        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda _, context: kept.append(context["exception"]))
            error = ValueError("lost")
            error.job = ferry.submit(fail, error)
            while not error.job.done(): await asyncio.sleep(0)
            del error
            gc.collect()
        asyncio.run(main())
        print(*kept)
        """
    ) == "lost\n"


@pytest.mark.parametrize("group", [ferry.gather, lambda *aws: ferry.gather(*aws, return_exceptions=True), ferry.race])
def test_a_group_that_is_dropped_answers_for_nobody(run, group):
    async def main():
        async def fail_later(number):
            await go_on.wait()
            raise ValueError(number)

        go_on = asyncio.Event()
        # The last stays, so the group does not end before it goes.
        failing = [ferry.submit(fail_later, 0), asyncio.create_task(fail_later(1))]
        dropped = group(*failing, ferry.sleep(1000))
        await asyncio.sleep(0)
        del dropped
        gc.collect()
        go_on.set()
        while not all(each.done() for each in failing):
            await asyncio.sleep(0)
        failing.clear()
        # A task is freed a turn after its end.
        while len(run.reports) < 2:
            await asyncio.sleep(0)
            gc.collect()

    run(main)
    assert sorted(report["exception"].args for report in run.take_reports()) == [(0,), (1,)]


def test_what_failed_in_a_group_before_that_was_dropped_is_reported(run):
    async def main():
        failing = [ferry.submit(fail, ValueError(0)), asyncio.create_task(fail(ValueError(1)))]
        dropped = ferry.gather(*failing, ferry.sleep(1000), return_exceptions=True)
        while not all(each.done() for each in failing):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        del dropped
        failing.clear()
        while len(run.reports) < 2:
            await asyncio.sleep(0)
            gc.collect()

    run(main)
    assert sorted(report["exception"].args for report in run.take_reports()) == [(0,), (1,)]


def test_a_wait_that_is_over_answers_for_nobody(run):
    async def main():
        go_on = asyncio.Event()

        async def fail_later():
            await go_on.wait()
            raise ValueError("after the wait")

        task = asyncio.create_task(fail_later())
        await ferry.wait([task], timeout=0, return_when=ferry.FIRST_EXCEPTION)
        go_on.set()
        while not task.done():
            await asyncio.sleep(0)
        del task
        while not run.reports:
            await asyncio.sleep(0)
            gc.collect()

    run(main)
    assert [str(report["exception"]) for report in run.take_reports()] == ["after the wait"]


def test_a_group_that_ended_answers_for_all(run):
    async def main():
        async def fail_later(number):
            try:
                await go_on.wait()
            finally:
                raise ValueError(number)

        for group in ferry.gather, ferry.race:
            go_on = asyncio.Event()
            late = [ferry.submit(fail_later, 0), asyncio.create_task(fail_later(1))]
            with pytest.raises(KeyError):
                await group(ferry.submit(fail, KeyError("first")), *late)
            go_on.set()
            while not all(each.done() for each in late):
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            late.clear()
            gc.collect()
        # Cancelled, it has no list in which they could stand.
        failing = [ferry.submit(fail, ValueError(2)), asyncio.create_task(fail(ValueError(3)))]
        stopped = ferry.gather(*failing, ferry.sleep(1000), return_exceptions=True)
        while not all(each.done() for each in failing):
            await asyncio.sleep(0)
        stopped.cancel()
        await ferry.wait([stopped])
        del stopped
        failing.clear()
        gc.collect()
        await asyncio.sleep(0)

    # What was reported would fail it.
    run(main)


def test_a_failed_one_that_somebody_looked_at_is_not_reported(run):
    async def main():
        looks = [
            lambda job: job.exception(),
            lambda job: pytest.raises(ValueError, job.result),
            lambda job: pytest.raises(ValueError, job.send, None),
        ]
        for look in looks:
            job = ferry.submit(fail_now, ValueError())
            while not job.done():
                await asyncio.sleep(0)
            look(job)
            del job
        with pytest.raises(ValueError):
            await ferry.submit(fail, ValueError())
        await ferry.submit(fail, ValueError()).catch(give)

    run(main)


def test_without_a_loop_a_lost_error_is_unraisable(unraisable):
    error = ValueError("lost")
    job = ferry.submit(fail_now, error)
    while not job.done():
        pass
    del job
    assert unraisable == [(error, "Job 'fail_now' failed, and nobody retrieved its exception")]


def test_an_error_of_a_detached_one_is_told_to_its_own_loop(run, in_thread):
    idle = asyncio.new_event_loop()
    # It has a home, and it had it first.
    in_thread(idle.run_until_complete, give_on_a_thread())

    async def main():
        ferry.submit(fail_now, ValueError("lost")).detach()
        while not run.reports:
            await asyncio.sleep(0)

    run(main)
    [report] = run.take_reports()
    assert report["message"] == "Detached job 'fail_now' failed, and nobody retrieved its exception"
    idle.close()
