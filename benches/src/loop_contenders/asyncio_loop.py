"""The loop's measurements on asyncio: prints one JSON object, name to nanoseconds an operation."""

import asyncio
import json
import statistics
import sys
import time

OPS = 5_000
ROUNDS = 5


async def number(i):
    return i


async def spawn_await():
    start = time.process_time_ns()
    for i in range(OPS):
        await asyncio.create_task(number(i))
    return (time.process_time_ns() - start) / OPS


async def spawn_join_10k():
    start = time.process_time_ns()
    tasks = [asyncio.create_task(number(i)) for i in range(10_000)]
    for task in tasks:
        await task
    return (time.process_time_ns() - start) / 10_000


async def yields(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def yield_one():
    start = time.process_time_ns()
    await yields(OPS)
    return (time.process_time_ns() - start) / OPS


async def yield_1000():
    start = time.process_time_ns()
    tasks = [asyncio.create_task(yields(20)) for _ in range(1000)]
    for task in tasks:
        await task
    return (time.process_time_ns() - start) / 20_000


async def request_reply():
    loop = asyncio.get_running_loop()

    async def reply(future, i):
        future.set_result(i)

    start = time.process_time_ns()
    for i in range(OPS):
        future = loop.create_future()
        task = asyncio.create_task(reply(future, i))
        await future
        del task
    return (time.process_time_ns() - start) / OPS


async def sleep_overshoot_1ms():
    overshoots = []
    for _ in range(200):
        start = time.perf_counter_ns()
        await asyncio.sleep(0.001)
        overshoots.append(time.perf_counter_ns() - start - 1_000_000)
    return statistics.median(overshoots)


async def timeout_ready():
    start = time.process_time_ns()
    for i in range(OPS):
        await asyncio.wait_for(number(i), 1)
    return (time.process_time_ns() - start) / OPS


async def timeout_pending():
    start = time.process_time_ns()
    for _ in range(OPS):
        await asyncio.wait_for(yields(1), 1)
    return (time.process_time_ns() - start) / OPS


def timers():
    loop = asyncio.get_running_loop()
    count = 200_000
    start = time.process_time_ns()
    handles = [loop.call_later(1 + i * 2654435761 % 60_000 / 1000, int) for i in range(count)]
    armed = time.process_time_ns()
    for handle in handles:
        handle.cancel()
    cancelled = time.process_time_ns()
    return (armed - start) / count, (cancelled - armed) / count


async def timers_arm():
    return timers()[0]


async def timers_cancel():
    return timers()[1]


known = {
    f.__name__: f
    for f in (
        spawn_await,
        spawn_join_10k,
        yield_one,
        yield_1000,
        request_reply,
        sleep_overshoot_1ms,
        timeout_ready,
        timeout_pending,
        timers_arm,
        timers_cancel,
    )
}
wanted = {name: known[name] for name in sys.argv[1:] if name in known}
print(json.dumps({n: statistics.median(asyncio.run(f()) for _ in range(ROUNDS)) for n, f in wanted.items()}))
