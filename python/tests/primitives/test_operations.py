"""What the primitives' awaited methods give: a coroutine that costs a part of one. For Ferry's alone."""

import asyncio
import collections.abc
import contextvars
import gc
import inspect
import sys
import weakref

import pytest

import asyncferry as ferry
from asyncferry import testing

OPERATIONS = {
    "Event.wait": lambda: ferry.Event().wait(),
    "Lock.acquire": lambda: held(ferry.Lock()).acquire(),
    "Lock.__aenter__": lambda: held(ferry.Lock()).__aenter__(),
    "Semaphore.acquire": lambda: ferry.Semaphore(0).acquire(),
    "Condition.acquire": lambda: ferry.Condition(held(ferry.Lock())).acquire(),
    "Condition.wait": lambda: ferry.Condition(held(ferry.Lock())).wait(),
    "Condition.wait_for": lambda: ferry.Condition(held(ferry.Lock())).wait_for(lambda: False),
    "Barrier.wait": lambda: ferry.Barrier(2).wait(),
    "Queue.get": lambda: ferry.Queue().get(),
    "Queue.put": lambda: full(ferry.Queue(1)).put(2),
    "Queue.join": lambda: full(ferry.Queue(1)).join(),
}


def held(lock):
    with pytest.raises(StopIteration):
        lock.acquire().send(None)
    return lock


def full(queue):
    queue.put_nowait(1)
    return queue


@pytest.fixture(params=OPERATIONS)
def operation(request):
    """One that has to wait."""
    made = OPERATIONS[request.param]()
    assert made.__name__ == made.__qualname__ == request.param
    yield made
    try:
        made.close()
    except RuntimeError:
        pass


def test_it_is_a_coroutine_and_no_future(operation):
    assert asyncio.iscoroutine(operation) and inspect.isawaitable(operation)
    assert isinstance(operation, collections.abc.Coroutine)
    assert not asyncio.isfuture(operation)
    assert "not awaited yet" in repr(operation)


def test_it_waits_only_where_a_loop_runs(operation):
    with pytest.raises(RuntimeError, match="no running event loop"):
        operation.send(None)


def test_one_that_is_never_awaited_warns(operation, recwarn):
    name = operation.__name__
    fresh = OPERATIONS[name]()
    del fresh
    assert [str(warning.message) for warning in recwarn] == [f"coroutine '{name}' was never awaited"]
    assert recwarn[0].category is RuntimeWarning


def test_one_that_is_closed_does_not_warn(recwarn):
    for make in OPERATIONS.values():
        operation = make()
        assert operation.close() is None and operation.close() is None
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            operation.send(None)
    assert not recwarn.list


def test_it_takes_nothing_before_it_is_awaited():
    queue, lock = full(ferry.Queue()), ferry.Lock()
    for operation in queue.get(), lock.acquire(), queue.put(2):
        operation.close()
    assert queue.qsize() == 1 and not lock.locked()


def test_it_is_awaited_once():
    async def main():
        queue = full(ferry.Queue())
        get = queue.get()
        assert await get == 1
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await get
        waiting = ferry.Event().wait()
        first = asyncio.create_task(waiting)
        await asyncio.sleep(0)
        # The task waits, so nobody else may.
        second = asyncio.create_task(waiting)
        with pytest.raises(RuntimeError, match="being awaited already"):
            await second
        first.cancel()

    testing.run(main())


def test_by_hand_it_goes_as_a_coroutine_does():
    async def main():
        queue = ferry.Queue()
        get = queue.get()
        with pytest.raises(TypeError, match="send None"):
            get.send(1)
        pause = get.send(None)
        assert asyncio.isfuture(pause) and "Queue.get waits" in repr(pause)
        assert get.send(None) is pause, "there is nothing yet"
        queue.put_nowait((1, 2))
        with pytest.raises(StopIteration) as stopped:
            get.send(None)
        assert stopped.value.value == (1, 2)
        get = queue.get()
        get.send(None)
        with pytest.raises(ZeroDivisionError):
            get.throw(ZeroDivisionError("thrown"))
        assert "_getters" not in repr(queue)
        get = queue.get()
        with pytest.raises(ZeroDivisionError):
            get.throw(ZeroDivisionError)
        assert list(zip(*[iter([1])])) == [(1,)]

    testing.run(main())


