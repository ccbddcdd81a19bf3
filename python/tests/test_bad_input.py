"""What no function should be given, and what it answers: one clear error, at once, and nothing started or broken."""

import asyncio
import functools
import gc
import pathlib
import sys
import threading

import pytest
from conftest import LOOPS, PATIENCE, fail, fail_now, give

import asyncferry as ferry

NAN, INFINITY = float("nan"), float("inf")


# Wrong types.


@pytest.mark.parametrize("wrong", [None, 3, "not registered", "", b"bytes", [], object(), ValueError("x")], ids=repr)
def test_submit_takes_functions_only(run, wrong):
    async def main():
        with pytest.raises(LookupError if isinstance(wrong, str) else TypeError, match="submit|registered"):
            ferry.submit(wrong)

    run(main)
    with pytest.raises((TypeError, LookupError)):
        ferry.submit(wrong)


def test_submit_takes_no_coroutine(recwarn):
    with pytest.raises(TypeError, match=r"submit\(fetch, url\)"):
        ferry.submit(give(1))
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []


def test_submit_needs_a_function():
    with pytest.raises(TypeError):
        ferry.submit()
    with pytest.raises(TypeError):
        ferry.submit(function=int)


def test_arguments_that_do_not_fit_come_as_they_would_from_a_call(run):
    async def main():
        # An async function is called here and now.
        with pytest.raises(TypeError, match="fail"):
            ferry.submit(fail)
        with pytest.raises(TypeError, match="fail_now"):
            await ferry.submit(fail_now)

    run(main)


def said(error):
    """What an error says, with the notes that follow it."""
    return "; ".join([str(error), *getattr(error, "__notes__", [])])


