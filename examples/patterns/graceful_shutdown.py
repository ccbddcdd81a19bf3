"""A service that stops gracefully: on Ctrl-C or a SIGTERM it takes no more work, ends what it has begun within a
deadline, and says what it had to give up.

    python examples/patterns/graceful_shutdown.py

Here the service sends itself the SIGTERM, after half a second.
"""

import asyncio
import os
import signal

import asyncferry as ferry
from asyncferry.patterns import BackgroundTasks, Shutdown, ShuttingDown

DEADLINE = 0.3


class Service:
    def __init__(self):
        self.shutdown = Shutdown()
        self.requests = ferry.Queue(maxsize=10)

    async def run(self):
        with self.shutdown.install_signal_handlers():
            async with BackgroundTasks() as background:
                # A request that arrives as the shutdown begins isn't lost: it's handled, or it's in the queue still.
                while (request := await self.shutdown.run_until(self.requests.get())) is not None:
                    background.spawn(self.handle(*request), name=request[0])
                print("shutting down")
                drained = await self.shutdown.drain(DEADLINE)
        print(f"finished in time: {drained.finished}, given up: {', '.join(drained.left)}")

    async def handle(self, name, seconds):
        try:
            with self.shutdown.guard(name):
                print(f"{name} begins")
                await asyncio.sleep(seconds)
                print(f"{name} is done")
        except ShuttingDown:
            print(f"{name} is refused")
        except asyncio.CancelledError:
            print(f"{name} is rolled back")
            raise


async def main():
    service = Service()
    for request in [("short request", 0.1), ("longer request", 0.6), ("endless request", 60)]:
        await service.requests.put(request)
    asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), signal.SIGTERM)
    await service.run()


asyncio.run(main())
