"""Semaphore and BoundedSemaphore: CPython 3.13, "Synchronization Primitives"."""

import asyncio

import pytest

from asyncferry import testing


@pytest.fixture(params=["Semaphore", "BoundedSemaphore"])
def make(m, request):
    return getattr(m, request.param)


def test_the_value_is_how_many_may_take_it(make, virtual, described):
    """CPython 3.13, Semaphore: a counter which is decremented by each acquire() and incremented by each release()."""

    async def main():
        semaphore = make(2)
        assert described(semaphore) == "[unlocked, value:2]"
        assert await semaphore.acquire() is True
        assert semaphore.locked() is False and described(semaphore) == "[unlocked, value:1]"
        assert await semaphore.acquire() is True
        assert semaphore.locked() is True and described(semaphore) == "[locked]"
        assert semaphore.release() is None
        assert semaphore.locked() is False

    virtual(main)


def test_the_value_is_one_by_default_and_not_below_zero(make, described):
    """CPython 3.13, Semaphore: if the given value is less than 0 a ValueError is raised."""
    assert described(make()) == described(make(value=1)) == "[unlocked, value:1]"
    assert make(0).locked()
    with pytest.raises(ValueError, match="^Semaphore initial value must be >= 0$"):
        make(-1)
    with pytest.raises(TypeError):
        make("many")


def test_a_release_too_many(m, described):
    """CPython 3.13, BoundedSemaphore: raises a ValueError in release() if it increases the counter above the initial
    value. Semaphore allows making more release() calls than acquire() calls."""
    plain = m.Semaphore(1)
    plain.release()
    assert described(plain) == "[unlocked, value:2]"
    with pytest.raises(ValueError, match="^BoundedSemaphore released too many times$"):
        m.BoundedSemaphore(1).release()
    assert isinstance(m.BoundedSemaphore(), m.Semaphore)


def test_permits_go_to_who_waits_longest(make, virtual, turns, described):
    """CPython 3.13, Semaphore.acquire: wait until a release() is called."""

    async def main():
        semaphore, asked, served = make(1), [], []
        await semaphore.acquire()

        async def take(number):
            asked.append(number)
            async with semaphore as nothing:
                assert nothing is None
                served.append(number)

        tasks = [asyncio.create_task(take(number)) for number in range(4)]
        await turns()
        assert described(semaphore) == "[locked, waiters:4]"
        semaphore.release()
        assert semaphore.locked(), "it's handed over"
        await asyncio.gather(*tasks)
        assert served == asked and not semaphore.locked()

    virtual(main)


def test_no_more_than_the_value_are_inside(make, virtual):
    """CPython 3.13, Semaphore."""

    async def main():
        semaphore, inside, most = make(3), 0, 0

        async def work():
            nonlocal inside, most
            async with semaphore:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(1)
                inside -= 1

        await asyncio.gather(*[work() for _ in range(10)])
        assert most == 3 and not semaphore.locked()

    virtual(main)


@pytest.mark.parametrize("moment", ["waiting", "called"])
def test_a_cancelled_waiter_loses_no_permit(make, virtual, turns, moment):
    """CPython 3.13, Task.cancel: the waiter gives up in each of its states."""

    async def main():
        semaphore = make(1)
        await semaphore.acquire()
        first, second = [asyncio.create_task(semaphore.acquire()) for _ in range(2)]
        await turns()
        if moment == "called":
            semaphore.release()
        first.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await first
        if moment == "waiting":
            semaphore.release()
        assert await asyncio.wait_for(second, 1) is True
        semaphore.release()
        await asyncio.wait_for(semaphore.acquire(), 1)

    virtual(main)


def test_a_newcomer_is_not_faster_than_who_waits(make, virtual, turns):
    """CPython 3.13, Semaphore.acquire; since 3.11 those who wait are served in their order."""

    async def main():
        semaphore, order = make(1), []
        await semaphore.acquire()

        async def wait():
            async with semaphore:
                order.append("waited")

        waiting = asyncio.create_task(wait())
        await turns()
        semaphore.release()
        assert semaphore.locked()
        async with semaphore:
            order.append("came")
        await waiting
        assert order == ["waited", "came"]

    virtual(main)


def test_several_releases_wake_several(make, turns, described):
    """CPython 3.13, Semaphore.release: can wake up a task waiting to acquire the semaphore."""

    async def main():
        semaphore, served = make(3), []
        for _ in range(3):
            await semaphore.acquire()

        async def take(number):
            await semaphore.acquire()
            served.append(number)

        tasks = [asyncio.create_task(take(number)) for number in range(4)]
        await turns()
        for _ in range(3):
            semaphore.release()
        await turns()
        assert served == [0, 1, 2] and described(semaphore) == "[locked, waiters:1]"
        semaphore.release()
        await asyncio.gather(*tasks)
        assert served == [0, 1, 2, 3] and described(semaphore) == "[locked]"

    # In order: who asked first must be known.
    testing.run(main())


def test_with_asyncios_own_functions(make, virtual):
    """CPython 3.13, "Coroutines and Tasks": Timeouts, Shielding, Task Groups."""

    async def main():
        semaphore = make(2)
        async with semaphore, semaphore:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(semaphore.acquire(), 1)
            shielded = asyncio.create_task(semaphore.acquire())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await asyncio.shield(shielded)
        assert await shielded is True
        semaphore.release()
        assert await asyncio.gather(semaphore.acquire(), semaphore.acquire()) == [True, True]
        with pytest.raises(ExceptionGroup) as raised:
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(semaphore.acquire())
                group.create_task(asyncio.sleep(1)).add_done_callback(lambda _: group.create_task(fail()))
        assert raised.group_contains(ZeroDivisionError) and waiting.cancelled()
        semaphore.release()
        assert not semaphore.locked()

    async def fail():
        1 / 0

    virtual(main)