WRONG_CALLS = {
    "gather a number": (lambda: ferry.gather(3), "gather() takes awaitables, but argument 1 is of type 'int'"),
    "gather a function": (lambda: ferry.gather(give), "argument 1 is of type 'function'; call it"),
    "gather a list": (lambda: ferry.gather([ferry.sleep(0)]), "argument 1 is of type 'list'"),
    "race a number": (lambda: ferry.race(3), "race() takes awaitables, but argument 1 is of type 'int'"),
    "wait for a number": (
        lambda: ferry.wait(3),
        "wait() takes a collection of what can be awaited, not an object of type 'int'",
    ),
    "wait for a job": (
        lambda: ferry.wait(ferry.sleep(0)),
        "wait() takes a collection of what can be awaited, not just one of them",
    ),
    "wait for numbers": (
        lambda: ferry.wait([3]),
        "wait() takes awaitables, but one that it was given is of type 'int'",
    ),
    "wait for a name": (
        lambda: ferry.wait("name"),
        "wait() takes awaitables, but one that it was given is of type 'str'",
    ),
    "wait for a time that is none": (
        lambda: ferry.wait([ferry.sleep(0)], timeout="1"),
        "real number, not str; while processing 'timeout'",
    ),
    "as_completed of a job": (
        lambda: ferry.as_completed(ferry.sleep(0)),
        "as_completed() takes a collection of what can be awaited, not just one of them",
    ),
    "as_completed of a number": (
        lambda: ferry.as_completed(3),
        "as_completed() takes a collection of what can be awaited, not an object of type 'int'",
    ),
    "as_completed of numbers": (
        lambda: ferry.as_completed([3]),
        "as_completed() takes awaitables, but one that it was given is of type 'int'",
    ),
    "map of no function": (lambda: ferry.map(3, []), "map() takes a function, or the name of one"),
    "map over a number": (lambda: ferry.map(int, 3), "map() takes an iterable"),
    "map with half a limit": (
        lambda: ferry.map(int, [], limit=1.5),
        "'float' object cannot be interpreted as an integer; while processing 'limit'",
    ),
    "map with no limit": (
        lambda: ferry.map(int, [], limit=None),
        "'NoneType' object cannot be interpreted as an integer; while processing 'limit'",
    ),
    "sleep a text": (lambda: ferry.sleep("1"), "real number, not str; while processing 'seconds'"),
    "sleep nothing": (lambda: ferry.sleep(None), "real number, not NoneType; while processing 'seconds'"),
    "digest a number": (lambda: ferry.digest_file(3), "expected str, bytes or os.PathLike object, not int"),
    "digest with tags that are none": (
        lambda: ferry.digest_file("x", tags=[1]),
        "'int' object is not an instance of 'str'; while processing 'tags'",
    ),
    "register no function": (
        lambda: ferry.register("tests.three", 3),
        "'tests.three' can't be registered: it's not a function",
    ),
    "register under a number": (
        lambda: ferry.register(3, int),
        "'int' object is not an instance of 'str'; while processing 'name'",
    ),
    "configure a text": (
        lambda: ferry.configure(python_threads="2"),
        "'str' object cannot be interpreted as an integer; while processing 'python_threads'",
    ),
    "then of no function": (lambda: ferry.sleep(0).then(3), "then() takes a function"),
    "catch on a number": (lambda: ferry.sleep(0).catch(print, on=5), "catch() takes a class of exceptions"),
    "catch on a number among others": (
        lambda: ferry.sleep(0).catch(print, on=(ValueError, 5)),
        "catch() takes a class of exceptions, or a tuple of such, as what it's on: not (<class 'ValueError'>, 5)",
    ),
    "tags that are one text": (
        lambda: ferry.digest_file("x", tags="ab"),
        "a list of texts is wanted, not one text: ['ab']; while processing 'tags'",
    ),
    "tags of an artifact that are one text": (
        lambda: ferry.Artifact("x", "y", "ab"),
        "a list of texts is wanted, not one text: ['ab']; while processing 'tags'",
    ),
    "catch of no function": (lambda: ferry.sleep(0).catch(None), "catch() takes a function"),
    "finally_ of no function": (lambda: ferry.sleep(0).finally_("x"), "finally_() takes a function"),
    "a timeout that is none": (lambda: ferry.sleep(0).result("1"), "real number, not str; while processing 'timeout'"),
    "an artifact of numbers": (
        lambda: ferry.Artifact(1, 2),
        "'int' object is not an instance of 'str'; while processing 'id'",
    ),
}


