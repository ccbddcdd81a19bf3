"""Pools: what runs when, what is refused, tried again, given up, planned and counted."""

import asyncio
import gc
import threading
import time

import pytest
from conftest import PATIENCE

import asyncferry as ferry


class Gate:
    """A function that says when it's called, and returns when it may."""

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, value=None):
        self.begun.release()
        assert self.open.wait(PATIENCE)
        return value

    def has_begun(self):
        assert self.begun.acquire(timeout=PATIENCE)


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open.set()


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)  # tidy: sleep real threads take real time


def row(pool, name):
    return next(row for row in pool.metrics() if row.name == name)


def test_functions_run_whatever_their_kind():
    async def later(value):
        await asyncio.sleep(0)
        return value

    with ferry.Pool(2) as pool:
        assert pool.submit(divmod, 7, 3).result() == (2, 1)
        assert pool.submit(later, 5).result() == 5
        assert pool.submit(dict, a=1).result() == {"a": 1}
        assert pool.submit(lambda: None).result() is None

    async def main():
        async with ferry.Pool(2) as pool:
            here = asyncio.get_running_loop()

            async def where():
                return asyncio.get_running_loop()

            assert await pool.submit(where) is here
            assert await asyncio.gather(*[pool.submit(later, n) for n in range(100)]) == list(range(100))
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(pool.submit(pow, 2, n)) for n in range(5)]
            assert [task.result() for task in tasks] == [1, 2, 4, 8, 16]

    asyncio.run(main())


def test_what_can_not_be_run_is_refused():
    pool = ferry.Pool(1)
    with pytest.raises(TypeError, match="submit\\(\\) takes a function"):
        pool.submit(5)
    with pytest.raises(LookupError, match="no job is registered as 'nothing'; registered are: none yet"):
        pool.submit("nothing")
    for wrong in [
        lambda: ferry.Pool(0),
        lambda: ferry.Pool(1, max_queued=0),
        lambda: ferry.Pool(1, when_full="explode"),
        lambda: ferry.Pool(1, ageing=0),
        lambda: ferry.Pool(1, safety=float("nan")),
        lambda: pool.options(priority=1000),
        lambda: pool.options(timeout=0),
        lambda: ferry.Retry(0),
        lambda: ferry.Retry(2, factor=0.5),
        lambda: ferry.Retry(2, jitter=2),
        lambda: ferry.BeatClock(-1),
        lambda: pool.latent("r", "s", float("nan"), print),
    ]:
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError, match="an exception class"):
        ferry.Retry(2, retry_on="OSError")


def test_at_most_so_many_run_at_once_and_the_others_wait_by_priority(gate):
    pool = ferry.Pool(1)
    order = []
    first = pool.submit(gate)
    gate.has_begun()
    jobs = [pool.options(priority=p).submit(order.append, p) for p in [0, 5, -5, 5, 1]]
    assert pool.queued == 5
    gate.open.set()
    first.result()
    ferry.gather(*jobs).result()
    assert order == [5, 5, 1, 0, -5]


def test_workers_can_be_added(gate):
    pool = ferry.Pool(1)
    jobs = [pool.submit(gate, n) for n in range(3)]
    gate.has_begun()
    assert not gate.begun.acquire(timeout=0.02)
    pool.workers = 3
    gate.has_begun()
    gate.has_begun()
    gate.open.set()
    assert [job.result() for job in jobs] == [0, 1, 2]
    with pytest.raises(ValueError):
        pool.workers = 0


def test_a_large_pool_has_a_thread_for_each_worker(gate):
    pool = ferry.Pool(40)
    jobs = [pool.submit(gate, n) for n in range(40)]
    for _ in jobs:
        gate.has_begun()
    gate.open.set()
    assert [job.result() for job in jobs] == list(range(40))


def test_a_full_queue_rejects_blocks_or_is_waited_for(gate):
    pool = ferry.Pool(1, max_queued=1)
    running = pool.submit(gate)
    gate.has_begun()
    waiting = pool.submit(pow, 2, 3)
    with pytest.raises(ferry.PoolFull, match="the pool is full: 1 jobs wait already"):
        pool.submit(pow, 2, 3)

    async def main():
        submitting = asyncio.ensure_future(pool.submit_async(pow, 3, 3))
        await asyncio.sleep(0.01)
        assert not submitting.done()
        gate.open.set()
        job = await submitting
        assert await job == 27

    asyncio.run(main())
    assert waiting.result() == 8
    running.result()

    blocking = ferry.Pool(1, max_queued=1, when_full="block")
    again = Gate()
    jobs = [blocking.submit(again)]
    again.has_begun()
    jobs.append(blocking.submit(pow, 2, 3))
    threading.Timer(0.01, again.open.set).start()
    jobs.append(blocking.submit(pow, 2, 4))
    assert [job.result() for job in jobs] == [None, 8, 16]


