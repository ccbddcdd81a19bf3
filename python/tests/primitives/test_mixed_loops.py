"""One primitive for loops of different kinds at once, each on a thread of its own, and for plain threads that set, release,
shut down and abort what tasks wait for."""

import asyncio
import threading

import pytest
from conftest import LOOPS, PATIENCE

import asyncferry as ferry

# rloop 0.5 keeps the GIL while it's busy, so that other threads get a turn in seconds only. Here loops are busy.
SHARING = ["asyncio", "uvloop"]


@pytest.fixture
def on_each_kind():
    """Runs a coroutine function on loops of some kinds at the same time; it's given its number."""

    def run(main, kinds=LOOPS):
        errors = []

        def attempt(number, new_loop):
            try:
                with asyncio.Runner(loop_factory=new_loop) as runner:
                    runner.run(asyncio.wait_for(main(number), PATIENCE))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=attempt, args=(number, LOOPS[kind])) for number, kind in enumerate(kinds)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    return run


def test_they_meet_and_pass_items_on(on_each_kind):
    barrier, taken = ferry.Barrier(len(LOOPS)), []
    rings = [ferry.Queue(1) for _ in LOOPS]

    async def main(number):
        own, following = rings[number], rings[(number + 1) % len(rings)]
        for lap in range(50):
            await barrier.wait()
            await following.put((number, lap))
            taken.append(await own.get())
            own.task_done()
        await own.join()

    on_each_kind(main)
    assert sorted(taken) == [(number, lap) for number in range(len(LOOPS)) for lap in range(50)]


def test_one_lock_and_one_condition(on_each_kind):
    lock, turn, order, inside = ferry.Lock(), 0, [], 0
    condition = ferry.Condition(lock)

    async def main(number):
        nonlocal turn, inside
        for _ in range(50):
            async with condition:
                await condition.wait_for(lambda: turn % len(LOOPS) == number)
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1
                order.append(number)
                turn += 1
                condition.notify_all()

    on_each_kind(main)
    assert order == 50 * list(range(len(LOOPS))) and not lock.locked()


def test_a_condition_whose_waiters_are_cancelled(on_each_kind):
    """Notifications and cancellations cross: each token is taken once, and the lock is always held again."""
    condition, tokens, taken, left = ferry.Condition(), 0, 0, 60

    async def main(number):
        nonlocal tokens, taken, left
        if number == 0:
            while left:
                async with condition:
                    tokens += 1
                    left -= 1
                    condition.notify()
                await asyncio.sleep(0)
        while True:
            task = asyncio.create_task(take())
            for _ in range(2):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            async with condition:
                if not left and not tokens:
                    condition.notify_all()
                    return

    async def take():
        nonlocal tokens, taken
        async with condition:
            while not tokens:
                try:
                    await condition.wait()
                finally:
                    assert condition.locked()
            tokens -= 1
            taken += 1

    on_each_kind(main, SHARING + SHARING)
    assert (tokens, taken) == (0, 60) and repr(condition).endswith("[unlocked]>")


# What is made, how it's waited for, what a plain thread does to it, and what each of two waiters gets.
FROM_A_THREAD = {
    "Event.set": (ferry.Event, ferry.Event.wait, ferry.Event.set, [True, True]),
    "Semaphore.release": (
        lambda: ferry.Semaphore(0),
        ferry.Semaphore.acquire,
        lambda semaphore: [semaphore.release() for _ in range(2)],
        [True, True],
    ),
    "Queue.put_nowait": (
        ferry.Queue,
        ferry.Queue.get,
        lambda queue: [queue.put_nowait(item) for item in "ab"],
        ["a", "b"],
    ),
    "Queue.get_nowait": (
        lambda: full(ferry.Queue(2)),
        lambda queue: queue.put("late"),
        lambda queue: [queue.get_nowait() for _ in range(2)],
        [None, None],
    ),
    "Queue.shutdown": (ferry.Queue, ferry.Queue.get, ferry.Queue.shutdown, [ferry.QueueShutDown] * 2),
    "Queue.shutdown, putters": (
        lambda: full(ferry.Queue(2)),
        lambda queue: queue.put("late"),
        ferry.Queue.shutdown,
        [ferry.QueueShutDown] * 2,
    ),
    "Barrier.abort": (
        lambda: ferry.Barrier(3),
        ferry.Barrier.wait,
        lambda barrier: at_once(barrier.abort()),
        [ferry.BrokenBarrierError] * 2,
    ),
    "Barrier.reset": (
        lambda: ferry.Barrier(3),
        ferry.Barrier.wait,
        lambda barrier: at_once(barrier.reset()),
        [ferry.BrokenBarrierError] * 2,
    ),
}


def full(queue):
    while not queue.full():
        queue.put_nowait("there")
    return queue


def at_once(operation):
    """Does what needn't wait, where no loop runs."""
    with pytest.raises(StopIteration):
        operation.send(None)


@pytest.mark.parametrize("name", FROM_A_THREAD)
def test_a_plain_thread_ends_waits(run, name):
    make, wait, act, expected = FROM_A_THREAD[name]

    async def main():
        primitive = make()
        tasks = [asyncio.create_task(wait(primitive)) for _ in range(2)]
        await asyncio.sleep(0)
        thread = threading.Thread(target=act, args=(primitive,))
        thread.start()
        # Nothing else wakes the loop.
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        thread.join()
        return [type(each) if isinstance(each, Exception) else each for each in ended]

    assert run(main) == expected


def test_a_plain_thread_releases_a_lock(run):
    async def main():
        lock = ferry.Lock()
        await lock.acquire()
        task = asyncio.create_task(lock.acquire())
        await asyncio.sleep(0)
        thread = threading.Thread(target=lock.release)
        thread.start()
        assert await task is True
        thread.join()
        assert lock.locked()

    run(main)


@pytest.mark.parametrize("run", SHARING, indirect=True)
def test_many_threads_do_everything_to_one_queue(run):
    """Each item comes out once: by a task or by a plain thread."""
    each, makers = 100, 3

    async def main():
        queue, by_thread, by_task = ferry.Queue(7), [], []
        loop = asyncio.get_running_loop()

        def make(number):
            for item in range(each):
                try:
                    queue.put_nowait((number, item))
                except ferry.QueueFull:
                    # Rather than look again and again, which would keep the others from running.
                    asyncio.run_coroutine_threadsafe(queue.put((number, item)), loop).result(PATIENCE)

        def take():
            for _ in range(each):
                try:
                    by_thread.append(queue.get_nowait())
                except ferry.QueueEmpty:
                    pass

        async def put(number):
            for item in range(each):
                await queue.put((number, item))

        async def get():
            while True:
                task = asyncio.create_task(queue.get())
                await asyncio.sleep(0)
                # Half of the waits are cancelled.
                if len(by_task) % 2:
                    task.cancel()
                try:
                    by_task.append(await task)
                except asyncio.CancelledError:
                    by_task.append(None)
                except ferry.QueueShutDown:
                    return

        threads = [threading.Thread(target=make, args=(number,)) for number in range(makers)]
        threads.append(threading.Thread(target=take))
        for thread in threads:
            thread.start()
        getting = [asyncio.create_task(get()) for _ in range(2)]
        await asyncio.gather(*[put(makers + number) for number in range(makers)])
        await asyncio.gather(*[asyncio.to_thread(thread.join) for thread in threads])
        queue.shutdown()
        await asyncio.gather(*getting)
        taken = by_thread + [item for item in by_task if item is not None]
        assert sorted(taken) == [(number, item) for number in range(2 * makers) for item in range(each)]

    run(main)