def test_iterating_by_hand_leaves_no_frames_behind():
    async def main():
        event = ferry.Event()
        event.set()

        def look():
            local = type("Local", (), {})()
            try:
                next(iter(event.wait()))
            except StopIteration as stopped:
                assert stopped.value is True
            return weakref.ref(local)

        gone = look()
        await event.wait()
        look()
        await event.wait()
        gc.collect()
        assert gone() is None

    testing.run(main())


def test_a_value_that_is_an_exception_or_a_tuple_is_a_value():
    async def main():
        queue = ferry.Queue()
        for item in (), (1, 2), ValueError("a value"), StopIteration(1), None, True:
            await queue.put(item)
            assert await queue.get() is item
            task = asyncio.create_task(queue.get())
            await asyncio.sleep(0)
            await queue.put(item)
            assert await task is item

    testing.run(main())


def test_the_context_is_that_of_the_task(run):
    variable = contextvars.ContextVar("variable", default="outside")

    async def main():
        event, seen = ferry.Event(), []

        async def wait(name):
            variable.set(name)
            await event.wait()
            seen.append(variable.get())

        tasks = [asyncio.create_task(wait(name)) for name in "abc"]
        await asyncio.sleep(0)
        variable.set("setter")
        event.set()
        await asyncio.gather(*tasks)
        assert seen == ["a", "b", "c"] and variable.get() == "setter"

    run(main)


def test_all_that_are_woken_go_on_in_their_order(run):
    async def main():
        event, order = ferry.Event(), []

        async def wait(number):
            await event.wait()
            order.append(number)
            await lock.acquire()
            order.append(number)
            lock.release()

        lock = ferry.Lock()
        tasks = [asyncio.create_task(wait(number)) for number in range(50)]
        await asyncio.sleep(0)
        event.set()
        asyncio.get_running_loop().call_soon(order.append, "afterwards")
        await asyncio.gather(*tasks)
        assert [number for number in order if number != "afterwards"] == sorted(2 * list(range(50)))

    run(main)


def test_a_long_chain_of_wakes_lets_the_loop_turn(run):
    """Two tasks that wake each other for ever must not keep timers and other tasks from running."""

    async def main():
        there, back = ferry.Semaphore(0), ferry.Semaphore(0)

        async def play(own, other):
            while True:
                await own.acquire()
                other.release()

        players = [asyncio.create_task(play(there, back)), asyncio.create_task(play(back, there))]
        there.release()
        await asyncio.sleep(0.01)
        for player in players:
            player.cancel()
        await asyncio.gather(*players, return_exceptions=True)

    run(main)


def test_an_interrupt_out_of_one_leaves_the_others_to_run():
    class Stop(KeyboardInterrupt):
        pass

    loop = asyncio.new_event_loop()
    event, woken = ferry.Event(), []

    async def wait(number):
        await event.wait()
        woken.append(number)
        if number == 1:
            raise Stop

    async def start():
        tasks.extend(loop.create_task(wait(number)) for number in range(4))
        await asyncio.sleep(0)
        event.set()
        await asyncio.sleep(10)

    tasks = []
    with pytest.raises(Stop):
        loop.run_until_complete(start())
    assert woken == [0, 1]
    loop.run_until_complete(asyncio.wait([tasks[0], *tasks[2:]]))
    assert woken == [0, 1, 2, 3]
    assert isinstance(tasks[1].exception(), Stop)
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False
    loop.close()


def test_an_error_of_one_is_its_own(run):
    async def main():
        event = ferry.Event()

        async def wait(number):
            await event.wait()
            return 1 // number

        tasks = [asyncio.create_task(wait(number)) for number in (1, 0, 1)]
        await asyncio.sleep(0)
        event.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[::2] == [1, 1] and isinstance(results[1], ZeroDivisionError)

    run(main)


def test_debug_mode(run):
    async def main():
        queue = ferry.Queue(1)

        async def produce():
            for number in range(5):
                await queue.put(number)
            queue.shutdown()

        task = asyncio.create_task(produce())
        numbers = []
        with pytest.raises(ferry.QueueShutDown):
            while True:
                numbers.append(await queue.get())
        await task
        assert numbers == list(range(5))

    run(main, debug=True)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks(run):
    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        event = ferry.Event()
        event.set()
        assert asyncio.create_task(event.wait()).done()
        queue = ferry.Queue()
        getting = asyncio.create_task(queue.get())
        assert not getting.done()
        queue.put_nowait("item")
        assert await getting == "item"

    if run.new_loop.__module__.startswith("uvloop"):
        pytest.skip("uvloop 0.23's own create_task fails with eager tasks")
    run(main)


