"""Nothing recurses: programs, handlers and continuations of any depth are run, unwound and dropped."""

import asyncio
import dataclasses

import pytest

from asyncferry.effects import (
    Await,
    Gather,
    Get,
    Listen,
    Local,
    Pass,
    Perform,
    Pure,
    Resume,
    Spawn,
    Try,
    UnhandledEffect,
    Wait,
    async_run,
    do,
    handler,
    run,
    state,
)

DEEP = 1_000_000
HANDLERS = 100_000


@dataclasses.dataclass(frozen=True)
class Ping:
    number: int = 0


@do
def down(depth):
    if depth == 0:
        return 0
    return (yield down(depth - 1)) + 1


@do
def down_to_error(depth):
    if depth == 0:
        raise KeyError("bottom")
    yield down_to_error(depth - 1)


def test_a_program_a_million_calls_deep():
    assert run(down(DEEP)) == DEEP


def test_an_error_through_a_hundred_thousand_calls():
    with pytest.raises(KeyError, match="bottom") as raised:
        run(down_to_error(100_000))
    assert "(the line above, 100000 times)" in raised.value.__notes__[0]


def test_a_cancelled_task_a_hundred_thousand_calls_deep():
    @do
    def waiting(depth):
        if depth == 0:
            yield Await(asyncio.Event().wait())
        yield waiting(depth - 1)

    async def main():
        task = asyncio.create_task(async_run(waiting(100_000)))
        for _ in range(1000):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_million_of_maps_and_flat_maps():
    mapped, chained = Pure(0), Pure(0)
    for _ in range(DEEP // 2):
        mapped = mapped.map(lambda value: value + 1)
        chained = chained.flat_map(lambda value: Pure(value + 1))
    assert run(mapped) == run(chained) == DEEP // 2
    right = Pure(0)
    for _ in range(100_000):
        right = Pure(1).flat_map(lambda value, inner=right: inner)
    assert run(right) == 0


def test_tries_and_scopes_in_each_other():
    tries = Pure(0)
    for _ in range(HANDLERS):
        tries = Try(tries)
    result = run(tries)
    assert result.is_ok()
    # Dropped from the outside, all at once.
    del tries, result
    # Each effect is shown to all that are around it, so these take time by the square of how many they are.
    locals_, listens = Pure(0), Pure(0)
    for _ in range(10_000):
        locals_, listens = Local({"k": 1}, locals_), Listen(listens)
    assert run(locals_) == 0
    result = run(listens)
    for _ in range(10_000):
        result, told = result
        assert told == []
    assert result == 0


@handler
def other(effect: Get, k):
    raise AssertionError


@handler
def passing(effect: Ping, k):
    yield Pass(effect, k)


@handler
def asking_outside(effect: Ping, k):
    answer = yield effect
    return (yield Resume(k, answer))


@handler
def answering(effect: Ping, k):
    result = yield Resume(k, effect.number + 1)
    return result


@pytest.mark.parametrize("inside", [other, passing, asking_outside])
def test_a_hundred_thousand_nested_handlers(inside):
    program = Perform(Ping(1))
    for _ in range(HANDLERS):
        program = inside(program)
    assert run(answering(program)) == 2
    with pytest.raises(UnhandledEffect):
        run(program)
    # What nobody goes on with is dropped, continuations in continuations.
    assert run(handler(lambda effect, k: "stopped")(program)) == "stopped"


def test_tasks_that_are_spawned_in_a_hundred_thousand_handlers():
    @do
    def spawning():
        tasks = []
        for _ in range(100):
            tasks.append((yield Spawn(Get("k"))))
        return (yield Gather(*tasks))

    program = spawning()
    for _ in range(HANDLERS):
        program = passing(program)
    assert run(state({"k": 1})(program)) == [1] * 100


def test_a_chain_of_tasks_that_wait_for_each_other():
    @do
    def link(depth):
        if depth == 0:
            return 0
        return (yield Wait((yield Spawn(link(depth - 1))))) + 1

    assert run(link(100_000)) == 100_000


def test_a_hundred_thousand_children_each_in_a_sleep(capsys, program):
    """Prints the memory that they took, in a process that has done nothing else."""
    printed = program(
        """
        import asyncio
        from asyncferry import testing
        from asyncferry.effects import *

        CHILDREN = 100_000

        @do
        def child(number):
            yield Await(asyncio.sleep(60))
            return number

        def peak():
            # Not getrusage(): that of a process that was forked begins with its parent's.
            with open("/proc/self/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

        @do
        def program():
            before = peak()
            tasks = []
            for number in range(CHILDREN):
                tasks.append((yield Spawn(child(number))))
            values = yield Gather(*tasks)
            assert sum(values) == CHILDREN * (CHILDREN - 1) // 2
            return peak() - before

        # Time is virtual: all of them sleep at once, however long it takes to begin.
        print(testing.run(async_run(program())) // 1024)
        """
    )
    with capsys.disabled():
        print(f"\n100,000 children, each in an asyncio.sleep: {printed.strip()} MiB at the peak")
