"""What an error says of where it comes from."""

import asyncio
import traceback

import pytest

from asyncferry.effects import Await, Gather, Pure, Spawn, Try, Wait, async_run, do, handler, run


@do
def inner():
    yield Pure(None)
    raise KeyError("bad")


@do
def middle():
    yield inner()


@do
def outer():
    yield middle()


def lines_of(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def line(function, text):
    """The number of the line of `function` that has `text`."""
    import inspect

    lines, first = inspect.getsourcelines(function.__wrapped__)
    return next(first + place for place, source in enumerate(lines) if text in source)


def test_the_traceback_has_the_chain_of_calls():
    with pytest.raises(KeyError) as raised:
        run(outer())
    error = raised.value
    assert lines_of(error)[-3:] == ["outer", "middle", "inner"]
    [note] = error.__notes__
    assert note.splitlines() == [
        "Raised in the program 'outer'",
        f"  outer, {__file__}:{line(outer, 'yield middle')}",
        f"  middle, {__file__}:{line(middle, 'yield inner')}",
        f"  inner, {__file__}:{line(inner, 'raise')}",
    ]
    assert "Raised in the program 'outer'" in "".join(traceback.format_exception(error))


@do
def spawning():
    task = yield Spawn(middle(), name="worker")
    yield Wait(task)


@do
def main():
    yield spawning()


def test_notes_say_where_tasks_were_spawned():
    with pytest.raises(KeyError) as raised:
        run(main())
    task, program = raised.value.__notes__
    assert task.splitlines()[0] == (
        f"Raised in task 1 'worker', which was spawned in {__file__}, line {line(spawning, 'Spawn')}, in spawning"
    )
    assert [text.split(",")[0].strip() for text in task.splitlines()[1:]] == ["middle", "inner"]
    assert program.splitlines()[0] == "Raised in the program 'main'"
    assert [text.split(",")[0].strip() for text in program.splitlines()[1:]] == ["main", "spawning", "middle", "inner"]


@do
def down(depth):
    if depth == 0:
        raise KeyError("bottom")
    yield down(depth - 1)


@do
def even(depth):
    if depth == 0:
        raise KeyError("bottom")
    yield odd(depth - 1)


@do
def odd(depth):
    yield even(depth - 1)


def test_repeated_frames_are_folded():
    error = run(Try(down(1000))).error
    assert not getattr(error, "__notes__", []), "who catches it needs no note"
    with pytest.raises(KeyError) as raised:
        run(down(1000))
    assert [text.split("/")[-1] for text in raised.value.__notes__[0].splitlines()[1:]] == [
        f"test_tracebacks.py:{line(down, 'yield')}",
        "    (the line above, 1000 times)",
        f"test_tracebacks.py:{line(down, 'raise')}",
    ]
    with pytest.raises(KeyError) as raised:
        run(even(1000))
    assert "    (the 2 lines above, 500 times)" in raised.value.__notes__[0].splitlines()


def test_coroutines_are_in_the_traceback():
    async def coroutine():
        await asyncio.sleep(0)
        raise KeyError("bad")

    @do
    def program():
        yield Await(coroutine())

    with pytest.raises(KeyError) as raised:
        asyncio.run(async_run(program()))
    assert [name for name in lines_of(raised.value) if name in ("program", "coroutine")] == ["program", "coroutine"]


def test_an_error_that_is_raised_again_and_again_does_not_grow_without_end():
    error = KeyError("same")

    @do
    def failing():
        yield Pure(None)
        raise error

    @do
    def program():
        for _ in range(200):
            task = yield Spawn(failing(), name="same")
            yield Try(Wait(task))

    run(program())
    assert len(error.__notes__) <= 64


def test_handlers_are_in_the_traceback():
    @handler
    def failing(effect: Gather, k):
        yield Pure(None)
        raise ValueError("in the handler")

    with pytest.raises(ValueError) as raised:
        run(failing(Gather()))
    assert lines_of(raised.value)[-1] == "failing"
