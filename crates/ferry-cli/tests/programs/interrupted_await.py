import asyncio


async def background():
    try:
        await asyncio.Event().wait()
    finally:
        print("task stopped", flush=True)


task = asyncio.create_task(background())
await asyncio.sleep(0)
try:
    asyncio.get_running_loop().call_soon(lambda: print("ready", flush=True))
    await asyncio.Event().wait()
finally:
    print("finally", flush=True)
