"""Health checks of many agents, a few at a time: ferry.map() with a limit.

    python examples/patterns/parallel_checks.py

Where the calls don't come from one list, a ferry.Semaphore around each of them does the same.
"""

import asyncio

import asyncferry as ferry

AGENTS = [f"agent-{number}" for number in range(1, 9)]

at_once = most_at_once = 0


async def check(agent):
    global at_once, most_at_once
    at_once += 1
    most_at_once = max(most_at_once, at_once)
    try:
        await asyncio.sleep(0.05)
        if agent == "agent-5":
            raise ConnectionError("connection refused")
        return "healthy"
    finally:
        at_once -= 1


async def main():
    # The results come in the order of the agents; a check that fails is one of them.
    results = await ferry.map(check, AGENTS, limit=3, return_exceptions=True)
    for agent, result in zip(AGENTS, results, strict=True):
        print(f"{agent}: {result}")
    print(f"at most {most_at_once} checks ran at once")


asyncio.run(main())
