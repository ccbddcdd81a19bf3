"""The primitives in trio's runs, and under anyio. trio's tasks wait by other means than asyncio's."""

import threading

import anyio
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
