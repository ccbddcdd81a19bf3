"""One primitive for tasks of several event loops, each on a thread of its own, and for plain threads. asyncio's own can't
do this."""

import asyncio
import threading

import pytest

import asyncferry as ferry

LOOPS = 4


@pytest.fixture
def on_loops(in_thread):
    """Runs a coroutine function on several loops at once; it's given its number."""

    def run(main, loops=LOOPS):
        errors = []

        def attempt(number):
            try:
                asyncio.run(asyncio.wait_for(main(number), 30))
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=attempt, args=(number,)) for number in range(loops)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    return run


def test_a_queue_of_many_producers_and_consumers(on_loops):
    queue, taken, each = ferry.Queue(3), [], 300

    async def main(number):
        if number % 2:
            for item in range(each):
                await queue.put((number, item))
            return
        for _ in range(each):
            taken.append(await queue.get())
            queue.task_done()

    on_loops(main)
    assert sorted(taken) == [(number, item) for number in (1, 3) for item in range(each)]
    for number in 1, 3:
        assert len([item for source, item in taken if source == number]) == each
    assert queue.empty()


def test_a_priority_queue_across_threads(on_loops):
    class Slow:
        """Compares in Python code, in which other threads get their turn."""

        def __init__(self, value):
            self.value = value

        def __lt__(self, other):
            return self.value < other.value

    queue, taken = ferry.PriorityQueue(10), []

    async def main(number):
        for item in range(200):
            if number % 2:
                await queue.put(Slow(number * 1000 + item))
            else:
                taken.append((await queue.get()).value)

    on_loops(main)
    assert sorted(taken) == [number * 1000 + item for number in (1, 3) for item in range(200)]


def test_a_lock_lets_one_in(on_loops):
    lock, inside, total = ferry.Lock(), 0, 0

    async def main(number):
        nonlocal inside, total
        for _ in range(200):
            async with lock:
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1
                total += 1

    on_loops(main)
    assert total == 200 * LOOPS and not lock.locked()


def test_a_semaphore_lets_some_in(on_loops):
    semaphore, inside, guard = ferry.BoundedSemaphore(3), 0, threading.Lock()

    async def main(number):
        async def work():
            nonlocal inside
            for _ in range(20):
                async with semaphore:
                    with guard:
                        inside += 1
                        assert inside <= 3
                    await asyncio.sleep(0)
                    with guard:
                        inside -= 1

        await asyncio.gather(*[work() for _ in range(4)])

    on_loops(main)
    assert repr(semaphore).endswith("[unlocked, value:3]>")


def test_an_event_wakes_all_loops(on_loops):
    event, there = ferry.Event(), ferry.Barrier(LOOPS)

    async def main(number):
        waiting = [asyncio.create_task(event.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        if await there.wait() == 0:
            event.set()
        assert await asyncio.gather(*waiting) == [True] * 3

    on_loops(main)
    assert repr(event).endswith("[set]>")


def test_a_barrier_of_loops_is_passed_again_and_again(on_loops):
    barrier, places = ferry.Barrier(LOOPS), []

    async def main(number):
        for turn in range(50):
            places.append((turn, await barrier.wait()))

    on_loops(main)
    assert sorted(places) == [(turn, place) for turn in range(50) for place in range(LOOPS)]


def test_a_condition_between_loops(on_loops):
    condition, items, taken = ferry.Condition(), [], []

    async def main(number):
        if number:
            for _ in range(50):
                async with condition:
                    await condition.wait_for(lambda: items)
                    taken.append(items.pop())
            return
        for item in range(50 * (LOOPS - 1)):
            async with condition:
                items.append(item)
                condition.notify()
            await asyncio.sleep(0)

    on_loops(main)
    assert sorted(taken) == list(range(50 * (LOOPS - 1)))


def test_cancelling_across_loops_loses_nothing(on_loops):
    queue, taken = ferry.Queue(), []

    async def main(number):
        if number == 0:
            for item in range(200):
                queue.put_nowait(item)
                await asyncio.sleep(0)
            queue.shutdown()
            return
        while True:
            get = asyncio.create_task(queue.get())
            await asyncio.sleep(0)
            get.cancel()
            try:
                taken.append(await get)
            except asyncio.CancelledError:
                pass
            except ferry.QueueShutDown:
                return

    on_loops(main)
    assert sorted(taken) == list(range(200))


def test_plain_threads_use_what_does_not_wait():
    queue, event, semaphore = ferry.Queue(), ferry.Event(), ferry.Semaphore(0)

    def work():
        for item in range(100):
            queue.put_nowait(item)
            semaphore.release()
        event.set()

    async def main():
        waiting = asyncio.create_task(event.wait())
        items = [await queue.get() for _ in range(300)]
        for _ in range(300):
            await semaphore.acquire()
        await waiting
        return items

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    items = asyncio.run(asyncio.wait_for(main(), 30))
    for thread in threads:
        thread.join()
    assert sorted(items) == sorted(3 * list(range(100)))


def test_a_plain_thread_takes_what_tasks_put(in_thread):
    queue = ferry.Queue(1)

    def take(count):
        taken = []
        while len(taken) < count:
            try:
                taken.append(queue.get_nowait())
            except asyncio.QueueEmpty:
                pass
        return taken

    async def main():
        taking = asyncio.get_running_loop().run_in_executor(None, take, 50)
        for item in range(50):
            await queue.put(item)
        return await taking

    assert asyncio.run(asyncio.wait_for(main(), 30)) == list(range(50))
