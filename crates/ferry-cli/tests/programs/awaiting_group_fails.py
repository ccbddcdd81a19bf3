import asyncio


async def fail(text):
    raise ValueError(text)


async with asyncio.TaskGroup() as group:
    group.create_task(fail("first"))
    group.create_task(fail("second"))
