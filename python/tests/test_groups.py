"""gather, wait, race, as_completed and map, over jobs, coroutines, tasks and futures alike."""

import asyncio
import gc
import itertools
import sys
import threading

import pytest
from conftest import PATIENCE, fail, fail_now, give, give_now

import asyncferry as ferry


def one_of_each():
    """Awaitables of all kinds, which give 0, 1, 2, …"""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 4)
    return [
        ferry.submit(give_now, 0),
        ferry.submit(give, 1),
        give(2),
        asyncio.create_task(give(3)),
        future,
        ferry.sleep(0.001).then(lambda _: 5),
    ]


async def wait_for_cancel(log):
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError as error:
        log.append(error.args)
        raise


# gather.


def test_gather_gives_results_in_order(run):
    async def main():
        assert await ferry.gather(*one_of_each()) == [0, 1, 2, 3, 4, 5]
        assert await ferry.gather() == []
        assert await ferry.gather(ferry.gather(*one_of_each()), give("x")) == [[0, 1, 2, 3, 4, 5], "x"]
        job = ferry.submit(give, 1)
        assert await ferry.gather(job, job, job) == [1, 1, 1]

    run(main)


def test_gather_raises_the_first_error_and_the_others_go_on(run):
    async def main():
        go_on, error = asyncio.Event(), ValueError("first")
        slow = ferry.submit(go_on.wait)
        later = ferry.submit(go_on.wait).then(lambda _: fail_now(KeyError("not reported")))
        with pytest.raises(ValueError) as caught:
            await ferry.gather(slow, ferry.submit(fail, error), later)
        assert caught.value is error
        assert not slow.done() and not later.done()
        go_on.set()
        assert await slow is True
        while not later.done():
            await asyncio.sleep(0)

    run(main)


def test_gather_returns_errors_if_asked_to(run):
    async def main():
        error = ValueError("x")
        cancelled = ferry.sleep(1000)
        cancelled.cancel("gone")
        results = await ferry.gather(
            ferry.submit(fail, error), fail(error), ferry.submit(fail_now, error), cancelled, *one_of_each(),
            return_exceptions=True,
        )
        assert results[:3] == [error] * 3 and results[4:] == [0, 1, 2, 3, 4, 5]
        assert isinstance(results[3], asyncio.CancelledError) and results[3].args == ("gone",)

    run(main)


def test_cancelling_a_gather_cancels_all_of_it(run):
    async def main():
        log, rust = [], ferry.sleep(1000)
        all = ferry.gather(ferry.submit(wait_for_cancel, log), wait_for_cancel(log), rust)
        await asyncio.sleep(0)
        assert all.cancel("stop") is True
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await all
        assert rust.cancelled()
        while len(log) < 2:
            await asyncio.sleep(0)
        assert log == [("stop",)] * 2

    run(main)


# wait.


def test_wait_gives_what_it_was_given(run):
    async def main():
        aws = one_of_each()
        # Whose task would be nobody's.
        coroutine = aws.pop(2)
        with pytest.raises(TypeError, match="make tasks"):
            ferry.wait([coroutine])
        coroutine.close()
        assert await ferry.wait(aws) == (set(aws), set())
        assert await ferry.wait(iter(aws)) == (set(aws), set())
        assert await ferry.wait({aws[0]: 1}) == ({aws[0]}, set())

    run(main)


def test_wait_for_the_first(run):
    async def main():
        go_on = asyncio.Event()
        slow, fast, task = ferry.submit(go_on.wait), ferry.submit(give, 1), asyncio.create_task(go_on.wait())
        done, pending = await ferry.wait([slow, fast, task], return_when=ferry.FIRST_COMPLETED)
        assert (done, pending) == ({fast}, {slow, task})
        go_on.set()
        assert await ferry.wait(pending, return_when=asyncio.ALL_COMPLETED) == ({slow, task}, set())

    run(main)


