"""Barrier: CPython 3.13, "Synchronization Primitives", Barrier."""

import asyncio

import pytest

from asyncferry import testing


def test_parties(m, described):
    """CPython 3.13, Barrier.parties: the number of tasks required to pass the barrier."""
    barrier = m.Barrier(3)
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 0, False)
    assert described(barrier) == "[filling, waiters:0/3]"
    for wrong in 0, -1:
        with pytest.raises(ValueError, match="^parties must be > 0$"):
            m.Barrier(wrong)
    with pytest.raises(TypeError):
        m.Barrier()
    with pytest.raises(AttributeError):
        barrier.parties = 4


def test_all_pass_together_each_with_a_place_of_its_own(m, virtual, turns, described):
    """CPython 3.13, Barrier.wait: returns an integer in the range of 0 to parties-1, different for each task."""

    async def main():
        barrier = m.Barrier(3)
        early = [asyncio.create_task(barrier.wait()) for _ in range(2)]
        await turns()
        assert barrier.n_waiting == 2 and described(barrier) == "[filling, waiters:2/3]"
        assert not any(task.done() for task in early)
        assert await barrier.wait() == 2
        assert sorted([await task for task in early]) == [0, 1]
        await turns()
        assert barrier.n_waiting == 0 and described(barrier) == "[filling, waiters:0/3]"

    virtual(main)


def test_it_is_used_again(m, virtual):
    """CPython 3.13, Barrier: once the tasks have passed, the barrier can be reused any number of times."""

    async def main():
        barrier, rounds = m.Barrier(2), []

        async def meet(name):
            for number in range(5):
                async with barrier as place:
                    rounds.append((number, place))

        await asyncio.gather(meet("a"), meet("b"))
        assert sorted(rounds) == [(number, place) for number in range(5) for place in range(2)]

    virtual(main)


def test_abort_breaks_it(m, virtual, turns, described):
    """CPython 3.13, Barrier.abort: causes any active or future calls to wait() to fail with BrokenBarrierError."""

    async def main():
        barrier = m.Barrier(2)
        waiting = asyncio.create_task(barrier.wait())
        await turns()
        assert await barrier.abort() is None
        with pytest.raises(asyncio.BrokenBarrierError, match="^Abort or reset of barrier$"):
            await waiting
        assert barrier.broken is True and described(barrier) == "[broken]"
        with pytest.raises(asyncio.BrokenBarrierError, match="^Barrier aborted$"):
            await barrier.wait()
        await barrier.reset()
        assert barrier.broken is False
        assert sorted(await asyncio.gather(barrier.wait(), barrier.wait())) == [0, 1]

    virtual(main)


def test_reset_fails_those_who_wait(m, virtual, turns):
    """CPython 3.13, Barrier.reset: any tasks waiting on it will receive the BrokenBarrierError."""

    async def main():
        barrier = m.Barrier(3)
        waiting = [asyncio.create_task(barrier.wait()) for _ in range(2)]
        await turns()
        assert await barrier.reset() is None
        for task in waiting:
            with pytest.raises(asyncio.BrokenBarrierError, match="^Abort or reset of barrier$"):
                await task
        assert not barrier.broken
        assert sorted(await asyncio.gather(*[barrier.wait() for _ in range(3)])) == [0, 1, 2]

    virtual(main)


def test_who_is_cancelled_does_not_count(m, virtual, turns, cancelled):
    """CPython 3.13, Barrier.wait: one that is cancelled leaves; another has to come in its stead."""

    async def main():
        barrier = m.Barrier(2)
        first = asyncio.create_task(barrier.wait())
        await turns()
        assert await cancelled(first) == ("why",)
        assert barrier.n_waiting == 0
        alone = asyncio.create_task(barrier.wait())
        await turns()
        assert not alone.done()
        assert sorted([await barrier.wait(), await alone]) == [0, 1]

    virtual(main)


def test_who_comes_while_others_leave_waits_for_the_next_filling(m, virtual):
    """CPython 3.13, Barrier: it's blocked while draining or resetting."""

    async def main():
        barrier, passed = m.Barrier(2), []

        async def meet(number):
            passed.append((number, await barrier.wait()))

        await asyncio.gather(*[meet(number) for number in range(6)])
        assert sorted(place for _, place in passed) == [0, 0, 0, 1, 1, 1]

    virtual(main)


