"""Tasks of a run: spawning, waiting, cancelling, and what the scheduler promises."""

import asyncio
import logging

import pytest

from asyncferry.effects import (
    PRIORITY_HIGH,
    PRIORITY_IDLE,
    AcquireSemaphore,
    Cancel,
    CompletePromise,
    CreatePromise,
    CreateSemaphore,
    Discard,
    FailPromise,
    Gather,
    Get,
    Modify,
    Pure,
    Put,
    Race,
    ReleaseSemaphore,
    SchedulerDeadlockError,
    Semaphore,
    Spawn,
    Task,
    TaskCancelledError,
    Try,
    Wait,
    do,
    race,
    run,
    state,
)


@do
def turns(count, log=None, name=None):
    """Waits for so many turns of others."""
    for turn in range(count):
        if log is not None:
            log.append((name, turn))
        yield Wait((yield Spawn(Pure(None))))
    return name


@do
def failing(error):
    yield Pure(None)
    raise error


@do
def forever():
    promise = yield CreatePromise()
    yield Wait(promise.future)


def test_a_task_runs_beside_and_gives_its_value():
    @do
    def program():
        task = yield Spawn(turns(2, name="value"))
        assert isinstance(task, Task) and not task.done() and task.name == "turns"
        assert repr(task) == "<Task 1 'turns'>"
        with pytest.raises(asyncio.InvalidStateError, match="the task has not ended"):
            task.result()
        assert (yield Wait(task)) == "value"
        assert (yield Wait(task)) == "value", "as often as one likes"
        assert task.done() and task.result() == "value" and task.exception() is None
        assert repr(task) == "<Task 1 'turns', done>"
        named = yield Spawn(Pure(1), name="mine")
        return named.name

    assert run(program()) == "mine"


def test_tasks_take_turns():
    log = []

    @do
    def program():
        tasks = []
        for name in "ab":
            tasks.append((yield Spawn(turns(3, log, name))))
        return (yield Gather(*tasks))

    assert run(program()) == ["a", "b"]
    assert log == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_gather_keeps_the_order_and_fails_fast():
    @do
    def program():
        slow, fast = (yield Spawn(turns(5, name="slow"))), (yield Spawn(turns(1, name="fast")))
        assert (yield Gather(slow, fast, slow)) == ["slow", "fast", "slow"]
        assert (yield Gather()) == []
        slow, bad = (yield Spawn(turns(5, name="slow"))), (yield Spawn(failing(KeyError("bad"))))
        try:
            yield Gather(slow, bad)
        except KeyError:
            assert not slow.done(), "at once"
        return (yield Wait(slow))

    assert run(program()) == "slow"


def test_race_gives_the_first_and_lets_the_others_go_on():
    @do
    def program():
        slow, fast = (yield Spawn(turns(5, name="slow"))), (yield Spawn(turns(1, name="fast")))
        assert (yield Race(slow, fast)) == "fast"
        assert (yield Wait(slow)) == "slow"
        assert (yield race(slow, fast)) == "slow", "of those that have ended, the first one given"
        bad = yield Spawn(failing(KeyError("bad")))
        with pytest.raises(KeyError):
            yield Race((yield Spawn(turns(3))), bad)

    run(program())
    with pytest.raises(ValueError, match=r"Race\(\) of nothing would never end"):
        Race()


def test_an_error_is_raised_in_each_who_waits():
    error = KeyError("bad")

    @do
    def program():
        task = yield Spawn(failing(error))
        results = []
        for _ in range(2):
            results.append((yield Try(Wait(task))).error)
        assert task.exception() is error
        with pytest.raises(KeyError):
            task.result()
        return results

    assert run(program()) == [error, error]


