"""patterns.Shutdown: who waits for it, work in flight, the drain and its deadline, run_until, and signals."""

import asyncio
import gc
import os
import signal
import threading
import weakref

import pytest

import asyncferry as ferry
from asyncferry import testing
from asyncferry.patterns import Drained, Shutdown, ShuttingDown
from conftest import PATIENCE

SEEDS = 50


def on_every_order(main):
    testing.run_seeds(main, seeds=SEEDS)


def now():
    return asyncio.get_running_loop().time()


async def works(shutdown, name, seconds, cleanup=0):
    async with shutdown.guard(name):
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            await asyncio.sleep(cleanup)
            raise


def start(shutdown, **seconds):
    return [asyncio.create_task(works(shutdown, name, each)) for name, each in seconds.items()]


def test_all_who_wait_for_it_wake():
    async def main():
        shutdown = Shutdown()
        waiting = [asyncio.create_task(shutdown.begun()) for _ in range(3)]
        await asyncio.sleep(1)
        assert not shutdown.is_begun and not any(each.done() for each in waiting)
        shutdown.begin()
        shutdown.begin()
        await asyncio.gather(*waiting)
        assert shutdown.is_begun
        await shutdown.begun()

    on_every_order(main)


def test_work_is_refused_once_it_has_begun():
    async def main():
        shutdown = Shutdown()
        with shutdown.guard("a"):
            assert shutdown.in_flight == ["a"]
            shutdown.begin()
            with pytest.raises(ShuttingDown, match="'b' is refused"), shutdown.guard("b"):
                raise AssertionError
            with pytest.raises(ShuttingDown, match="'c' is refused"):
                await works(shutdown, "c", 1)
            assert shutdown.in_flight == ["a"]
        assert shutdown.in_flight == []

    on_every_order(main)


def test_a_drain_waits_for_what_is_in_flight():
    async def main():
        shutdown = Shutdown()
        tasks = start(shutdown, a=1, b=3)
        await asyncio.sleep(0.5)
        assert await shutdown.drain(10) == Drained(2, ())
        assert now() == 3 and shutdown.is_begun
        await asyncio.gather(*tasks)
        assert await shutdown.drain(0) == Drained(0, ())

    on_every_order(main)


def test_what_is_left_at_the_deadline_is_cancelled_and_named():
    async def main():
        shutdown = Shutdown()
        tasks = start(shutdown, a=1, b=60, c=2, d=70)
        await asyncio.sleep(0.5)
        drained = await shutdown.drain(5)
        assert (drained.finished, sorted(drained.left), now()) == (2, ["b", "d"], 5.5)
        assert shutdown.in_flight == []
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [False, True, False, True]

    on_every_order(main)


@pytest.mark.parametrize(("cleanup", "ends_at"), [(0.25, 2.25), (60, 3)])
def test_what_is_cancelled_has_time_to_clean_up(cleanup, ends_at):
    async def main():
        shutdown = Shutdown()
        task = asyncio.create_task(works(shutdown, "a", 60, cleanup))
        await asyncio.sleep(1)
        assert await shutdown.drain(1) == Drained(0, ("a",))
        assert now() == ends_at
        await asyncio.wait([task])
        assert now() == 2 + cleanup and task.cancelled()

    on_every_order(main)


def test_work_that_ends_at_the_deadline_is_finished_or_left():
    seen = set()

    async def main():
        shutdown = Shutdown()
        [task] = start(shutdown, a=5)
        # Before the guard is entered there is nothing to wait for.
        while not shutdown.in_flight:
            await asyncio.sleep(0)
        drained = await shutdown.drain(5)
        await asyncio.wait([task])
        seen.add(drained)
        assert task.cancelled() == bool(drained.left) or not task.cancelled()
        assert drained in (Drained(1, ()), Drained(0, ("a",)))

    on_every_order(main)
    assert Drained(1, ()) in seen


def test_a_task_is_not_cancelled_for_work_that_it_has_left():
    """The request to cancel is on its way to another loop, or to a later turn, when the work ends."""

    async def main():
        shutdown = Shutdown()

        async def works_then_goes_on():
            with shutdown.guard("a"):
                await leave.wait()
            await asyncio.sleep(10)
            return "whole"

        leave = asyncio.Event()
        task = asyncio.create_task(works_then_goes_on())
        while not shutdown.in_flight:
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(1, leave.set)
        await shutdown.drain(1)
        assert task.cancelled() or await task == "whole"

    on_every_order(main)


def test_a_drain_that_is_cancelled_leaves_the_work_alone():
    async def main():
        shutdown = Shutdown()
        [task] = start(shutdown, a=5)
        await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await shutdown.drain(10)
        assert not task.done()
        assert await shutdown.drain(10) == Drained(1, ())
        await task

    on_every_order(main)


