"""Ctrl-C again and again while a burst of jobs completes: every job's callback runs, once."""

import asyncio
import signal

import asyncferry as ferry

JOBS = 2_000
ran = []
all_ran = None


def finished(number):
    ran.append(number)
    if len(ran) == JOBS:
        all_ran.set_result(None)
    if number % 50 == 0:
        # Becomes a KeyboardInterrupt here or in whatever Python code runs next.
        signal.raise_signal(signal.SIGINT)


loop = asyncio.new_event_loop()
all_ran = loop.create_future()


async def start():
    jobs = [ferry.sleep(0.001) for _ in range(JOBS)]
    for number, job in enumerate(jobs):
        job.add_done_callback(lambda _, number=number: finished(number))
    await all_ran


starting = loop.create_task(start())
interrupts = 0
while not all_ran.done():
    try:
        loop.run_until_complete(all_ran)
    except KeyboardInterrupt:
        interrupts += 1
loop.run_until_complete(starting)
loop.close()
print(sorted(ran) == list(range(JOBS)), interrupts > 0)