class Thing:
    """Something that can be seen to go."""


def gone(make):
    """Whether what `make` gives, and refers to, is freed."""
    thing = make()
    seen = weakref.ref(thing)
    del thing
    gc.collect()
    return seen() is None


def test_nothing_is_left_of_a_waiter_that_is_over():
    async def main():
        async def wait(thing):
            await event.wait()

        event, things = ferry.Event(), []
        for _ in range(3):
            thing = Thing()
            things.append(weakref.ref(thing))
            task = asyncio.create_task(wait(thing))
            await asyncio.sleep(0)
            if len(things) == 1:
                task.cancel()
            else:
                event.set()
                event.clear()
            await asyncio.wait([task])
            del task, thing
        gc.collect()
        assert [seen() for seen in things] == [None] * 3

    testing.run(main())


@pytest.mark.parametrize("kind", ["Queue", "LifoQueue", "PriorityQueue"])
def test_a_queue_in_itself_is_collected(kind):
    def make():
        class Kind(getattr(ferry, kind)):
            def __lt__(self, other):
                return False

        queue, thing = Kind(), Thing()
        thing.queue = queue
        queue.thing = thing
        queue.put_nowait(queue)
        queue.put_nowait(queue)
        return thing

    assert gone(make)


def test_waiters_go_with_their_loop():
    def make():
        loop = asyncio.new_event_loop()
        thing = Thing()

        async def wait(thing):
            await ferry.Event().wait()

        task = loop.create_task(wait(thing))
        loop.run_until_complete(asyncio.sleep(0))
        task._log_destroy_pending = False
        loop.close()
        return thing

    assert gone(make)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_loop_that_is_dropped_goes_whatever_was_ready():
    def make():
        async def use():
            event = ferry.Event()
            asyncio.get_running_loop().call_soon(event.set)
            await event.wait()

        loop = asyncio.new_event_loop()
        loop.run_until_complete(use())
        loop.call_soon(lambda: loop)
        return loop

    assert gone(make)


def test_a_priority_that_cannot_be_compared_loses_nothing():
    class Bad:
        def __lt__(self, other):
            raise ZeroDivisionError("it can't be compared")

    async def main():
        queue = ferry.PriorityQueue(3)
        for number in 3, 1:
            await queue.put(number)
        for attempt in queue.put_nowait, lambda item: queue.put(item).send(None):
            with pytest.raises(ZeroDivisionError):
                attempt(Bad())
            with pytest.raises(TypeError):
                attempt("text")
        assert queue.qsize() == 2 and "tasks=2" in repr(queue)
        await queue.put(2)
        waiting = asyncio.create_task(queue.put(0))
        await asyncio.sleep(0)
        assert await queue.get() == 1
        await waiting
        assert [await queue.get() for _ in range(3)] == [0, 2, 3]

    testing.run(main())


def test_a_comparison_that_uses_its_queue_is_refused():
    queue = ferry.PriorityQueue()

    class Curious:
        def __lt__(self, other):
            return queue.get_nowait()

    queue.put_nowait(Curious())
    with pytest.raises(RuntimeError, match="can't be used by the code that compares its items"):
        queue.put_nowait(Curious())
    assert queue.qsize() == 1


def test_a_class_is_initialized_once():
    for primitive in ferry.Queue(1), ferry.Semaphore(1), ferry.Barrier(1), ferry.Condition():
        with pytest.raises(RuntimeError, match="was called before"):
            primitive.__init__(*([ferry.Lock()] if isinstance(primitive, ferry.Condition) else [2]))

    class Careless(ferry.Barrier):
        def __init__(self):
            pass

    with pytest.raises(RuntimeError, match="was not called"):
        Careless().parties


@pytest.mark.parametrize("wrong", [lambda: ferry.Queue("two"), lambda: ferry.Queue(10**30), lambda: ferry.Barrier(1.5)])
def test_arguments_of_the_wrong_kind(wrong):
    with pytest.raises((TypeError, OverflowError)):
        wrong()


def test_put_takes_exactly_one_item():
    queue = ferry.Queue()
    for call, told in (
        (lambda: queue.put(), "takes one argument, 'item', not 0"),
        (lambda: queue.put(1, 2), "takes one argument, 'item', not 2"),
        (lambda: queue.put(thing=1), "unexpected keyword argument 'thing'"),
        (lambda: queue.get(1), "takes no arguments"),
    ):
        with pytest.raises(TypeError, match=told):
            call()