def test_what_can_not_be_waited_for_is_refused():
    @do
    def program():
        promise = yield CreatePromise()
        with pytest.raises(TypeError, match=r"Wait\(\) takes a promise's future"):
            Wait(promise)

    run(program())
    with pytest.raises(TypeError, match=r"Wait\(\) takes a task, not a program: yield Spawn\(program\) gives one"):
        Wait(turns(1))
    with pytest.raises(TypeError, match=r"Gather\(\) takes a Task or a Future, not an int"):
        Gather(3)
    with pytest.raises(TypeError, match=r"Gather\(\) takes a Task or a Future, not a list"):
        Gather([])
    with pytest.raises(TypeError, match=r"Cancel\(\) takes a Task, which yield Spawn\(program\) gives, not an int"):
        Cancel(3)
    with pytest.raises(TypeError, match=r"Spawn\(\) takes a program, not a DoFunction: call it, turns\(\)"):
        Spawn(turns)


# Cancelling.


def test_a_task_that_has_not_begun_never_does():
    @do
    def program():
        task = yield Spawn(failing(AssertionError("it ran")))
        yield Cancel(task, "no")
        with pytest.raises(TaskCancelledError, match="no"):
            yield Wait(task)
        assert task.cancelled() and task.done()
        assert repr(task).endswith("cancelled>")

    run(program())


def test_a_cancel_is_raised_where_the_task_waits_and_cleaning_up_may_take_effects():
    @do
    def child(log):
        try:
            yield from forever()
        except TaskCancelledError as error:
            log.append(("except", error.args))
            yield Put("k", 1)
            yield from turns(2)
            raise
        finally:
            log.append(("finally", (yield Get("k"))))

    @do
    def program():
        log = []
        task = yield Spawn(child(log))
        yield from turns(1)
        yield Cancel(task, "enough")
        assert not task.done(), "the canceller goes on at once"
        with pytest.raises(asyncio.CancelledError, match="enough"):
            yield Wait(task)
        assert log == [("except", ("enough",)), ("finally", 1)]
        yield Cancel(task)
        return task.cancelled()

    assert run(state()(program())) is True


def test_who_swallows_a_cancel_goes_on_until_the_next():
    @do
    def stubborn():
        swallowed = 0
        while True:
            try:
                yield from forever()
            except TaskCancelledError:
                swallowed += 1
                if swallowed == 3:
                    return "a late value"

    @do
    def program():
        task = yield Spawn(stubborn())
        for _ in range(3):
            yield from turns(1)
            assert not task.done()
            yield Cancel(task)
        return (yield Wait(task))

    assert run(program()) == "a late value"


def test_a_cancel_of_a_task_that_could_go_on_takes_the_place_of_what_it_would_have_got():
    @do
    def child(future):
        return (yield Wait(future))

    @do
    def program():
        promise = yield CreatePromise()
        task = yield Spawn(child(promise.future))
        yield from turns(1)
        yield FailPromise(promise, KeyError("lost"))
        yield Cancel(task)
        try:
            yield Wait(task)
        except TaskCancelledError as error:
            return error.__context__

    assert run(program()).args == ("lost",)


def test_a_task_that_cancels_itself():
    @do
    def child(own):
        try:
            yield Cancel(own[0], "myself")
        finally:
            own.append("finally")

    @do
    def program():
        own = []
        own.append((yield Spawn(child(own))))
        with pytest.raises(TaskCancelledError, match="myself"):
            yield Wait(own[0])
        return own[1]

    assert run(program()) == "finally"


def test_who_waits_leaves_alone_what_it_waited_for():
    @do
    def program():
        slow = yield Spawn(turns(4, name="slow"))
        waiting = yield Spawn(Wait(slow))
        gathering = yield Spawn(Gather(slow, slow))
        yield from turns(1)
        yield Cancel(waiting)
        yield Cancel(gathering)
        assert (yield Try(Pure(1))).is_ok()
        return (yield Wait(slow))

    assert run(program()) == "slow"


def test_discard_ends_a_task_without_its_effects(unraisable):
    @do
    def child():
        try:
            yield from forever()
        finally:
            log.append("plain code")
            yield Put("k", "an effect")

    log = []

    @do
    def program():
        task = yield Spawn(child())
        yield from turns(1)
        yield Discard(task)
        assert task.done()
        with pytest.raises(TaskCancelledError):
            yield Wait(task)
        unbegun = yield Spawn(failing(AssertionError()))
        yield Discard(unbegun)
        yield Discard(unbegun)
        return (yield Get("k"))

    assert run(state()(program())) is None
    assert log == ["plain code"]
    assert [str(error) for error, _ in unraisable] == ["generator ignored GeneratorExit"]