@pytest.mark.parametrize("make", [lambda error: ferry.submit(fail, error), lambda error: asyncio.create_task(fail(error))])
def test_wait_for_the_first_error(run, make):
    async def main():
        go_on, error = asyncio.Event(), ValueError("no")
        cancelled = ferry.sleep(1000)
        cancelled.cancel()
        slow, fast, failing = ferry.submit(go_on.wait), ferry.submit(give, 1), make(error)
        # One that is cancelled is no error.
        done, pending = await ferry.wait([slow, fast, failing, cancelled], return_when=ferry.FIRST_EXCEPTION)
        assert failing in done and cancelled in done and pending >= {slow}
        assert failing.exception() is error
        go_on.set()
        await ferry.wait([slow, fast])

    run(main)


def test_wait_stops_waiting_when_the_time_is_over(run):
    async def main():
        slow, fast = ferry.sleep(1000), ferry.submit(give, 1)
        await fast
        for timeout in 0, 0.001, -1:
            assert await ferry.wait([slow, fast], timeout=timeout) == ({fast}, {slow})
        assert await ferry.wait([fast], timeout=1e300) == ({fast}, set())
        assert not slow.done()

    run(main)


def test_cancelling_a_wait_leaves_its_jobs_alone(run):
    async def main():
        go_on = asyncio.Event()
        job = ferry.submit(go_on.wait)
        waiting = ferry.wait([job])
        await asyncio.sleep(0)
        assert waiting.cancel("stop")
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await waiting
        go_on.set()
        assert await job is True

    run(main)


def test_an_error_that_was_only_waited_for_is_still_reported(run):
    async def main():
        error = ValueError("lost")
        await ferry.wait([ferry.submit(fail, error)])
        return error

    error = run(main)
    gc.collect()
    assert [report["exception"] for report in run.take_reports()] == [error]


# race.


def test_the_first_wins_and_the_others_are_cancelled(run):
    async def main():
        log, rust = [], ferry.sleep(1000)
        others = [ferry.submit(wait_for_cancel, log), wait_for_cancel(log), rust]
        await asyncio.sleep(0)
        assert await ferry.race(ferry.submit(give, 1), *others) == 1
        assert rust.cancelled()
        while len(log) < 1:
            await asyncio.sleep(0)

    run(main)


@pytest.mark.parametrize("kind", range(6))
def test_any_kind_can_win(run, kind):
    async def main():
        aws = one_of_each()
        [value] = await ferry.gather(ferry.race(aws[kind], ferry.sleep(1000)))
        assert value == kind
        await ferry.gather(*aws[:kind], *aws[kind + 1 :])

    run(main)


def test_an_error_can_win(run):
    async def main():
        error = ValueError("first")
        with pytest.raises(ValueError) as caught:
            await ferry.race(ferry.submit(fail, error), ferry.sleep(1000))
        assert caught.value is error
        # Those who lose with an error are nobody's business.
        loser = ferry.submit(fail_now, KeyError())
        assert await ferry.race(ferry.submit(give_now, 1).finally_(lambda: None), give(2)) in (1, 2)
        loser.exception() if loser.done() else loser.cancel()

    run(main)


def test_losers_stop_even_if_nobody_looks_at_the_race(run):
    async def main():
        go_on, loser = asyncio.Event(), ferry.sleep(1000)
        race = ferry.race(ferry.submit(go_on.wait), loser)
        go_on.set()
        while not loser.cancelled():
            await asyncio.sleep(0)
        assert await race is True

    run(main)


def test_cancelling_a_race_cancels_all(run):
    async def main():
        rust, log = ferry.sleep(1000), []
        race = ferry.race(rust, ferry.submit(wait_for_cancel, log))
        await asyncio.sleep(0)
        assert race.cancel("stop") is True
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await race
        assert rust.cancelled()

    run(main)


# as_completed.


def test_as_completed_gives_them_as_they_are_done(run):
    async def main():
        gates = [asyncio.Event() for _ in range(4)]
        jobs = [ferry.submit(gate.wait) for gate in gates]
        done = []
        order = iter([2, 0, 3, 1])
        gates[next(order)].set()
        async for job in ferry.as_completed(jobs):
            done.append(jobs.index(job))
            assert job.done()
            for place in itertools.islice(order, 1):
                gates[place].set()
        assert done == [2, 0, 3, 1]

    run(main)


