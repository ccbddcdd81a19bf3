"""Lock: CPython 3.13, "Synchronization Primitives", Lock."""

import asyncio

import pytest


def test_acquire_gives_true_and_release_unlocks(m, virtual, described):
    """CPython 3.13, Lock.acquire: sets the lock to locked and returns True. Lock.release: sets it to unlocked."""

    async def main():
        lock = m.Lock()
        assert lock.locked() is False and described(lock) == "[unlocked]"
        assert await lock.acquire() is True
        assert lock.locked() is True and described(lock) == "[locked]"
        assert lock.release() is None
        assert lock.locked() is False

    virtual(main)


def test_release_of_an_unlocked_lock_is_an_error(m):
    """CPython 3.13, Lock.release: if the lock is unlocked, a RuntimeError is raised."""
    with pytest.raises(RuntimeError, match=r"^Lock is not acquired\.$"):
        m.Lock().release()


def test_async_with_holds_it(m, virtual):
    """CPython 3.13, Lock: the preferred way to use a Lock is an async with statement."""

    async def main():
        lock = m.Lock()
        async with lock as nothing:
            assert nothing is None and lock.locked()
        assert not lock.locked()
        with pytest.raises(ZeroDivisionError):
            async with lock:
                1 / 0
        assert not lock.locked()
        with pytest.raises(TypeError):
            with lock:
                pass

    virtual(main)


def test_acquiring_is_fair(m, virtual, turns, described):
    """CPython 3.13, Lock.acquire: the coroutine that proceeds will be the first coroutine that started waiting."""

    async def main():
        lock, asked, served = m.Lock(), [], []
        await lock.acquire()

        async def take(number):
            asked.append(number)
            async with lock:
                served.append(number)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(take(number)) for number in range(4)]
        await turns()
        assert described(lock) == "[locked, waiters:4]"
        lock.release()
        await asyncio.gather(*tasks)
        assert served == asked and len(served) == 4

    virtual(main)


def test_a_newcomer_is_not_faster_than_who_waits(m, virtual, turns):
    """CPython 3.13, Lock.acquire: acquiring a lock is fair."""

    async def main():
        lock, order = m.Lock(), []
        await lock.acquire()

        async def wait():
            async with lock:
                order.append("waited")

        waiting = asyncio.create_task(wait())
        await turns()
        lock.release()
        async with lock:
            order.append("came")
        await waiting
        assert order == ["waited", "came"]

    virtual(main)


def test_a_waiter_that_is_cancelled_leaves_the_line(m, virtual, turns, cancelled, described):
    """CPython 3.13, Task.cancel."""

    async def main():
        lock = m.Lock()
        await lock.acquire()
        first, second = [asyncio.create_task(lock.acquire()) for _ in range(2)]
        await turns()
        assert await cancelled(first) == ("why",)
        assert described(lock) == "[locked, waiters:1]"
        lock.release()
        assert await second is True
        assert lock.locked()

    virtual(main)


def test_a_waiter_that_is_cancelled_when_it_was_called_hands_on(m, virtual, turns):
    """CPython 3.13, Lock.acquire: it's fair, whoever is cancelled meanwhile."""

    async def main():
        lock = m.Lock()
        await lock.acquire()
        first, second = [asyncio.create_task(lock.acquire()) for _ in range(2)]
        await turns()
        lock.release()
        first.cancel("too late")
        with pytest.raises(asyncio.CancelledError, match="too late"):
            await first
        assert await asyncio.wait_for(second, 1) is True
        lock.release()
        assert not lock.locked()

    virtual(main)


def test_a_timeout_while_waiting_takes_nothing(m, virtual):
    """CPython 3.13, "Timeouts"."""

    async def main():
        lock = m.Lock()
        async with lock:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(lock.acquire(), 1)
        assert not lock.locked()
        assert await asyncio.wait_for(lock.acquire(), 1) is True

    virtual(main)


def test_takes_no_arguments(m):
    """CPython 3.10: removed the loop parameter."""
    with pytest.raises(TypeError):
        m.Lock(loop=None)


def test_a_subclass_has_its_own_arguments(m, virtual):
    """CPython 3.13: the primitives are classes of Python, made to be subclassed."""

    class Named(m.Lock):
        def __init__(self, name):
            super().__init__()
            self.name = name

    class Limited(m.Semaphore):
        def __init__(self, name, limit):
            super().__init__(limit)
            self.name = name

    class Meeting(m.Barrier):
        def __init__(self, *names):
            super().__init__(len(names))
            self.names = names

    class Watched(m.Condition):
        def __init__(self, name, lock=None):
            super().__init__(lock)
            self.name = name

    async def main():
        lock = Named("a")
        async with lock, Limited("b", 3) as _, Watched("c", m.Lock()):
            assert lock.name == "a"
        assert Meeting("x", "y").parties == 2
        assert "Named object at" in repr(lock)

    virtual(main)
