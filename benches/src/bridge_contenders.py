"""The rounds of the bridge's measurements. The contenders' own functions are in these globals already."""

import asyncio
import concurrent.futures

pool = concurrent.futures.ThreadPoolExecutor()

for name in "uvloop", "rloop":
    try:
        globals()[name] = __import__(name)
    except ImportError:
        pass


def run_on(factory, coroutine):
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(coroutine)


async def one_by_one(function, n):
    for _ in range(n):
        await function()


async def asyncio_gather(function, n):
    await asyncio.gather(*[function() for _ in range(n)])


async def ferry_gather(function, n):
    await ferry.gather(*[function() for _ in range(n)])


async def coroutine_ready():
    return 1


def nothing():
    pass


def hop():
    return asyncio.get_running_loop().run_in_executor(pool, nothing)


def to_thread():
    return asyncio.to_thread(nothing)


def task():
    return asyncio.create_task(coroutine_ready())


def submit_nothing():
    return ferry.submit(nothing)


async def hops(n):
    for _ in range(n):
        await hop()


async def submits(function, n):
    for _ in range(n):
        await ferry.submit(function)


async def tasks_of(function, n, each):
    async with asyncio.TaskGroup() as group:
        for _ in range(n):
            group.create_task(one_by_one(function, each))


async def cancels(function, n):
    async def wait():
        await function()

    for _ in range(n):
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        dropped(1)


async def child(i):
    await asyncio.sleep(0)
    return i


async def rust_awaits(function, n):
    await function([child(i) for i in range(n)])


async def tasks(n):
    for task in [asyncio.create_task(child(i)) for i in range(n)]:
        await task