@pytest.mark.parametrize("call, words", WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_wrong_types_are_refused(call, words):
    async def main():
        with pytest.raises(TypeError) as caught:
            call()
        assert words in said(caught.value)

    asyncio.run(main())


WRONG_VALUES = {
    "race nobody": (lambda: ferry.race(), "race() was given nobody to race"),
    "wait for nothing": (lambda: ferry.wait([]), "wait() was given nothing to wait for"),
    "wait for NaN seconds": (lambda: ferry.wait([ferry.sleep(0)], timeout=NAN), "can't wait for NaN seconds"),
    "wait until never": (
        lambda: ferry.wait([ferry.sleep(0)], return_when="NEVER"),
        "return_when is one of 'ALL_COMPLETED', 'FIRST_COMPLETED' and 'FIRST_EXCEPTION', not 'NEVER'",
    ),
    "as_completed in NaN seconds": (
        lambda: ferry.as_completed([ferry.sleep(0)], timeout=NAN),
        "can't wait for NaN seconds",
    ),
    "sleep NaN": (lambda: ferry.sleep(NAN), "can't sleep for NaN seconds"),
    "map with limit 0": (
        lambda: ferry.map(int, [], limit=0),
        "map()'s limit must be from 1 to 18446744073709551615, not 0",
    ),
    "map with less": (lambda: ferry.map(int, [], limit=-1), "map()'s limit must be from 1 to"),
    "configure less": (lambda: ferry.configure(max_queued=-1), "max_queued must be from 1 to"),
    "configure no workers": (lambda: ferry.configure(worker_threads=0), "worker_threads must be from 1 to"),
    "configure too many": (lambda: ferry.configure(blocking_threads=2**200), "blocking_threads must be from 1 to"),
    "configure no threads": (
        lambda: ferry.configure(python_threads=0),
        "python_threads must be from 1 to 18446744073709551615, not 0",
    ),
}


@pytest.mark.parametrize("call, words", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_wrong_values_are_refused(call, words):
    async def main():
        with pytest.raises(ValueError) as caught:
            call()
        assert words in said(caught.value)

    asyncio.run(main())


@pytest.mark.parametrize("number", [-1, 2**64, 2**200])
def test_numbers_that_are_no_count(number):
    for call in (
        lambda: ferry.map(int, [], limit=number),
        lambda: ferry.configure(python_threads=number),
    ):
        with pytest.raises(ValueError, match=f"must be from 1 to .*, not {number}"):
            call()


def test_a_path_with_a_nul(run):
    async def main():
        with pytest.raises(ValueError, match="null"):
            await ferry.digest_file("a\0b")

    run(main)


# Numbers at their ends.


def test_times_at_their_ends(run):
    async def main():
        for none in 0, -1, -INFINITY, -0.0, 5e-324, False:
            assert await ferry.sleep(none) is None
        for forever in INFINITY, 1e300, 2**62, sys.maxsize:
            job = ferry.sleep(forever)
            await asyncio.sleep(0)
            assert not job.done() and job.cancel()
        with pytest.raises(OverflowError):
            ferry.sleep(10**400)

    run(main)
    done = ferry.submit(int)
    assert done.result(1e308) == 0
    with pytest.raises(ValueError, match="NaN"):
        ferry.sleep(1000).result(NAN)


def test_a_limit_at_its_end():
    assert ferry.map(str, range(20), limit=sys.maxsize).result(PATIENCE) == [str(number) for number in range(20)]
    assert ferry.map(str, range(20), limit=1).result(PATIENCE) == [str(number) for number in range(20)]


def test_groups_of_ten_thousand(run):
    async def main():
        jobs = [ferry.submit(give, number) for number in range(5_000)] + [ferry.sleep(0) for _ in range(5_000)]
        assert await ferry.gather(*jobs) == [*range(5_000), *[None] * 5_000]
        assert await ferry.wait(jobs) == (set(jobs), set())
        assert len([job async for job in ferry.as_completed(jobs)]) == 10_000
        pending = [ferry.sleep(1000) for _ in range(10_000)]
        assert await ferry.race(*pending, ferry.sleep(0)) is None
        assert all(job.cancelled() for job in pending)
        assert await ferry.map(give, range(10_000), limit=10_000) == list(range(10_000))

    run(main)


def test_so_many_calls_may_wait_and_no_more(program):
    assert program(
        """
        import threading, asyncferry as ferry
        ferry.configure(python_threads=1, max_queued=1000)
        began, go_on = threading.Event(), threading.Event()
        first = ferry.submit(lambda: (began.set(), go_on.wait()))
        began.wait()
        kept = [ferry.submit(int) for _ in range(1000)]
        try:
            ferry.submit(int)
        except RuntimeError as error:
            print(error)
        ferry.configure(max_queued=1001)
        kept.append(ferry.submit(int))
        go_on.set()
        print(sum(job.result() == 0 for job in kept))
        """
    ).splitlines() == [
        "1000 submitted functions wait for a thread already: await some before you submit more, or use map(), "
        "which has a limit",
        "1001",
    ]


def test_settings_that_are_none_are_refused():
    for name in "python_threads", "max_queued", "worker_threads", "blocking_threads":
        for wrong in 0, -1:
            with pytest.raises((ValueError, OverflowError)):
                ferry.configure(**{name: wrong})


# What functions may raise.


@pytest.mark.parametrize("failing", [fail_now, fail])
@pytest.mark.parametrize(
    "error",
    [BaseException("base"), StopAsyncIteration("async"), MemoryError(), RecursionError()],
    ids=repr,
)
def test_any_exception_comes_through(run, failing, error):
    async def main():
        job = ferry.submit(failing, error)
        with pytest.raises(type(error)) as caught:
            await job
        assert caught.value is error and job.exception() is error

    run(main)


def test_wishes_to_stop_out_of_a_thread_come_to_who_waits(run):
    async def main():
        for error in SystemExit(3), KeyboardInterrupt("thread"):
            job = ferry.submit(fail_now, error)
            await ferry.wait([job])
            assert job.exception() is error

    run(main)
    for error in SystemExit(3), KeyboardInterrupt("thread"):
        with pytest.raises(type(error)) as caught:
            ferry.submit(fail_now, error).result(PATIENCE)
        assert caught.value is error
    # The thread that raised it goes on.
    assert ferry.submit(int).result(PATIENCE) == 0


# rloop 0.5 hangs when any task raises these.
@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("loop")], ids=repr)
def test_wishes_to_stop_out_of_a_coroutine_stop_the_loop(kind, error):
    async def main():
        await ferry.submit(fail, error)

    with pytest.raises(type(error)) as caught:
        with asyncio.Runner(loop_factory=LOOPS[kind]) as runner:
            runner.get_loop().set_exception_handler(lambda *_: None)
            runner.run(main())
    assert caught.value is error


