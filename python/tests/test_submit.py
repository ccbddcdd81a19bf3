"""What may be submitted, where it runs, and what it is given."""

import asyncio
import functools
import threading

import pytest
from asyncferry._native import _register_from_rust
from conftest import PATIENCE

import asyncferry as ferry


def where():
    return threading.current_thread().name


async def where_async():
    return threading.current_thread().name, asyncio.get_running_loop()


def echo(*args, **kwargs):
    return args, kwargs


async def echo_async(*args, **kwargs):
    return args, kwargs


class Things:
    def method(self, value):
        return self, value

    async def async_method(self, value):
        return self, value

    @classmethod
    def class_method(cls, value):
        return cls, value

    @staticmethod
    def static_method(value):
        return value

    @staticmethod
    async def async_static_method(value):
        return value


class Calls:
    def __call__(self, value):
        return value, where()


class CallsAsync:
    async def __call__(self, value):
        return value, where()


def decorated(function):
    @functools.wraps(function)
    def inside(*args):
        return function(*args)

    return inside


@decorated
async def in_disguise(value):
    await asyncio.sleep(0)
    return value, where()


# Where it runs.


def test_a_plain_function_runs_on_a_thread_of_ferrys(run):
    async def main():
        assert (await ferry.submit(where)).startswith("asyncferry_")
        assert where() == "MainThread"

    run(main)
    assert ferry.submit(where).result().startswith("asyncferry_")


def test_an_async_function_runs_on_the_loop_that_runs_here(run):
    async def main():
        assert await ferry.submit(where_async) == ("MainThread", asyncio.get_running_loop())

    run(main)


def test_without_a_loop_an_async_function_runs_in_the_background():
    jobs = [ferry.submit(where_async) for _ in range(20)]
    assert {job.result(PATIENCE)[0] for job in jobs} == {"asyncferry-loop"}
    assert len({job.result()[1] for job in jobs}) == 1


def test_an_async_function_starts_whether_it_is_awaited_or_not(run):
    async def main():
        started = asyncio.Event()

        async def work():
            started.set()

        job = ferry.submit(work)
        assert not started.is_set()
        await started.wait()
        await job

    run(main)


def test_functions_that_wait_run_side_by_side(run):
    async def main():
        # Each waits for all the others, two more than there are cores on any small machine.
        meeting = threading.Barrier(4)
        await ferry.gather(*[ferry.submit(meeting.wait, PATIENCE) for _ in range(4)])

    run(main)


def test_submitted_work_submits_more(run):
    def on_thread():
        return ferry.submit(where_async).result(PATIENCE)[0], ferry.submit(where).result(PATIENCE)

    async def on_loop():
        return (await ferry.submit(where_async))[0], await ferry.submit(where)

    async def main():
        background, thread = await ferry.submit(on_thread)
        assert background == "asyncferry-loop" and thread.startswith("asyncferry_")
        here, thread = await ferry.submit(on_loop)
        assert here == "MainThread" and thread.startswith("asyncferry_")

    run(main)


def test_debuggers_and_profilers_see_its_threads(program):
    assert program(
        """
        import threading, asyncferry as ferry
        seen = set()
        threading.setprofile(lambda frame, event, argument: seen.add(frame.f_code.co_name))
        def work(): return threading.current_thread() in threading.enumerate()
        print(ferry.submit(work).result(), 'work' in seen)
        """
    ) == "True True\n"


# What it is given.


@pytest.mark.parametrize("function", [echo, echo_async])
def test_arguments_come_as_they_were_given(run, function):
    async def main():
        args, kwargs = await ferry.submit(function, 1, None, *[()], function=2, self=3, limit=4, name="x")
        assert args == (1, None, ()) and kwargs == {"function": 2, "self": 3, "limit": 4, "name": "x"}
        one = object()
        assert (await ferry.submit(function, one))[0][0] is one
        assert await ferry.submit(function) == ((), {})

    run(main)