def test_it_drains_until_the_last_has_left(m, turns, described):
    """CPython 3.13, Barrier.wait: once all have come, they are unblocked together. n_waiting: those who fill it."""

    async def main():
        barrier, places = m.Barrier(parties=2), []

        async def meet():
            places.append(await barrier.wait())

        tasks = [asyncio.create_task(meet()) for _ in range(3)]
        await asyncio.sleep(0)
        # The second passed at once, the first is called, and the third must not be counted among them.
        assert places == [1] and barrier.n_waiting == 0
        assert described(barrier) == "[draining, waiters:0/2]"
        await turns()
        assert places == [1, 0] and barrier.n_waiting == 1
        assert described(barrier) == "[filling, waiters:1/2]"
        await barrier.wait()
        await asyncio.gather(*tasks)
        assert places == [1, 0, 0]

    # In order: which of them has left already must be known.
    testing.run(main())


@pytest.mark.parametrize("how", ["abort", "reset"])
def test_ending_it_while_it_drains_fails_those_who_have_not_left(m, turns, described, how):
    """CPython 3.13, Barrier.abort and reset: any tasks waiting on it fail with BrokenBarrierError."""

    async def main():
        barrier = m.Barrier(2)
        first, second = [asyncio.create_task(barrier.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        await getattr(barrier, how)()
        assert described(barrier) == ("[broken]" if how == "abort" else "[resetting, waiters:0/2]")
        with pytest.raises(asyncio.BrokenBarrierError, match="^Abort or reset of barrier$"):
            await first
        assert await second == 1, "it has left before"
        await barrier.reset()
        assert sorted(await asyncio.gather(barrier.wait(), barrier.wait())) == [0, 1]

    testing.run(main())


def test_a_reset_is_over_when_all_have_left(m, turns, described):
    """CPython 3.13, Barrier.reset: return the barrier to the default, empty state."""

    async def main():
        barrier = m.Barrier(3)
        waiting = [asyncio.create_task(barrier.wait()) for _ in range(2)]
        await turns()
        await barrier.reset()
        assert (barrier.n_waiting, barrier.broken) == (0, False)
        assert described(barrier) == "[resetting, waiters:0/3]"
        late = asyncio.create_task(barrier.wait())
        await turns()
        assert all(task.done() for task in waiting) and not late.done(), "it's of the next filling"
        assert described(barrier) == "[filling, waiters:1/3]"
        assert sorted(await asyncio.gather(late, barrier.wait(), barrier.wait())) == [0, 1, 2]
        for task in waiting:
            assert isinstance(task.exception(), asyncio.BrokenBarrierError)

    testing.run(main())


def test_ending_it_while_nobody_waits(m, virtual, described):
    """CPython 3.13, Barrier.abort: put the barrier into a broken state. Barrier.reset: into the empty one."""

    async def main():
        barrier = m.Barrier(2)
        await barrier.reset()
        assert described(barrier) == "[filling, waiters:0/2]"
        await barrier.abort()
        await barrier.abort()
        assert barrier.broken and barrier.n_waiting == 0
        with pytest.raises(asyncio.BrokenBarrierError, match="^Barrier aborted$"):
            async with barrier:
                pytest.fail("nobody gets in")
        await barrier.reset()
        assert described(barrier) == "[filling, waiters:0/2]"

    virtual(main)


def test_a_barrier_of_one_is_always_passed(m, virtual):
    """CPython 3.13, Barrier.wait: when all the tasks party to the barrier have called this function."""

    async def main():
        barrier = m.Barrier(1)
        assert [await barrier.wait() for _ in range(3)] == [0, 0, 0]

    virtual(main)


def test_who_is_cancelled_when_called_leaves_and_the_others_pass(m, turns, cancelled, described):
    """CPython 3.13, Task.cancel: the barrier goes on for those who stay, and is filled anew."""

    async def main():
        barrier = m.Barrier(3)
        first, second = [asyncio.create_task(barrier.wait()) for _ in range(2)]
        await turns()
        assert await barrier.wait() == 2
        assert await cancelled(first) == ("why",)
        assert await second == 1
        assert described(barrier) == "[filling, waiters:0/3]"
        assert sorted(await asyncio.gather(*[barrier.wait() for _ in range(3)])) == [0, 1, 2]

    testing.run(main())


def test_with_asyncios_own_functions(m, virtual):
    """CPython 3.13, "Coroutines and Tasks": Timeouts, Shielding, Task Groups."""

    async def main():
        barrier = m.Barrier(2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(barrier.wait(), 1)
        assert barrier.n_waiting == 0, "who gave up doesn't count"
        inner = asyncio.create_task(barrier.wait())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.shield(inner)
        assert barrier.n_waiting == 1, "it was shielded"
        async with asyncio.TaskGroup() as group:
            other = group.create_task(barrier.wait())
        assert sorted([await inner, other.result()]) == [0, 1]

    virtual(main)
