"""The background loop: where coroutines run that are submitted on a thread without a loop, and callbacks are called."""

import asyncio
import threading

import pytest
from conftest import PATIENCE, give, give_now

import asyncferry as ferry

STOPS = [SystemExit(3), KeyboardInterrupt("stop")]


async def stop(error):
    raise error


async def stop_in_a_task(error):
    await asyncio.create_task(stop(error))


async def stop_after_a_while(error):
    await asyncio.sleep(0)
    raise error


async def stop_the_loop(error):
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize("error", STOPS, ids=repr)
@pytest.mark.parametrize("function", [stop, stop_in_a_task, stop_after_a_while, stop_the_loop])
def test_what_stops_a_program_ends_its_own_job_only(function, error):
    waits = ferry.submit(asyncio.sleep, 1000)
    with pytest.raises(type(error)) as caught:
        ferry.submit(function, error).result(PATIENCE)
    assert caught.value is error
    assert ferry.submit(give, 1).result(PATIENCE) == 1
    assert not waits.done()


@pytest.mark.parametrize("error", STOPS, ids=repr)
def test_what_stops_a_program_in_a_callback(error):
    def callback(_):
        raise error

    called = threading.Event()
    job = ferry.submit(give, 1)
    job.add_done_callback(callback)
    job.add_done_callback(lambda _: called.set())
    assert called.wait(PATIENCE)
    assert ferry.submit(give, 2).result(PATIENCE) == 2


def test_it_is_started_again_where_the_system_gave_no_thread(program):
    assert program(
        """
        import threading, asyncferry as ferry
        async def give(value): return value
        def refuse(thread): raise RuntimeError("can't start new thread")
        start, threading.Thread.start = threading.Thread.start, refuse
        for _ in range(2):
            try: ferry.submit(give, 1)
            except RuntimeError as error: print(error)
        threading.Thread.start = start
        print(ferry.submit(give, 2).result(30))
        """
    ).splitlines() == ["can't start new thread"] * 2 + ["2"]


def test_it_calls_the_callbacks_of_jobs_whose_loop_is_closed(run):
    go_on = threading.Event()

    async def main():
        pending, done = ferry.submit(go_on.wait, PATIENCE), ferry.submit(give_now, 1)
        await done
        return pending, done

    called = {}
    for job in run(main):
        called[job] = threading.Event()
        job.add_done_callback(lambda job: called[job].set())
    go_on.set()
    for event in called.values():
        assert event.wait(PATIENCE)