def test_as_completed_takes_all_kinds(run):
    async def main():
        assert sorted([await next for next in ferry.as_completed(one_of_each())]) == [0, 1, 2, 3, 4, 5]
        aws = one_of_each()
        seen = [future async for future in ferry.as_completed(aws)]
        assert sorted([future.result() for future in seen]) == [0, 1, 2, 3, 4, 5]
        # Jobs, tasks and futures are those that were given; a task stands for a coroutine.
        assert len(set(aws) & set(seen)) == 5
        assert [next async for next in ferry.as_completed([])] == []

    run(main)


def test_as_completed_raises_when_the_time_is_over(run):
    async def main():
        slow, fast = ferry.sleep(1000), ferry.submit(give, 1)
        await fast
        seen = []
        with pytest.raises(TimeoutError):
            async for job in ferry.as_completed([slow, fast], timeout=0.005):
                seen.append(job)
        assert seen == [fast] and not slow.done()

    run(main)


@pytest.mark.parametrize("timeout", [0, 0.001])
def test_as_completed_raises_once_for_each_that_is_late(run, timeout):
    async def main():
        jobs = [ferry.submit(asyncio.sleep, 1000) for _ in range(3)]
        late = 0
        for reader in ferry.as_completed(jobs, timeout=timeout):
            with pytest.raises(TimeoutError):
                await reader
            late += 1
            assert late <= 3
        assert late == 3
        # All of them asked for before the time is over.
        for reader in list(ferry.as_completed(jobs, timeout=timeout)):
            with pytest.raises(TimeoutError):
                await reader

    run(main)


def test_as_completed_loses_none_when_a_reader_is_cancelled(run):
    async def main():
        gate = asyncio.Event()
        completed = ferry.as_completed([ferry.submit(gate.wait)])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await anext(completed)
        gate.set()
        assert (await anext(completed)).result() is True
        with pytest.raises(StopAsyncIteration):
            await anext(completed)

    run(main)


def test_as_completed_hands_an_error_to_who_asks_for_it(run):
    async def main():
        error = ValueError("no")
        async for job in ferry.as_completed([ferry.submit(fail, error)]):
            assert job.exception() is error
        for next in ferry.as_completed([ferry.submit(fail, error)]):
            with pytest.raises(ValueError) as caught:
                await next
            assert caught.value is error

    run(main)


def test_as_completed_ends_when_its_time_is_over(run):
    async def main():
        gate = asyncio.Event()
        jobs = [ferry.submit(give_now, 1), ferry.submit(gate.wait), ferry.submit(gate.wait)]
        await jobs[0]

        async def take(readers):
            taken = []
            # One more than there should be.
            for reader in itertools.islice(readers, 4):
                try:
                    taken.append(await reader)
                except TimeoutError:
                    taken.append("late")
            return taken

        # Readers that come after the time is over, those that wait meanwhile, and one that gave up before.
        assert await take(ferry.as_completed(jobs, timeout=0)) == [1, "late", "late"]
        assert await take(list(itertools.islice(ferry.as_completed(jobs, timeout=0.001), 4))) == [1, "late", "late"]
        readers = ferry.as_completed(jobs[1:], timeout=0.001)
        given_up = next(readers)
        given_up.cancel()
        assert await take(readers) == ["late", "late"]
        gate.set()
        await ferry.wait(jobs)

    run(main)


# map.


def test_map_gives_results_in_order(run):
    async def main():
        assert await ferry.map(str, range(10)) == [str(number) for number in range(10)]
        assert await ferry.map(give, range(300), limit=7) == list(range(300))
        assert await ferry.map(give_now, []) == []
        assert await ferry.map(give, (), limit=1) == []

    run(main)
    assert ferry.map(give, range(10)).result(PATIENCE) == list(range(10))


@pytest.mark.parametrize("limit", [1, 3])
def test_map_runs_no_more_than_the_limit_and_no_less(run, limit):
    async def main():
        running, most = 0, 0
        everybody = asyncio.Semaphore(0)

        async def work(item):
            nonlocal running, most
            running += 1
            most = max(most, running)
            # Nobody ends before so many run.
            if running == limit:
                for _ in range(limit):
                    everybody.release()
            await everybody.acquire()
            running -= 1
            if item >= 30 - limit:
                everybody.release()
            return item

        assert await ferry.map(work, range(30), limit=limit) == list(range(30))
        assert most == limit

    run(main)


