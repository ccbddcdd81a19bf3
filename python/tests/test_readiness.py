"""patterns.Readiness: parts that become ready or fail, and who waits for all of them."""

import asyncio
import threading

import pytest

from asyncferry import testing
from asyncferry.patterns import NotReady, NotReadyInTime, PartState, Readiness
from conftest import PATIENCE

SEEDS = 50


def on_every_order(main):
    testing.run_seeds(main, seeds=SEEDS)


def test_all_who_wait_go_on_when_the_last_part_is_ready():
    async def main():
        readiness = Readiness("a", "b")
        waiting = [asyncio.create_task(readiness.wait(10)) for _ in range(3)]
        readiness.set_ready("a")
        await asyncio.sleep(1)
        assert not any(each.done() for each in waiting) and not readiness.is_ready
        readiness.set_ready("b")
        await asyncio.gather(*waiting)
        assert readiness.is_ready
        assert readiness.states() == {"a": PartState.READY, "b": PartState.READY}
        # Who comes later doesn't wait.
        await readiness.wait(0)
        await readiness.wait(None)

    on_every_order(main)


@pytest.mark.parametrize("timeout", [0, 5])
def test_those_that_are_not_ready_in_time_are_named(timeout):
    async def main():
        readiness = Readiness("a", "b", "c")
        readiness.set_ready("b")
        with pytest.raises(NotReadyInTime, match=f"^not ready within {timeout} s: a, c$") as caught:
            await readiness.wait(timeout)
        assert isinstance(caught.value, TimeoutError)
        assert (caught.value.failed, caught.value.waiting) == ({}, ("a", "c"))
        assert asyncio.get_running_loop().time() == timeout
        assert asyncio.current_task().cancelling() == 0

    on_every_order(main)


def test_a_part_that_is_ready_at_the_deadline_is_ready_or_named():
    seen = set()

    async def main(turns):
        readiness = Readiness("a")

        async def start():
            await asyncio.sleep(5)
            for _ in range(turns):
                await asyncio.sleep(0)
            readiness.set_ready("a")

        ended, _ = await asyncio.gather(readiness.wait(5), start(), return_exceptions=True)
        seen.add(ended and ended.waiting)

    for turns in range(6):
        on_every_order(lambda: main(turns))
    assert seen == {None, ("a",)}


def test_a_failure_ends_the_waiting():
    async def main():
        readiness = Readiness("a", "b", "c")
        waiting = asyncio.create_task(readiness.wait(60))
        error = OSError("refused")
        await asyncio.sleep(1)
        readiness.set_failed("b", error)
        with pytest.raises(NotReady, match=r"^not ready: b \(failed: refused\), a, c$") as caught:
            await waiting
        assert not isinstance(caught.value, TimeoutError)
        assert caught.value.__cause__ is error
        assert (caught.value.failed, caught.value.waiting) == ({"b": error}, ("a", "c"))
        assert asyncio.get_running_loop().time() == 1
        with pytest.raises(NotReady):
            await readiness.wait(0)

    on_every_order(main)


def test_a_part_that_failed_may_become_ready():
    async def main():
        readiness = Readiness("a")
        readiness.set_failed("a")
        with pytest.raises(NotReady, match=r"a \(failed\)"):
            await readiness.wait(1)
        readiness.set_waiting("a")
        waiting = asyncio.create_task(readiness.wait(10))
        await asyncio.sleep(1)
        assert not waiting.done()
        readiness.set_ready("a")
        await waiting

    on_every_order(main)


def test_a_part_that_is_ready_no_more_is_waited_for():
    async def main():
        readiness = Readiness("a")
        readiness.set_ready("a")
        readiness.set_waiting("a")
        with pytest.raises(NotReadyInTime):
            await readiness.wait(1)

    on_every_order(main)


def test_starting_says_how_it_ended():
    async def main():
        readiness = Readiness("good", "bad", "cancelled")

        async def start(part, outcome):
            with readiness.starting(part):
                await asyncio.sleep(1)
                if outcome:
                    raise outcome

        outcomes = await asyncio.gather(
            start("good", None),
            start("bad", OSError("refused")),
            start("cancelled", asyncio.CancelledError()),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [type(None), OSError, asyncio.CancelledError]
        assert list(readiness.states().values()) == [PartState.READY, PartState.FAILED, PartState.WAITING]

    on_every_order(main)


def test_a_waiter_that_is_cancelled_takes_nothing_with_it():
    async def main():
        readiness = Readiness("a")
        first, second = (asyncio.create_task(readiness.wait(10)) for _ in range(2))

        async def at_once(function):
            await asyncio.sleep(1)
            function()

        ready = at_once(lambda: readiness.set_ready("a"))
        await asyncio.gather(ready, at_once(first.cancel), first, return_exceptions=True)
        assert await second is None

    on_every_order(main)


def test_parts_become_ready_on_other_threads(run):
    async def main():
        parts = [f"part {number}" for number in range(20)]
        readiness = Readiness(*parts)
        threads = [threading.Thread(target=readiness.set_ready, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        await readiness.wait(PATIENCE)
        for thread in threads:
            thread.join(PATIENCE)

    run(main)


def test_bad_input():
    with pytest.raises(ValueError, match="name at least one part"):
        Readiness()
    with pytest.raises(TypeError, match="a part is named by a string, not 1"):
        Readiness(1)
    with pytest.raises(ValueError, match="a part is named twice: a, b, a"):
        Readiness("a", "b", "a")
    with pytest.raises(ValueError, match="there is no part 'c': the parts are a, b"):
        Readiness("a", "b").set_ready("c")