def test_who_gives_up_waiting_for_room_takes_none(gate):
    async def main():
        pool = ferry.Pool(1, max_queued=1)
        jobs = [pool.submit(gate)]
        gate.has_begun()
        jobs.append(pool.submit(pow, 2, 3))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.submit_async(pow, 3, 3), 0.01)
        gate.open.set()
        assert await asyncio.gather(*jobs) == [None, 8]
        assert row(pool, "pow").done == 1

    asyncio.run(main())


def test_a_job_that_fails_is_tried_again():
    pool = ferry.Pool(1)
    calls = []

    def flaky(fails):
        calls.append(len(calls))
        if len(calls) <= fails:
            raise OSError(f"failure {len(calls)}")
        return len(calls)

    retry = ferry.Retry(3, delay=0.001)
    assert pool.options(retry=retry).submit(flaky, 2).result() == 3
    calls.clear()
    with pytest.raises(OSError, match="failure 3"):
        pool.options(retry=retry).submit(flaky, 5).result()
    counted = row(pool, flaky.__qualname__)
    assert (counted.done, counted.failed, counted.retried) == (1, 1, 4)

    picky = ferry.Retry(3, delay=0.001, retry_on=(ValueError, KeyError))
    calls.clear()
    with pytest.raises(OSError, match="failure 1"):
        pool.options(retry=picky).submit(flaky, 5).result()

    async def flaky_async():
        calls.append(0)
        await asyncio.sleep(0)
        raise KeyError(len(calls)) if len(calls) < 3 else OSError("the end")

    calls.clear()
    with pytest.raises(OSError, match="the end"):
        pool.options(retry=ferry.Retry(9, delay=0.001, retry_on=KeyError)).submit(flaky_async).result()
    assert len(calls) == 3


def test_a_job_that_takes_too_long_is_given_up():
    pool = ferry.Pool(2)
    seen = threading.Event()

    def endless():
        try:
            while True:
                ferry.check_cancelled()
                time.sleep(0.001)  # tidy: sleep real threads take real time
        except asyncio.CancelledError:
            seen.set()
            raise

    with pytest.raises(TimeoutError, match="timed out after 10ms"):
        pool.options(timeout=0.01).submit(endless).result()
    assert seen.wait(PATIENCE)
    for retry_on, retried in [(OSError, 1), (KeyError, 0)]:
        retry = ferry.Retry(2, delay=0.001, retry_on=retry_on)  # TimeoutError is an OSError
        with pytest.raises(TimeoutError):
            pool.options(name=retry_on.__name__, timeout=0.01, retry=retry).submit(endless).result()
        assert row(pool, retry_on.__name__).retried == retried

    async def endless_async():
        try:
            await asyncio.sleep(PATIENCE)
        finally:
            seen.set()

    seen.clear()
    with pytest.raises(TimeoutError):
        pool.options(timeout=0.01).submit(endless_async).result()
    assert seen.wait(PATIENCE)


def test_cancelling_removes_what_waits_and_tells_what_runs(gate):
    pool = ferry.Pool(1)
    running = pool.submit(gate)
    gate.has_begun()
    waiting = pool.submit(gate)
    assert waiting.cancel("not needed")
    assert pool.queued == 0
    with pytest.raises(asyncio.CancelledError, match="not needed"):
        waiting.result()
    assert running.cancel()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        running.result()
    assert pool.submit(pow, 2, 2).result() == 4


def test_a_coroutine_that_is_cancelled_may_clean_up():
    async def main():
        cleaned = []

        async def careful():
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError as error:
                await asyncio.sleep(0)
                cleaned.append(str(error))
                raise

        async def stubborn():
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                return "went on"

        pool = ferry.Pool(2)
        jobs = [pool.submit(careful), pool.submit(stubborn)]
        await asyncio.sleep(0.02)
        for job in jobs:
            job.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await jobs[0]
        assert cleaned == ["enough"]
        assert await jobs[1] == "went on"
        await pool.shutdown()
        assert row(pool, careful.__qualname__).cancelled == 1

    asyncio.run(main())


def test_a_job_that_nobody_refers_to_is_withdrawn(gate):
    pool = ferry.Pool(1)
    running = pool.submit(gate)
    gate.has_begun()
    called = []
    pool.submit(called.append, 1)
    gc.collect()
    gate.open.set()
    running.result()
    pool.shutdown().result()
    assert called == []


def test_jobs_by_name():
    pool = ferry.Pool(1)

    def describe(name, size=1, *, tags=()):
        return {"name": name, "size": size, "tags": list(tags), "none": None, "raw": b"\x00"}

    pool.register("describe", describe)
    assert pool.names == ["describe"]
    assert pool.submit("describe", "a", 2).result()["size"] == 2
    assert pool.submit("describe", "a", tags=["x"]).result()["tags"] == ["x"]
    with pytest.raises(ValueError, match="another job is registered as 'describe'"):
        pool.register("describe", print)
    pool.unregister("describe")
    with pytest.raises(LookupError):
        pool.submit("describe", "a")
    with pytest.raises(LookupError):
        pool.unregister("describe")


