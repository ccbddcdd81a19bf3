"""Several fetches at once, of which two may be on their way at a time; the results are in the order asked for.

    ferry run examples/effects/parallel_fetches.py
"""

import asyncio

from asyncferry.effects import (
    AcquireSemaphore,
    Await,
    CreateSemaphore,
    Gather,
    Modify,
    ReleaseSemaphore,
    Spawn,
    async_run,
    do,
    state,
)
from local_http import Session, server


async def fetch(url):
    session = Session()
    try:
        return await (await session.get(url)).json()
    finally:
        await session.close()


@do
def fetch_politely(semaphore, url):
    yield AcquireSemaphore(semaphore)
    try:
        value = yield Await(fetch(url))
    finally:
        yield ReleaseSemaphore(semaphore)
    # Tasks share the state of their spawner.
    yield Modify("fetched", lambda count: count + 1)
    return value


@do
def parallel_fetches(urls):
    semaphore = yield CreateSemaphore(2)
    tasks = []
    for url in urls:
        tasks.append((yield Spawn(fetch_politely(semaphore, url))))
    results = yield Gather(*tasks)
    return results, (yield Modify("fetched", lambda count: count))


if __name__ == "__main__":
    with server() as address:
        names = ["Ada", "Grace", "Edsger", "Barbara"]
        program = parallel_fetches([f"{address}/greeting?name={name}" for name in names])
        results, fetched = asyncio.run(async_run(state({"fetched": 0})(program)))
    for result in results:
        print(result["hello"])
    print(fetched, "pages fetched")
