"""A service that serves when all that it needs is ready, and otherwise says what isn't.

    python examples/patterns/health_ready.py
"""

import asyncio

from asyncferry.patterns import NotReady, Readiness


async def connect(readiness, part, seconds, error=None):
    with readiness.starting(part):
        await asyncio.sleep(seconds)
        if error is not None:
            raise error


async def serve(name, readiness):
    try:
        await readiness.wait(timeout=0.3)
    except NotReady as error:
        print(f"{name}: {error}")
    else:
        print(f"{name}: serves")


async def start(title, **parts):
    print(title)
    readiness = Readiness(*parts)
    starting = [connect(readiness, part, *how) for part, how in parts.items()]
    # Any number of tasks may wait for the same.
    await asyncio.gather(
        serve("web", readiness), serve("metrics", readiness), *starting, return_exceptions=True
    )
    print("health:", {part: state.value for part, state in readiness.states().items()})


async def main():
    await start("all is well", database=[0.1], cache=[0.05])
    await start("the cache is slow", database=[0.1], cache=[0.4])
    await start("the database refuses", database=[0.1, OSError("no such host")], cache=[0.05])


asyncio.run(main())
