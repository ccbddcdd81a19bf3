"""Errors and requests to cancel cross between Python and beside.wren, both ways."""

import asyncio
import traceback

import asyncferry as ferry

pool = ferry.default_pool()

try:
    await pool.submit("fail", "of the script")
except ferry.FerryError as error:
    message, *calls = str(error).splitlines()
    print(message, "|", calls[0].startswith("[beside line 5] in "))


async def raises(value):
    raise ValueError(value)


pool.register("raises", raises)
print(await pool.submit("tell", "raises", "of Python"))
try:
    await pool.submit("ask", "raises", "through both")
except ValueError as error:
    frames = traceback.extract_tb(error.__traceback__)
    print(type(error).__name__, "|", error, "|", frames[-1].name)

job = pool.submit("careful")
await ferry.Event.named("begun").wait()
job.cancel()
await ferry.Event.named("cleaned up").wait()
print("cleaned up")


said = []
over = ferry.Event()


async def waits(_):
    ferry.Event.named("coroutine begun").set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError as error:
        said.append(str(error))
        over.set()
        raise


pool.register("waits", waits)
print(await pool.submit("impatient", "waits"))
await over.wait()
print("cancelled:", *said)
