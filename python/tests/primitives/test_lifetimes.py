"""What is left of waiters: closed loops swallow nothing, and what is over refers to nothing. For Ferry's alone."""

import asyncio
import gc
import weakref

import pytest

import asyncferry as ferry
from asyncferry import testing


class Thing:
    """Something that can be seen to go."""

    def __lt__(self, other):
        return False


def taken(lock):
    with pytest.raises(StopIteration):
        lock.acquire().send(None)
    return lock


def filled(queue):
    queue.put_nowait("there")
    return queue


# How each is made, waited for, and given what one waiter needs; what waiting then gives.
GIVEN = {
    "Lock": (lambda: taken(ferry.Lock()), ferry.Lock.acquire, ferry.Lock.release, True),
    "Semaphore": (lambda: ferry.Semaphore(0), ferry.Semaphore.acquire, ferry.Semaphore.release, True),
    "Queue.get": (ferry.Queue, ferry.Queue.get, lambda queue: queue.put_nowait("item"), "item"),
    "LifoQueue.get": (ferry.LifoQueue, ferry.Queue.get, lambda queue: queue.put_nowait("item"), "item"),
    "PriorityQueue.get": (ferry.PriorityQueue, ferry.Queue.get, lambda queue: queue.put_nowait("item"), "item"),
    "Queue.put": (lambda: filled(ferry.Queue(1)), lambda queue: queue.put("late"), ferry.Queue.get_nowait, None),
}


@pytest.mark.parametrize("moment", ["waiting", "called"])
@pytest.mark.parametrize("name", GIVEN)
def test_a_waiter_of_a_closed_loop_swallows_nothing(run, name, moment):
    """It's not let go by its task, which is kept; nobody will ever run it again."""
    make, wait, give, given = GIVEN[name]
    primitive, loop = make(), run.new_loop()
    left_behind = loop.create_task(wait(primitive))
    loop.run_until_complete(asyncio.sleep(0))
    assert not left_behind.done()
    if moment == "called":
        give(primitive)
    loop.close()
    if moment == "waiting":
        give(primitive)

    async def main():
        return await wait(primitive)

    assert testing.run(main()) == given
    left_behind._log_destroy_pending = False


@pytest.mark.parametrize("moment", ["waiting", "called"])
def test_a_loop_that_closes_while_another_one_runs_swallows_nothing(run, in_thread, moment):
    semaphore, condition, loop = ferry.Semaphore(0), ferry.Condition(), run.new_loop()

    async def wait():
        # Without async with: whoever collects the one that's left behind would leave its block without the lock.
        await condition.acquire()
        assert await condition.wait() is True
        condition.release()

    async def give():
        async with condition:
            condition.notify()
        semaphore.release()

    def close():
        loop.close()
        if loop.__class__.__name__ == "RLoop":
            # It keeps its readers although it's closed. That is noticed when the next loop uses a primitive.
            in_thread(testing.run, use_another_loop())

    left_behind = [loop.create_task(work) for work in (wait(), semaphore.acquire())]
    loop.run_until_complete(asyncio.sleep(0))

    async def main():
        tasks = [asyncio.create_task(work) for work in (wait(), semaphore.acquire())]
        await asyncio.sleep(0)
        if moment == "waiting":
            close()
        await give()
        close()
        await asyncio.gather(*tasks)
        assert not condition.locked()

    testing.run(main())
    for task in left_behind:
        task._log_destroy_pending = False


async def use_another_loop():
    event = ferry.Event()
    asyncio.get_running_loop().call_soon(event.set)
    await event.wait()


def test_a_barrier_does_not_count_who_waits_on_a_closed_loop(run):
    barrier, loop = ferry.Barrier(2), run.new_loop()
    left_behind = loop.create_task(barrier.wait())
    loop.run_until_complete(asyncio.sleep(0))
    assert barrier.n_waiting == 1
    loop.close()

    async def main():
        return sorted(await asyncio.gather(barrier.wait(), barrier.wait()))

    assert testing.run(main()) == [0, 1]
    left_behind._log_destroy_pending = False