# uvloop 0.23 gives the factory of Python 3.13.0 an argument that it doesn't take.
@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
@pytest.mark.parametrize("run", ["asyncio", "rloop"], indirect=True)
@pytest.mark.parametrize("limit", [2, 10_000])
def test_map_of_tasks_that_start_eagerly(run, limit):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        running, most, error = 0, 0, ValueError("no")

        async def work(item):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return item

        async def at_once(item):
            if item == 1_500:
                raise error
            return item

        assert await ferry.map(work, range(1_500), limit=limit) == list(range(1_500))
        assert most == min(limit, 1_500)
        assert await ferry.map(at_once, range(1_500), limit=limit) == list(range(1_500))
        with pytest.raises(ValueError) as caught:
            await ferry.map(at_once, itertools.count(), limit=limit)
        assert caught.value is error

    run(main)


def test_map_takes_items_as_it_goes(run):
    async def main():
        taken = []

        def items():
            for number in itertools.count():
                taken.append(number)
                yield number

        async def work(item):
            await asyncio.sleep(0)
            if item == 20:
                raise StopAsyncIteration("enough")
            return item

        with pytest.raises(StopAsyncIteration, match="enough"):
            await ferry.map(work, items(), limit=2)
        assert 21 <= len(taken) <= 23

    run(main)


def test_map_stops_at_the_first_error(run):
    async def main():
        log, error = [], ValueError("no")

        async def work(item):
            if item == 1:
                raise error
            await wait_for_cancel(log)

        with pytest.raises(ValueError) as caught:
            await ferry.map(work, range(5), limit=3)
        assert caught.value is error
        assert len(log) <= 2

        def items():
            yield 0
            raise error

        with pytest.raises(ValueError) as caught:
            await ferry.map(give, items())
        assert caught.value is error

    run(main)


def test_map_returns_errors_if_asked_to(run):
    async def main():
        error = ValueError("no")

        def work(item):
            if item % 2:
                raise error
            return item

        assert await ferry.map(work, range(4), return_exceptions=True) == [0, error, 2, error]

    run(main)


def test_cancelling_a_map_cancels_what_runs(run):
    async def main():
        log = []
        job = ferry.map(lambda _: wait_for_cancel(log), range(100), limit=3)
        other = ferry.map(wait_for_cancel, [log] * 100, limit=3)
        for _ in range(20):
            await asyncio.sleep(0)
        for mapped in job, other:
            assert mapped.cancel("stop") is True
            with pytest.raises(asyncio.CancelledError, match="stop"):
                await mapped
        assert len(log) <= 6

    run(main)


def test_map_on_threads_uses_no_more_than_the_limit():
    lock, running, most = threading.Lock(), 0, 0

    def work(item):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return item

    assert ferry.map(work, range(200), limit=2).result(PATIENCE) == list(range(200))
    assert most <= 2


# Without a loop.


def test_groups_of_jobs_need_no_loop():
    jobs = [ferry.submit(give_now, number) for number in range(3)]
    assert ferry.gather(*jobs).result(PATIENCE) == [0, 1, 2]
    assert ferry.race(*jobs).result(PATIENCE) in (0, 1, 2)
    assert ferry.wait(jobs).result(PATIENCE) == (set(jobs), set())
    assert sorted(next.result(PATIENCE) for next in ferry.as_completed(jobs)) == [0, 1, 2]
    forever = ferry.sleep(1000)
    assert ferry.race(forever, ferry.submit(give_now, 1)).result(PATIENCE) == 1
    assert forever.cancelled()
    assert ferry.wait([ferry.sleep(1000)], timeout=0.001).result(PATIENCE)[0] == set()


def test_groups_of_coroutines_need_one():
    for group in ferry.gather, ferry.race:
        coroutine = give(1)
        with pytest.raises(RuntimeError, match="no running event loop"):
            group(coroutine)
        coroutine.close()