def test_a_task_may_discard_itself():
    @do
    def child(own):
        yield Discard(own[0])
        raise AssertionError

    @do
    def program():
        own = []
        own.append((yield Spawn(child(own))))
        return (yield Try(Pure(own[0].done()))), (yield from cancelled(own[0]))

    def cancelled(task):
        try:
            yield Wait(task)
        except TaskCancelledError:
            return True

    assert run(program())[1] is True


# Promises and semaphores.


def test_a_promise_is_completed_once():
    @do
    def program():
        promise = yield CreatePromise()
        waiting = yield Spawn(Wait(promise.future))
        yield from turns(1)
        assert not promise.future.done()
        yield CompletePromise(promise, "value")
        assert waiting.done(), "who waited goes on first"
        assert (yield Wait(promise.future)) == "value"
        for again in (CompletePromise(promise, 1), FailPromise(promise, KeyError())):
            with pytest.raises(asyncio.InvalidStateError, match="completed or failed before"):
                yield again
        return promise.future.done()

    assert run(program()) is True


def test_who_completes_may_go_on_first():
    @do
    def program():
        promise = yield CreatePromise()
        waiting = yield Spawn(Wait(promise.future))
        yield from turns(1)
        yield CompletePromise(promise, "value", yield_to_woken=False)
        assert not waiting.done()
        return (yield Wait(waiting))

    assert run(program()) == "value"


def test_a_promise_that_fails():
    @do
    def program():
        promise = yield CreatePromise()
        yield FailPromise(promise, KeyError("bad"))
        yield Wait(promise.future)

    with pytest.raises(KeyError):
        run(program())
    with pytest.raises(TypeError, match=r"CompletePromise\(\) takes a Promise, not an int: yield CreatePromise\(\)"):
        CompletePromise(3, 1)


def test_a_semaphore_lets_so_many_in_at_once_in_order():
    @do
    def worker(semaphore, name, log):
        yield AcquireSemaphore(semaphore)
        try:
            inside = yield Modify("inside", lambda inside: inside + 1)
            log.append((name, inside))
            yield from turns(2)
        finally:
            yield Modify("inside", lambda inside: inside - 1)
            yield ReleaseSemaphore(semaphore)

    @do
    def program():
        semaphore, log, tasks = (yield CreateSemaphore(2)), [], []
        for name in range(6):
            tasks.append((yield Spawn(worker(semaphore, name, log))))
        yield Gather(*tasks)
        assert max(inside for _, inside in log) == 2
        return [name for name, _ in log]

    assert run(state({"inside": 0})(program())) == list(range(6))


def test_a_permit_is_not_lost_to_a_cancelled_task():
    """It was handed on, and the task is cancelled before it goes on."""

    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield AcquireSemaphore(semaphore)
        first, second = (yield Spawn(AcquireSemaphore(semaphore))), (yield Spawn(AcquireSemaphore(semaphore)))
        yield from turns(1)
        yield ReleaseSemaphore(semaphore)
        yield Cancel(first)
        yield Wait(second)
        yield ReleaseSemaphore(semaphore)
        third = yield Spawn(AcquireSemaphore(semaphore))
        yield Wait(third)
        fourth = yield Spawn(AcquireSemaphore(semaphore))
        yield from turns(1)
        yield ReleaseSemaphore(semaphore)
        yield Discard(fourth)
        yield AcquireSemaphore(semaphore)

    run(program())


def test_what_semaphores_refuse():
    @do
    def program():
        semaphore = yield CreateSemaphore(1)
        yield ReleaseSemaphore(semaphore)

    with pytest.raises(RuntimeError, match=r"semaphore 1 was released once too often: all of its 1 permits are free"):
        run(program())
    with pytest.raises(ValueError, match="a semaphore has at least one permit, not 0"):
        CreateSemaphore(0)
    with pytest.raises(TypeError, match=r"a semaphore belongs to a run: semaphore = yield CreateSemaphore\(permits\)"):
        Semaphore()
    with pytest.raises(TypeError, match=r"AcquireSemaphore\(\) takes a Semaphore, not an int"):
        AcquireSemaphore(3)


