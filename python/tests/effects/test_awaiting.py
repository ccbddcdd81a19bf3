"""Programs in an event loop: what they await, who awaits them, and that the loop has its turns."""

import asyncio
import contextvars
import gc
import threading
import time

import pytest
from conftest import PATIENCE

import asyncferry as ferry
from asyncferry import effects, testing
from asyncferry.effects import (
    Await,
    Cancel,
    CreateExternalPromise,
    Gather,
    Get,
    Pure,
    Put,
    Race,
    Spawn,
    TaskCancelledError,
    Try,
    UnhandledEffect,
    Wait,
    async_run,
    await_handler,
    do,
    state,
    thread_loop,
)


async def give(value):
    await asyncio.sleep(0)
    return value


async def give_at_once(value):
    return value


async def fail(error):
    await asyncio.sleep(0)
    raise error


@do
def forever():
    yield Await(asyncio.Event().wait())


@do
def program(*awaitables):
    values = []
    for awaitable in awaitables:
        values.append((yield Await(awaitable)))
    return values


def test_coroutines_tasks_futures_and_jobs_are_awaited(run):
    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, "future")

        class Awaitable:
            def __await__(self):
                return give("awaitable").__await__()

        values = await async_run(
            program(
                give("coroutine"),
                give_at_once("at once"),
                asyncio.create_task(give("task")),
                future,
                ferry.sleep(0),
                ferry.submit(give, "job"),
                ferry.submit(lambda: "thread"),
                Awaitable(),
            )
        )
        assert values == ["coroutine", "at once", "task", "future", None, "job", "thread", "awaitable"]

    run(main)


def test_errors_are_raised_where_they_were_awaited(run):
    error = KeyError("bad")

    @do
    def program():
        try:
            yield Await(fail(error))
        except KeyError as raised:
            assert raised is error
            return "caught"

    async def main():
        assert await async_run(program()) == "caught"
        with pytest.raises(KeyError):
            await async_run(Await(fail(error)))

    run(main)


def test_a_coroutine_begins_at_once_in_a_task_of_its_own(run):
    """On loops that can do so, and on all of them from Python 3.12 on."""
    began = []

    async def coroutine(name):
        began.append((name, asyncio.current_task()))
        async with asyncio.timeout(PATIENCE):
            await asyncio.sleep(0)
        assert asyncio.current_task() is began[-1][1] or len(began) > 1
        return name

    @do
    def spawning():
        first = yield Spawn(Await(coroutine("first")))
        second = yield Spawn(Await(coroutine("second")))
        return (yield Gather(first, second))

    async def main():
        assert await async_run(spawning()) == ["first", "second"]
        (_, first), (_, second) = began
        assert first is not second and None not in (first, second) and asyncio.current_task() not in (first, second)
        began.clear()

    run(main)


def test_one_that_never_waits_costs_no_turn_of_the_loop():
    turns = 0

    async def main():
        def count():
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(count)

        count()
        before = turns
        assert await async_run(program(*[give_at_once(n) for n in range(100)])) == list(range(100))
        return turns - before

    assert asyncio.run(main()) < 10


def test_contextvars_of_the_caller_are_seen(run):
    variable = contextvars.ContextVar("variable")

    async def coroutine():
        return variable.get()

    @do
    def program():
        own = variable.get()
        variable.set("changed")
        return own, (yield Await(coroutine())), (yield Await(give(variable.get())))

    async def main():
        variable.set("callers")
        assert await async_run(program()) == ("callers", "changed", "changed")
        assert variable.get() == "callers"

    run(main)


def test_tasks_are_awaited_by_coroutines(run):
    @do
    def program(found):
        task = yield Spawn(Await(give("value")))
        bad = yield Spawn(Await(fail(KeyError("bad"))))
        found += [task, bad]
        return (yield Await(asyncio.gather(waiting(task), waiting(bad), waiting(task))))

    async def waiting(task):
        try:
            return await task
        except KeyError as error:
            return error.args

    async def main():
        found = []
        assert await async_run(program(found)) == ["value", ("bad",), "value"]
        assert await found[0] == "value", "when the run is over, too"

    run(main)


def test_cancelling_who_awaits_a_task_cancels_the_task(run):
    async def waiting(task):
        await task

    @do
    def program():
        task = yield Spawn(forever())
        waiter = asyncio.ensure_future(waiting(task))
        yield Await(asyncio.sleep(0))
        yield Await(asyncio.sleep(0))
        waiter.cancel("from outside")
        with pytest.raises(TaskCancelledError, match="from outside"):
            yield Wait(task)
        return (yield Try(Await(asyncio.wait([waiter])))).is_ok()

    async def main():
        assert await async_run(program())

    run(main)