def test_two_drains_at_once():
    async def main():
        shutdown = Shutdown()
        cleaned = []

        async def work():
            with shutdown.guard("a"):
                try:
                    await asyncio.sleep(60)
                finally:
                    # A second request to cancel would end this.
                    await asyncio.sleep(0.5)
                    cleaned.append("a")

        task = asyncio.create_task(work())
        await asyncio.sleep(1)
        assert await asyncio.gather(shutdown.drain(1), shutdown.drain(1.25)) == [Drained(0, ("a",))] * 2
        assert cleaned == ["a"]
        await asyncio.wait([task])

    on_every_order(main)


def test_a_task_in_flight_that_drains_does_not_wait_for_itself():
    async def main():
        shutdown = Shutdown()
        [task] = start(shutdown, a=2)
        await asyncio.sleep(1)
        with shutdown.guard("main"):
            assert await shutdown.drain(5) == Drained(1, ())
        await task

    on_every_order(main)


def test_no_work_slips_in_between():
    """Whether it's entered before the drain or refused: when the drain ends, nothing is in flight."""

    async def main():
        shutdown = Shutdown()
        tasks = start(shutdown, **{f"work {number}": 1 for number in range(5)})
        drained = await shutdown.drain(None)
        assert shutdown.in_flight == []
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert drained == Drained(outcomes.count(None), ())
        assert {type(outcome) for outcome in outcomes} <= {type(None), ShuttingDown}

    on_every_order(main)


def test_work_of_threads_is_waited_for(in_thread):
    shutdown, entered, leave = Shutdown(), threading.Event(), threading.Event()

    def work():
        with shutdown.guard("thread"):
            entered.set()
            assert leave.wait(PATIENCE)

    async def main():
        working = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.to_thread(entered.wait, PATIENCE)
        assert await shutdown.drain(0, cleanup=0) == Drained(0, ("thread",))
        draining = asyncio.create_task(shutdown.drain(PATIENCE))
        await asyncio.sleep(0)
        leave.set()
        assert await draining == Drained(1, ())
        await working

    asyncio.run(main())
    with pytest.raises(ShuttingDown):
        in_thread(work)


# run_until


def test_what_ends_before_gives_its_value():
    async def main():
        shutdown = Shutdown()
        assert await shutdown.run_until(asyncio.sleep(1, "slept")) == "slept"
        with pytest.raises(TimeoutError, match="own"):
            await shutdown.run_until(fails(TimeoutError("own")))
        shutdown.begin()
        await asyncio.sleep(1)
        assert asyncio.current_task().cancelling() == 0

    on_every_order(main)


async def fails(error):
    await asyncio.sleep(0)
    raise error


def test_what_runs_when_it_begins_is_cancelled():
    async def main():
        shutdown = Shutdown()
        cleaned = []

        async def serve():
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(1)
                cleaned.append(now())

        running = asyncio.create_task(shutdown.run_until(serve(), "stopped"))
        await asyncio.sleep(5)
        shutdown.begin()
        assert await running == "stopped"
        assert cleaned == [6]

    on_every_order(main)


def test_an_error_of_its_end_is_raised():
    async def main():
        shutdown = Shutdown()

        async def serve():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise TimeoutError("own") from None

        asyncio.get_running_loop().call_later(1, shutdown.begin)
        with pytest.raises(TimeoutError, match="own"):
            await shutdown.run_until(serve())
        await asyncio.sleep(1)

    on_every_order(main)


def test_what_goes_on_when_it_is_cancelled_gives_its_value():
    async def main():
        shutdown = Shutdown()

        async def stubborn():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return await asyncio.sleep(1, "saved")

        asyncio.get_running_loop().call_later(1, shutdown.begin)
        assert await shutdown.run_until(stubborn()) == "saved"
        await asyncio.sleep(1)
        assert asyncio.current_task().cancelling() == 0

    on_every_order(main)


def test_what_comes_after_it_has_begun_is_not_started():
    async def main():
        shutdown = Shutdown()
        shutdown.begin()
        coroutine = fails(AssertionError())
        assert await shutdown.run_until(coroutine) is None
        assert coroutine.cr_frame is None
        future = asyncio.get_running_loop().create_future()
        assert await shutdown.run_until(future, 7) == 7
        assert future.cancelled()

    on_every_order(main)


def test_a_request_to_cancel_from_outside_is_not_mistaken_for_it():
    async def main():
        shutdown = Shutdown()
        running = asyncio.create_task(shutdown.run_until(asyncio.sleep(60)))
        await asyncio.sleep(1)
        running.cancel("outside")
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await shutdown.run_until(asyncio.sleep(60))

    on_every_order(main)


