"""asyncferry.testing: the virtual clock, the order of tasks, what holds the clock, and what waits for ever."""

import asyncio
import contextlib
import inspect
import math
import re
import socket
import sys
import textwrap
import threading

import pytest

import asyncferry as ferry
from asyncferry import testing
from asyncferry.testing import VirtualEventLoop
from conftest import PATIENCE, give, give_now


def now():
    return asyncio.get_running_loop().time()


@pytest.fixture(autouse=True)
def no_seed_of_the_environment(monkeypatch):
    monkeypatch.delenv("FERRY_SEED", raising=False)


@contextlib.asynccontextmanager
async def takes(seconds):
    start = now()
    yield
    assert now() - start == pytest.approx(seconds, abs=1e-6)


class PingPong:
    """A thread that goes to the loop and back a few times, so that a clock which isn't held would jump meanwhile."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()

    def __call__(self, value="done"):
        for _ in range(5):
            answered = threading.Event()
            self.loop.call_soon_threadsafe(answered.set)
            assert answered.wait(PATIENCE)
        return value


# The clock.


def test_time_jumps_to_the_next_timer():
    async def main():
        assert now() == 0.0
        await asyncio.sleep(3600)
        assert now() == 3600.0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.sleep(60)
        return now()

    assert testing.run(main()) == 3610.0


def test_timers_of_the_same_moment_come_in_the_order_in_which_they_were_set():
    async def main():
        came = []
        loop = asyncio.get_running_loop()
        for number in range(50):
            loop.call_at(5 + number % 2, came.append, number)
        await asyncio.sleep(10)
        return came

    assert testing.run(main()) == [*range(0, 50, 2), *range(1, 50, 2)]


@pytest.mark.parametrize("seconds", [1e-9, 0.1, 86400, 1e7, 1e8, 1e10, 1e15, 1e300])
def test_any_time_comes(seconds):
    async def main():
        await asyncio.sleep(seconds)
        return now()

    assert testing.run(main()) == pytest.approx(seconds, rel=1e-12)


def test_a_cancelled_timer_is_not_visited():
    async def main():
        asyncio.get_running_loop().call_later(5, now).cancel()
        asyncio.get_running_loop().call_at(-1, now)
        await asyncio.sleep(10)
        return now()

    assert testing.run(main()) == 10


def test_nan_is_no_time():
    async def main():
        with pytest.raises(ValueError, match="can't call at NaN"):
            asyncio.get_running_loop().call_later(math.nan, now)
        with pytest.raises(TypeError):
            asyncio.get_running_loop().call_at(None, now)

    testing.run(main())


def test_it_is_a_loop_factory():
    with asyncio.Runner(loop_factory=VirtualEventLoop, debug=True) as runner:
        runner.run(asyncio.sleep(1))
        runner.run(asyncio.sleep(1))
        assert runner.get_loop().time() == 2


# The order.


async def order_of_turns():
    log = []

    async def turns(name):
        for _ in range(2):
            await asyncio.sleep(0)
            log.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(turns(name))
    return "".join(log)


async def order_of_timers():
    log = []

    async def sleeps(name):
        await asyncio.sleep(1)
        log.append(name)

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(sleeps(name))
    return "".join(log)


@pytest.mark.parametrize("main, fifo", [(order_of_turns, "abcdabcd"), (order_of_timers, "abcd")])
def test_a_seed_gives_its_order_again(main, fifo):
    orders = testing.run_seeds(main, seeds=100)
    assert orders[0] == testing.run(main()) == testing.run(main(), seed=0) == fifo
    assert orders == testing.run_seeds(main, seeds=100)
    # Of 24 that there are.
    assert len({order[:4] for order in orders}) > 20
    # Only within a turn: each has had its first before one has its second.
    assert all(sorted(order[:4]) == list("abcd") for order in orders)


def test_callbacks_keep_their_order_and_no_task_overtakes_one():
    async def main():
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        came = []
        for number in range(5):
            future.add_done_callback(lambda _, number=number: came.append(number))

        async def waits():
            await future
            assert came[:5] == [0, 1, 2, 3, 4]

        waiters = [asyncio.create_task(waits()) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        future.set_result(None)
        for number in range(5, 10):
            loop.call_soon(came.append, number)
        await asyncio.gather(*waiters)
        return came

    assert testing.run_seeds(main, seeds=50) == [list(range(10))] * 50


def test_a_race_is_found_and_its_seed_named():
    async def main():
        loaded = []

        async def loads():
            await asyncio.sleep(1)
            loaded.append("settings")

        async def uses():
            await asyncio.sleep(1)
            assert loaded, "used before it was loaded"

        await asyncio.gather(loads(), uses())

    with pytest.raises(AssertionError) as failed:
        testing.run_seeds(main, seeds=100)
    [note] = failed.value.__notes__
    found = re.fullmatch(
        r"seed (\d+) failed, after (\d+) that did not; run it alone with FERRY_SEED=\1 in the environment", note
    )
    assert found and found[1] == found[2] != "0"
    with pytest.raises(AssertionError):
        testing.run(main(), seed=int(found[1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERRY_SEED", found[1])
        with pytest.raises(AssertionError) as again:
            testing.run_seeds(main)
    assert again.value.__notes__ == [note.replace(f"after {found[2]}", "after 0")]


def test_seeds_are_a_number_or_a_collection_or_of_the_environment(monkeypatch):
    async def main():
        return 1

    assert testing.run_seeds(main, seeds=3) == [1, 1, 1]
    assert testing.run_seeds(main, seeds=iter([5, 7])) == [1, 1]
    assert list(testing.seeds_to_run(3)) == [0, 1, 2]
    monkeypatch.setenv("FERRY_SEED", " 12 ")
    assert testing.seeds_to_run(3) == [12]
    for bad in ["", "x", "-1", "1.5"]:
        monkeypatch.setenv("FERRY_SEED", bad)
        with pytest.raises(ValueError, match=f"FERRY_SEED is '{bad}', which is no seed"):
            testing.run_seeds(main)


@pytest.mark.parametrize(
    "attempt, error, words",
    [
        (lambda: VirtualEventLoop("a"), TypeError, "a seed is a whole number from 0 on, not 'a'"),
        (lambda: VirtualEventLoop(True), TypeError, "not True"),
        (lambda: VirtualEventLoop(1.0), TypeError, "not 1.0"),
        (lambda: VirtualEventLoop(-1), ValueError, "from 0 on, not -1"),
        (lambda: VirtualEventLoop(io_patience="1"), TypeError, "io_patience is a number of seconds, not '1'"),
        (lambda: VirtualEventLoop(io_patience=-1), ValueError, "0 or more seconds, not -1"),
        (lambda: VirtualEventLoop(io_patience=math.nan), ValueError, "0 or more seconds, not nan"),
        (lambda: testing.run_seeds(give()), TypeError, "main instead of main()"),
        (lambda: testing.run_seeds(5), TypeError, "takes a function that makes a coroutine, not 5"),
        (lambda: testing.run_seeds(give_now), ValueError, "a coroutine was expected"),
        (lambda: testing.run_seeds(give, seeds=0), ValueError, "1 or more, not 0"),
        (lambda: testing.run_seeds(give, seeds=[]), ValueError, "seeds is empty"),
        (lambda: testing.run_seeds(give, seeds="12"), TypeError, "a collection of seeds, not '12'"),
        (lambda: testing.run_seeds(give, seeds=[1, None]), TypeError, "a seed is a whole number"),
        (lambda: testing.run_seeds(give, seeds=[1, -1]), ValueError, "from 0 on, not -1"),
        (lambda: testing.run_seeds(give, seeds=True), TypeError, "not True"),
        (lambda: testing.run(give_now()), ValueError, "a coroutine was expected"),
        (testing.hold_clock, RuntimeError, "no running event loop"),
    ],
)
def test_bad_arguments_are_told(attempt, error, words):
    with pytest.raises(error) as raised:
        attempt()
    assert words in str(raised.value)


# What waits for ever.


def test_a_program_that_waits_for_ever_is_told_where():
    async def inner():
        await asyncio.Event().wait()

    async def outer():
        await inner()

    async def main():
        task = asyncio.create_task(outer(), name="the waiter")
        await asyncio.gather(task, asyncio.sleep(5))

    with pytest.raises(RuntimeError, match="the program waits for ever") as raised:
        testing.run(main())
    told = str(raised.value)
    assert re.search(r"\n- task 'the waiter' of \S*outer\(\) waits at \S+locks.py, line \d+, in Event.wait(\n|$)", told)
    assert re.search(rf"of \S*main\(\) waits at {re.escape(__file__)}, line \d+, in \S*main(\n|$)", told)
    assert "hold_clock()" in told


@pytest.mark.parametrize("seconds", [math.inf, None])
def test_what_has_no_end_waits_for_ever(seconds):
    async def main():
        await (asyncio.sleep(seconds) if seconds else asyncio.get_running_loop().create_future())

    with pytest.raises(RuntimeError, match="waits for ever"):
        testing.run(main())


def test_a_loop_without_tasks_waits_for_ever_and_one_that_is_stopped_does_not():
    loop = VirtualEventLoop()
    with contextlib.closing(loop):
        with pytest.raises(RuntimeError, match="waits for ever.*\nThere are no tasks"):
            loop.run_forever()
        loop.call_later(5, loop.stop)
        loop.run_forever()
        assert loop.time() == 5


def test_a_job_that_nobody_ends_waits_for_ever():
    async def never():
        await asyncio.get_running_loop().create_future()

    async def main():
        await ferry.gather(ferry.submit(never), ferry.sleep(math.inf))

    with pytest.raises(RuntimeError, match="(?s)waits for ever.*for <Job 'gather' pending>"):
        testing.run(main())


# What holds the clock.


def test_a_call_in_an_executor_holds_the_clock():
    async def main():
        async with takes(0), asyncio.timeout(1):
            assert await asyncio.to_thread(PingPong()) == "done"
        async with takes(0), asyncio.timeout(1):
            await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)
        # Others may go on.
        async with takes(0):
            await asyncio.gather(asyncio.to_thread(PingPong()), give())

    testing.run_seeds(main, seeds=3)


def test_a_cancelled_call_in_an_executor_holds_nothing():
    async def main():
        release = threading.Event()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                call = asyncio.ensure_future(asyncio.to_thread(release.wait, PATIENCE))
                asyncio.get_running_loop().call_soon(call.cancel)
                with pytest.raises(asyncio.CancelledError):
                    await call
                await asyncio.sleep(2)
        release.set()

    testing.run(main())


def test_a_subprocess_holds_the_clock():
    async def main():
        async with takes(0), asyncio.timeout(1):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "print('out')", stdout=asyncio.subprocess.PIPE
            )
            assert await process.communicate() == (b"out\n", None)
        async with takes(0), asyncio.timeout(1):
            process = await asyncio.create_subprocess_shell("exit 3")
            assert await process.wait() == 3
        await asyncio.sleep(5)
        return now()

    assert testing.run(main()) == 5


def test_a_thread_of_ones_own_holds_the_clock():
    async def main():
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        work = PingPong()

        def on_thread(hold):
            with hold:
                work()
                loop.call_soon_threadsafe(answer.set_result, 42)
            hold.release()

        thread = threading.Thread(target=on_thread, args=(testing.hold_clock(),))
        thread.start()
        async with takes(0), asyncio.timeout(1):
            assert await answer == 42
        thread.join(PATIENCE)
        with testing.hold_clock():
            await asyncio.to_thread(PingPong())
        async with takes(5):
            await asyncio.sleep(5)

    testing.run(main())


def test_holding_a_real_clock_does_nothing():
    async def main():
        with testing.hold_clock() as hold:
            await asyncio.sleep(0.001)
        hold.release()

    asyncio.run(main())


def test_a_hold_that_is_released_when_its_loop_is_closed_does_no_harm():
    async def main():
        return testing.hold_clock()

    testing.run(main()).release()


# Ferry's jobs.


def plain_jobs():
    """Ways to wait for a function on a thread, each of which gives "done"."""
    return {
        "await": lambda: ferry.submit(PingPong()),
        "then": lambda: ferry.submit(PingPong()).then(give),
        "gather": lambda: ferry.gather(ferry.submit(PingPong()), give()).then(lambda both: both[0]),
        "nested gather": lambda: ferry.gather(ferry.gather(ferry.submit(PingPong()))).then(lambda got: got[0][0]),
        "asyncio.gather": lambda: first_of(asyncio.gather(ferry.submit(PingPong()))),
        "race": lambda: ferry.race(ferry.submit(PingPong()), ferry.sleep(1)),
        "wait": lambda: ferry.wait([ferry.submit(PingPong())], timeout=1).then(lambda sets: sets[0].pop().result()),
        "as_completed": lambda: next(ferry.as_completed([ferry.submit(PingPong())], timeout=1)),
        "map": lambda: ferry.map(lambda _: work(), [1]).then(lambda got: got[0]) if (work := PingPong()) else None,
        "shield": lambda: asyncio.shield(ferry.submit(PingPong())),
        "task": lambda: asyncio.create_task(ferry.submit(PingPong())),
        "within an async job": lambda: ferry.submit(awaited, ferry.submit(PingPong())),
    }


async def first_of(gathered):
    return (await gathered)[0]


async def awaited(job):
    return await job


@pytest.mark.parametrize("way", plain_jobs())
def test_a_function_on_a_thread_holds_the_clock(way):
    async def main():
        async with takes(0), asyncio.timeout(1):
            assert await plain_jobs()[way]() == "done"
        await asyncio.sleep(5)
        return now()

    assert testing.run_seeds(main, seeds=3) == [5] * 3


async def sleeps_and_gives(seconds, value=None):
    await asyncio.sleep(seconds)
    return value


def test_an_async_job_goes_by_the_clock_of_its_loop():
    async def main():
        async with takes(10):
            assert await ferry.submit(sleeps_and_gives, 10, "a") == "a"
        async with takes(10):
            assert await ferry.gather(sleeps_and_gives(10, "a"), ferry.submit(sleeps_and_gives, 5, "b")) == ["a", "b"]
        async with takes(2):
            assert await ferry.race(sleeps_and_gives(3, "a"), ferry.submit(sleeps_and_gives, 2, "b")) == "b"
        async with takes(4):
            assert await ferry.map(lambda seconds: sleeps_and_gives(seconds), [2, 2, 2], limit=2) == [None] * 3
        async with takes(1):
            # A function on a thread whose coroutine goes on here.
            assert await ferry.submit(lambda: sleeps_and_gives(1, "c")) == "c"
        jobs = [ferry.submit(sleeps_and_gives, seconds, seconds) for seconds in (3, 1, 2)]
        assert [job.result() async for job in ferry.as_completed(jobs)] == [1, 2, 3]

    testing.run_seeds(main, seeds=5)


def test_work_on_another_loop_holds_the_clock():
    # Where no loop runs, a coroutine goes to the one in the background.
    release = threading.Event()

    async def elsewhere():
        while not release.is_set():
            await asyncio.sleep(0)
        return "there"

    job = ferry.submit(elsewhere)

    async def main():
        work = PingPong()

        def end():
            work()
            release.set()

        threading.Thread(target=end).start()
        async with takes(0), asyncio.timeout(1):
            assert await job == "there"

    testing.run(main())


def test_rust_work_holds_the_clock(gate):
    async def main():
        work = PingPong()

        def end():
            work()
            gate.open()

        threading.Thread(target=end).start()
        async with takes(0), asyncio.timeout(1):
            assert (await gate.job()).content_hash

    testing.run(main())


def test_progress_of_a_thread_holds_the_clock():
    async def main():
        work = PingPong()

        def tells():
            for step in range(3):
                work()
                ferry.report_progress(step)
            work()

        job = ferry.submit(tells)
        async with takes(0), asyncio.timeout(1):
            assert [step async for step in job.progress()] == [0, 1, 2]

    testing.run(main())


def test_a_job_that_is_done_or_not_waited_for_holds_nothing():
    async def main():
        release = threading.Event()
        job = ferry.submit(release.wait, PATIENCE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(2)
        with pytest.raises(asyncio.CancelledError):
            job.cancel()
            await job
        release.set()
        done = ferry.submit(give_now, 1)
        assert await done == 1
        async with takes(5):
            await asyncio.gather(asyncio.sleep(5), *[done] * 3)

    testing.run(main())


def test_ferrys_own_times_go_by_the_virtual_clock():
    async def main():
        async with takes(3600):
            await ferry.sleep(3600)
        async with takes(0):
            await ferry.sleep(0)
            await ferry.sleep(-1)
        async with takes(5):
            job = ferry.sleep(60)
            done, pending = await ferry.wait([job], timeout=5)
            assert (done, pending) == (set(), {job})
        async with takes(55):
            assert await ferry.wait([job], timeout=60) == ({job}, set())
        async with takes(2):
            with pytest.raises(TimeoutError):
                async for first in ferry.as_completed([ferry.sleep(1), ferry.sleep(9)], timeout=2):
                    assert first.result() is None
        async with takes(1):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ferry.sleep(5), 1)
        sleep = ferry.sleep(100)
        assert sleep.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await sleep

    testing.run_seeds(main, seeds=5)


def test_a_time_that_is_dropped_is_not_visited():
    async def main():
        ferry.sleep(5)
        await ferry.wait([ferry.sleep(1)], timeout=7)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1)
        # What was taken back is not waited for, so nothing is left to come.
        with pytest.raises(RuntimeError):
            loop.call_soon(raise_at, loop)
            await loop.create_future()

    def raise_at(loop):
        assert loop.time() == 2

    with pytest.raises(RuntimeError, match="waits for ever"):
        testing.run(main())


def test_ferrys_sleeps_are_shuffled_too():
    async def main():
        log = []

        async def sleeps(name):
            await ferry.sleep(1)
            log.append(name)

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(sleeps(name))
        return "".join(log)

    orders = testing.run_seeds(main, seeds=50)
    assert (orders[0], len(set(orders))) == ("abc", 6)
    assert orders == testing.run_seeds(main, seeds=50)


# Sockets.


async def echo(sleeps, timeout):
    """How long a server, whose handler sleeps, and its client take for three lines."""

    async def serve(reader, writer):
        async for line in reader:
            await asyncio.sleep(sleeps)
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for number in range(3):
        writer.write(b"%d\n" % number)
        async with asyncio.timeout(timeout):
            assert await reader.readline() == b"%d\n" % number
    writer.close()
    await writer.wait_closed()
    server.close()
    return now()


def test_sockets_of_one_process_answer_before_the_clock_jumps():
    assert testing.run_seeds(lambda: echo(5, 6), seeds=3) == [15] * 3


def test_patience_with_sockets_is_a_setting():
    async def main(begin):
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        near.setblocking(False)
        with near, far:
            begin(PingPong(), far)
            async with asyncio.timeout(1):
                return await loop.sock_recv(near, 1)

    def sends_later(work, far):
        # The loop hears of it by the socket alone.
        threading.Thread(target=lambda: (work(), far.send(b"x"))).start()

    def never_sends(_work, _far):
        pass

    assert testing.run(main(sends_later), io_patience=math.inf) == b"x"
    for patience in (0, 0.001):
        with pytest.raises(TimeoutError):
            testing.run(main(never_sends), io_patience=patience)


# The documentation.


def examples():
    """The indented parts of what is documented."""
    found = []
    for thing in [testing, *(getattr(testing, name) for name in testing.__all__)]:
        text = inspect.getdoc(thing)
        for block in re.findall(r"^ {4}.+\n(?:(?: {4}.*)?\n)*", text + "\n", re.MULTILINE):
            if "import pytest" not in block:
                found.append(pytest.param(textwrap.dedent(block), id=getattr(thing, "__name__", "module")))
    return found


@pytest.mark.parametrize("example", examples())
def test_the_examples_run(example):
    names = vars(testing) | {"testing": testing, "asyncio": asyncio, "threading": threading}
    exec(example, names)


def test_there_is_an_example_for_each():
    assert len(examples()) == len(testing.__all__)
