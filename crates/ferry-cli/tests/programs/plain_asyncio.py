"""An asyncio program as people write them: tasks, a queue, a semaphore, timeouts, a group, cancelling."""
import asyncio


async def square(number, limit):
    async with limit:
        await asyncio.sleep(0.001 * (5 - number))
        return number * number


async def produce(queue):
    for item in range(3):
        await queue.put(item)
    await queue.put(None)


async def consume(queue):
    while (item := await queue.get()) is not None:
        print("item", item)


async def numbers():
    for number in range(3):
        yield number
        await asyncio.sleep(0)


async def forever(name):
    try:
        await asyncio.Event().wait()
    finally:
        print(name, "stopped")


async def main():
    limit = asyncio.Semaphore(2)
    print(await asyncio.gather(*(square(number, limit) for number in range(4))))
    queue = asyncio.Queue(1)
    await asyncio.gather(produce(queue), consume(queue))
    print([number async for number in numbers()])
    try:
        async with asyncio.timeout(0.001):
            await forever("timed")
    except TimeoutError:
        print("timeout")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(forever("grouped"))
            await asyncio.sleep(0)
            raise ValueError("stop the group")
    except* ValueError as errors:
        print(errors.exceptions)
    print(await asyncio.to_thread(sum, [1, 2, 3]))
    return "done"


print(asyncio.run(main()))
print(asyncio.run(main()))