@pytest.mark.parametrize("failing", [fail_now, fail])
def test_stop_iteration_is_an_error_and_no_value(run, failing):
    async def main():
        with pytest.raises(RuntimeError) as caught:
            await ferry.submit(failing, StopIteration(3))
        assert "StopIteration" in str(caught.value) and "Rust" not in str(caught.value)
        assert isinstance(caught.value.__cause__, StopIteration)

    run(main)


# Strange objects.


class NoWeakReference:
    __slots__ = ()

    def __call__(self):
        return "called"


class NoAttributes:
    def __getattr__(self, name):
        raise ValueError(f"no {name}")

    def __call__(self):
        return "called"


class BrokenRepr:
    def __repr__(self):
        raise ValueError("no repr")

    def __call__(self, *_):
        return self


class NumberForName:
    def __init__(self):
        self.__name__ = self.__qualname__ = 3

    def __call__(self):
        return "called"


class Unhashable:
    __hash__ = None

    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value

    def __eq__(self, other):
        return self is other


def test_callables_without_weak_references_or_names(run):
    async def main():
        assert await ferry.submit(NoWeakReference()) == "called"
        assert await ferry.submit(functools.partial(functools.partial(int, "7"))) == 7
        job = ferry.submit(NumberForName())
        assert job.name == "NumberForName" and await job == "called"
        # Python itself can't say of it whether it's async.
        with pytest.raises(ValueError, match="no _"):
            ferry.submit(NoAttributes())

    run(main)


def test_a_broken_repr_breaks_only_the_repr(run):
    async def main():
        broken = BrokenRepr()
        job = ferry.submit(broken)
        assert await job is broken
        assert "BrokenRepr" in repr(job)
        with pytest.raises(TypeError):
            ferry.gather(broken)
        job.add_done_callback(broken)
        await asyncio.sleep(0)

    run(main)


def test_awaitables_that_cannot_be_hashed(run):
    # As with asyncio's.
    async def main():
        for gather in ferry.gather, asyncio.gather:
            with pytest.raises(TypeError, match="unhashable"):
                await gather(Unhashable(1), Unhashable(2))
        assert await ferry.gather(ferry.submit(give, 1)) == [1]

    run(main)


def test_awaitables_that_are_broken(run):
    class NoIterator:
        def __await__(self):
            return 3

    class Raises:
        def __await__(self):
            raise ValueError("no")

    async def main():
        with pytest.raises(TypeError):
            await ferry.gather(NoIterator())
        with pytest.raises(ValueError):
            await ferry.gather(Raises())

    run(main)


