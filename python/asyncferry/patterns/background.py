"""BackgroundTasks: tasks that nobody awaits, but that are kept, named, and reported when they fail."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from .arguments import checked_limit
from .errors import Closed, LimitReached

_T = TypeVar("_T")


class BackgroundTasks:
    """Tasks that run beside what started them. A task that nobody refers to may vanish while it waits, and one that
    fails says so late or never; here each is kept until it ends, and a failure is reported at once.

        async def main():
            async with BackgroundTasks() as background:
                background.spawn(asyncio.sleep(60), name="nap")
                assert background.names() == ["nap"]
            assert len(background) == 0

        testing.run(main())

    The end of the with statement waits for all of them; if an exception ends it, it cancels them first. Used without
    one, join() and cancel_all() do the same.

    on_failure is called on the loop with the task's name and its exception. Without it, the loop's exception handler is
    told, which logs it. A task that was cancelled hasn't failed. limit is how many may run at once.

    Unlike a TaskGroup, it doesn't cancel the others when one fails. It's for one event loop and its thread.
    """

    def __init__(
        self, *, limit: int = 10_000, on_failure: Callable[[str, BaseException], object] | None = None
    ) -> None:
        if on_failure is not None and not callable(on_failure):
            raise TypeError(f"on_failure must be a function of a name and an exception, not {on_failure!r}")
        self.__limit = checked_limit("limit", limit)
        self.__on_failure = on_failure
        # In the order in which they were spawned.
        self.__tasks: dict[asyncio.Task[Any], None] = {}
        self.__is_closed = False

    def spawn(self, coroutine: Coroutine[Any, Any, _T], *, name: str | None = None) -> asyncio.Task[_T]:
        """Starts a coroutine as a task; its name is the function's, unless you give one.

        Raises LimitReached, and Closed after the with statement; the coroutine is closed then.
        """
        if not asyncio.iscoroutine(coroutine):
            raise TypeError(f"spawn() takes a coroutine, not {coroutine!r}")
        try:
            self.__check_room()
            task = asyncio.get_running_loop().create_task(coroutine, name=name or _name_of(coroutine))
        except BaseException:
            coroutine.close()
            raise
        self.__tasks[task] = None
        task.add_done_callback(self.__ended)
        return task

    def names(self) -> list[str]:
        """The names of those that run, the oldest first."""
        return [task.get_name() for task in self.__tasks]

    def __len__(self) -> int:
        return len(self.__tasks)

    def __bool__(self) -> bool:
        # One without tasks is no less true.
        return True

    def cancel_all(self, msg: object = None) -> int:
        """Cancels those that run, and says how many; join() waits until they have ended."""
        tasks = list(self.__tasks)
        return sum(task.cancel(msg) for task in tasks)

    async def join(self) -> None:
        """Waits until all have ended, those too that are spawned meanwhile. A task that is one of them doesn't wait for
        itself. Cancelled, it leaves them running."""
        while others := self.__tasks.keys() - {asyncio.current_task()}:
            await asyncio.wait(others)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.cancel_all()
        try:
            await self.join()
        except asyncio.CancelledError:
            self.cancel_all()
            await self.join()
            raise
        finally:
            self.__is_closed = True

    def __check_room(self) -> None:
        if self.__is_closed:
            raise Closed("these background tasks are closed, as their with statement has ended")
        if len(self.__tasks) >= self.__limit:
            raise LimitReached(f"{self.__limit} background tasks are running, and that is the limit")

    def __ended(self, task: asyncio.Task[Any]) -> None:
        del self.__tasks[task]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self.__on_failure is not None:
            self.__on_failure(task.get_name(), error)
            return
        told = {"message": f"background task {task.get_name()!r} failed", "exception": error, "task": task}
        task.get_loop().call_exception_handler(told)


def _name_of(coroutine: Coroutine[Any, Any, object]) -> str:
    return getattr(coroutine, "__qualname__", type(coroutine).__name__)