def test_what_belongs_to_another_run_is_refused():
    @do
    def make():
        return (yield CreateSemaphore(1)), (yield CreatePromise())

    semaphore, promise = run(make())
    with pytest.raises(RuntimeError, match="semaphore 1 belongs to another run"):
        run(AcquireSemaphore(semaphore))
    with pytest.raises(RuntimeError, match="future 2 belongs to another run"):
        run(Wait(promise.future))


# Order, fairness, and deadlocks.


def test_higher_priorities_come_first_and_none_waits_for_ever():
    log = []

    @do
    def worker(name, count):
        for _ in range(count):
            log.append(name)
            yield Wait((yield Spawn(Pure(None), priority=PRIORITY_HIGH)))

    @do
    def program():
        tasks = [
            (yield Spawn(worker("idle", 3), priority=PRIORITY_IDLE)),
            (yield Spawn(worker("normal", 3))),
            (yield Spawn(worker("high", 100), priority=PRIORITY_HIGH)),
        ]
        yield Gather(*tasks)

    run(program())
    assert log[0] == "high"
    assert log.index("idle") < 70 and log.index("normal") < 70, "while the high ones go on"
    assert log[-1] == "high"


def test_a_busy_task_lets_others_have_turns():
    @do
    def busy():
        count = 0
        while not (yield Get("stop")):
            count += 1
        return count

    @do
    def program():
        task = yield Spawn(busy())
        yield from turns(20)
        yield Put("stop", True)
        return (yield Wait(task))

    assert run(state()(program())) > 100


def test_a_deadlock_names_who_waits_for_what():
    @do
    def child(future):
        yield Wait(future)

    @do
    def acquirer(semaphore):
        yield AcquireSemaphore(semaphore)
        yield AcquireSemaphore(semaphore)

    @do
    def program():
        promise = yield CreatePromise()
        semaphore = yield CreateSemaphore(1)
        tasks = [(yield Spawn(child(promise.future))), (yield Spawn(acquirer(semaphore), name="greedy"))]
        yield Gather(*tasks)

    with pytest.raises(SchedulerDeadlockError) as raised:
        run(program())
    waits = raised.value.parked_waiters
    assert [wait.split(" in ")[0] for wait in waits] == [
        "the program 'test_a_deadlock_names_who_waits_for_what.<locals>.program' waits for task 3 "
        "'test_a_deadlock_names_who_waits_for_what.<locals>.child', task 4 'greedy'",
        "task 3 'test_a_deadlock_names_who_waits_for_what.<locals>.child' waits for promise 1",
        "task 4 'greedy' waits for a permit of semaphore 2",
    ]
    assert all(__file__ in wait for wait in waits)
    assert "every task waits for what only another one could do" in str(raised.value)


def test_a_deadlock_is_raised_in_the_program_which_may_clean_up():
    @do
    def program():
        try:
            yield from forever()
        except SchedulerDeadlockError:
            return (yield Get("k"))

    assert run(state({"k": "cleaned up"})(program())) == "cleaned up"


def test_a_task_that_waits_for_itself_is_a_deadlock():
    @do
    def child(own):
        yield Wait(own[0])

    @do
    def program():
        own = []
        own.append((yield Spawn(child(own))))
        yield Wait(own[0])

    @do
    def gathering(own):
        yield Race((yield Spawn(forever())), own[0], own[0])

    @do
    def gathering_program():
        own = []
        own.append((yield Spawn(gathering(own))))
        yield Gather(*own * 5)

    with pytest.raises(SchedulerDeadlockError, match="task 1 .* waits for task 1"):
        run(program())
    with pytest.raises(SchedulerDeadlockError, match="waits for task 1 .*, task 1 .*, task 1 .* and 2 more in"):
        run(gathering_program())


