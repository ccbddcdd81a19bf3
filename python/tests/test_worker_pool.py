"""patterns.WorkerPool: results, backpressure, failures, cancelling, and shutting down."""

import asyncio
import contextvars

import pytest

import asyncferry as ferry
from asyncferry import testing
from asyncferry.patterns import Closed, Drained, WorkerPool

SEEDS = 50


def on_every_order(main):
    testing.run_seeds(main, seeds=SEEDS)


def now():
    return asyncio.get_running_loop().time()


async def give(value, seconds=1):
    await asyncio.sleep(seconds)
    return value


async def fail(error):
    await asyncio.sleep(1)
    raise error


def test_as_many_run_as_there_are_workers():
    async def main():
        running = most = 0

        async def work(number):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1
            return number

        async with WorkerPool(workers=3) as pool:
            results = [await pool.submit(work, number) for number in range(9)]
            assert await asyncio.gather(*results) == list(range(9))
        assert (most, now()) == (3, 3)

    on_every_order(main)


def test_whoever_submits_is_held_up_by_a_full_queue():
    async def main():
        async with WorkerPool(workers=1, max_queued=2) as pool:
            at = []
            for number in range(6):
                await pool.submit(give, number)
                await asyncio.sleep(0)
                at.append(now())
            # One runs, two are queued, and the fourth waits for the end of the first.
            assert at == [0, 0, 0, 1, 2, 3]
            assert (pool.queued, pool.running) == (2, ["give"])
            with pytest.raises(asyncio.QueueFull):
                pool.submit_nowait(give, 7)
            await pool.join()
            assert (pool.queued, pool.running, now()) == (0, [], 6)

    testing.run(main())


def test_jobs_are_taken_first_in_first_out():
    async def main():
        order = []

        async def work(number):
            order.append(number)

        async with WorkerPool(workers=1) as pool:
            for number in range(20):
                pool.submit_nowait(work, number)
        assert order == list(range(20))

    on_every_order(main)


def test_a_job_that_fails_does_not_end_its_worker():
    async def main():
        async with WorkerPool(workers=1) as pool:
            error = ValueError("bad")
            failing = await pool.submit(fail, error)
            cancelling = await pool.submit(fail, asyncio.CancelledError())
            good = await pool.submit(give, 42)
            with pytest.raises(ValueError) as caught:
                await failing
            assert caught.value is error
            assert await good == 42 and cancelling.cancelled()
            # Each of them was counted.
            await pool.join()

    on_every_order(main)


def test_a_plain_function_is_refused_by_its_result():
    async def main():
        async with WorkerPool(workers=1) as pool:
            with pytest.raises(TypeError, match="'len' is no async function: it gave 3"):
                await (await pool.submit(len, "abc"))
            assert await (await pool.submit(ferry.submit, len, "abc")) == 3

    on_every_order(main)


def test_a_job_runs_in_the_context_of_who_submits():
    variable = contextvars.ContextVar("variable")

    async def look():
        return variable.get()

    async def main():
        async with WorkerPool(workers=1) as pool:
            variable.set("mine")
            assert await (await pool.submit(look)) == "mine"

    on_every_order(main)


def test_a_result_that_is_cancelled_cancels_its_job():
    async def main():
        ended = []

        async def work(name):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.append(name)
                raise

        async with WorkerPool(workers=1) as pool:
            running, queued = await pool.submit(work, "running"), await pool.submit(work, "queued")
            await asyncio.sleep(1)
            # The other way round, the worker would begin with the queued one.
            for result in (queued, running):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(result, 1)
            await pool.join()
        assert (ended, now()) == (["running"], 3)

    testing.run(main())


def test_an_error_after_the_result_was_cancelled_is_told_to_the_loop():
    async def main():
        reports = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: reports.append(what))

        async def work():
            try:
                await asyncio.sleep(60)
            finally:
                raise OSError("close")

        async with WorkerPool(workers=1) as pool:
            result = await pool.submit(work)
            await asyncio.sleep(1)
            result.cancel()
        [report] = reports
        assert isinstance(report["exception"], OSError)
        assert "work' failed after it was cancelled" in report["message"]

    on_every_order(main)


@pytest.mark.parametrize("turns", range(5))
def test_a_submit_that_is_cancelled_at_any_moment(turns):
    """It's called, if submit() returned, and not otherwise; what others submit is called in any case."""

    async def main():
        called = []

        async def work(name):
            called.append(name)
            await asyncio.sleep(1)

        async with WorkerPool(workers=1, max_queued=1) as pool:
            await pool.submit(work, "first")
            await asyncio.sleep(0.5)
            await pool.submit(work, "second")
            waiting = [asyncio.create_task(pool.submit(work, name)) for name in ("a", "b")]

            async def cancel():
                # When the worker makes room.
                await asyncio.sleep(0.5)
                for _ in range(turns):
                    await asyncio.sleep(0)
                waiting[0].cancel()

            await asyncio.gather(cancel(), *waiting, return_exceptions=True)
            await pool.join()
        submitted = [name for name, each in zip("ab", waiting, strict=True) if not each.cancelled()]
        assert sorted(called) == sorted(["first", "second", *submitted]) and "b" in submitted

    on_every_order(main)


