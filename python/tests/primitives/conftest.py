"""What the tests of the primitives share. Each says which part of CPython's documentation it's from, and runs on asyncio's
own class as well, which proves that it asks for the right thing."""

import asyncio
import re

import pytest

import asyncferry as ferry
from asyncferry import testing


@pytest.fixture(params=[asyncio, ferry], ids=["asyncio", "ferry"])
def m(request):
    """The module whose primitives are used."""
    return request.param


@pytest.fixture
def virtual():
    """Runs a coroutine function on the virtual clock, in order and under some seeds."""

    def run(main):
        testing.run_seeds(main, seeds=5)

    return run


@pytest.fixture
def described():
    """A primitive's representation without its class and address: '[unset, waiters:1]'."""

    def describe(primitive):
        found = re.fullmatch(r"<(asyncferry|asyncio\.locks)\.\w+ object at 0x[0-9a-f]+ (\[.*\])>", repr(primitive))
        assert found, repr(primitive)
        return found[2]

    return describe


@pytest.fixture
def cancelled():
    """Cancels a task and says what its CancelledError had to say."""

    async def cancel(task, message="why"):
        task.cancel(message)
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        return raised.value.args

    return cancel


@pytest.fixture
def turns():
    """Lets everything that is ready run."""

    async def run(number=10):
        for _ in range(number):
            await asyncio.sleep(0)

    return run
