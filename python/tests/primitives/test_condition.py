"""Condition: CPython 3.13, "Synchronization Primitives", Condition."""

import asyncio
import sys

import pytest

from asyncferry import testing


@pytest.fixture
def mended(m):
    """The module, where a cancelled wait keeps its promises: asyncio's does from Python 3.13 on."""
    if m is asyncio and sys.version_info < (3, 13):
        pytest.skip("asyncio's Condition was mended in Python 3.13")
    return m


def test_it_is_a_lock_too(m, virtual, described):
    """CPython 3.13, Condition: combines the functionality of an Event and a Lock."""

    async def main():
        condition = m.Condition()
        assert condition.locked() is False and described(condition) == "[unlocked]"
        assert await condition.acquire() is True
        assert condition.locked() is True and described(condition) == "[locked]"
        condition.release()
        async with condition as nothing:
            assert nothing is None and condition.locked()
        with pytest.raises(RuntimeError, match=r"^Lock is not acquired\.$"):
            condition.release()

    virtual(main)


def test_wait_and_notify_ask_for_the_lock(m, virtual):
    """CPython 3.13, Condition.wait and notify: if the calling task has not acquired the lock, a RuntimeError is raised."""

    async def main():
        condition = m.Condition()
        with pytest.raises(RuntimeError, match="^cannot wait on un-acquired lock$"):
            await condition.wait()
        with pytest.raises(RuntimeError, match="^cannot notify on un-acquired lock$"):
            condition.notify()
        with pytest.raises(RuntimeError, match="^cannot notify on un-acquired lock$"):
            condition.notify_all()
        with pytest.raises(RuntimeError, match="^cannot wait on un-acquired lock$"):
            await condition.wait_for(lambda: False)
        # A predicate that holds needs no wait.
        assert await condition.wait_for(lambda: "so") == "so"

    virtual(main)


def test_wait_releases_and_takes_the_lock_again(m, virtual, turns, described):
    """CPython 3.13, Condition.wait: releases the lock, blocks until it is awakened, re-acquires its lock and returns
    True."""

    async def main():
        condition = m.Condition()

        async def wait():
            async with condition:
                assert await condition.wait() is True
                assert condition.locked()
                return "woken"

        waiting = asyncio.create_task(wait())
        await turns()
        assert not condition.locked() and described(condition) == "[unlocked, waiters:1]"
        async with condition:
            condition.notify()
            await turns()
            assert not waiting.done(), "the lock is not free yet"
        assert await waiting == "woken"
        assert not condition.locked()

    virtual(main)


def test_notify_wakes_n_in_their_order(m, turns, described):
    """CPython 3.13, Condition.notify: wake up n tasks (1 by default) waiting on this condition."""

    async def main():
        condition, came, woken = m.Condition(), [], []

        async def wait(number):
            async with condition:
                came.append(number)
                await condition.wait()
                woken.append(number)

        tasks = [asyncio.create_task(wait(number)) for number in range(5)]
        await turns()
        for n, expected in ((1, 1), (2, 3), (0, 3)):
            async with condition:
                condition.notify(n)
            await turns()
            assert woken == came[:expected]
        assert described(condition) == "[unlocked, waiters:2]"
        async with condition:
            condition.notify_all()
        await asyncio.gather(*tasks)
        assert woken == came

    # In order: who was notified takes the lock when its turn comes, and a seed shuffles the turns.
    testing.run(main())


def test_wait_for_waits_until_the_predicate_holds(m, virtual, turns):
    """CPython 3.13, Condition.wait_for: wait until a predicate becomes true. The final value is the return value."""

    async def main():
        condition, value = m.Condition(), 0

        async def wait():
            async with condition:
                return await condition.wait_for(lambda: value and f"it is {value}")

        waiting = asyncio.create_task(wait())
        await turns()
        for value in 0, 7:
            assert not waiting.done()
            async with condition:
                condition.notify_all()
            await turns()
        assert await waiting == "it is 7"

        async def fail():
            async with condition:
                await condition.wait_for(lambda: 1 / 0)

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert not condition.locked()

    virtual(main)


def test_a_given_lock_is_shared(m, virtual, turns):
    """CPython 3.13, Condition: the optional lock argument must be a Lock object or None. It's possible to have several
    Condition objects share one Lock."""

    async def main():
        lock = m.Lock()
        first, second = m.Condition(lock), m.Condition(lock=lock)

        async def wait(condition):
            async with condition:
                await condition.wait()

        waiting = asyncio.create_task(wait(first))
        await turns()
        async with lock:
            assert first.locked() and second.locked()
            second.notify_all()
            await turns()
            assert not waiting.done()
            first.notify()
        await waiting

    virtual(main)


