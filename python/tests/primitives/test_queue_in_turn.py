"""Queue: whose turn it is, and what a shutdown makes of those who were called. CPython 3.13, "Queues"; where Ferry keeps
to the line and asyncio doesn't, the test says so and is Ferry's alone."""

import asyncio
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


def state(queue):
    return repr(queue).split(" ", 3)[3].removesuffix(">")


def test_a_get_that_comes_later_is_not_faster(turns):
    """Ferry's alone: asyncio gives the newcomer the item, and the one who waits the next."""

    async def main():
        queue, served = ferry.Queue(), []

        async def take(name):
            served.append((name, await queue.get()))

        waiting = asyncio.create_task(take("waited"))
        await turns()
        queue.put_nowait("first")
        newcomer = asyncio.create_task(take("asked later"))
        own = queue.get()
        # It does not find the item that somebody was called for.
        own.send(None)
        queue.put_nowait("second")
        await waiting
        assert served == [("waited", "first")]
        own.close()
        await newcomer
        assert served == [("waited", "first"), ("asked later", "second")]

    testing.run(main())


def test_a_put_that_comes_later_is_not_faster(turns):
    """Ferry's alone: asyncio lets the newcomer put its item, and sends the one who waits to the end of the line."""

    async def main():
        queue = ferry.Queue(1)
        queue.put_nowait("there")
        waiting = asyncio.create_task(queue.put("waited"))
        await turns()
        assert queue.get_nowait() == "there"
        newcomer = queue.put("asked later")
        # There is room, and somebody was called for it.
        newcomer.send(None)
        await waiting
        assert queue.get_nowait() == "waited"
        with pytest.raises(StopIteration):
            newcomer.send(None)
        assert queue.get_nowait() == "asked later"

    testing.run(main())


def test_who_finds_its_item_gone_keeps_its_place(turns):
    """Ferry's alone: get_nowait() may be faster than the getter that was called, as in asyncio; asyncio then sends the
    getter to the end of the line."""

    async def main():
        queue, served = ferry.Queue(), []

        async def take(number):
            served.append((number, await queue.get()))

        tasks = [asyncio.create_task(take(number)) for number in range(3)]
        await turns()
        queue.put_nowait("snatched")
        assert queue.get_nowait() == "snatched"
        await turns()
        assert not served and state(queue) == "maxsize=0 _getters[3] tasks=1"
        for item in "abc":
            queue.put_nowait(item)
            await turns()
        assert served == [(0, "a"), (1, "b"), (2, "c")]
        await asyncio.gather(*tasks)

    testing.run(main())


def test_nowait_takes_what_is_there_although_others_wait(m, turns):
    """CPython 3.13, Queue.get_nowait and put_nowait: an item if one is immediately available; without blocking."""

    async def main():
        queue = m.Queue(1)
        getting = asyncio.create_task(queue.get())
        await turns()
        queue.put_nowait("snatched")
        assert queue.get_nowait() == "snatched"
        await turns()
        assert not getting.done()
        queue.put_nowait("kept")
        assert await getting == "kept"
        queue.put_nowait("there")
        putting = asyncio.create_task(queue.put("late"))
        await turns()
        queue.get_nowait()
        queue.put_nowait("in its stead")
        await turns()
        assert not putting.done()
        assert [await queue.get(), await queue.get()] == ["in its stead", "late"]
        assert putting.done()

    testing.run(main())


def test_the_representation_of_everything_at_once(shutting, turns):
    """CPython 3.13, Queue.shutdown: getters that were called are still there when it's shut down."""

    async def main():
        queue = shutting.Queue(maxsize=2)
        getting = [asyncio.create_task(queue.get()) for _ in range(2)]
        await turns()
        assert state(queue) == "maxsize=2 _getters[2]"
        queue.put_nowait(1)
        assert state(queue) == "maxsize=2 _queue=[1] _getters[1] tasks=1"
        queue.shutdown()
        assert state(queue) == "maxsize=2 _queue=[1] tasks=1 shutdown"
        ended = await asyncio.gather(*getting, return_exceptions=True)
        assert ended[0] == 1 and isinstance(ended[1], shutting.QueueShutDown)
        assert state(queue) == "maxsize=2 tasks=1 shutdown"

    testing.run(main())


@pytest.mark.parametrize("immediate", [False, True])
def test_a_shutdown_after_a_getter_was_called(shutting, turns, immediate):
    """CPython 3.13, Queue.shutdown: get() raises once the queue is empty; with immediate, it's emptied at once."""

    async def main():
        queue = shutting.Queue()
        getting = asyncio.create_task(queue.get())
        await turns()
        queue.put_nowait("item")
        queue.shutdown(immediate)
        if immediate:
            with pytest.raises(shutting.QueueShutDown):
                await getting
            await queue.join()
        else:
            assert await getting == "item"
            assert state(queue) == "maxsize=0 tasks=1 shutdown"

    testing.run(main())


