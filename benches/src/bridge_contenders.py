"""The rounds of the bridge's measurements. The contenders' own functions are in these globals already."""

import asyncio


async def one_by_one(function, n):
    for _ in range(n):
        await function()


async def asyncio_gather(function, n):
    await asyncio.gather(*[function() for _ in range(n)])


async def ferry_gather(function, n):
    await ferry.gather(*[function() for _ in range(n)])


async def coroutine_ready():
    return 1


async def hops(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        await loop.run_in_executor(None, int)


async def child(i):
    await asyncio.sleep(0)
    return i


async def rust_awaits(function, n):
    await function([child(i) for i in range(n)])


async def tasks(n):
    for task in [asyncio.create_task(child(i)) for i in range(n)]:
        await task