def test_jobs_by_number_have_states_and_the_words_of_scripts(gate):
    pool = ferry.Pool(1)
    pool.register("gate", gate)
    pool.register("double", lambda value: value * 2)

    async def double_later(value):
        await asyncio.sleep(0)
        return value * 2

    pool.register("double_later", double_later)
    ids = pool.ids
    pending = ids.call("gate", "text")
    assert ids.state(pending) == ferry.State.PENDING == 0
    assert not ids.is_ready(pending)
    with pytest.raises(RuntimeError, match="^future not ready$"):
        ids.get(pending)
    with pytest.raises(RuntimeError, match="^future not ready$"):
        ids.cleanup(pending)
    gate.open.set()
    assert ids.wait(pending).result() == "text"
    assert ids.get(pending) == "text"
    assert ids.state(pending) == 1
    ids.cleanup(pending)
    for gone in [ids.get, ids.cleanup, ids.state, ids.is_ready]:
        with pytest.raises(LookupError, match="^future not found$"):
            gone(pending)
    with pytest.raises(LookupError, match="^future not found$"):
        ids.wait(pending).result()
    value = {"list": [1, 2.5, "x", None, True], "raw": b"\x00\xff"}
    for name in ["double", "double_later"]:
        assert ids.wait(ids.call(name, [value])).result() == [value, value]
    failed = ids.call("double", None)
    with pytest.raises(TypeError, match="unsupported operand"):
        ids.wait(failed).result()
    assert ids.state(failed) == 2
    blocked = Gate()
    running = pool.submit(blocked)
    cancelled = ids.call("double", 1)
    assert ids.cancel(cancelled, "why")
    with pytest.raises(asyncio.CancelledError, match="^future was cancelled$"):
        ids.get(cancelled)
    assert ids.state(cancelled) == 3
    blocked.open.set()
    running.result()
    pool.shutdown().result()
    with pytest.raises(ferry.PoolShutDown, match="^async manager is shutting down$"):
        ids.call("double", 1)


@pytest.mark.parametrize(
    "value, error, text",
    [
        (object(), TypeError, "at \\[0\\]: an object of type 'object' can't cross languages"),
        ([1, {"a": {2}}], TypeError, "at \\[0\\]\\[1\\].a: an object of type 'set'"),
        ({1: 2}, TypeError, "at \\[0\\]: a key must be a text, not 1"),
        (2**63, OverflowError, "at \\[0\\]: 9223372036854775808 is too large"),
        ("\ud800", ValueError, "at \\[0\\]: a text with half of a surrogate pair"),
        (b"x" * (65 << 20), ValueError, "it's too large: it may take at most 67108864 bytes"),
        ([ferry.Artifact("a", "6f", ["x" * (1 << 20)])] * 65, ValueError, "it's too large"),
    ],
)
def test_what_can_not_cross_languages_says_where_it_is(value, error, text):
    pool = ferry.Pool(1)
    pool.register("echo", lambda value: value)
    with pytest.raises(error, match=text):
        pool.ids.call("echo", value)


def test_what_contains_itself_is_refused():
    pool = ferry.Pool(1)
    pool.register("echo", lambda value: value)
    ring = []
    ring.append(ring)
    with pytest.raises(ValueError, match="it's too deep: at most 64 lists and maps"):
        pool.ids.call("echo", ring)
    pool.register("ring", lambda: ring)
    with pytest.raises(ValueError, match="it's too deep"):
        pool.ids.wait(pool.ids.call("ring")).result()


def test_progress_comes_out_of_attempts():
    pool = ferry.Pool(1)
    release = threading.Event()

    def steps():
        for step in range(3):
            ferry.report_progress(step)
        assert release.wait(PATIENCE)

    async def main():
        job = pool.submit(steps)
        seen = []
        async for step in job.progress():
            seen.append(step)
            if step == 2:
                release.set()
        assert seen == [0, 1, 2]
        await job

    asyncio.run(main())