@pytest.mark.parametrize("immediate", [False, True])
def test_a_shutdown_after_a_putter_was_called(shutting, turns, immediate):
    """CPython 3.13, Queue.shutdown: all blocked callers of put() are unblocked, and raise QueueShutDown."""

    async def main():
        queue = shutting.Queue(1)
        queue.put_nowait("there")
        putting = asyncio.create_task(queue.put("late"))
        await turns()
        assert queue.get_nowait() == "there"
        queue.shutdown(immediate=immediate)
        with pytest.raises(shutting.QueueShutDown):
            await putting
        assert queue.empty() and state(queue) == "maxsize=1 tasks=1 shutdown"
        queue.task_done()
        await queue.join()

    testing.run(main())


def test_an_immediate_shutdown_after_a_drained_one(shutting, virtual, turns):
    """CPython 3.13, Queue.shutdown: immediate counts each remaining item as done, so callers of join() are unblocked."""

    async def main():
        queue = shutting.Queue()
        for item in range(2):
            queue.put_nowait(item)
        joining = asyncio.create_task(queue.join())
        await turns()
        queue.shutdown()
        await turns()
        assert not joining.done()
        queue.shutdown(immediate=True)
        await asyncio.wait_for(joining, 1)
        with pytest.raises(ValueError, match=r"^task_done\(\) called too many times$"):
            queue.task_done()
        assert state(queue) == "maxsize=0 shutdown"

    virtual(main)


def test_an_immediate_shutdown_of_a_full_queue_ends_its_putters(shutting, virtual, turns):
    """CPython 3.13, Queue.shutdown: put() raises, and what it wanted to put is not put."""

    async def main():
        queue = shutting.Queue(1)
        queue.put_nowait("there")
        putting = [asyncio.create_task(queue.put(item)) for item in "ab"]
        await turns()
        queue.shutdown(immediate=True)
        for task in putting:
            with pytest.raises(shutting.QueueShutDown):
                await task
        with pytest.raises(shutting.QueueShutDown):
            queue.get_nowait()
        await queue.join()

    virtual(main)


def test_a_join_that_gives_up_leaves_the_others(m, virtual, turns, cancelled):
    """CPython 3.13, Queue.join: blocks until all items have been processed; it can be cancelled as any wait."""

    async def main():
        queue = m.Queue()
        queue.put_nowait("item")
        first, second = [asyncio.create_task(queue.join()) for _ in range(2)]
        await turns()
        assert await cancelled(first) == ("why",)
        queue.get_nowait()
        assert not second.done()
        queue.task_done()
        assert await asyncio.wait_for(second, 1) is None
        queue.put_nowait("another")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.join(), 1)

    virtual(main)


def test_with_asyncios_own_functions(m, virtual):
    """CPython 3.13, "Coroutines and Tasks": Timeouts, Shielding, Task Groups, gather."""

    async def main():
        queue = m.Queue(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.get(), 1)
        inner = asyncio.create_task(queue.get())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.shield(inner)
        await queue.put("shielded")
        assert await inner == "shielded"
        assert await asyncio.gather(queue.put("a"), queue.get()) == [None, "a"]
        async with asyncio.TaskGroup() as group:
            getting = [group.create_task(queue.get()) for _ in range(3)]
            for item in range(3):
                group.create_task(queue.put(item))
        assert sorted(task.result() for task in getting) == [0, 1, 2]
        await queue.put("there")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.put("too late"), 1)
        assert [queue.get_nowait(), queue.qsize()] == ["there", 0]
        # What can be had at once is had, however short the time.
        await queue.put("at once")
        assert await asyncio.wait_for(queue.get(), 1) == "at once"

    virtual(main)


def test_a_generic_alias_makes_queues(m):
    """CPython 3.13, Queue: generic. Type hints, types.GenericAlias: calling it makes an object of the class."""
    for name in "Queue", "LifoQueue", "PriorityQueue":
        kind = getattr(m, name)
        queue = kind[int](maxsize=2)
        assert type(queue) is kind and queue.maxsize == 2
        assert kind[int].__origin__ is kind and kind[int].__args__ == (int,)

        class Numbers(kind[int]):
            pass

        assert Numbers().qsize() == 0
    with pytest.raises(TypeError, match="is not subscriptable"):
        m.Event[int]
