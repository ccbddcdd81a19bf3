"""What a job is to those who have it: awaited, asked, called back, chained."""

import asyncio
import collections.abc
import contextvars
import inspect
import os
import pickle
import signal
import threading
import weakref

import pytest
from conftest import PATIENCE, fail, fail_now, give, give_now

import asyncferry as ferry
from asyncferry import Job, State


MAKERS = {"plain": give_now, "async": give}


@pytest.fixture(params=MAKERS)
def giver(request):
    """A function that gives its argument, on a thread or as a coroutine."""
    return MAKERS[request.param]


# Awaiting.


def test_it_is_awaited_any_number_of_times(run, giver):
    async def main():
        job = ferry.submit(giver, 7)
        assert [await job for _ in range(3)] == [7, 7, 7]

        async def wait():
            return await job

        assert await asyncio.gather(*[wait() for _ in range(5)], job, job) == [7] * 7

    run(main)


def test_many_tasks_wait_for_the_same_pending_one(run):
    async def main():
        go_on = asyncio.Event()
        job = ferry.submit(go_on.wait)

        async def wait():
            return await job

        tasks = [asyncio.create_task(wait()) for _ in range(50)]
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        go_on.set()
        assert await asyncio.gather(*tasks) == [True] * 50

    run(main)


SPECIAL = [None, (), (1, 2), [1], ValueError("a result"), StopIteration(3), StopAsyncIteration(), KeyboardInterrupt()]


@pytest.mark.parametrize("value", [*SPECIAL, NotImplemented, ..., Job, ValueError], ids=repr)
def test_values_that_python_treats_specially_come_through_whole(run, giver, value):
    async def main():
        job = ferry.submit(giver, value)
        assert await job is value
        assert job.result() is value
        assert await asyncio.create_task(ferry.submit(giver, value)) is value
        assert [each is value for each in await ferry.gather(job, job)] == [True, True]

    run(main)


def test_a_job_as_a_result_is_followed_on_threads_only(run):
    async def main():
        # A plain function that gives a job has begun its work; what an async function gives is its result.
        inner = ferry.submit(give_now, 1)
        assert await ferry.submit(give_now, inner) == 1
        assert await ferry.submit(give, inner) is inner
        assert await inner == 1

    run(main)


def test_it_is_driven_by_hand_as_a_coroutine_is(run):
    async def main():
        job = ferry.submit(give, 5)
        assert job.send(None) is job
        assert next(iter(job)) is job
        with pytest.raises(ZeroDivisionError):
            job.throw(ZeroDivisionError)
        with pytest.raises(ValueError, match="text"):
            job.throw(ValueError("text"))
        with pytest.raises(TypeError):
            job.throw(int)
        job.close()
        assert not job.done()
        assert await job == 5
        with pytest.raises(StopIteration) as stopped:
            job.send(None)
        assert stopped.value.value == 5

    run(main)


# States.


def test_its_states_when_it_succeeds(run, giver):
    async def main():
        job = ferry.submit(giver, 3)
        await job
        assert (job.state, job.done(), job.cancelled()) == (State.COMPLETED, True, False)
        assert (job.result(), job.exception()) == (3, None)
        assert job.cancel() is False
        assert job.state is State.COMPLETED

    run(main)


@pytest.mark.parametrize("failing", [fail, fail_now])
def test_its_states_when_it_fails(run, failing):
    async def main():
        error = ValueError("no")
        job = ferry.submit(failing, error)
        with pytest.raises(ValueError) as caught:
            await job
        assert caught.value is error
        assert (job.state, job.done(), job.cancelled()) == (State.FAILED, True, False)
        assert job.exception() is error
        with pytest.raises(ValueError):
            job.result()
        assert job.cancel() is False

    run(main)


def test_its_states_when_it_is_cancelled(run, gate):
    async def main():
        for job in ferry.sleep(1000), gate.job(), ferry.submit(asyncio.sleep, 1000):
            assert (job.state, job.done(), job.cancelled()) == (State.PENDING, False, False)
            assert job.cancel("enough") is True
            with pytest.raises(asyncio.CancelledError, match="enough"):
                await job
            assert (job.state, job.done(), job.cancelled()) == (State.CANCELLED, True, True)
            for look in job.result, job.exception:
                with pytest.raises(asyncio.CancelledError, match="enough"):
                    look()
            assert job.cancel("again") is False

    run(main)


def test_states_are_numbers_as_in_every_language():
    assert [int(state) for state in State] == [0, 1, 2, 3]
    assert [state.name for state in State] == ["PENDING", "COMPLETED", "FAILED", "CANCELLED"]


# Without a loop.


