import asyncio
import atexit

atexit.register(print, "atexit")


async def background():
    try:
        await asyncio.Event().wait()
    finally:
        print("task stopped")


async def main():
    task = asyncio.create_task(background())
    await asyncio.sleep(0)
    try:
        print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        print("finally", task.done())


asyncio.run(main())