@pytest.mark.parametrize("moment", ["waiting", "notified", "locking"])
def test_a_cancelled_wait_has_the_lock_again(mended, virtual, turns, moment):
    """CPython 3.13, Condition.wait: the lock is re-acquired before it's left, by CancelledError too."""

    async def main():
        condition, seen = mended.Condition(), []

        async def wait():
            async with condition:
                try:
                    await condition.wait()
                except asyncio.CancelledError as error:
                    seen.append((condition.locked(), error.args))
                    raise

        waiting = asyncio.create_task(wait())
        await turns()
        async with condition:
            if moment != "waiting":
                condition.notify()
            if moment == "locking":
                await turns()
            waiting.cancel("why")
            await turns()
            assert not seen, "somebody else has the lock"
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert seen == [(True, ("why",))] and not condition.locked()

    virtual(main)


def test_a_wait_that_is_cancelled_again_raises_the_last(mended, virtual, turns):
    """CPython 3.13, Condition.wait: it goes on to re-acquire the lock."""

    async def main():
        condition, seen = mended.Condition(), []

        async def wait():
            async with condition:
                try:
                    await condition.wait()
                except asyncio.CancelledError as error:
                    seen.append((condition.locked(), error.args))
                    raise

        waiting = asyncio.create_task(wait())
        await turns()
        async with condition:
            for message in "first", "second", "third":
                waiting.cancel(message)
                await turns()
            assert not waiting.done()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert seen == [(True, ("third",))] and not condition.locked()

    virtual(main)


@pytest.mark.parametrize("moment", ["notified", "locking"])
def test_a_notification_of_one_who_is_cancelled_goes_to_the_next(mended, turns, moment):
    """CPython 3.13, Condition.notify: no notification is lost to a cancelled waiter."""

    async def main():
        condition = mended.Condition()

        async def wait():
            async with condition:
                return await condition.wait()

        first, second = [asyncio.create_task(wait()) for _ in range(2)]
        await turns()
        async with condition:
            condition.notify()
            if moment == "locking":
                await turns()
            first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await asyncio.wait_for(second, 1) is True

    # In order: which one is notified must be known.
    testing.run(main())


def test_a_timeout_while_waiting(m, virtual):
    """CPython 3.13, "Timeouts"."""

    async def main():
        condition = m.Condition()
        async with condition:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(condition.wait_for(lambda: False), 1)
            assert condition.locked()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await condition.wait()
            assert condition.locked()
        assert not condition.locked()

    virtual(main)


def test_arguments(m, virtual):
    """CPython 3.13, Condition: the optional lock argument must be a Lock object or None. notify(n=1), wait_for(predicate)."""

    async def main():
        condition = m.Condition(None)
        async with condition:
            assert condition.notify(n=2) is None and condition.notify_all() is None
            assert await condition.wait_for(predicate=lambda: [1]) == [1]
        for wrong in (lambda: m.Condition(3), lambda: condition.wait_for(), lambda: condition.wait(1)):
            with pytest.raises((TypeError, AttributeError)):
                wrong()

    virtual(main)


def test_who_is_notified_stands_in_the_locks_line(m, turns):
    """CPython 3.13, Condition.notify: the tasks do not return from wait() before they can re-acquire the lock, which is
    fair."""

    async def main():
        condition, order = m.Condition(), []

        async def wait():
            async with condition:
                await condition.wait()
                order.append("notified")

        async def come(name):
            async with condition:
                order.append(name)

        waiting = asyncio.create_task(wait())
        await turns()
        async with condition:
            before = asyncio.create_task(come("before"))
            await turns()
            condition.notify()
            await turns()
            after = asyncio.create_task(come("after"))
            await turns()
        await asyncio.gather(waiting, before, after)
        assert order == ["before", "notified", "after"]

    testing.run(main())


def test_a_cancelled_wait_for_has_the_lock_again(mended, virtual, turns):
    """CPython 3.13, Condition.wait_for: waits by wait(), which re-acquires the lock."""

    async def main():
        condition, seen = mended.Condition(), []

        async def wait():
            async with condition:
                try:
                    await condition.wait_for(lambda: False)
                except asyncio.CancelledError as error:
                    seen.append((condition.locked(), error.args))
                    # It's the task's again: it may go on.
                    asyncio.current_task().uncancel()
                    return await condition.wait()

        waiting = asyncio.create_task(wait())
        await turns()
        async with condition:
            condition.notify_all()
        await turns()
        assert not seen, "the predicate does not hold"
        waiting.cancel("why")
        await turns()
        assert seen == [(True, ("why",))] and not condition.locked()
        async with condition:
            condition.notify()
        assert await waiting is True

    virtual(main)


def test_a_failing_task_group_leaves_the_lock_free(m, virtual):
    """CPython 3.13, Task Groups: the remaining tasks in the group are cancelled, and then waited for."""

    async def main():
        condition = m.Condition()

        async def wait():
            async with condition:
                await condition.wait()

        async def fail():
            await asyncio.sleep(1)
            1 / 0

        with pytest.raises(ExceptionGroup) as raised:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(wait()) for _ in range(3)]
                group.create_task(fail())
        assert raised.group_contains(ZeroDivisionError) and all(task.cancelled() for task in tasks)
        assert not condition.locked()

    virtual(main)
