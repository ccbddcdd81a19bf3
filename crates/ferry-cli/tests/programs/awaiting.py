"""The top level awaits: values, loops, contexts, groups."""
import asyncio
import sys


async def numbers():
    for number in range(3):
        await asyncio.sleep(0)
        yield number


class Door:
    async def __aenter__(self):
        print("open")
        return self

    async def __aexit__(self, *caught):
        print("close")


print(await asyncio.sleep(0.001, "value"))
async for number in numbers():
    print("number", number)
print([number * 2 async for number in numbers()])
async with Door() as door:
    print("inside", type(door).__name__)
async with asyncio.TaskGroup() as group:
    tasks = [group.create_task(asyncio.sleep(0, index)) for index in range(2)]
print([task.result() for task in tasks])
print(asyncio.current_task().get_name(), __name__, sys.argv[1:])
kept = "a global"


def reads_global():
    return kept


print(reads_global(), __doc__)
