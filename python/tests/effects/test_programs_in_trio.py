"""Programs in a trio run, and under anyio."""

import asyncio

import anyio
import pytest
import trio
from conftest import PATIENCE

import asyncferry as ferry
from asyncferry.effects import Await, Gather, Get, Pure, Spawn, TaskCancelledError, Wait, async_run, do, state


def run(main):
    async def bounded():
        with trio.fail_after(PATIENCE):
            return await main()

    return trio.run(bounded, strict_exception_groups=True)


async def give(value):
    await trio.lowlevel.checkpoint()
    return value


@do
def program():
    tasks = []
    for number in range(3):
        tasks.append((yield Spawn(Await(give(number)))))
    return (yield Gather(*tasks)), (yield Await(ferry.submit(lambda: "job"))), (yield Get("k"))


def test_programs_await_what_trio_awaits():
    async def main():
        assert await async_run(state({"k": 1})(program())) == ([0, 1, 2], "job", 1)

    run(main)


def test_a_program_is_cancelled_with_its_scope():
    log = []

    @do
    def program():
        try:
            yield Await(trio.sleep_forever())
        except TaskCancelledError:
            log.append((yield Await(give("cleaned up"))))
            raise

    async def main():
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(async_run, program())
                for _ in range(5):
                    await trio.lowlevel.checkpoint()
                scope.cancel()
        assert scope.cancelled_caught

    run(main)
    assert log == ["cleaned up"]


def test_errors_come_through():
    async def fail():
        await trio.lowlevel.checkpoint()
        raise KeyError("bad")

    async def main():
        with pytest.raises(KeyError):
            await async_run(Await(fail()))

    run(main)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_under_anyio(backend):
    async def sleeper(value):
        with anyio.move_on_after(PATIENCE):
            await anyio.sleep(0)
            return value

    @do
    def program():
        task = yield Spawn(Await(sleeper(1)))
        return (yield Wait(task)), (yield Await(sleeper(2))), (yield Pure(3))

    assert anyio.run(async_run, program(), backend=backend) == (1, 2, 3)


def test_a_trio_run_beside_an_asyncio_loop(in_thread):
    async def of_asyncio():
        return await async_run(Await(asyncio.sleep(0, "asyncio")))

    assert in_thread(asyncio.run, of_asyncio()) == "asyncio"
    assert run(lambda: async_run(Await(give("trio")))) == "trio"