def test_a_run_has_a_bound():
    @do
    def program(count):
        tasks = []
        for _ in range(count):
            tasks.append((yield Spawn(Pure(None))))
        yield Gather(*tasks)
        return (yield Wait((yield Spawn(Pure("and one more")))))

    assert run(program(9), max_tasks=11) == "and one more"
    with pytest.raises(RuntimeError, match="there are 10 tasks already, and no more may be spawned: .* set max_tasks"):
        run(program(30), max_tasks=10)
    with pytest.raises(ValueError, match="max_tasks is at least 1"):
        run(Pure(1), max_tasks=0)


# The end of a run.


def test_what_is_left_over_is_cancelled_and_reported(caplog):
    log = []

    @do
    def left(name):
        try:
            yield from forever()
        finally:
            yield from turns(2)
            log.append(name)

    @do
    def program():
        yield Spawn(left("first"))
        yield Spawn(left("second"), name="other")
        yield Spawn(left("daemon"), daemon=True)
        yield from turns(1)
        return "result"

    assert run(program()) == "result"
    assert log == ["first", "second", "daemon"]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    text = record.getMessage()
    assert "ended before 2 tasks that it had spawned: task 1" in text
    assert "task 2 'other' waits for promise" in text and "They were cancelled" in text
    assert "discarded" not in text


def test_what_does_not_end_is_discarded(caplog):
    @do
    def stubborn():
        while True:
            try:
                yield from forever()
            except TaskCancelledError:
                pass

    @do
    def program():
        yield Spawn(stubborn(), daemon=True)
        yield from turns(1)

    run(program())
    assert "These had not ended when their time was over, and were discarded: task 1" in caplog.text


def test_a_grace_has_an_end(caplog):
    @do
    def busy():
        while True:
            try:
                while True:
                    yield Get("k")
            except TaskCancelledError:
                pass

    @do
    def program():
        yield Spawn(busy())
        yield from turns(1)

    run(state()(program()), grace=0.01)
    assert "were discarded: task 1" in caplog.text
    for grace in (-1, float("nan")):
        with pytest.raises(ValueError, match="the grace is a number of seconds from 0 on"):
            run(Pure(1), grace=grace)


def test_an_error_that_nobody_saw_is_reported(caplog):
    @do
    def program():
        yield Spawn(failing(KeyError("unseen")))
        yield from turns(3)

    run(program())
    [record] = caplog.records
    assert record.getMessage() == "the exception of task 1 'failing' was never retrieved"
    assert record.exc_info[1].args == ("unseen",)


def test_a_wish_to_stop_ends_the_program():
    log = []

    @do
    def program():
        task = yield Spawn(failing(SystemExit(3)))
        try:
            yield from forever()
        finally:
            log.append((yield Get("k")))

    with pytest.raises(SystemExit, match="3"):
        run(state({"k": "cleaned up"})(program()))
    assert log == ["cleaned up"]


# Handlers of tasks.


def test_tasks_share_the_state_unless_it_is_isolated():
    @do
    def child():
        yield Modify("k", lambda old: old + 1)
        return (yield Get("k"))

    @do
    def program():
        tasks = [(yield Spawn(child())), (yield Spawn(child()))]
        return (yield Gather(*tasks)), (yield Get("k"))

    assert run(state({"k": 0})(program())) == ([1, 2], 2)
    assert run(state({"k": 0}, isolated=True)(program())) == ([1, 1], 0)
    assert run(state({"k": 0})(state({"other": 1}, isolated=True)(Pure(None)))) is None


def test_an_isolated_state_goes_on_to_grandchildren_as_it_was():
    @do
    def grandchild():
        return (yield Get("k"))

    @do
    def child():
        yield Put("k", "child's")
        return (yield Wait((yield Spawn(grandchild()))))

    @do
    def program():
        task = yield Spawn(child())
        yield Put("k", "mine")
        return (yield Wait(task))

    assert run(state({"k": 0}, isolated=True)(program())) == "child's"


def test_runs_may_be_nested_and_run_in_threads(in_thread):
    @do
    def program(depth):
        if depth == 0:
            return 0
        yield from turns(1)
        return run(program(depth - 1)) + 1

    assert run(program(5)) == 5
    assert in_thread(run, program(3)) == 3
