"""The primitives in trio's runs, and under anyio. trio's tasks wait by other means than asyncio's."""

import threading

import anyio
import anyio.lowlevel
import pytest
import trio

import asyncferry as ferry


def test_each_primitive_in_a_trio_run():
    async def main():
        queue, lock, event = ferry.Queue(1), ferry.Lock(), ferry.Event()
        semaphore, condition, barrier = ferry.Semaphore(1), ferry.Condition(), ferry.Barrier(2)
        taken, notified = [], []

        async def consume():
            for _ in range(5):
                taken.append(await queue.get())
            async with lock, semaphore:
                event.set()

        async def wait():
            async with condition:
                notified.append(await condition.wait())
            await barrier.wait()

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(consume)
                nursery.start_soon(wait)
                for item in range(5):
                    await queue.put(item)
                assert await event.wait() is True
                while "waiters" not in repr(condition):
                    await trio.lowlevel.checkpoint()
                async with condition:
                    condition.notify_all()
                await barrier.wait()
        assert taken == list(range(5)) and notified == [True]

    trio.run(main)


def test_a_cancelled_scope_leaves_the_line():
    async def main():
        queue = ferry.Queue()
        with trio.move_on_after(0.001) as scope:
            await queue.get()
        assert scope.cancelled_caught and "_getters" not in repr(queue)
        lock = ferry.Lock()
        async with lock:
            with trio.move_on_after(0.001) as scope:
                await lock.acquire()
        assert scope.cancelled_caught and not lock.locked()

    trio.run(main)


def test_a_cancelled_condition_has_its_lock_again():
    async def main():
        condition, seen = ferry.Condition(), []

        async def wait(scope):
            with scope:
                async with condition:
                    try:
                        await condition.wait()
                    except trio.Cancelled:
                        seen.append(condition.locked())
                        raise

        scope = trio.CancelScope()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, scope)
            while "waiters" not in repr(condition):
                await trio.lowlevel.checkpoint()
            async with condition:
                scope.cancel()
                for _ in range(5):
                    await trio.lowlevel.checkpoint()
                assert seen == [], "somebody else has the lock"
        assert seen == [True] and not condition.locked()

    trio.run(main)


def test_a_trio_run_and_an_asyncio_loop_share_a_queue():
    import asyncio

    queue, taken = ferry.Queue(2), []

    async def produce():
        for item in range(50):
            await queue.put(item)

    async def consume():
        with trio.fail_after(30):
            for _ in range(50):
                taken.append(await queue.get())

    thread = threading.Thread(target=asyncio.run, args=(produce(),))
    thread.start()
    trio.run(consume)
    thread.join()
    assert taken == list(range(50))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_under_anyio(backend):
    async def main():
        queue, lock, taken = ferry.Queue(1), ferry.Lock(), []

        async def consume():
            async with lock:
                for _ in range(5):
                    taken.append(await queue.get())

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(consume)
                for item in range(5):
                    await queue.put(item)
            with anyio.move_on_after(0.001) as scope:
                await queue.get()
        assert taken == list(range(5)) and scope.cancelled_caught and not lock.locked()

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("wait", [ferry.Condition.wait, lambda condition: condition.wait_for(lambda: False)])
def test_a_cancelled_condition_under_anyio(backend, wait):
    """Its scope is cancelled while somebody else has the lock; it's held again when the wait ends, and the next who waits
    is notified."""

    async def main():
        condition, seen, notified = ferry.Condition(), [], []

        async def give_up(scope):
            with scope:
                async with condition:
                    try:
                        await wait(condition)
                    except anyio.get_cancelled_exc_class():
                        seen.append(condition.locked())
                        raise
            assert scope.cancelled_caught

        async def stay():
            async with condition:
                notified.append(await condition.wait())

        scope = anyio.CancelScope()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(give_up, scope)
                await until(lambda: "waiters:1" in repr(condition))
                group.start_soon(stay)
                await until(lambda: "waiters:2" in repr(condition))
                async with condition:
                    condition.notify()
                    scope.cancel()
                    for _ in range(5):
                        await anyio.lowlevel.checkpoint()
                    assert seen == [], "somebody else has the lock"
                await until(lambda: seen)
                # A notification of one who had been called goes on; who waits for a predicate may have used it up.
                if wait is not ferry.Condition.wait:
                    async with condition:
                        condition.notify()
        assert seen == [True] and notified == [True] and not condition.locked()

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_scopes_lose_nothing_under_anyio(backend):
    """Called and cancelled in one turn: the item, the permit and the room go to the next."""

    async def main():
        queue, semaphore, room = ferry.Queue(), ferry.Semaphore(0), ferry.Queue(1)
        room.put_nowait("there")
        ended = []

        async def work(name, wait, scope):
            with scope:
                ended.append((name, await wait()))

        waits = {"item": queue.get, "permit": semaphore.acquire, "room": lambda: room.put("late")}
        lines = (queue, "_getters[{}]"), (semaphore, "waiters:{}"), (room, "_putters[{}]")
        scopes = [anyio.CancelScope() for _ in waits]
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                for (name, wait), scope in zip(waits.items(), scopes):
                    group.start_soon(work, name, wait, scope)
                await until(lambda: all(told.format(1) in repr(each) for each, told in lines))
                for name, wait in waits.items():
                    group.start_soon(work, name, wait, anyio.CancelScope())
                await until(lambda: all(told.format(2) in repr(each) for each, told in lines))
                queue.put_nowait("item")
                semaphore.release()
                assert room.get_nowait() == "there"
                for scope in scopes:
                    scope.cancel()
        assert sorted(ended) == [("item", "item"), ("permit", True), ("room", None)]
        assert all(scope.cancelled_caught for scope in scopes)

    anyio.run(main, backend=backend)


async def until(holds):
    while not holds():
        await anyio.lowlevel.checkpoint()