def test_the_same_coroutine_twice(run):
    async def main():
        coroutine = give(1)
        assert await ferry.gather(coroutine, coroutine) == [1, 1]
        with pytest.raises(RuntimeError, match="already awaited"):
            await ferry.gather(coroutine)

    run(main)


def test_iterables_that_fail(run):
    def items():
        yield 1
        raise ValueError("of the iterable")

    async def main():
        with pytest.raises(ValueError, match="of the iterable"):
            await ferry.map(give, items())
        for takes in ferry.wait, ferry.as_completed:
            with pytest.raises(ValueError, match="of the iterable"):
                takes(fail_later())

    def fail_later():
        yield ferry.sleep(0)
        raise ValueError("of the iterable")

    run(main)


def test_callbacks_that_are_none(run):
    async def main():
        job = ferry.submit(int)
        try:
            job.add_done_callback(None)
        except TypeError:
            return
        await job
        await asyncio.sleep(0)

    run(main)
    # asyncio takes them too, and complains when it calls them.
    assert len(run.take_reports()) <= 1


def test_a_catch_of_what_is_no_class(run):
    async def main():
        with pytest.raises(TypeError):
            await ferry.submit(fail_now, ValueError()).catch(str, on="ValueError")

    run(main)
    run.take_reports()


# Loops and threads that are not there.


def test_a_closed_loop(run):
    loop = run.new_loop()
    job = ferry.submit(int)
    assert loop.run_until_complete(asyncio.wait_for(outside(job), PATIENCE)) == 0
    loop.close()
    assert job.result(PATIENCE) == 0
    coroutine = outside(job)
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_until_complete(coroutine)
    coroutine.close()


async def outside(job):
    return await job


def test_names_are_texts_of_any_kind():
    for name in "", "ü", "a" * 10_000, "with\nlines", "{}%s":
        ferry.register(f"tests.{name}", int)
        assert ferry.submit(f"tests.{name}").result(PATIENCE) == 0
    with pytest.raises((UnicodeEncodeError, LookupError)):
        ferry.submit("\udc80")


def test_files_that_are_none(run, tmp_path):
    async def main():
        for path, error in (
            (tmp_path / "none", FileNotFoundError),
            (tmp_path, IsADirectoryError),
            ("", FileNotFoundError),
            ("x" * 10_000, OSError),
            (b"\xff\xfe", FileNotFoundError),
            (pathlib.Path("/dev/null/none"), NotADirectoryError),
        ):
            with pytest.raises(error):
                await ferry.digest_file(path)

    run(main)


def test_deep_groups_have_a_bound(run):
    async def main():
        job = ferry.sleep(1000)
        with pytest.raises(RecursionError, match="200"):
            for _ in range(10_000):
                job = ferry.gather(job)
        job.cancel()

    run(main)


def test_threads_that_all_wait_for_more_than_there_are_do_not_break_the_rest(program):
    # Each waits for one in the queue behind it, so none ends; those on the loop do.
    assert program(
        """
        import asyncio, threading, asyncferry as ferry
        ferry.configure(python_threads=2)
        def work():
            try:
                return ferry.submit(int).result(0.01)
            except TimeoutError:
                return "none was free"
        async def main():
            meeting = threading.Barrier(2)
            jobs = [ferry.submit(lambda: (meeting.wait(), work())[1]) for _ in range(2)]
            await ferry.sleep(0.001)
            assert await ferry.submit(asyncio.sleep, 0, 1) == 1
            return await ferry.gather(*jobs)
        print(len(asyncio.run(main())))
        """
    ) == "2\n"


def test_nothing_of_this_broke_it(in_thread):
    assert ferry.submit(give, 1).result(PATIENCE) == 1
    assert in_thread(lambda: asyncio.run(outside(ferry.submit(threading.active_count)))) >= 1