@pytest.mark.parametrize("turns", range(5))
def test_no_item_is_lost_to_the_shutdown(turns):
    """An item comes in the moment in which the shutdown begins: somebody has it, or it's in the queue still."""

    async def main():
        shutdown, queue, taken = Shutdown(), ferry.Queue(), []

        async def takes():
            while (item := await shutdown.run_until(queue.get())) is not None:
                taken.append(item)

        async def puts():
            await asyncio.sleep(1)
            for item in range(5):
                queue.put_nowait(item)
                await asyncio.sleep(0)

        async def begins():
            await asyncio.sleep(1)
            for _ in range(turns):
                await asyncio.sleep(0)
            shutdown.begin()

        await asyncio.gather(takes(), takes(), puts(), begins())
        left = [queue.get_nowait() for _ in range(queue.qsize())]
        assert sorted(taken + left) == list(range(5))

    on_every_order(main)


def test_it_keeps_nothing_of_what_has_ended():
    async def main():
        shutdown = Shutdown()
        task = asyncio.create_task(shutdown.run_until(asyncio.sleep(1)))
        await task
        alive = weakref.ref(task)
        del task
        # The turn that woke this one has the task as well.
        await asyncio.sleep(0)
        gc.collect()
        assert alive() is None

    testing.run(main())


# Threads and signals


def test_it_begins_on_another_thread(run, in_thread):
    async def main():
        shutdown = Shutdown()
        waiting = asyncio.create_task(shutdown.begun())
        running = asyncio.create_task(shutdown.run_until(asyncio.sleep(PATIENCE), "stopped"))
        await asyncio.sleep(0)
        in_thread(shutdown.begin)
        await waiting
        assert await running == "stopped"

    run(main)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_begins_it(which, run):
    before = signal.getsignal(which)

    async def main():
        shutdown = Shutdown()
        runner = signal.getsignal(which)
        with shutdown.install_signal_handlers():
            os.kill(os.getpid(), which)
            await shutdown.begun()
            # A second one does what it did before.
            assert signal.getsignal(which) is runner
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    run(main)
    assert signal.getsignal(which) is before


def test_handlers_that_no_signal_met_are_put_back():
    async def main():
        shutdown = Shutdown()
        runner = signal.getsignal(signal.SIGINT)
        with shutdown.install_signal_handlers([signal.SIGINT, signal.SIGUSR1]) as handlers:
            assert signal.getsignal(signal.SIGINT) is not runner
        assert signal.getsignal(signal.SIGINT) is runner
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
        handlers.remove()
        assert not shutdown.is_begun

    asyncio.run(main())


def test_a_signal_where_loops_have_no_handlers(monkeypatch):
    """As on Windows: the handler runs on the main thread, whatever that does, and wakes the loop."""

    async def main():
        loop, shutdown = asyncio.get_running_loop(), Shutdown()

        def refuses(*arguments):
            raise NotImplementedError

        monkeypatch.setattr(loop, "add_signal_handler", refuses)
        with shutdown.install_signal_handlers():
            os.kill(os.getpid(), signal.SIGTERM)
            await shutdown.begun()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    asyncio.run(main())


def test_a_second_signal_ends_a_program_that_hangs(program):
    code = """
        import asyncio, os, signal
        from asyncferry.patterns import Shutdown

        async def main():
            shutdown = Shutdown()
            with shutdown.install_signal_handlers():
                os.kill(os.getpid(), signal.SIGTERM)
                await shutdown.begun()
                print("begun", flush=True)
                os.kill(os.getpid(), signal.SIGTERM)
                while True:
                    pass

        asyncio.run(main())
    """
    assert program(code, exit_code=-signal.SIGTERM) == "begun\n"


def test_bad_input(in_thread):
    async def main():
        shutdown = Shutdown()
        with pytest.raises(TypeError, match="work in flight is named by a string, not 7"):
            shutdown.guard(7)
        with pytest.raises(ValueError, match="deadline must be 0 seconds or more, not -1"):
            await shutdown.drain(-1)
        with pytest.raises(TypeError, match="cleanup must be a number of seconds"):
            await shutdown.drain(1, cleanup="long")
        assert not shutdown.is_begun
        with shutdown.guard("a") as guard, pytest.raises(RuntimeError, match="'a' is entered already"), guard:
            pass
        with pytest.raises((RuntimeError, OSError)):
            shutdown.install_signal_handlers([signal.SIGTERM, signal.SIGKILL])
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    asyncio.run(main())
    with pytest.raises(RuntimeError, match="on the main thread only"):
        in_thread(Shutdown().install_signal_handlers)