async def dropped_getter(thing):
    queue = ferry.Queue()
    task = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait(thing)
    task.cancel()
    await asyncio.wait([task])
    assert queue.get_nowait() is thing
    return queue


async def dropped_putter(thing):
    queue = filled(ferry.Queue(1))
    task = asyncio.create_task(queue.put(thing))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return queue


async def refused_putter(thing):
    queue = filled(ferry.Queue(1))
    task = asyncio.create_task(queue.put(thing))
    await asyncio.sleep(0)
    queue.shutdown(immediate=True)
    await asyncio.wait([task])
    assert isinstance(task.exception(), ferry.QueueShutDown)
    return queue


async def emptied_queue(thing):
    queue = ferry.Queue()
    for _ in range(3):
        queue.put_nowait(thing)
    queue.shutdown(immediate=True)
    return queue


async def emptied_priorities(thing):
    queue = ferry.PriorityQueue()
    queue.put_nowait(thing)
    queue.put_nowait(thing)
    assert queue.get_nowait() is thing
    queue.shutdown(immediate=True)
    return queue


async def never_awaited_put(thing):
    queue = ferry.Queue()
    queue.put(thing).close()
    return queue


async def full_and_nowait(thing):
    queue = filled(ferry.Queue(1))
    with pytest.raises(ferry.QueueFull):
        queue.put_nowait(thing)
    return queue


async def predicate(thing):
    condition = ferry.Condition()

    async def wait():
        async with condition:
            await condition.wait_for(lambda: thing is None)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return condition


@pytest.mark.parametrize(
    "scenario",
    [
        dropped_getter,
        dropped_putter,
        refused_putter,
        emptied_queue,
        emptied_priorities,
        never_awaited_put,
        full_and_nowait,
        predicate,
    ],
)
def test_a_primitive_keeps_nothing_of_what_is_over(scenario):
    async def main():
        thing = Thing()
        seen = weakref.ref(thing)
        primitive = await scenario(thing)
        del thing
        gc.collect()
        assert seen() is None, repr(primitive)

    testing.run(main())


WAITED_FOR = {
    "Event": (ferry.Event, ferry.Event.wait),
    "Lock": (lambda: taken(ferry.Lock()), ferry.Lock.acquire),
    "Semaphore": (lambda: ferry.Semaphore(0), ferry.Semaphore.acquire),
    "Barrier": (lambda: ferry.Barrier(9), ferry.Barrier.wait),
    "Queue": (ferry.Queue, ferry.Queue.get),
}


@pytest.mark.parametrize("name", WAITED_FOR)
def test_a_primitive_goes_when_its_waiters_are_over(name):
    """And not before: who waits keeps what it waits for."""
    make, wait = WAITED_FOR[name]

    async def main():
        primitive = make()
        seen = weakref.ref(primitive)
        task, by_hand = asyncio.create_task(wait(primitive)), wait(primitive)
        by_hand.send(None)
        await asyncio.sleep(0)
        del primitive
        gc.collect()
        assert seen() is not None and "waiters:2" in repr(seen()).replace("_getters[2]", "waiters:2")
        task.cancel()
        await asyncio.wait([task])
        by_hand.close()
        del task, by_hand
        gc.collect()
        assert seen() is None

    testing.run(main())


@pytest.mark.parametrize("kind", ["Queue", "LifoQueue", "PriorityQueue"])
def test_a_queue_that_holds_its_own_waiter_is_collected(run, kind):
    """The queue refers to the operation, which waits, and so refers to the queue."""

    def make():
        class Kind(getattr(ferry, kind)):
            pass

        queue, loop = Kind(1), run.new_loop()
        queue.put_nowait(0)
        queue.putting = queue.put(1)

        async def begin():
            queue.putting.send(None)

        loop.run_until_complete(begin())
        loop.close()
        return weakref.ref(queue)

    seen = make()
    gc.collect()
    assert seen() is None
