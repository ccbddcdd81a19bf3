"""What is kept alive by what, and that nothing is left."""

import asyncio
import gc
import signal
import weakref

import pytest

from asyncferry.effects import Await, CreatePromise, Get, Pure, Put, Spawn, Wait, async_run, do, handler, run, state


class Thing:
    """Something to refer to weakly."""


@do
def holding(thing, forever):
    yield Wait(forever)
    return thing


def test_what_a_run_refers_to_goes_with_it():
    thing = Thing()
    seen = weakref.ref(thing)

    @do
    def program(thing):
        promise = yield CreatePromise()
        task = yield Spawn(holding(thing, promise.future), daemon=True)
        yield Put("task", task)
        yield Wait((yield Spawn(Pure(None))))
        return (yield Get("task"))

    handler = state()
    run(handler(program(thing)))
    del thing, handler, program
    gc.collect()
    assert seen() is None


def test_a_run_whose_loop_is_gone_is_collected(caplog):
    thing = Thing()
    seen = weakref.ref(thing)

    @do
    def program(thing):
        yield Await(asyncio.Event().wait())
        return thing

    loop = asyncio.new_event_loop()
    running = async_run(program(thing))

    async def begin():
        job = running.send(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return job

    job = loop.run_until_complete(begin())
    del thing, job
    running.close()
    for _ in range(5):
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    del loop, running, program
    gc.collect()
    assert seen() is None


def test_cycles_through_handlers_and_continuations_are_collected():
    thing = Thing()
    seen = weakref.ref(thing)
    kept = []

    @handler
    def keep(effect: Get, k):
        kept.append((k, keep, thing))
        return None

    @do
    def program(thing):
        own = yield Get("k")
        return own, thing

    run(keep(program(thing)))
    kept.append(kept)
    del thing, keep, program, kept
    gc.collect()
    assert seen() is None


def test_a_thousand_runs_leave_nothing():
    @do
    def program():
        promise = yield CreatePromise()
        tasks = [(yield Spawn(Wait(promise.future), daemon=True)), (yield Spawn(Get("k")))]
        yield Put("k", 1)
        return (yield Wait(tasks[1]))

    def count():
        gc.collect()
        return len(gc.get_objects())

    run(state()(program()))
    before = count()
    for _ in range(1000):
        assert run(state({"k": 2})(program())) in (1, 2)
    assert count() - before < 100


def test_ctrl_c_is_raised_in_the_program_which_cleans_up(program):
    printed = program(
        """
        import os, signal, threading
        import asyncferry as ferry
        from asyncferry.effects import *

        @do
        def main():
            promise = yield CreateExternalPromise()
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                yield Wait(promise.future)
            finally:
                print("cleaned up", (yield Get("k")), flush=True)

        try:
            run(state({"k": 1})(main()))
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert printed == "cleaned up 1\ninterrupted\n"


def test_ctrl_c_ends_a_busy_program(program):
    printed = program(
        """
        import asyncio, os, signal, threading
        from asyncferry.effects import *

        @do
        def main():
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                while True:
                    yield Get("k")
            finally:
                print("cleaned up", (yield Get("k")), flush=True)

        for how in (run, lambda program: asyncio.run(async_run(program))):
            try:
                how(state({"k": 1})(main()))
            except KeyboardInterrupt:
                print("interrupted")
        """
    )
    assert printed == "cleaned up 1\ninterrupted\n" * 2


def test_a_wish_to_stop_out_of_a_task_ends_asyncio_s_run(program):
    printed = program(
        """
        import asyncio
        from asyncferry.effects import *

        @do
        def stopping():
            yield Pure(None)
            raise SystemExit(7)

        @do
        def main():
            yield Spawn(stopping())
            try:
                yield Await(asyncio.Event().wait())
            finally:
                print("cleaned up", flush=True)

        asyncio.run(async_run(main()))
        """,
        exit_code=7,
    )
    assert printed == "cleaned up\n"


def test_errors_that_nobody_retrieves_are_told_to_the_loop(run):
    @do
    def failing():
        yield Pure(None)
        raise KeyError("unseen")

    @do
    def program():
        yield Spawn(failing(), name="failing")
        yield Await(asyncio.sleep(0))
        yield Await(asyncio.sleep(0))

    async def main():
        await async_run(program())
        gc.collect()

    run(main)
    [report] = run.take_reports()
    assert report["message"] == "the exception of task 1 'failing' was never retrieved"
    assert report["exception"].args == ("unseen",)


def test_signals_have_their_handlers_while_run_waits(in_thread):
    called = []
    old = signal.signal(signal.SIGALRM, lambda *_: called.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)

        @do
        def program():
            import asyncferry as ferry

            while not called:
                yield Wait(ferry.sleep(0.001))

        run(program())
    finally:
        signal.signal(signal.SIGALRM, old)
    assert called == [1]


def test_run_takes_no_more_than_it_says():
    with pytest.raises(TypeError):
        run(Pure(1), 3)
    with pytest.raises(TypeError):
        run()
