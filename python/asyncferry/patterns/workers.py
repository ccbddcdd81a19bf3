"""WorkerPool: some workers on a queue with a bound."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

import asyncferry as ferry

from .arguments import checked_limit, checked_seconds
from .background import BackgroundTasks
from .errors import Closed
from .shutdown import CLEANUP, Drained

_P = ParamSpec("_P")
_T = TypeVar("_T")


class WorkerPool:
    """So many workers, which take jobs from one queue, first in, first out. A job is a call of an async function.

        async def double(number):
            await asyncio.sleep(1)
            return 2 * number

        async def main():
            async with WorkerPool(workers=2, max_queued=10) as pool:
                results = [await pool.submit(double, number) for number in range(4)]
                assert await asyncio.gather(*results) == [0, 2, 4, 6]

        testing.run(main())

    When the queue is full, submit() waits: whoever makes jobs is held up by those who do them. A job that fails fails
    its own result; the worker takes the next one. The end of the with statement waits for all jobs; if an exception
    ends it, it cancels them.

    It's for one event loop and its thread. A job that submits to its own pool and awaits the result needs a second
    worker, and room in the queue.
    """

    def __init__(self, *, workers: int, max_queued: int = 100) -> None:
        self.__count = checked_limit("workers", workers)
        self.__queue: ferry.Queue[_Job[Any]] = ferry.Queue(checked_limit("max_queued", max_queued))
        self.__workers = BackgroundTasks(limit=workers)
        self.__running: dict[_Job[Any], None] = {}
        self.__finished = 0
        self.__is_entered = False

    async def submit(
        self, function: Callable[_P, Awaitable[_T]], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> asyncio.Future[_T]:
        """Waits for room in the queue, puts a call there, and gives the future of its result.

        Cancelling the future cancels the call, or has the workers pass over it; so does cancelling a task that awaits
        the future, unless it awaits asyncio.shield(future). If submit() itself is cancelled, nothing is called.

        Raises Closed when the pool is shut down, also while it waits.
        """
        job = _Job(function, args, kwargs)
        try:
            await self.__checked_queue().put(job)
        except ferry.QueueShutDown:
            raise Closed(f"{job.name!r} is refused: the pool is shut down") from None
        return job.result

    def submit_nowait(
        self, function: Callable[_P, Awaitable[_T]], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> asyncio.Future[_T]:
        """As submit(), but raises asyncio.QueueFull where that would wait."""
        job = _Job(function, args, kwargs)
        try:
            self.__checked_queue().put_nowait(job)
        except ferry.QueueShutDown:
            raise Closed(f"{job.name!r} is refused: the pool is shut down") from None
        return job.result

    @property
    def queued(self) -> int:
        """How many jobs are in the queue."""
        return self.__queue.qsize()

    @property
    def running(self) -> list[str]:
        """The names of the functions that are being called, the oldest first."""
        return [job.name for job in self.__running]

    async def join(self) -> None:
        """Waits until every job that was submitted has ended. Cancelled, it leaves them running."""
        await self.__checked_queue().join()

    async def shutdown(self, deadline: float | None, *, cleanup: float = CLEANUP) -> Drained:
        """Refuses new jobs and waits for the others, at most `deadline` seconds from now; None waits as long as it
        takes. What is queued or running then is cancelled, and has `cleanup` seconds for its finally clauses.

        Says how many jobs ended in time, and names the others: first those that ran. Cancelled, it leaves the jobs
        running, and may be called again.
        """
        seconds, cleaning = checked_seconds("deadline", deadline), checked_seconds("cleanup", cleanup)
        queue = self.__checked_queue()
        queue.shutdown()
        before = self.__finished
        if await self.__workers_end(seconds):
            return Drained(self.__finished - before, ())
        finished = self.__finished - before
        left = [*self.__running, *self.__take_queued()]
        for job in left:
            job.result.cancel("the deadline of the pool's shutdown has passed")
        await self.__workers_end(cleaning)
        return Drained(finished, tuple(job.name for job in left))

    async def __aenter__(self) -> Self:
        if self.__is_entered:
            raise RuntimeError("this pool was started before: make another")
        self.__is_entered = True
        for number in range(1, self.__count + 1):
            self.__workers.spawn(self.__work(), name=f"worker {number}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.shutdown(None if error is None else 0)
        except asyncio.CancelledError:
            await self.shutdown(0)
            raise

    def __checked_queue(self) -> "ferry.Queue[_Job[Any]]":
        if not self.__is_entered:
            raise RuntimeError("the pool has no workers yet: use it in its `async with` statement")
        return self.__queue

    async def __work(self) -> None:
        while True:
            try:
                job = await self.__queue.get()
            except ferry.QueueShutDown:
                return
            self.__running[job] = None
            try:
                await job.run()
            finally:
                del self.__running[job]
                self.__finished += 1
                self.__queue.task_done()

    async def __workers_end(self, seconds: float | None) -> bool:
        """Waits for so long until the workers have ended; whether they have."""
        try:
            async with asyncio.timeout(seconds):
                await self.__workers.join()
        except TimeoutError:
            return not self.__workers.names()
        return True

    def __take_queued(self) -> "list[_Job[Any]]":
        taken = []
        while not self.__queue.empty():
            taken.append(self.__queue.get_nowait())
            self.__queue.task_done()
        return taken


class _Job(Generic[_T]):
    """A call, and the future of its result."""

    def __init__(
        self, function: Callable[..., Awaitable[_T]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if not callable(function):
            raise TypeError(f"a pool calls an async function, not {function!r}")
        self.name: str = getattr(function, "__qualname__", type(function).__name__)
        self.__function, self.__args, self.__kwargs = function, args, kwargs
        self.__context = contextvars.copy_context()
        self.result: asyncio.Future[_T] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Calls it, in the context of who submitted it, unless its result was cancelled meanwhile."""
        if self.result.done():
            return
        task = self.result.get_loop().create_task(self.__call(), name=self.name, context=self.__context)

        def cancel_too(result: asyncio.Future[_T]) -> None:
            if result.cancelled():
                task.cancel()

        self.result.add_done_callback(cancel_too)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            # The worker itself is cancelled, as when the loop ends.
            self.result.cancel()
            raise
        self.__settle(task)

    async def __call(self) -> _T:
        called = self.__function(*self.__args, **self.__kwargs)
        if not hasattr(called, "__await__"):
            raise TypeError(
                f"{self.name!r} is no async function: it gave {called!r}; submit(asyncferry.submit, function, …) calls "
                "a plain one on a thread"
            )
        return await called

    def __settle(self, task: asyncio.Task[_T]) -> None:
        error = None if task.cancelled() else task.exception()
        if self.result.done():
            if error is not None:
                told = {"message": f"{self.name!r} failed after it was cancelled", "exception": error, "task": task}
                task.get_loop().call_exception_handler(told)
        elif task.cancelled():
            self.result.cancel()
        elif error is not None:
            self.result.set_exception(error)
        else:
            self.result.set_result(task.result())
