"""Primitives that are known by a name, to everybody in the process."""

import asyncio
import threading

import pytest

import asyncferry as ferry


def test_a_name_is_the_same_primitive() -> None:
    ferry.Event.named("test_named event").set()
    assert ferry.Event.named("test_named event").is_set()
    assert type(ferry.Event.named("test_named event")) is ferry.Event
    assert ferry.Queue.named("test_named queue", 3).maxsize == 3
    assert ferry.Queue.named("test_named queue").maxsize == 3
    assert ferry.Queue.named("test_named default").maxsize == 1024
    assert repr(ferry.Lock.named("test_named lock")).endswith("[unlocked]>")


def test_locks_and_semaphores_of_a_name_are_held_once() -> None:
    async def main() -> None:
        async with ferry.Lock.named("test_named held"):
            assert ferry.Lock.named("test_named held").locked()
        semaphore = ferry.Semaphore.named("test_named permits", 2)
        async with semaphore, ferry.Semaphore.named("test_named permits"):
            assert semaphore.locked()
        assert not ferry.Semaphore.named("test_named permits").locked()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: ferry.Event.named("test_named taken"), "'test_named taken' names a Queue already, not an Event"),
        (lambda: ferry.Lock.named("test_named taken"), "'test_named taken' names a Queue already, not a Lock"),
        (lambda: ferry.Queue.named("test_named taken", 5), "'test_named taken' names a Queue of 4 already, not of 5"),
        (lambda: ferry.Semaphore.named("test_named three", 2), "'test_named three' names a Semaphore of 3 already, not of 2"),
        (lambda: ferry.Queue.named("test_named zero", 0), "maxsize must be from 1 to 18446744073709551615, not 0"),
        (lambda: ferry.Semaphore.named("test_named zero", -1), "permits must be from 1 to 18446744073709551615, not -1"),
    ],
)
def test_what_does_not_fit_is_told(ask, told) -> None:  # type: ignore[no-untyped-def]
    ferry.Queue.named("test_named taken", 4)
    ferry.Semaphore.named("test_named three", 3)
    with pytest.raises(ValueError) as raised:
        ask()
    assert str(raised.value) == told


def test_a_queue_of_a_name_holds_plain_values() -> None:
    async def main() -> None:
        queue = ferry.Queue.named("test_named plain", 2)
        given = [1, {"a": None}]
        await queue.put(given)
        queue.put_nowait(b"\x00")
        assert queue.full()
        assert repr(queue).endswith("[[1, {\"a\": null}], b\"\\x00\"] tasks=2>")
        taken = await queue.get()
        assert taken == given and taken is not given
        assert queue.get_nowait() == b"\x00"
        with pytest.raises(TypeError, match="an object of type 'object' can't cross languages"):
            await queue.put(object())
        with pytest.raises(ValueError, match="it's too deep"):
            given.append(given)  # type: ignore[arg-type]
            queue.put_nowait(given)
        assert queue.empty()
        # Primitives are handed on as they are.
        event = ferry.Event()
        await queue.put([event, queue])
        [same, again] = await queue.get()
        same.set()
        assert event.is_set()
        again.put_nowait("the same")
        assert queue.get_nowait() == "the same"
        with pytest.raises(TypeError, match="an object of type 'Queue' can't cross languages"):
            await queue.put(ferry.Queue())
        for _ in range(4):
            queue.task_done()
        await queue.join()
        with pytest.raises(ValueError, match="too many times"):
            queue.task_done()

    asyncio.run(main())


def test_threads_and_loops_meet_at_a_name() -> None:
    async def produce() -> None:
        queue = ferry.Queue.named("test_named threads", 4)
        for number in range(500):
            await queue.put(number)
        queue.shutdown()

    async def consume() -> list[int]:
        queue = ferry.Queue.named("test_named threads", 4)
        taken = []
        while True:
            try:
                taken.append(await queue.get())
            except ferry.QueueShutDown:
                return taken

    thread = threading.Thread(target=lambda: asyncio.run(produce()))
    thread.start()
    assert asyncio.run(consume()) == list(range(500))
    thread.join()
