import asyncio


async def fail():
    await asyncio.sleep(0)
    raise ValueError("from a coroutine")


async def left_behind():
    try:
        await asyncio.Event().wait()
    finally:
        print("cancelled at the end")


task = asyncio.create_task(left_behind())
await asyncio.sleep(0)
await fail()
