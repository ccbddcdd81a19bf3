"""A time limit for any program: whoever is first wins, and the other is cancelled, with its cleaning up.

    ferry run examples/effects/with_timeout.py
"""

import asyncio

from asyncferry.effects import (
    Await,
    Cancel,
    Race,
    Spawn,
    TaskCancelledError,
    Tell,
    Try,
    Wait,
    async_run,
    do,
    writer,
    writer_log,
)
from local_http import Session, server


@do
def with_timeout(program, seconds):
    task = yield Spawn(program)
    timer = yield Spawn(Await(asyncio.sleep(seconds)))
    try:
        yield Race(task, timer)
        if task.done():
            return (yield Wait(task))
        raise TimeoutError(f"it took longer than {seconds} seconds")
    finally:
        yield stop(task)
        yield stop(timer)


@do
def stop(task):
    """Cancels a task that has not ended, and waits until it has cleaned up."""
    if not task.done():
        yield Cancel(task)
        try:
            yield Wait(task)
        except TaskCancelledError:
            pass


@do
def fetch(url):
    session = Session()
    try:
        response = yield Await(session.get(url))
        return (yield Await(response.json()))
    finally:
        yield Await(session.close())
        yield Tell(f"closed the session of {url.rpartition('/')[2]}")


@do
def main(address):
    quick = yield Try(with_timeout(fetch(f"{address}/greeting"), 30))
    slow = yield Try(with_timeout(fetch(f"{address}/slow"), 0.05))
    return quick, slow, (yield writer_log())


if __name__ == "__main__":
    with server() as address:
        quick, slow, log = asyncio.run(async_run(writer(main(address))))
    print(quick)
    print(slow)
    print(*log, sep="\n")
