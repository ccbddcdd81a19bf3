"""The rounds of the Python primitives' measurements: each program is given the module whose primitives it uses."""

import asyncio
from itertools import repeat

TASKS = 100


async def event(m, n):
    event = m.Event()
    event.set()
    for _ in repeat(None, n):
        await event.wait()


async def lock(m, n):
    lock = m.Lock()
    for _ in repeat(None, n):
        async with lock:
            pass


async def lock_acquire(m, n):
    lock = m.Lock()
    for _ in repeat(None, n):
        await lock.acquire()
        lock.release()


async def semaphore(m, n):
    semaphore = m.Semaphore(2)
    for _ in repeat(None, n):
        async with semaphore:
            pass


async def condition(m, n):
    condition = m.Condition()
    for _ in repeat(None, n):
        async with condition:
            condition.notify()


async def queue(m, n):
    queue = m.Queue(128)
    for number in repeat(1, n):
        await queue.put(number)
        await queue.get()
        queue.task_done()


async def all_of(task, tasks=TASKS):
    await asyncio.gather(*[task() for _ in range(tasks)])


async def event_contended(m, n):
    """All wait for the same event, which is set again and again."""
    event = m.Event()
    rounds = n // TASKS

    async def waits():
        for _ in repeat(None, rounds):
            await event.wait()

    waiting = asyncio.gather(*[waits() for _ in range(TASKS)])
    await asyncio.sleep(0)
    while not waiting.done():
        event.set()
        event.clear()
        await asyncio.sleep(0)
    await waiting


async def lock_contended(m, n):
    """All want the same lock, and hand it on."""
    lock = m.Lock()

    async def takes():
        for _ in repeat(None, n // TASKS):
            async with lock:
                pass

    # Nobody gets it before all stand in line.
    async with lock:
        taking = asyncio.gather(*[takes() for _ in range(TASKS)])
        await asyncio.sleep(0)
    await taking


async def lock_held_for_a_turn(m, n):
    """As above, and each keeps it while the loop makes a turn."""
    lock = m.Lock()

    async def takes():
        for _ in repeat(None, n // TASKS):
            async with lock:
                await asyncio.sleep(0)

    await all_of(takes)


async def semaphore_contended(m, n):
    """All want one of ten permits, and hand it on."""
    semaphore = m.Semaphore(0)

    async def takes():
        for _ in repeat(None, n // TASKS):
            async with semaphore:
                pass

    taking = asyncio.gather(*[takes() for _ in range(TASKS)])
    await asyncio.sleep(0)
    for _ in range(10):
        semaphore.release()
    await taking


async def semaphore_held_for_a_turn(m, n):
    """All want one of ten permits, and keep it while the loop makes a turn."""
    semaphore = m.Semaphore(10)

    async def takes():
        for _ in repeat(None, n // TASKS):
            async with semaphore:
                await asyncio.sleep(0)

    await all_of(takes)


async def condition_contended(m, n):
    """All wait for the same condition, and all are notified again and again."""
    condition = m.Condition()

    async def waits():
        async with condition:
            for _ in repeat(None, n // TASKS):
                await condition.wait()

    waiting = asyncio.gather(*[waits() for _ in range(TASKS)])
    await asyncio.sleep(0)
    while not waiting.done():
        async with condition:
            condition.notify_all()
        await asyncio.sleep(0)
    await waiting


async def queue_128(m, n):
    """A producer and a consumer: either works until the queue is full or empty."""
    queue = m.Queue(128)

    async def produces():
        for number in repeat(1, n):
            await queue.put(number)

    producing = asyncio.create_task(produces())
    for _ in repeat(None, n):
        await queue.get()
        queue.task_done()
    await producing


async def queue_contended(m, n):
    """A queue of one place: each operation waits for the other task."""
    queue = m.Queue(1)

    async def produces():
        for number in repeat(1, n):
            await queue.put(number)

    producing = asyncio.create_task(produces())
    for _ in repeat(None, n):
        await queue.get()
        queue.task_done()
    await producing


async def queue_10_by_10(m, n):
    """Ten producers and ten consumers at a queue of ten places."""
    queue = m.Queue(10)

    async def produces():
        for number in repeat(1, n // 10):
            await queue.put(number)

    async def consumes():
        for _ in repeat(None, n // 10):
            await queue.get()
            queue.task_done()

    await asyncio.gather(all_of(produces, 10), all_of(consumes, 10))
