"""What goes along with a call and comes back with its end: context variables, exceptions, tracebacks."""

import asyncio
import contextvars
import decimal
import threading
import traceback

import pytest
from conftest import PATIENCE

import asyncferry as ferry

name = contextvars.ContextVar("name", default="unset")


async def look():
    await asyncio.sleep(0)
    return name.get()


def raise_it(error):
    raise error


async def raise_it_async(error):
    await asyncio.sleep(0)
    raise error


def frames(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


# Context variables.


def test_the_callee_sees_the_callers(run):
    async def main():
        name.set("caller")
        on_thread, on_loop, mapped = ferry.submit(name.get), ferry.submit(look), ferry.map(lambda _: name.get(), [1])
        chained = ferry.submit(str).then(lambda _: name.get())
        name.set("later")
        assert [await job for job in (on_thread, on_loop, mapped, chained)] == ["caller", "caller", ["caller"], "caller"]

    run(main)
    token = name.set("no loop")
    try:
        assert ferry.submit(name.get).result(PATIENCE) == ferry.submit(look).result(PATIENCE) == "no loop"
    finally:
        name.reset(token)


def test_what_the_callee_sets_stays_with_it(run):
    def set_it():
        name.set("thread")
        return name.get()

    async def set_it_async():
        name.set("coroutine")
        await asyncio.sleep(0)
        return name.get()

    async def main():
        name.set("caller")
        assert await ferry.submit(set_it) == "thread"
        assert await ferry.submit(set_it_async) == "coroutine"
        assert name.get() == "caller"
        # The next call on the same thread sees nothing of the one before.
        assert await ferry.submit(name.get) == "caller"

    run(main)


def test_the_caller_keeps_its_own_across_an_await(run):
    async def task(mine):
        name.set(mine)
        await ferry.submit(look)
        await ferry.submit(str)
        await ferry.sleep(0.001)
        assert name.get() == mine

    async def main():
        await asyncio.gather(*[task(str(number)) for number in range(20)])

    run(main)


def test_it_goes_through_all_layers(run):
    async def layer(depth):
        if depth == 0:
            return await ferry.submit(name.get)
        return await ferry.submit(layer, depth - 1)

    async def main():
        name.set("top")
        assert await ferry.submit(layer, 10) == "top"

    run(main)


def test_decimals_context_goes_along(run):
    async def main():
        with decimal.localcontext() as context:
            context.prec = 5
            assert await ferry.submit(lambda: decimal.Decimal(1) / 3) == decimal.Decimal("0.33333")

    run(main)


def test_a_disguised_coroutine_sees_the_callers(run):
    async def main():
        name.set("caller")
        assert await ferry.submit(lambda: look()) == "caller"

    run(main)


# Exceptions.


@pytest.mark.parametrize("raising", [raise_it, raise_it_async])
def test_an_exception_is_the_same_object_with_its_traceback(run, raising):
    async def main():
        error = ValueError("mine")
        job = ferry.submit(raising, error)
        lengths = set()
        for _ in range(3):
            with pytest.raises(ValueError) as caught:
                await job
            assert caught.value is error and raising.__name__ in frames(error)
            lengths.add(len(frames(error)))
        assert len(lengths) == 1, "tracebacks pile up"
        with pytest.raises(ValueError) as caught:
            job.result()
        assert caught.value is error and raising.__name__ in frames(error)
        assert job.exception() is error

    run(main)


def test_causes_notes_and_attributes_stay(run):
    class Own(Exception):
        def __init__(self, code):
            super().__init__(code)
            self.code = code

    def work():
        try:
            1 / 0
        except ZeroDivisionError as cause:
            error = Own(7)
            error.add_note("a note")
            raise error from cause

    async def main():
        with pytest.raises(Own) as caught:
            await ferry.submit(work)
        error = caught.value
        assert error.code == 7 and error.__notes__ == ["a note"]
        assert isinstance(error.__cause__, ZeroDivisionError) and frames(error.__cause__) == ["work"]

    run(main)


def test_groups_of_exceptions_come_whole(run):
    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(raise_it_async(ValueError(1)))
            group.create_task(raise_it_async(KeyError(2)))

    async def main():
        with pytest.raises(ExceptionGroup) as caught:
            await ferry.submit(work)
        assert {type(error) for error in caught.value.exceptions} == {ValueError, KeyError}
        try:
            await ferry.submit(work)
        except* KeyError as group:
            assert len(group.exceptions) == 1
        except* ValueError:
            pass

    run(main)


def test_frames_of_all_layers_are_in_the_traceback(run):
    async def inner():
        await ferry.submit(raise_it, ValueError())

    async def outer():
        await ferry.submit(inner)

    async def main():
        with pytest.raises(ValueError) as caught:
            await ferry.gather(ferry.submit(outer))
        names = frames(caught.value)
        assert [each for each in names if each in ("main", "outer", "inner", "raise_it")][-3:] == [
            "outer",
            "inner",
            "raise_it",
        ]
        assert names[-1] == "raise_it"

    run(main)


def test_errors_of_rust_are_those_of_python(run, tmp_path):
    async def main():
        missing = tmp_path / "missing"
        with pytest.raises(FileNotFoundError) as caught:
            await ferry.digest_file(missing)
        with pytest.raises(FileNotFoundError) as expected:
            open(missing)
        assert (caught.value.errno, caught.value.filename) == (expected.value.errno, expected.value.filename)
        assert str(caught.value) == str(expected.value)
        assert "main" in frames(caught.value)

    run(main)


def test_the_classes_of_errors():
    assert issubclass(ferry.FerryError, RuntimeError) and issubclass(ferry.PanicError, ferry.FerryError)
    assert ferry.FerryError.__module__ == ferry.PanicError.__module__ == "asyncferry"


def test_an_exception_of_many_jobs_is_raised_by_each(run):
    async def main():
        error = ValueError("shared")
        jobs = [ferry.submit(raise_it, error) for _ in range(20)]
        assert await ferry.gather(*jobs, return_exceptions=True) == [error] * 20

    run(main)


def test_an_exception_waited_for_by_threads_and_loops_at_once(run):
    async def main():
        go_on, error = threading.Event(), ValueError("shared")

        def work():
            go_on.wait(PATIENCE)
            raise error

        job = ferry.submit(work)
        elsewhere = [asyncio.to_thread(job.exception, PATIENCE) for _ in range(3)]
        waiting = asyncio.gather(*elsewhere, job, return_exceptions=True)
        await asyncio.sleep(0)
        go_on.set()
        assert await waiting == [error] * 4

    run(main)
