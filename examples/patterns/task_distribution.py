"""Tasks for workers: a queue with a bound holds up who makes tasks faster than the workers do them.

    python examples/patterns/task_distribution.py
"""

import asyncio

from asyncferry.patterns import WorkerPool


async def process(task):
    await asyncio.sleep(0.05)
    if task["id"] == 3:
        raise ValueError("task 3 is broken")
    return f"task {task['id']} is done"


async def main():
    async with WorkerPool(workers=2, max_queued=2) as pool:
        results = []
        for number in range(1, 9):
            # Waits while the queue is full, so there are never more than 4 tasks here, however many are to come.
            results.append(await pool.submit(process, {"id": number}))
            print(f"submitted {number}; {len(pool.running)} run, {pool.queued} wait")
        for result in results:
            try:
                print(await result)
            except ValueError as error:
                print(f"failed: {error}")
        # What doesn't end in time is given up, by name.
        await pool.submit(process, {"id": 9})
        await pool.submit(asyncio.sleep, 60)
        drained = await pool.shutdown(deadline=0.2)
        print(f"shut down: {drained.finished} finished, given up: {', '.join(drained.left)}")


asyncio.run(main())