def test_all_that_can_be_called(run):
    async def main():
        things = Things()
        assert await ferry.submit(len, "abc") == 3
        assert await ferry.submit("abc".upper) == "ABC"
        assert await ferry.submit(dict, a=1) == {"a": 1}
        assert await ferry.submit(lambda value: value, 1) == 1
        assert await ferry.submit(things.method, 1) == (things, 1)
        assert await ferry.submit(things.async_method, 1) == (things, 1)
        assert await ferry.submit(Things.class_method, 1) == (Things, 1)
        assert await ferry.submit(Things.static_method, 1) == 1
        assert await ferry.submit(Things.async_static_method, 1) == 1
        assert await ferry.submit(functools.partial(echo, 1, a=2), 3) == ((1, 3), {"a": 2})
        assert await ferry.submit(functools.partial(echo_async, 1, a=2), 3) == ((1, 3), {"a": 2})
        value, place = await ferry.submit(Calls(), 1)
        assert value == 1 and place.startswith("asyncferry_")
        assert await ferry.submit(CallsAsync(), 1) == (1, "MainThread")

    run(main)


def test_an_async_function_in_disguise_goes_on_at_home(run):
    async def main():
        job = ferry.submit(in_disguise, 1)
        assert await job == (1, "MainThread")
        with pytest.raises(ZeroDivisionError):
            await ferry.submit(lambda: failing())

    async def failing():
        return 1 / 0

    run(main)
    assert ferry.submit(in_disguise, 1).result(PATIENCE) == (1, "asyncferry-loop")


def test_generators_come_back_as_they_are(run):
    def numbers():
        yield from range(3)

    async def async_numbers():
        for number in range(3):
            yield number

    async def main():
        assert list(await ferry.submit(numbers)) == [0, 1, 2]
        assert [number async for number in await ferry.submit(async_numbers)] == [0, 1, 2]

    run(main)


# What is not called any more.


def test_a_queued_call_that_is_cancelled_never_runs(program):
    assert program(
        """
        import threading, asyncferry as ferry
        ferry.configure(python_threads=1)
        began, go_on, calls = threading.Event(), threading.Event(), []
        def first():
            began.set()
            go_on.wait()
        first = ferry.submit(first)
        began.wait()
        cancelled, dropped, wanted = [ferry.submit(calls.append, each) for each in ('cancelled', 'dropped', 'wanted')]
        assert cancelled.cancel()
        del dropped
        go_on.set()
        wanted.result()
        print(calls, cancelled.state.name)
        """
    ) == "['wanted'] CANCELLED\n"


def test_a_queued_call_that_is_cancelled_leaves_the_queue(program):
    assert program(
        """
        import gc, threading, weakref, asyncferry as ferry
        ferry.configure(python_threads=1, max_queued=4)
        began, go_on = threading.Event(), threading.Event()
        first = ferry.submit(lambda: (began.set(), go_on.wait()))
        began.wait()
        class Argument: pass
        argument = Argument()
        gone = weakref.ref(argument)
        jobs = [ferry.submit(id, argument), *[ferry.submit(str, number) for number in range(3)]]
        del argument
        try:
            ferry.submit(str)
        except RuntimeError as error:
            print(error)
        assert jobs[0].cancel() and jobs[2].cancel()
        print(gone(), jobs[3])
        # Over and over, there is room for two.
        for number in range(10):
            more = [ferry.submit(str, number), ferry.submit(str, number + 1)]
            print(more[1]) if number == 9 else more[number % 2].cancel()
            if number < 9: del more
        go_on.set()
        print([job.result() for job in (jobs[1], jobs[3], *more)])
        """
    ).splitlines() == [
        "4 submitted functions wait for a thread already: await some before you submit more, or use map(), which has "
        "a limit",
        "None <Job 'str' pending: waits for a thread, with 1 before it>",
        "<Job 'str' pending: waits for a thread, with 3 before it>",
        "['0', '2', '9', '10']",
    ]


def test_a_thread_can_ask_whether_it_is_still_wanted(run):
    began, told = threading.Event(), []

    def work():
        ferry.check_cancelled()
        began.set()
        try:
            while True:
                ferry.check_cancelled()
        except asyncio.CancelledError as error:
            told.append(error.args)
            raise

    async def main():
        job = ferry.submit(work)
        await asyncio.to_thread(began.wait, PATIENCE)
        assert job.cancel("not any more")
        with pytest.raises(asyncio.CancelledError, match="not any more"):
            await job
        while not told:
            await asyncio.sleep(0)
        assert told == [("not any more",)]
        # Outside of submitted work there is nobody to cancel.
        assert ferry.check_cancelled() is None

    run(main)


