"""Event: CPython 3.13, "Synchronization Primitives", Event."""

import asyncio
import weakref

import pytest


def test_is_not_set_at_first_and_takes_no_arguments(m, described):
    """CPython 3.13, Event: the internal flag is initially set to false."""
    event = m.Event()
    assert event.is_set() is False
    assert described(event) == "[unset]"
    with pytest.raises(TypeError):
        m.Event(True)


def test_wait_gives_true_at_once_when_set(m, virtual, described):
    """CPython 3.13, Event.wait: if the event is set, return True immediately."""

    async def main():
        event = m.Event()
        event.set()
        assert event.is_set() is True and described(event) == "[set]"
        assert await event.wait() is True
        # Without a turn of the loop.
        with pytest.raises(StopIteration) as stopped:
            event.wait().send(None)
        assert stopped.value.value is True

    virtual(main)


def test_set_wakes_all_who_wait(m, virtual, turns, described):
    """CPython 3.13, Event.set: all tasks waiting for event to be set will be immediately awakened."""

    async def main():
        event, woken = m.Event(), []

        async def wait(number):
            assert await event.wait() is True
            woken.append(number)

        tasks = [asyncio.create_task(wait(number)) for number in range(3)]
        await turns()
        assert described(event) == "[unset, waiters:3]"
        event.set()
        assert not woken
        await asyncio.gather(*tasks)
        assert sorted(woken) == [0, 1, 2]
        event.set()
        assert described(event) == "[set]"

    virtual(main)


def test_who_was_woken_returns_although_it_was_cleared(m, virtual, turns):
    """CPython 3.13, Event.clear: tasks awaiting on wait() will now block until the set() method is called again."""

    async def main():
        event = m.Event()
        waiting = asyncio.create_task(event.wait())
        await turns()
        event.set()
        event.clear()
        late = asyncio.create_task(event.wait())
        await turns()
        assert waiting.done() and not late.done()
        event.set()
        assert await late is True

    virtual(main)


def test_a_task_waits_for_what_is_so_when_it_runs(m, virtual, turns):
    """A wait() begins when it's awaited, as with every coroutine."""

    async def main():
        event = m.Event()
        event.set()
        waiting = asyncio.create_task(event.wait())
        event.clear()
        await turns()
        assert not waiting.done()
        event.set()
        await waiting

    virtual(main)


def test_cancelling_one_waiter_leaves_the_others(m, virtual, turns, cancelled, described):
    """CPython 3.13, Task.cancel: this arranges for a CancelledError exception to be thrown into the wrapped coroutine."""

    async def main():
        event = m.Event()
        first, second = [asyncio.create_task(event.wait()) for _ in range(2)]
        await turns()
        assert await cancelled(first) == ("why",)
        assert described(event) == "[unset, waiters:1]"
        event.set()
        assert await second is True

    virtual(main)


def test_with_asyncios_own_functions(m, virtual):
    """CPython 3.13, Event: it's not for threads, but for wait_for(), timeout() and the like."""

    async def main():
        event = m.Event()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(event.wait(), 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await event.wait()
        asyncio.get_running_loop().call_later(5, event.set)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(event.wait()) for _ in range(2)]
        assert [task.result() for task in tasks] == [True, True]
        assert await asyncio.gather(event.wait(), event.wait()) == [True, True]
        assert await asyncio.shield(event.wait()) is True
        assert asyncio.get_running_loop().time() == 7

    virtual(main)


def test_who_waits_keeps_it_alive(m, virtual, turns):
    """CPython 3.13, weakref: a value is there as long as a strong reference to it exists; the waiting coroutine has one."""

    async def main():
        events = weakref.WeakValueDictionary()

        async def wait():
            return await events.setdefault("key", m.Event()).wait()

        waiting = asyncio.create_task(wait())
        await turns()
        events["key"].set()
        assert await waiting is True
        await turns()
        assert not events

    virtual(main)


def test_who_is_cancelled_when_called_is_cancelled(m, virtual, turns, cancelled, described):
    """CPython 3.13, Task.cancel: with its message, at the next await; the event stays set."""

    async def main():
        event = m.Event()
        first, second = [asyncio.create_task(event.wait()) for _ in range(2)]
        await turns()
        event.set()
        assert await cancelled(first) == ("why",)
        assert await second is True and described(event) == "[set]"

    virtual(main)


def test_a_task_that_was_not_stopped_waits_again(m, virtual, turns):
    """CPython 3.13, Task.uncancel: a coroutine may suppress its cancellation, and go on."""

    async def main():
        event = m.Event()

        async def wait():
            try:
                await event.wait()
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()
            return await event.wait()

        waiting = asyncio.create_task(wait())
        await turns()
        waiting.cancel()
        await turns()
        assert not waiting.done()
        event.set()
        assert await waiting is True

    virtual(main)
