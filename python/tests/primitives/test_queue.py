"""Queue, PriorityQueue and LifoQueue: CPython 3.13, "Queues"."""

import asyncio
import re
import sys

import pytest

import asyncferry as ferry
from asyncferry import testing


@pytest.fixture
def shutting(m):
    """The module, where its queues can be shut down."""
    if m is asyncio and sys.version_info < (3, 13):
        pytest.skip("asyncio's queues are shut down from Python 3.13 on")
    return m


def described(queue):
    by_repr = re.fullmatch(r"<(\w+) at 0x[0-9a-f]+ (.*)>", repr(queue))
    assert f"<{by_repr[1]} {by_repr[2]}>" == str(queue) and by_repr[1] == type(queue).__name__
    return by_repr[2]


@pytest.mark.parametrize(
    ("name", "expected"), [("Queue", [3, 1, 2]), ("LifoQueue", [2, 1, 3]), ("PriorityQueue", [1, 2, 3])]
)
def test_the_order_of_each_kind(m, virtual, name, expected):
    """CPython 3.13, Queue: first in, first out. LifoQueue: most recently added entries first. PriorityQueue: retrieves
    entries in priority order (lowest first)."""

    async def main():
        queue = getattr(m, name)()
        assert isinstance(queue, m.Queue)
        for item in 3, 1, 2:
            assert await queue.put(item) is None
        assert [await queue.get() for _ in range(3)] == expected

    virtual(main)


def test_sizes(m, virtual):
    """CPython 3.13, Queue.maxsize, qsize, empty and full: if maxsize is less than or equal to zero, the size is
    infinite."""

    async def main():
        queue = m.Queue(maxsize=2)
        assert (queue.maxsize, queue.qsize(), queue.empty(), queue.full()) == (2, 0, True, False)
        queue.put_nowait(None)
        queue.put_nowait(item=None)
        assert (queue.qsize(), queue.empty(), queue.full()) == (2, False, True)
        for maxsize in 0, -1:
            endless = m.Queue(maxsize)
            for number in range(100):
                endless.put_nowait(number)
            assert not endless.full() and endless.maxsize == maxsize
        with pytest.raises(AttributeError):
            queue.maxsize = 3

    virtual(main)


def test_nowait_never_waits(m):
    """CPython 3.13, Queue.get_nowait and put_nowait: else raise QueueEmpty, QueueFull."""
    queue = m.Queue(1)
    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()
    assert queue.put_nowait(1) is None
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(2)
    assert queue.get_nowait() == 1


def test_put_waits_for_room_and_get_for_an_item(m, virtual, turns):
    """CPython 3.13, Queue.put: if the queue is full, wait until a free slot is available. Queue.get: if the queue is
    empty, wait until an item is available."""

    async def main():
        queue = m.Queue(1)
        getting = asyncio.create_task(queue.get())
        await turns()
        assert described(queue) == "maxsize=1 _getters[1]"
        await queue.put("a")
        assert await getting == "a"
        await queue.put("b")
        putting = asyncio.create_task(queue.put(item="c"))
        await turns()
        assert described(queue) == "maxsize=1 _queue=['b'] _putters[1] tasks=2"
        assert not putting.done()
        assert await queue.get() == "b"
        await putting
        assert await queue.get() == "c"
        assert described(queue) == "maxsize=1 tasks=3"

    virtual(main)


def test_who_waits_longest_is_served_first(m, turns):
    """CPython 3.13, Queue: each item goes to one of those who wait, in the order of their coming."""

    async def main():
        queue, served = m.Queue(), []

        async def take(number):
            served.append((number, await queue.get()))

        tasks = [asyncio.create_task(take(number)) for number in range(3)]
        await turns()
        for item in "abc":
            queue.put_nowait(item)
        await asyncio.gather(*tasks)
        assert served == [(0, "a"), (1, "b"), (2, "c")]

    # In order: each takes its item when its turn comes, and a seed shuffles the turns.
    testing.run(main())


def test_task_done_and_join(m, virtual, turns):
    """CPython 3.13, Queue.join: block until all items have been received and processed. Queue.task_done: raises
    ValueError if called more times than there were items."""

    async def main():
        queue = m.Queue()
        assert await queue.join() is None
        for item in range(3):
            queue.put_nowait(item)
        joining = [asyncio.create_task(queue.join()) for _ in range(2)]
        for _ in range(3):
            await turns()
            assert not any(task.done() for task in joining)
            await queue.get()
            assert queue.task_done() is None
        await asyncio.gather(*joining)
        with pytest.raises(ValueError, match=r"^task_done\(\) called too many times$"):
            queue.task_done()

    virtual(main)


