"""A pool of jobs: priorities, retries, a time limit, a latent job, and a table of what happened.

    ferry jobs examples/jobs.py
    ferry run examples/jobs.py

A kitchen has two cooks. Orders of guests go before stock for tomorrow; the oven fails now and then, and an order that takes
too long is sent back. The dessert is planned: it starts by itself in time to be ready when it's due.
"""

import asyncio
import time
from collections import Counter

import asyncferry as ferry

tries = Counter()


class OvenFailed(Exception):
    pass


def cook(dish, seconds):
    """Plain code: it runs on one of Ferry's threads, and tells how far it is."""
    tries[dish] += 1
    if dish in ("pasta", "broth 2") and tries[dish] < 3:
        raise OvenFailed(f"the oven went out over the {dish}")
    for part in range(10):
        ferry.check_cancelled()
        time.sleep(seconds / 10)
        ferry.report_progress(f"{dish}: {part + 1} of 10")
    return dish


async def deliver(dish):
    """Async code: it runs on this event loop."""
    await asyncio.sleep(0.05)
    return f"{dish} at the table"


async def main():
    async with ferry.Pool(2, max_queued=50, name="kitchen") as kitchen:
        retry = ferry.Retry(4, delay=0.02, retry_on=OvenFailed)
        orders = kitchen.options(name="order", priority=5, timeout=1.0, retry=retry)
        stock = kitchen.options(name="stock", retry=retry)

        tomorrow = [stock.submit(cook, f"broth {n}", 0.1) for n in range(4)]
        served = [orders.submit(cook, dish, 0.1) for dish in ["soup", "pasta", "fish"]]
        too_slow = orders.submit(cook, "whole ox", 30)

        due = kitchen.clock_now() + 0.6
        first = kitchen.options(name="dessert", priority=10)
        dessert = first.latent("dessert", "table 4", due, cook, "flan", 0.1, estimate=0.1)
        print(f"the dessert starts in {dessert.starts_in():.1f} s, unless it's wanted sooner")

        for job in asyncio.as_completed(served):
            print(await kitchen.submit(deliver, await job))
        print(await dessert, "as planned")
        try:
            await too_slow
        except TimeoutError as error:
            print("sent back:", error)
        print("for tomorrow:", ", ".join(await asyncio.gather(*tomorrow)))

        for row in kitchen.metrics():
            print(f"{row.name:8} done {row.done}, failed {row.failed}, tried again {row.retried}")


if __name__ == "__main__":
    asyncio.run(main())
