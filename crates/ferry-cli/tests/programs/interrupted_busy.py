import asyncio


async def other():
    try:
        await asyncio.sleep(3600)
    finally:
        print("other stopped")


task = asyncio.create_task(other())
await asyncio.sleep(0)
try:
    print("ready", flush=True)
    while True:
        pass
finally:
    print("finally")