def test_latent_jobs_start_in_time_at_once_or_never():
    pool = ferry.Pool(2, safety=1.0)
    called = []

    def note(name):
        called.append((name, pool.clock_now()))
        return name

    deadline = pool.clock_now() + 0.05
    soon = pool.latent("rule", "space", deadline, note, "soon", estimate=0.02)
    assert (soon.rule_id, soon.space, soon.deadline, soon.stage) == ("rule", "space", deadline, "latent")
    assert 0 < soon.starts_in() <= 0.03
    later = pool.latent("rule", "space", deadline + 1000, note, "later")
    never = pool.latent("rule", "space", deadline + 1000, note, "never")
    dropped = pool.latent("rule", "space", pool.clock_now() + 0.01, note, "dropped")
    del dropped
    assert later.materialize().result() == "later"
    assert later.materialize().result() == "later", "it started once"
    assert never.cancel("cut")
    with pytest.raises(asyncio.CancelledError, match="cut"):
        never.materialize().result()

    async def main():
        assert await soon == "soon"

    asyncio.run(main())
    assert (soon.stage, soon.starts_in()) == ("ended", None)
    assert [name for name, _ in called] == ["later", "soon"]
    assert deadline - 0.02 <= called[1][1]
    artifact = ferry.Artifact("a", "6f", ["x"])
    assert pool.latent("r", "s", 0, lambda: artifact).materialize().result() is artifact


def test_deadlines_in_beats_follow_the_tempo():
    clock = ferry.BeatClock(60)
    pool = ferry.Pool(1, clock=clock, safety=1.0)
    latent = pool.latent("fill", "drums", 1000, lambda: "boom")
    assert 990 < latent.starts_in() <= 1000
    clock.tempo = 6000
    assert 9 < latent.starts_in() <= 10
    clock.beat = 1000
    assert ferry.gather(latent.materialize()).result() == ["boom"]
    assert clock.beat >= 1000


def test_metrics_count_each_name_and_priority():
    with ferry.Pool(1) as pool:
        for priority in [0, 0, 3]:
            pool.options(name="power", priority=priority).submit(pow, 2, 3).result()
        job = pool.options(name="fails").submit(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            job.result()
    counted = {(row.name, row.priority): (row.done, row.failed) for row in pool.metrics()}
    assert counted == {("power", 0): (2, 0), ("power", 3): (1, 0), ("fails", 0): (0, 1)}
    assert all(row.run_p99 >= row.run_p50 >= 0 for row in pool.metrics())
    assert repr(pool.metrics()[0]).startswith("<JobMetrics power priority=0 queued=0 running=0")


def test_a_shutdown_names_what_it_cancels(gate):
    async def main():
        pool = ferry.Pool(1)
        runs = pool.options(name="runs").submit(asyncio.sleep, PATIENCE)
        await asyncio.sleep(0.01)
        waits = pool.options(name="waits").submit(print)
        assert await pool.shutdown(0.01) == ["runs", "waits"]
        for job in [runs, waits]:
            with pytest.raises(asyncio.CancelledError):
                await job
        with pytest.raises(ferry.PoolShutDown):
            pool.submit(print)

    asyncio.run(main())


def test_the_default_pool_is_one():
    assert ferry.default_pool() is ferry.default_pool()
    assert ferry.default_pool().submit(pow, 2, 5).result() == 32


def test_at_exit_a_pool_works_off_what_it_has(program):
    printed = program(
        """
        import time
        import asyncferry as ferry

        pool = ferry.Pool(1)
        def work(n):
            time.sleep(0.01)  # tidy: sleep real threads take real time
            print(n)
        jobs = [pool.submit(work, n) for n in range(5)]
        """
    )
    assert printed.split() == list("01234")


def test_a_coroutine_whose_loop_is_closed_before_its_turn_is_cancelled(program):
    printed = program(
        """
        import asyncio, threading
        import asyncferry as ferry

        pool = ferry.Pool(1)
        gate = threading.Event()
        async def never():
            print("it ran")
        async def main():
            return [pool.submit(gate.wait), pool.submit(never)]
        _, job = asyncio.run(main())
        gate.set()
        try:
            job.result()
        except asyncio.CancelledError as error:
            print(error)
        """
    )
    assert printed == "its event loop was closed\n"


def test_a_forked_child_has_to_make_its_own(program):
    printed = program(
        """
        import os, warnings
        import asyncferry as ferry

        warnings.simplefilter("ignore")
        pool = ferry.Pool(1)
        assert pool.submit(pow, 2, 3).result() == 8
        pid = os.fork()
        if not pid:
            try:
                pool.submit(pow, 2, 3)
            except RuntimeError as error:
                print(error, flush=True)
            print(ferry.Pool(1).submit(pow, 2, 4).result(), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        print(pool.submit(pow, 2, 5).result())
        """
    )
    told, child, parent = printed.splitlines()
    assert told.startswith("the pool was made before this process was forked")
    assert (child, parent) == ("16", "32")


def test_pools_and_latent_jobs_are_collected():
    import weakref

    pool = ferry.Pool(1)
    pool.register("self", lambda: pool)
    latent = pool.latent("r", "s", pool.clock_now() + 1000, print)
    dead = weakref.ref(pool), weakref.ref(latent)
    del pool, latent
    gc.collect()
    eventually(lambda: gc.collect() is not None and all(ref() is None for ref in dead))
