"""What type checkers make of the package: mypy --strict checks each assert_type here, and running it checks that
what it says is so."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any, Literal, assert_type

import asyncferry as ferry
from asyncferry import Job, State, effects, patterns


def plain(text: str, times: int = 1) -> int:
    return len(text) * times


async def coroutine(text: str, times: int = 1) -> int:
    await asyncio.sleep(0)
    return len(text) * times


async def nothing() -> None:
    pass


class Thing:
    def method(self, number: int) -> str:
        return str(number)

    async def async_method(self, number: int) -> str:
        return str(number)


async def submitted() -> None:
    assert_type(ferry.submit(plain, "abc"), Job[int])
    assert_type(ferry.submit(coroutine, "abc", times=2), Job[int])
    assert_type(await ferry.submit(plain, "abc"), int)
    assert_type(await ferry.submit(coroutine, "abc"), int)
    await assert_type(ferry.submit(nothing), Job[None])
    assert_type(await ferry.submit(Thing().method, 1), str)
    assert_type(await ferry.submit(Thing().async_method, 1), str)
    assert_type(await ferry.submit(Thing), Thing)
    assert_type(await ferry.submit(lambda: 1.5), float)
    ferry.register("typing.plain", plain)
    assert_type(ferry.submit("typing.plain", "abc"), Job[Any])
    await asyncio.sleep(0)


async def looked_at() -> None:
    job = ferry.submit(plain, "abc")
    value = await job
    assert_type(value, int)
    assert_type(job.result(), int)
    assert_type(job.result(timeout=1), int)
    assert_type(job.exception(), BaseException | None)
    assert_type(job.state, State)
    assert_type(job.done(), bool)
    assert_type(job.cancelled(), bool)
    assert_type(job.cancel("message"), bool)
    assert_type(job.name, str)
    assert_type(job.detach(), Job[int])
    assert_type(job.progress(), AsyncIterator[Any])
    assert_type(job.get_loop(), asyncio.AbstractEventLoop)

    def callback(of: Job[int]) -> None:
        assert_type(of.result(), int)

    job.add_done_callback(callback)
    assert_type(job.remove_done_callback(callback), int)
    as_awaitable: Awaitable[int] = job
    as_coroutine: Coroutine[Any, Any, int] = job
    # What gives ints gives objects.
    as_wider: Job[object] = job
    assert as_awaitable is as_coroutine is as_wider


async def chained() -> None:
    job = ferry.submit(plain, "abc")
    await assert_type(job.then(str), Job[str])
    assert_type(await job.then(lambda number: number * 1.5), float)
    assert_type(await job.then(Thing().async_method), str)

    def explain(error: ValueError) -> str:
        return str(error)

    async def explain_async(error: ValueError) -> bytes:
        return str(error).encode()

    assert_type(await job.catch(explain, on=ValueError), int | str)
    assert_type(await job.catch(explain_async, on=ValueError), int | bytes)
    assert_type(await job.catch(repr), int | str)
    assert_type(await job.finally_(lambda: None), int)
    assert_type(await job.finally_(nothing), int)


async def grouped() -> None:
    jobs = [ferry.submit(plain, "abc"), ferry.submit(coroutine, "abc")]
    assert_type(ferry.gather(*jobs), Job[list[int]])
    assert_type(await ferry.gather(*jobs), list[int])
    assert_type(await ferry.gather(coroutine("a"), jobs[0]), list[int])
    assert_type(await ferry.gather(*jobs, return_exceptions=True), list[int | BaseException])
    assert_type(await ferry.race(*jobs), int)
    done, pending = await ferry.wait(jobs, timeout=1, return_when=ferry.FIRST_COMPLETED)
    assert_type(done, set[Job[int]])
    assert_type(pending, set[Job[int]])
    tasks = [asyncio.create_task(coroutine("a"))]
    assert_type((await ferry.wait(tasks))[0], set[asyncio.Task[int]])
    async for job in ferry.as_completed(jobs):
        assert_type(job.result(), int)
    for next_done in ferry.as_completed(jobs):
        assert_type(await next_done, int)


async def mapped() -> None:
    assert_type(ferry.map(plain, ["a", "b"]), Job[list[int]])
    assert_type(await ferry.map(coroutine, ["a", "b"], limit=1), list[int])
    assert_type(await ferry.map(coroutine, ["a"], return_exceptions=True), list[int | Exception])
    assert_type(await ferry.map(plain, ["a"], return_exceptions=True), list[int | Exception])
    assert_type(await ferry.map("typing.plain", ["a"]), list[Any])


async def given_to_asyncio() -> None:
    def job() -> Job[int]:
        return ferry.submit(coroutine, "abc")

    assert_type(await asyncio.gather(job(), ferry.submit(Thing().method, 1)), tuple[int, str])
    assert_type(await asyncio.wait_for(job(), 1), int)
    assert_type(await asyncio.shield(job()), int)
    assert_type(asyncio.create_task(job()), asyncio.Task[int])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(job())
    assert_type(task.result(), int)
    async with asyncio.timeout(1):
        assert_type(await job(), int)
    for next_done in asyncio.as_completed([job(), job()]):
        assert_type(await next_done, int)
    assert_type(await asyncio.to_thread(job().result, 1), int)


async def of_rust() -> None:
    await assert_type(ferry.sleep(0), Job[None])
    digest = ferry.digest_file(__file__, tags=["typing"])
    artifact = await assert_type(digest, Job[ferry.Artifact])
    assert_type(artifact.id, str)
    assert_type(artifact.content_hash, str)
    assert_type(artifact.tags, list[str])
    error: type[RuntimeError] = ferry.FerryError
    panic: type[ferry.FerryError] = ferry.PanicError
    assert issubclass(panic, error)


async def of_the_work() -> None:
    def work() -> None:
        ferry.report_progress(1)
        ferry.check_cancelled()

    job = ferry.submit(work)
    async for _ in job.progress():
        pass
    await job
    ferry.configure(python_threads=8)


async def primitives() -> None:
    queue: ferry.Queue[int] = ferry.Queue(maxsize=2)
    await queue.put(1)
    assert_type(await queue.get(), int)
    queue.task_done()
    await queue.join()
    priorities = ferry.PriorityQueue[tuple[int, str]]()
    priorities.put_nowait((1, "a"))
    assert_type(priorities.get_nowait(), tuple[int, str])
    base: ferry.Queue[tuple[int, str]] = priorities
    base.shutdown(immediate=True)
    error: type[Exception] = ferry.QueueShutDown
    assert issubclass(error, Exception)

    event = ferry.Event()
    event.set()
    assert_type(await event.wait(), Literal[True])
    assert_type(await asyncio.wait_for(event.wait(), 1), Literal[True])
    lock = ferry.Lock()
    condition = ferry.Condition(lock)
    async with condition:
        assert_type(await condition.wait_for(lambda: "yes"), str)
        condition.notify_all()
    async with lock, ferry.BoundedSemaphore(2) as nothing:
        assert_type(nothing, None)
    semaphore: ferry.Semaphore = ferry.BoundedSemaphore()
    assert_type(await semaphore.acquire(), Literal[True])
    async with ferry.Barrier(1) as place:
        assert_type(place, int)


async def of_patterns() -> None:
    requests = patterns.PendingRequests[str, int]()
    with requests.register("key") as pending:
        assert_type(requests.answer("key", 1), patterns.Answer)
        assert_type(await pending.wait(1), int)
    async with patterns.BackgroundTasks() as background:
        assert_type(background.spawn(coroutine("a"), name="a"), asyncio.Task[int])
    shutdown = patterns.Shutdown()
    with shutdown.guard("a") as guard:
        assert_type(guard.name, str)
    assert_type(await shutdown.run_until(coroutine("a")), int | None)
    assert_type(await shutdown.run_until(ferry.submit(plain, "a"), "stopped"), int | str)
    assert_type(await shutdown.drain(1), patterns.Drained)
    readiness = patterns.Readiness("a")
    with readiness.starting("a"):
        pass
    await readiness.wait(1)
    assert_type(readiness.states(), dict[str, patterns.PartState])
    async with patterns.WorkerPool(workers=1) as pool:
        assert_type(await pool.submit(coroutine, "a", times=2), asyncio.Future[int])
        assert_type(pool.submit_nowait(Thing().async_method, 1), asyncio.Future[str])


async def of_pools() -> None:
    async with ferry.Pool(2, when_full="block", clock=ferry.BeatClock(120)) as pool:
        assert_type(pool, ferry.Pool)
        assert_type(pool.submit(plain, "abc"), Job[int])
        assert_type(await pool.submit_async(coroutine, "abc", times=2), Job[int])
        careful = pool.options(priority=1, timeout=1.0, retry=ferry.Retry(2, retry_on=(OSError, ValueError)))
        assert_type(careful.submit(Thing().async_method, 1), Job[str])
        latent = pool.latent("rule", "space", 1.0, plain, "abc", estimate=0.5)
        assert_type(latent, ferry.LatentRef[int])
        assert_type(latent.materialize(), Job[int])
        assert_type(await latent, int)
        pool.register("plain", plain)
        assert_type(pool.submit("plain", "abc"), Job[Any])
        number = pool.ids.call("plain", "abc")
        assert_type(await pool.ids.wait(number), Any)
        assert_type(pool.ids.state(number), State)
        assert_type(pool.metrics(), list[ferry.JobMetrics])
        assert_type(await pool.shutdown(1), list[str])


@effects.do
def length(text: str, *, times: int = 1) -> Generator[Any, Any, int]:
    value = yield from effects.Get(text)
    assert_type(value, Any)
    state = yield from effects.Try(effects.Pure(3))
    assert_type(state, effects.Ok[int] | effects.Err[Exception])
    task = yield from effects.Spawn(effects.Await(coroutine(text)))
    assert_type(task, effects.Task[int])
    assert_type((yield from effects.Wait(task)), int)
    assert_type((yield from effects.Gather(task, task)), list[int])
    promise = yield from effects.CreatePromise[str]()
    assert_type(promise.future, effects.Future[str])
    yield effects.CompletePromise(promise, "value")
    assert_type((yield from effects.Wait(promise.future)), str)
    assert_type((yield from effects.Listen(effects.Pure("x"))), tuple[str, list[Any]])
    return times


@effects.do
def without_yield(text: str) -> str:
    return text


@dataclasses.dataclass(frozen=True)
class ReadFile(effects.EffectBase[bytes]):
    path: str


@effects.handler
def files(effect: ReadFile, k: effects.K) -> Generator[Any, Any, object]:
    result = yield effects.Resume(k, effect.path.encode())
    return result


class WithMethod:
    @effects.do
    def method(self, number: int) -> Generator[Any, Any, float]:
        yield effects.Pure(None)
        return float(number)


async def of_effects() -> None:
    program = length("abc", times=2)
    assert_type(program, effects.Call[int])
    handled = effects.state({"abc": 1})(program)
    assert_type(handled, effects.Program[int])
    assert_type(await effects.async_run(handled), int)
    assert_type(await effects.async_run(handled, grace=1.0), int)
    assert_type(effects.run(without_yield("abc")), str)
    assert_type(effects.run(without_yield("abc").map(len)), int)
    assert_type(effects.run(WithMethod().method(3).flat_map(lambda value: effects.Pure(str(value)))), str)
    assert_type(effects.run(files(ReadFile("a").map(len))), int)
    assert_type(effects.run(effects.with_handlers([effects.reader({}), effects.writer], effects.Pure(1))), int)
    assert_type(effects.run(effects.Pure(1), awaits=effects.thread_loop()), int)


PARTS: list[Callable[[], Coroutine[Any, Any, None]]] = [
    submitted,
    looked_at,
    chained,
    grouped,
    mapped,
    given_to_asyncio,
    of_rust,
    of_the_work,
    primitives,
    of_patterns,
    of_pools,
    of_effects,
]


def main() -> None:
    for part in PARTS:
        asyncio.run(part())
    # Coroutine-like enough to be a whole program.
    assert_type(asyncio.run(ferry.submit(plain, "abc")), int)


if __name__ == "__main__":
    main()