def test_result_waits_where_no_loop_runs(giver):
    assert ferry.submit(giver, 4).result() == 4
    assert ferry.submit(giver, 4).exception() is None
    error = ValueError("no")
    with pytest.raises(ValueError) as caught:
        ferry.submit(fail, error).result()
    assert caught.value is error
    assert ferry.submit(fail_now, error).exception() is error


def test_result_waits_without_the_gil(gate):
    # A thread of Python opens the gate, which it could not if the waiting one kept the GIL.
    job = gate.job()
    thread = threading.Thread(target=gate.open)
    thread.start()
    assert job.result(PATIENCE).content_hash
    thread.join()


def test_many_threads_wait_for_the_same_result(gate):
    job = gate.job()
    results = []
    threads = [threading.Thread(target=lambda: results.append(job.result(PATIENCE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.open()
    for thread in threads:
        thread.join()
    assert results == [job.result()] * 8


def test_a_timeout_leaves_the_job_alone(gate):
    job = gate.job()
    for seconds in 0.001, 0, -1, -float("inf"):
        for wait in job.result, job.exception:
            with pytest.raises(TimeoutError):
                wait(seconds)
    assert not job.done()
    gate.open()
    for seconds in 1e300, float("inf"):
        assert job.result(seconds).content_hash
    # What is done needs no time.
    assert job.result(0) == job.result(timeout=-1) == job.result(None)


def test_result_refuses_to_block_a_running_loop(run):
    async def main():
        go_on = asyncio.Event()
        job = ferry.submit(go_on.wait)
        for wait in job.result, job.exception:
            for timeout in None, 0, 1:
                with pytest.raises(asyncio.InvalidStateError, match="await it instead"):
                    wait(timeout)
        waiting = asyncio.get_running_loop().run_in_executor(None, job.result, PATIENCE)
        go_on.set()
        assert await waiting is True
        assert job.result(0) is True

    run(main)


def test_ctrl_c_ends_the_wait_and_not_the_job():
    ready, go_on = threading.Event(), threading.Event()

    def work():
        ready.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGINT)
        return go_on.wait(PATIENCE)

    job = ferry.submit(work)
    with pytest.raises(KeyboardInterrupt):
        ready.set()
        job.result(PATIENCE)
    assert job.state is State.PENDING
    go_on.set()
    assert job.result(PATIENCE) is True


# Callbacks.


def test_callbacks_are_called_on_the_loop_that_added_them_in_order_and_context(run):
    name = contextvars.ContextVar("name", default="unset")

    async def main():
        go_on, calls, called = threading.Event(), [], asyncio.Event()
        job = ferry.submit(go_on.wait, PATIENCE)
        loop = asyncio.get_running_loop()

        def note(place):
            def callback(of):
                calls.append((place, of is job, asyncio.get_running_loop() is loop, name.get()))

            return callback

        name.set("one")
        job.add_done_callback(note(1))
        name.set("two")
        job.add_done_callback(note(2))
        other = contextvars.copy_context()
        other.run(name.set, "three")
        job.add_done_callback(note(3), context=other)
        job.add_done_callback(lambda _: called.set())
        name.set("later")
        go_on.set()
        await called.wait()
        assert calls == [(1, True, True, "one"), (2, True, True, "two"), (3, True, True, "three")]
        job.add_done_callback(note(4))
        assert len(calls) == 3
        await asyncio.sleep(0)
        assert calls[3:] == [(4, True, True, "later")]

    run(main)


def test_callbacks_are_taken_back_by_equality(run):
    class Log(list):
        def add(self, job):
            self.append(job)

    async def main():
        log, job = Log(), ferry.submit(give)
        # Bound methods are made anew each time.
        job.add_done_callback(log.add)
        job.add_done_callback(log.add)
        job.add_done_callback(print)
        assert job.remove_done_callback(log.add) == 2
        assert job.remove_done_callback(log.add) == 0
        assert job.remove_done_callback(print) == 1
        await job
        await asyncio.sleep(0)
        assert log == []

    run(main)


def test_a_callback_that_fails_is_reported_and_stops_no_other(run):
    async def main():
        called = asyncio.Event()
        error = ValueError("of a callback")
        job = ferry.submit(give_now)
        job.add_done_callback(lambda _: fail_now(error))
        job.add_done_callback(lambda _: called.set())
        await called.wait()
        return error

    error = run(main)
    assert [report["exception"] for report in run.take_reports()] == [error]


def test_callbacks_of_many_threads_come_where_they_belong(run, in_thread):
    async def main():
        here, there = asyncio.get_running_loop(), []
        go_on, called = threading.Event(), asyncio.Event()
        job = ferry.submit(go_on.wait, PATIENCE)
        added = threading.Barrier(2)

        async def elsewhere():
            done = asyncio.Event()
            own = asyncio.get_running_loop()
            job.add_done_callback(lambda _: (there.append(asyncio.get_running_loop() is own), done.set()))
            added.wait(PATIENCE)
            await done.wait()

        other = here.run_in_executor(None, asyncio.run, elsewhere())
        added.wait(PATIENCE)
        job.add_done_callback(lambda _: called.set())
        go_on.set()
        await called.wait()
        await other
        assert there == [True]

    run(main)


def test_without_a_loop_a_callback_is_called_in_the_background():
    go_on, calls, called = threading.Event(), [], threading.Event()
    job = ferry.submit(go_on.wait, PATIENCE)

    def callback(of):
        calls.append((of, threading.current_thread().name))
        called.set()

    job.add_done_callback(callback)
    go_on.set()
    assert called.wait(PATIENCE)
    assert calls == [(job, "asyncferry-loop")]
    called.clear()
    job.add_done_callback(callback)
    assert called.wait(PATIENCE)
    assert calls[1:] == [(job, "asyncferry-loop")]


# Chains.


def test_then_takes_functions_of_all_kinds(run, giver):
    async def main():
        job = ferry.submit(giver, 20)
        assert await job.then(lambda value: value + 1) == 21
        assert await job.then(give) == 20
        assert await job.then(lambda value: ferry.submit(give_now, value * 2)) == 40
        assert await job.then(str).then(len).then(lambda value: value * 1.5) == 3.0
        with pytest.raises(ZeroDivisionError):
            await job.then(lambda value: value / 0)
        error = ValueError("of the first")
        with pytest.raises(ValueError) as caught:
            await ferry.submit(fail, error).then(lambda _: pytest.fail("called after an error"))
        assert caught.value is error

    run(main)


def test_catch_takes_what_it_is_for(run):
    async def main():
        def seen(error):
            return type(error), str(error)

        job = ferry.submit(fail, KeyError(1))
        assert await job.catch(seen) == (KeyError, "1")
        assert await job.catch(give, on=LookupError) is job.exception()
        assert await job.catch(seen, on=(OSError, KeyError)) == (KeyError, "1")
        with pytest.raises(KeyError):
            await job.catch(seen, on=OSError)
        with pytest.raises(ZeroDivisionError) as caught:
            await job.catch(lambda error: 1 / 0)
        assert caught.value.__context__ is job.exception()
        assert await ferry.submit(give, 1).catch(seen) == 1
        # It's no Exception, so only who asks for it gets it.
        cancelled = ferry.sleep(1000)
        caught, passed = cancelled.catch(seen, on=asyncio.CancelledError), cancelled.catch(seen)
        await asyncio.sleep(0)
        cancelled.cancel("stop")
        assert await caught == (asyncio.CancelledError, "stop")
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await passed

    run(main)


def test_finally_runs_however_it_ends(run):
    async def main():
        log = []

        async def note():
            await asyncio.sleep(0)
            log.append("note")
            return "not the result"

        assert await ferry.submit(give, 1).finally_(note) == 1
        with pytest.raises(ValueError):
            await ferry.submit(fail, ValueError()).finally_(note)
        cancelled = ferry.sleep(1000)
        chained = cancelled.finally_(lambda: log.append("plain"))
        await asyncio.sleep(0)
        cancelled.cancel("stop")
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await chained
        assert log == ["note", "note", "plain"]
        with pytest.raises(ZeroDivisionError):
            await ferry.submit(give, 1).finally_(lambda: 1 / 0)

    run(main)


def test_cancelling_a_chain_cancels_its_beginning(run):
    async def main():
        first = ferry.sleep(1000)
        last = first.then(give).catch(give).finally_(give)
        # Each link waits for the one before, one turn later.
        for _ in range(5):
            await asyncio.sleep(0)
        assert last.cancel("all of it") is True
        with pytest.raises(asyncio.CancelledError, match="all of it"):
            await last
        assert first.cancelled()

    run(main)


def test_chains_need_no_loop():
    job = ferry.submit(give_now, [3, 1, 2]).then(sorted).then(give)
    assert job.result(PATIENCE) == [1, 2, 3]
    assert ferry.submit(fail_now, KeyError("k")).catch(repr).result(PATIENCE) == "KeyError('k')"
    log = []
    assert ferry.submit(give, 1).finally_(lambda: log.append(1)).result(PATIENCE) == 1
    assert log == [1]


def test_a_long_chain(run):
    async def main():
        job = ferry.submit(give_now, 0)
        for _ in range(300):
            job = job.then(lambda value: value + 1)
        assert await job == 300

    run(main)


# What it looks like.


def test_it_says_what_it_waits_for(run):
    began, go_on = threading.Event(), threading.Event()

    def work():
        began.set()
        go_on.wait(PATIENCE)

    async def inner():
        await asyncio.sleep(1000)

    async def outer():
        await inner()

    async def waits_for(job):
        await job

    async def main():
        on_thread = ferry.submit(work)
        assert await asyncio.to_thread(began.wait, PATIENCE)
        assert repr(on_thread).startswith(
            "<Job 'test_it_says_what_it_waits_for.<locals>.work' pending: runs on thread asyncferry_"
        )
        job = ferry.submit(outer)
        await asyncio.sleep(0)
        code = outer.__code__
        here = f"{code.co_filename}, line {code.co_firstlineno + 1}, in outer>"
        assert repr(job).endswith(f"pending: awaits test_it_says_what_it_waits_for.<locals>.inner() at {here}")
        waiting = ferry.submit(waits_for, on_thread)
        await asyncio.sleep(0)
        assert "awaits Job 'test_it_says_what_it_waits_for.<locals>.work' at" in repr(waiting)
        job.cancel()
        go_on.set()
        await waiting
        assert repr(ferry.sleep(1000)) == "<Job pending>"

    run(main)


def test_it_says_how_it_ended(run):
    async def main():
        job = ferry.submit(give, "value")
        await job
        assert repr(job) == "<Job 'give' finished result='value'>"
        job = ferry.submit(fail, ValueError("no"))
        await ferry.wait([job])
        assert repr(job) == "<Job 'fail' finished exception=ValueError('no')>"
        assert str(job.exception()) == "no"
        job = ferry.submit(give)
        job.cancel()
        await ferry.wait([job])
        assert repr(job) == "<Job 'give' cancelled>"
        long = ferry.submit(give_now, "x" * 100_000)
        await long
        assert len(repr(long)) < 200

    run(main)


def test_one_in_the_queue_says_how_many_are_before_it(program):
    assert program(
        """
        import threading, asyncferry as ferry
        ferry.configure(python_threads=1)
        began, go_on = threading.Event(), threading.Event()
        first = ferry.submit(lambda: (began.set(), go_on.wait()))
        began.wait()
        others = [ferry.submit(int) for _ in range(3)]
        for job in others: print(job)
        go_on.set()
        assert [job.result() for job in others] == [0, 0, 0]
        """
    ).splitlines() == [
        "<Job 'int' pending: waits for a thread>",
        "<Job 'int' pending: waits for a thread, with 1 before it>",
        "<Job 'int' pending: waits for a thread, with 2 before it>",
    ]


def test_names(run):
    async def main():
        for function, name in (give, "give"), (len, "len"), (str.upper, "str.upper"), (Run.method, "Run.method"):
            job = ferry.submit(function, "x")
            assert job.name == job.__name__ == job.__qualname__ == name
            await job

    run(main)


class Run:
    def method(self):
        pass


def test_the_name_of_a_chain_is_short_however_long_that_is(run):
    async def main():
        class Promise:
            def then(self):
                return 0

        job = ferry.submit(Promise().then).then(int)
        assert job.name.endswith(".Promise.then.then")
        for _ in range(50):
            job = job.then(int).catch(int)
        assert job.name.endswith(".Promise.then.catch×101")
        assert job.finally_(dict).name.endswith(".Promise.then.finally_×102")
        assert await job == 0

    run(main)


def test_python_takes_it_for_what_it_is(run):
    async def main():
        job = ferry.submit(give)
        assert isinstance(job, Job)
        for kind in collections.abc.Awaitable, collections.abc.Coroutine:
            assert isinstance(job, kind) and issubclass(Job, kind)
        assert asyncio.isfuture(job) and asyncio.iscoroutine(job) and inspect.isawaitable(job)
        assert job.get_loop() is asyncio.get_running_loop()
        assert Job[int].__origin__ is Job and Job[int].__args__ == (int,)
        assert job == job and job != ferry.sleep(0) and len({job, job}) == 1
        gone = weakref.ref(job)
        del job
        assert gone() is None

    run(main)


def test_it_is_made_by_submitting_only():
    with pytest.raises(TypeError):
        Job()
    with pytest.raises(TypeError):

        class Own(Job):
            pass

    job = ferry.submit(give_now, 1)
    for copying in pickle.dumps, __import__("copy").copy:
        with pytest.raises(TypeError, match="Job"):
            copying(job)
    with pytest.raises(AttributeError):
        job.state = State.COMPLETED
    assert job.result() == 1