def test_a_task_is_cancelled_from_outside_and_from_another_thread(run):
    @do
    def program(how):
        task = yield Spawn(forever())
        yield Await(asyncio.sleep(0))
        if how == "thread":
            thread = threading.Thread(target=task.cancel, args=("a thread",))
            thread.start()
            thread.join()
        else:
            assert task.cancel("the loop") is True
        with pytest.raises(TaskCancelledError, match=how):
            yield Wait(task)
        assert task.cancel() is False

    async def main():
        await async_run(program("thread"))
        await async_run(program("loop"))

    run(main)


def test_cancelling_a_run_cancels_its_program_which_cleans_up(run):
    log = []

    @do
    def program():
        try:
            yield Await(asyncio.Event().wait())
        except TaskCancelledError as error:
            log.append(error.args)
            log.append((yield Await(give("cleaned up"))))
            log.append((yield Get("k")))
            raise

    async def main():
        task = asyncio.create_task(async_run(state({"k": 1})(program())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == [("enough",), "cleaned up", 1]
        log.clear()

    run(main)


def test_a_run_within_a_timeout(run):
    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(async_run(forever()), 0.001)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await async_run(forever())

    run(main)


def test_a_run_that_nobody_awaits_any_more_is_cancelled(run):
    log = []

    @do
    def program():
        try:
            yield from forever()
        finally:
            log.append("cancelled")

    async def main():
        coroutine = async_run(program())
        job = coroutine.send(None)
        assert isinstance(job, ferry.Job)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del job
        coroutine.close()
        for _ in range(10):
            await asyncio.sleep(0)
        assert log == ["cancelled"]
        log.clear()

    run(main)


def test_cancelling_a_task_that_awaits_cancels_what_it_awaits(run):
    log = []

    async def coroutine():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            log.append(error.args)
            await asyncio.sleep(0)
            log.append("cleaned up")
            raise

    async def refuses():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "refused"

    @do
    def program():
        task = yield Spawn(Await(coroutine()))
        stubborn = yield Spawn(Await(refuses()))
        future = asyncio.get_running_loop().create_future()
        waiting, awaiting = (yield Spawn(Wait(future))), (yield Spawn(Await(future)))
        job = ferry.sleep(PATIENCE)
        jobs = yield Spawn(Await(job))
        yield Await(asyncio.sleep(0))
        for each in (task, stubborn, waiting):
            yield Cancel(each, "no")
        assert not task.done(), "it ends when the coroutine has"
        assert waiting.done() is False and not future.done()
        with pytest.raises(TaskCancelledError, match="no"):
            yield Wait(task)
        assert log == [("no",), "cleaned up"]
        assert (yield Wait(stubborn)) == "refused"
        assert waiting.cancelled() and not future.done(), "Wait leaves it alone"
        yield Cancel(awaiting)
        yield Cancel(jobs)
        assert isinstance((yield from cancelled(awaiting)), TaskCancelledError) and future.cancelled()
        assert isinstance((yield from cancelled(jobs)), TaskCancelledError) and job.cancelled()
        log.clear()

    def cancelled(task):
        try:
            yield Wait(task)
        except TaskCancelledError as error:
            return error

    async def main():
        await async_run(program())

    run(main)


def test_what_is_cancelled_by_others_raises_their_cancelled_error(run):
    @do
    def program():
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.cancel, "theirs")
        try:
            yield Await(future)
        except asyncio.CancelledError as error:
            return type(error) is asyncio.CancelledError

    async def main():
        assert await async_run(program())

    run(main)


def test_wait_gather_and_race_take_what_asyncio_awaits(run):
    @do
    def program():
        task = yield Spawn(Await(give(1)))
        values = yield Gather(task, give(2), ferry.submit(give, 3), asyncio.ensure_future(give(4)))
        never = asyncio.get_running_loop().create_future()
        first = yield Race(never, ferry.submit(give, "first"))
        return values, first, (yield Wait(give(5)))

    async def main():
        assert await async_run(program()) == ([1, 2, 3, 4], "first", 5)

    run(main)


def test_a_task_of_another_run_is_waited_for(run):
    @do
    def other(found, done):
        found.append((yield Spawn(Await(give("value")))))
        yield Await(done.wait())

    @do
    def program(found):
        return (yield Wait(found[0])), (yield Await(found[0])), (yield Gather(found[0], found[0]))

    async def main():
        found, done = [], asyncio.Event()
        running = asyncio.ensure_future(async_run(other(found, done)))
        while not found:
            await asyncio.sleep(0)
        assert await async_run(program(found)) == ("value", "value", ["value", "value"])
        done.set()
        await running

    run(main)


def test_runs_share_a_loop(run):
    async def main():
        results = await asyncio.gather(*[async_run(program(give(n), give(n + 1))) for n in range(20)])
        assert results == [[n, n + 1] for n in range(20)]

    run(main)


def test_the_loop_has_its_turns_beside_a_busy_program():
    """What is awaited, and what is not the program's, goes on while it is busy. (How soon: `cargo xtask bench effects`.)"""

    @do
    def busy():
        count = 0
        while not (yield Get("stop")):
            count += 1
        return count

    async def some_turns():
        for _ in range(20):
            await asyncio.sleep(0)

    @do
    def program(others):
        task = yield Spawn(busy())
        for _ in range(5):
            yield Await(some_turns())
        yield Await(asyncio.gather(*others))
        yield Put("stop", True)
        return (yield Wait(task))

    async def main():
        others = [asyncio.ensure_future(some_turns()) for _ in range(3)]
        return await async_run(state()(program(others)))

    assert asyncio.run(main()) > 1000


def test_time_may_be_virtual():
    @do
    def program():
        loop = asyncio.get_running_loop()
        began = loop.time()
        tasks = []
        for seconds in (3600, 7200):
            tasks.append((yield Spawn(Await(asyncio.sleep(seconds)))))
        yield Gather(*tasks)
        return loop.time() - began

    assert testing.run(async_run(program())) == 7200


def test_an_error_that_came_when_nobody_waited_any_more_is_reported(run):
    """It's a Job's, and who waited for it was cancelled."""

    async def late(go):
        await go.wait()
        raise KeyError("late")

    @do
    def program():
        go = asyncio.Event()
        waiting = yield Spawn(Wait(ferry.submit(late, go).detach()))
        yield Await(asyncio.sleep(0))
        yield Cancel(waiting)
        yield Try(Pure(1))
        go.set()
        for _ in range(5):
            yield Await(asyncio.sleep(0))

    async def main():
        await async_run(program())
        gc.collect()
        await asyncio.sleep(0)

    run(main)
    [report] = run.take_reports()
    assert report["exception"].args == ("late",)


# Where no loop runs.


def test_run_awaits_nothing_and_says_what_does():
    coroutine = give(1)
    with pytest.raises(UnhandledEffect) as raised:
        effects.run(program(coroutine))
    text = str(raised.value)
    assert text.startswith("Await(give()) is not answered, which is performed in " + __file__)
    assert "in program; run() has no event loop: use await async_run(program) in a coroutine" in text
    with pytest.raises(UnhandledEffect):
        effects.run(Wait(give(1)))
    with pytest.raises(UnhandledEffect):
        effects.run(Gather(give(1)))


def test_run_awaits_on_a_thread_if_it_is_told_to():
    awaitables = lambda: (give("coroutine"), ferry.submit(lambda: "job"))  # noqa: E731
    assert effects.run(program(*awaitables()), awaits=thread_loop()) == ["coroutine", "job"]
    assert effects.run(await_handler()(program(*awaitables()))) == ["coroutine", "job"]
    with pytest.raises(KeyError):
        effects.run(program(fail(KeyError())), awaits=thread_loop())
    assert effects.run(Gather(give(1), give(2)), awaits=thread_loop()) == [1, 2]
    with pytest.raises(TypeError, match=r"awaits is thread_loop\(\) or None, not a bool"):
        effects.run(Pure(1), awaits=True)


def test_await_handler_leaves_the_loop_of_async_run(run):
    async def main():
        future = asyncio.get_running_loop().create_future()
        future.get_loop().call_soon(future.set_result, 1)
        assert await async_run(await_handler()(program(future))) == [1]

    run(main)


def test_run_waits_for_jobs():
    assert effects.run(Wait(ferry.submit(lambda: "thread"))) == "thread"
    assert effects.run(program(ferry.submit(give, "background loop"))) == ["background loop"]
    assert effects.run(Race(ferry.sleep(PATIENCE), ferry.sleep(0))) is None


def test_run_cancels_what_it_awaits():
    log = []

    async def coroutine():
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cleaned up")

    @do
    def program():
        task = yield Spawn(Await(coroutine()))
        yield Await(asyncio.sleep(0))
        yield Cancel(task, "no")
        with pytest.raises(TaskCancelledError, match="no"):
            yield Wait(task)

    effects.run(program(), awaits=thread_loop())
    assert log == ["cleaned up"]


def test_run_inside_of_a_loop_runs_what_does_not_wait(run):
    async def main():
        assert effects.run(state({"k": 1})(Get("k"))) == 1
        with pytest.raises(RuntimeError, match=r"would stop the event loop of this thread: use await async_run"):
            effects.run(Wait(ferry.sleep(PATIENCE)))

    run(main)


def test_async_run_needs_a_loop_and_a_program(run):
    with pytest.raises(RuntimeError, match="no running event loop"):
        async_run(Pure(1)).send(None)

    async def main():
        with pytest.raises(TypeError, match=r"async_run\(\) takes a program, not a DoFunction: call it, program\(\)"):
            await async_run(program)
        with pytest.raises(TypeError, match=r"async_run\(\) takes a program, not an int"):
            await async_run(3)

    run(main)
    with pytest.raises(TypeError, match=r"run\(\) takes a program, not a DoFunction: call it, program\(\)"):
        effects.run(program)


# External promises.


def test_an_external_promise_is_completed_by_any_thread(run):
    @do
    def program():
        promise = yield CreateExternalPromise()
        failing = yield CreateExternalPromise()
        thread = threading.Thread(target=promise.complete, args=("value",))
        thread.start()
        other = threading.Thread(target=failing.fail, args=(KeyError("bad"),))
        other.start()
        value = yield Wait(promise.future)
        error = (yield Try(Wait(failing.future))).error
        thread.join()
        other.join()
        assert promise.complete("again") is False and promise.fail(KeyError()) is False
        return value, error.args, promise.future.done()

    async def main():
        assert await async_run(program()) == ("value", ("bad",), True)

    run(main)
    assert effects.run(program()) == ("value", ("bad",), True)


def test_an_external_promise_fails_at_its_deadline(run):
    @do
    def program():
        promise = yield CreateExternalPromise(deadline=time.monotonic() + 0.005)
        in_time = yield CreateExternalPromise(deadline=time.monotonic() + PATIENCE)
        late = yield CreateExternalPromise(deadline=time.monotonic() - 1)
        in_time.complete(1)
        errors = []
        for each in (promise, late):
            errors.append((yield Try(Wait(each.future))).error)
        assert [str(error) for error in errors] == ["nobody completed the external promise before its deadline"] * 2
        return (yield Wait(in_time.future)), isinstance(errors[0], TimeoutError)

    async def main():
        assert await async_run(program()) == (1, True)

    run(main)
    assert effects.run(program()) == (1, True)
    with pytest.raises(ValueError, match="a deadline can't be NaN"):
        CreateExternalPromise(float("nan"))


def test_the_last_who_is_cancelled_at_an_external_promise_takes_it_with_it():
    log = []

    @do
    def program():
        promise = yield CreateExternalPromise()
        promise.on_cancel(lambda: log.append("cancelled"))
        first, second = (yield Spawn(Wait(promise.future))), (yield Spawn(Wait(promise.future)))
        yield Wait((yield Spawn(Pure(None))))
        yield Cancel(first)
        assert log == [] and not promise.future.done()
        yield Cancel(second)
        assert log == ["cancelled"]
        assert promise.complete(1) is False
        promise.on_cancel(lambda: log.append("at once"))
        assert log[1:] == ["at once"]
        with pytest.raises(TypeError, match=r"on_cancel\(\) takes a function, not an int"):
            promise.on_cancel(3)
        with pytest.raises(TaskCancelledError):
            yield Wait(promise.future)

    effects.run(program())


def test_callbacks_that_fail_are_told_to_who_cancelled():
    @do
    def program():
        promise = yield CreateExternalPromise()
        promise.on_cancel(lambda: 1 / 0)
        task = yield Spawn(Wait(promise.future))
        yield Wait((yield Spawn(Pure(None))))
        with pytest.raises(effects.ExternalPromiseCancelCallbackError, match="division by zero") as raised:
            yield Cancel(task)
        assert isinstance(raised.value.errors[0], ZeroDivisionError)
        with pytest.raises(TaskCancelledError):
            yield Wait(task)

    effects.run(program())


def test_an_external_promise_that_is_dropped_has_failed():
    @do
    def program():
        future = (yield CreateExternalPromise()).future
        with pytest.raises(RuntimeError, match="the external promise was dropped before anybody completed it"):
            yield Wait(future)

    effects.run(program())


def test_futures_are_awaited_by_coroutines(run):
    async def waiting(future):
        return await future

    @do
    def program():
        promise = yield CreateExternalPromise()
        waiter = asyncio.ensure_future(waiting(promise.future))
        yield Await(asyncio.sleep(0))
        promise.complete("value")
        return (yield Await(waiter))

    async def main():
        assert await async_run(program()) == "value"

    run(main)