def test_an_error_after_the_cancel_is_reported(run):
    began, go_on = threading.Event(), threading.Event()
    error = ValueError("too late")

    def work():
        began.set()
        go_on.wait(PATIENCE)
        raise error

    async def main():
        job = ferry.submit(work)
        await asyncio.to_thread(began.wait, PATIENCE)
        job.cancel()
        go_on.set()
        while not run.reports:
            await asyncio.sleep(0)

    run(main)
    [report] = run.take_reports()
    assert report["exception"] is error and "failed after it was cancelled" in report["message"]


# By name.


def test_a_function_is_found_by_its_name(run):
    ferry.register("tests.echo", echo)
    ferry.register("tests.echo_async", echo_async)
    ferry.register("tests.where", where)

    async def main():
        for name in "tests.echo", "tests.echo_async":
            job = ferry.submit(name, 1, a=2)
            assert job.name == name
            assert await job == ((1,), {"a": 2})
        assert (await ferry.submit("tests.where")).startswith("asyncferry_")

    run(main)
    assert ferry.submit("tests.echo", 1).result(PATIENCE) == ((1,), {})


def test_a_function_of_rust_is_found_by_its_name(run, tmp_path, gate):
    _register_from_rust("tests.sleep", ferry.sleep)
    _register_from_rust("tests.digest", ferry.digest_file)

    async def main():
        assert await ferry.submit("tests.sleep", 0.001) is None
        path = tmp_path / "file"
        path.write_bytes(b"content")
        digest = await ferry.submit("tests.digest", path, tags=["t"])
        assert digest == await ferry.digest_file(path, tags=["t"])
        with pytest.raises(FileNotFoundError):
            await ferry.submit("tests.digest", tmp_path / "none")
        job = ferry.submit("tests.digest", gate.path)
        assert job.cancel("unread")
        with pytest.raises(asyncio.CancelledError, match="unread"):
            await job
        with pytest.raises(TypeError):
            ferry.submit("tests.sleep", "long")
        assert await ferry.map("tests.sleep", [0, 0]) == [None, None]

    run(main)
    assert ferry.submit("tests.sleep", 0).result(PATIENCE) is None


def test_a_name_has_one_function():
    ferry.register("tests.where", where)
    ferry.register("tests.where", where)
    with pytest.raises(ValueError, match="'tests.where' already.*where"):
        ferry.register("tests.where", echo)
    assert ferry.submit("tests.where").result(PATIENCE).startswith("asyncferry_")


def test_a_wrong_name_is_answered_with_those_there_are():
    ferry.register("tests.where", where)
    with pytest.raises(LookupError, match="'tests.wher'.*'tests.where'"):
        ferry.submit("tests.wher")
    with pytest.raises(LookupError, match="'tests.wher'"):
        ferry.map("tests.wher", [])


# Rust's own.


def test_a_digest_is_of_the_content(run, tmp_path):
    path, other = tmp_path / "näme", tmp_path / "other"
    path.write_bytes(b"x" * 3_000_000)
    other.write_bytes(b"x" * 3_000_000)

    async def main():
        artifact = await ferry.digest_file(path, tags=["a", "b"])
        assert (artifact.id, artifact.tags) == (str(path), ["a", "b"])
        assert len(artifact.content_hash) == 64
        for same in str(other), str(other).encode(), other:
            assert (await ferry.digest_file(same)).content_hash == artifact.content_hash
        other.write_bytes(b"")
        # BLAKE3 of nothing, from its paper.
        empty = await ferry.digest_file(other)
        assert empty.content_hash == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        with pytest.raises(IsADirectoryError) as caught:
            await ferry.digest_file(tmp_path)
        assert caught.value.filename == str(tmp_path)

    run(main)


def test_the_number_of_threads_can_be_set(program):
    assert program(
        """
        import threading, asyncferry as ferry
        ferry.configure(python_threads=2, worker_threads=1, blocking_threads=1)
        meeting = threading.Barrier(2)
        jobs = [ferry.submit(lambda: (meeting.wait(), threading.current_thread().name)[1]) for _ in range(10)]
        print(sorted({job.result() for job in jobs}))
        ferry.sleep(0).result()
        try:
            ferry.configure(worker_threads=2)
        except RuntimeError:
            print("it runs already")
        ferry.configure(python_threads=3)
        meeting = threading.Barrier(3)
        jobs = [ferry.submit(meeting.wait) for _ in range(3)]
        print(sorted(job.result() for job in jobs))
        """
    ).splitlines() == ["['asyncferry_1', 'asyncferry_2']", "it runs already", "[0, 1, 2]"]