def test_shutting_down_waits_for_all_jobs():
    async def main():
        async with WorkerPool(workers=2, max_queued=4) as pool:
            results = [await pool.submit(give, number) for number in range(4)]
            await asyncio.sleep(0.5)
            assert await pool.shutdown(10) == Drained(4, ())
            assert now() == 2 and [result.result() for result in results] == [0, 1, 2, 3]
            with pytest.raises(Closed, match="'give' is refused: the pool is shut down"):
                await pool.submit(give, 5)
            with pytest.raises(Closed):
                pool.submit_nowait(give, 5)
            assert await pool.shutdown(10) == Drained(0, ())

    on_every_order(main)


def test_what_is_left_at_the_deadline_is_cancelled_and_named():
    async def main():
        async with WorkerPool(workers=1, max_queued=4) as pool:
            results = [await pool.submit(give, number) for number in range(4)]
            assert await pool.shutdown(1.5) == Drained(1, ("give", "give", "give"))
            assert [result.cancelled() for result in results] == [False, True, True, True]
            await pool.join()
        assert now() == 1.5

    on_every_order(main)


@pytest.mark.parametrize(("cleanup", "ends_at"), [(0.25, 1.25), (60, 2)])
def test_what_is_cancelled_has_time_to_clean_up(cleanup, ends_at):
    async def main():
        async def work():
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(cleanup)

        async with WorkerPool(workers=1) as pool:
            await pool.submit(work)
            [name] = (await pool.shutdown(1)).left
            assert name.endswith("work") and now() == ends_at

    on_every_order(main)


def test_whoever_waits_for_room_is_told_that_it_shuts_down():
    async def main():
        async with WorkerPool(workers=1, max_queued=1) as pool:
            waiting = [asyncio.create_task(pool.submit(give, number)) for number in range(4)]
            await asyncio.sleep(0.5)
            await pool.shutdown(None)
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
            refused = [outcome for outcome in outcomes if isinstance(outcome, Closed)]
            assert len(refused) == 2
            assert all(outcome.done() for outcome in outcomes if outcome not in refused)

    on_every_order(main)


def test_a_shutdown_that_is_cancelled_can_be_called_again():
    async def main():
        async with WorkerPool(workers=1) as pool:
            result = await pool.submit(give, 42, 3)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await pool.shutdown(None)
            assert not result.done()
            assert await pool.shutdown(5) == Drained(1, ())
            assert result.result() == 42

    on_every_order(main)


def test_an_exception_in_the_with_statement_cancels_the_jobs():
    async def main():
        results = []
        with pytest.raises(ValueError, match="body"):
            async with WorkerPool(workers=1) as pool:
                results += [await pool.submit(give, number) for number in range(3)]
                await asyncio.sleep(1.5)
                raise ValueError("body")
        assert [result.cancelled() for result in results] == [False, True, True]
        assert now() == 1.5

    on_every_order(main)


def test_who_is_cancelled_at_the_end_of_the_with_statement_cancels_the_jobs():
    async def main():
        results = []

        async def body():
            async with WorkerPool(workers=1) as pool:
                results.append(await pool.submit(give, 42, 60))

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await body()
        assert results[0].cancelled() and len(asyncio.all_tasks()) == 1

    on_every_order(main)


def test_a_loop_that_ends_takes_the_workers_and_their_jobs_with_it():
    results = []

    async def main():
        pool = await WorkerPool(workers=1).__aenter__()
        results.append(await pool.submit(give, 42, 60))
        await asyncio.sleep(1)

    on_every_order(main)
    assert all(result.cancelled() for result in results)


def test_bad_input():
    async def main():
        pool = WorkerPool(workers=1)
        with pytest.raises(RuntimeError, match="the pool has no workers yet"):
            await pool.submit(give, 1)
        async with pool:
            with pytest.raises(TypeError, match="a pool calls an async function, not <coroutine"):
                coroutine = give(1)
                try:
                    await pool.submit(coroutine)
                finally:
                    coroutine.close()
            with pytest.raises(ValueError, match="deadline must be 0 seconds or more"):
                await pool.shutdown(-1)
        with pytest.raises(RuntimeError, match="was started before"):
            async with pool:
                pass

    testing.run(main())
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        WorkerPool(workers=0)
    with pytest.raises(ValueError, match="max_queued must be 1 or more"):
        WorkerPool(workers=1, max_queued=0)
