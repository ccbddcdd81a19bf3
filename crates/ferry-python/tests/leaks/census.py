"""Counts what there is in the process before and after jobs; see `main.rs`."""

import gc
import itertools
import os
import sys
import threading
import time

import rust_side

OUTCOMES = "done", "failed", "cancelled", "dropped"

# So many jobs are in flight at a time.
BATCH = 500
WARM_UP = BATCH

# How far a count may rise in any number of jobs: names that are looked up for the first time, the buffers of queues.
# Blocks of Python that its collector doesn't know were seen to rise by up to 550 in the first thousands of jobs, and
# by no more in five times as many; so the bound is half a block for each job of the kinds with the fewest, and less
# for what is made of ten each, of which there are fewer: three quarters of a block.
SLACK = {"objects": 10, "blocks": 1000, "rust": 20, "futures": 0, "tasks": 0, "descriptors": 0}

# The same, as long as the collector has not run, which empties the free lists of Python's types.
SLACK_OF_FREE_LISTS = SLACK | {"blocks": 1500}

# How long, in seconds, a count that is too high is taken again.
PATIENCE = 2


def counts():
    return {
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "rust": rust_side.blocks(),
        "futures": probe.living(),
        "tasks": rust_side.tasks(),
        "descriptors": len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0,
    }


def growth(before, after):
    return {what: after[what] - before[what] for what in before}


def is_flat(grown, made, collect):
    slack = SLACK if collect else SLACK_OF_FREE_LISTS
    slack = slack | {"blocks": min(slack["blocks"], made * 3 // 4)}
    return all(grown[what] <= slack[what] for what in slack)


async def settled(before, made, collect):
    """By how much the counts grew, once they are in bounds or all patience is over."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if collect:
            gc.collect()
        grown = growth(before, counts())
        if is_flat(grown, made, collect) or time.monotonic() > deadline:
            return grown
        await asyncio.sleep(0)


def threads():
    """The names of Ferry's threads."""
    if not os.path.exists("/proc/self/task"):
        return []
    names = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/comm") as file:
            names.append(file.read().strip())
    return [name for name in names if name.startswith(("ferry", "asyncferry"))]


async def jobs_of(kind, outcome, number):
    for _ in range(number // BATCH):
        await kind(outcome, BATCH)


async def lowest(collect):
    """The counts, once the threads have dropped what they had: what they are still about to would hide a leak."""
    low = None
    for _ in range(5):
        await ferry.sleep(0.002)
        if collect:
            gc.collect()
        now = counts()
        low = {what: min(now[what], low[what]) for what in now} if low else now
    return low


async def least_growth(kind, outcome, number):
    """By how much Rust's blocks grow, at best, in as many jobs again. Each thread keeps the memory of some promises for
    its next ones: that comes and goes. What leaks grows each time."""
    growths = []
    while len(growths) < 4 and min(growths, default=SLACK["rust"] + 1) > SLACK["rust"]:
        before = await lowest(collect=True)
        await jobs_of(kind, outcome, number)
        growths.append((await lowest(collect=True))["rust"] - before["rust"])
    return min(growths)


async def measured(kind, outcome, number):
    made = number // 10 if kind in OF_TEN else number
    # The warm-up, before each of the two counts. A full collection empties the free lists of Python's types, so what
    # is counted without one is compared with what was.
    await jobs_of(kind, outcome, WARM_UP)
    before_collected = await lowest(collect=True)
    gc.disable()
    try:
        await jobs_of(kind, outcome, WARM_UP)
        before = await lowest(collect=False)
        began = time.perf_counter()
        await jobs_of(kind, outcome, number)
        took = time.perf_counter() - began
        counted = await settled(before, made, collect=False)
    finally:
        gc.enable()
    collected = await settled(before_collected, made, collect=True)
    if max(counted["rust"], collected["rust"]) > SLACK["rust"]:
        counted["rust"] = collected["rust"] = await least_growth(kind, outcome, number)
    if "FERRY_SHOW_COUNTS" in os.environ:
        print(f"{kind.__name__} {outcome}: {number} in {took:.2f} s, grown by {counted}, collected {collected}")
    assert is_flat(collected, made, collect=True), f"{kind.__name__}, {outcome}: grown by {collected}"
    assert is_flat(counted, made, collect=False), f"{kind.__name__}, {outcome}: only the collector frees {counted}"


def run(kind, number):
    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        # All threads that run functions, as each has some objects of Python.
        meeting = threading.Barrier(min(os.cpu_count() + 4, 32))
        await ferry.gather(*[ferry.submit(meeting.wait) for _ in range(meeting.parties)])
        for outcome in OUTCOMES:
            await measured(kind, outcome, number)

    asyncio.run(main())
    cores = os.cpu_count()
    most = cores + 2 * min(cores + 4, 32) + 1
    assert len(threads()) <= most, threads()