@pytest.mark.parametrize("moment", ["waiting", "called"])
def test_a_getter_that_is_cancelled_loses_no_item(m, virtual, turns, moment):
    """CPython 3.13, Queue.get: an item that it did not return is still in the queue."""

    async def main():
        queue = m.Queue()
        first, second = [asyncio.create_task(queue.get()) for _ in range(2)]
        await turns()
        if moment == "called":
            queue.put_nowait("item")
        first.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await first
        if moment == "waiting":
            queue.put_nowait("item")
        assert await asyncio.wait_for(second, 1) == "item"
        assert queue.empty()

    virtual(main)


@pytest.mark.parametrize("moment", ["waiting", "called"])
def test_a_putter_that_is_cancelled_leaves_its_room(m, virtual, turns, moment):
    """CPython 3.13, Queue.put: cancelled, it has put nothing."""

    async def main():
        queue = m.Queue(1)
        queue.put_nowait("there")
        first, second = [asyncio.create_task(queue.put(item)) for item in ("first", "second")]
        await turns()
        if moment == "called":
            assert queue.get_nowait() == "there"
        first.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await first
        if moment == "waiting":
            assert queue.get_nowait() == "there"
        await asyncio.wait_for(second, 1)
        assert [await queue.get(), queue.empty()] == ["second", True]

    virtual(main)


def test_a_drained_shutdown(shutting, virtual, turns):
    """CPython 3.13, Queue.shutdown: put() raises QueueShutDown; get() only raises once the queue is empty."""

    async def main():
        queue = shutting.Queue(2)
        queue.put_nowait(1)
        queue.put_nowait(2)
        putting = asyncio.create_task(queue.put(3))
        await turns()
        assert queue.shutdown() is None
        assert described(queue) == "maxsize=2 _queue=[1, 2] tasks=2 shutdown"
        with pytest.raises(shutting.QueueShutDown):
            await putting
        with pytest.raises(shutting.QueueShutDown):
            await queue.put(4)
        with pytest.raises(shutting.QueueShutDown):
            queue.put_nowait(4)
        joining = asyncio.create_task(queue.join())
        assert [await queue.get(), queue.get_nowait()] == [1, 2]
        with pytest.raises(shutting.QueueShutDown):
            await queue.get()
        with pytest.raises(shutting.QueueShutDown):
            queue.get_nowait()
        queue.task_done()
        await turns()
        assert not joining.done()
        queue.task_done()
        await joining

    virtual(main)


def test_a_shutdown_ends_getters_that_wait(shutting, virtual, turns):
    """CPython 3.13, Queue.shutdown: blocked callers of get() are unblocked, and raise QueueShutDown."""

    async def main():
        queue = shutting.Queue()
        waiting = [asyncio.create_task(queue.get()) for _ in range(2)]
        await turns()
        queue.shutdown()
        for task in waiting:
            with pytest.raises(shutting.QueueShutDown):
                await task

    virtual(main)


def test_an_immediate_shutdown(shutting, virtual, turns):
    """CPython 3.13, Queue.shutdown(immediate=True): the queue is drained to be completely empty, and a task is marked as
    done for each item; so joins end."""

    async def main():
        queue = shutting.Queue()
        for item in range(3):
            queue.put_nowait(item)
        assert await queue.get() == 0
        joining = asyncio.create_task(queue.join())
        await turns()
        queue.shutdown(immediate=True)
        assert queue.empty()
        with pytest.raises(shutting.QueueShutDown):
            await queue.get()
        await turns()
        assert not joining.done(), "one was taken, and is not done"
        queue.task_done()
        await joining
        queue.shutdown()

    virtual(main)


def test_shutdown_of_a_queue_of_each_kind(shutting, virtual):
    """CPython 3.13, Queue.shutdown."""

    async def main():
        for kind in shutting.LifoQueue, shutting.PriorityQueue:
            queue = kind()
            queue.put_nowait(1)
            queue.put_nowait(2)
            queue.shutdown(True)
            assert queue.empty()
            await queue.join()
            with pytest.raises(shutting.QueueShutDown):
                await queue.get()

    virtual(main)


def test_the_exceptions_are_asyncios(m):
    """CPython 3.13, "Queues": Exceptions."""
    assert ferry.QueueEmpty is asyncio.QueueEmpty and ferry.QueueFull is asyncio.QueueFull
    assert ferry.BrokenBarrierError is asyncio.BrokenBarrierError
    assert issubclass(ferry.QueueShutDown, Exception)
    if sys.version_info >= (3, 13):
        assert ferry.QueueShutDown is asyncio.QueueShutDown


def test_generic_and_subclassed(m, virtual):
    """CPython 3.13, Queue: generic, and made to be subclassed."""

    class Named(m.PriorityQueue):
        def __init__(self, name, **arguments):
            super().__init__(**arguments)
            self.name = name

        async def get(self):
            return self.name, await super().get()

    async def main():
        queue = Named("numbers", maxsize=2)
        await queue.put(2)
        await queue.put(1)
        assert queue.full() and await queue.get() == ("numbers", 1)
        assert repr(m.Queue[int]).endswith("Queue[int]")

    virtual(main)
