"""Shutdown: one signal to stop, a guard around work in flight, and a drain with a deadline."""

import asyncio
import itertools
import signal
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self, TypeVar, overload

import asyncferry as ferry

from .arguments import checked_seconds
from .errors import ShuttingDown
from .signals import USUAL_SIGNALS, SignalHandlers

_T = TypeVar("_T")
_D = TypeVar("_D")

# So long, in seconds, what is cancelled may clean up.
CLEANUP: Final = 1.0


@dataclass(frozen=True)
class Drained:
    """How a drain ended."""

    finished: int
    """How many ended by themselves, in time."""
    left: tuple[str, ...]
    """The names of those that had not ended at the deadline, and were cancelled."""


class Shutdown:
    """The end of a program, from the signal until nothing is in flight any more.

        async def main():
            shutdown = Shutdown()

            async def handle(number):
                with shutdown.guard(f"request {number}"):
                    await asyncio.sleep(number)

            async with asyncio.TaskGroup() as group:
                for number in (1, 2, 60):
                    group.create_task(handle(number))
                await asyncio.sleep(0)
                shutdown.begin()
                assert await shutdown.drain(deadline=10) == Drained(2, ("request 60",))

        testing.run(main())

    begin(), is_begun, in_flight and guard() may be used from any thread; begun(), run_until() and drain() on any event
    loop. A handler of signal.signal() calls loop.call_soon_threadsafe(shutdown.begin), as nothing else wakes a loop
    that sleeps on that same thread; install_signal_handlers() does so.
    """

    def __init__(self) -> None:
        self.__begun = ferry.Event()
        # Held for a few lines, with no code of others in them. Under it, it begins, and what must not come afterwards
        # is entered: guards, and those who are to be told. It is reentrant, as a signal's handler may come in between.
        self.__lock = threading.RLock()
        self.__is_begun = False
        self.__watchers: dict[int, Callable[[], object]] = {}
        self.__guards: dict[int, Guard] = {}
        self.__drains: dict[int, _Drain] = {}
        self.__numbers = itertools.count()

    def begin(self) -> None:
        """The shutdown begins: who waits for it wakes, and guards refuse new work. Again, it does nothing."""
        with self.__lock:
            self.__is_begun = True
            watchers = list(self.__watchers.values())
            self.__watchers.clear()
        self.__begun.set()
        for watcher in watchers:
            watcher()

    @property
    def is_begun(self) -> bool:
        """Whether the shutdown has begun."""
        return self.__is_begun

    async def begun(self) -> None:
        """Waits until the shutdown begins."""
        await self.__begun.wait()

    def install_signal_handlers(self, signals: Iterable[signal.Signals] | None = None) -> "SignalHandlers":
        """Has these signals begin the shutdown: SIGINT and SIGTERM where the platform has them, or those you name.

        Each does so once. The second one does what it did before, so that a second Ctrl-C ends a program that hangs. As
        a context manager, what this returns puts the handlers back that were there before:

            with shutdown.install_signal_handlers():
                await serve()

        Called on the main thread, on a running event loop; elsewhere it raises RuntimeError.
        """
        return SignalHandlers(self.begin, USUAL_SIGNALS if signals is None else signals)

    def guard(self, name: str) -> "Guard":
        """Marks work in flight, which drain() waits for, by `with` or `async with`. Raises ShuttingDown if the shutdown
        has begun. The task that enters it is what drain() cancels at the deadline; work of a plain thread can't be.
        """
        return Guard(self, name)

    @property
    def in_flight(self) -> list[str]:
        """The names of the work in flight, the oldest first."""
        return [guard.name for guard in list(self.__guards.values())]

    async def drain(self, deadline: float | None, *, cleanup: float = CLEANUP) -> Drained:
        """Begins the shutdown and waits until nothing is in flight, at most `deadline` seconds from now; None waits as
        long as it takes. What is left then is cancelled, and has `cleanup` seconds for its finally clauses.

        A task that drains while it's in flight itself doesn't wait for itself. Cancelled, this leaves all as it is.
        """
        seconds, cleaning = checked_seconds("deadline", deadline), checked_seconds("cleanup", cleanup)
        self.begin()
        drain, number = _Drain(asyncio.current_task()), next(self.__numbers)
        self.__drains[number] = drain
        try:
            if await drain.until_quiet(self.__guards, seconds):
                return Drained(drain.finished, ())
            left = drain.others(self.__guards)
            finished = drain.finished
            for guard in left:
                guard._cancel()
            await drain.until_quiet(self.__guards, cleaning)
            return Drained(finished, tuple(guard.name for guard in left))
        finally:
            del self.__drains[number]

    @overload
    async def run_until(self, awaitable: Awaitable[_T]) -> _T | None: ...
    @overload
    async def run_until(self, awaitable: Awaitable[_T], default: _D) -> _T | _D: ...
    async def run_until(self, awaitable: Awaitable[Any], default: Any = None) -> Any:
        """Awaits this until the shutdown begins; then it's cancelled, and the default is given.

            while (task := await shutdown.run_until(queue.get())) is not None:
                await work_on(task)

        It's awaited by this task, not by one of its own: a value that it has when the shutdown begins is not lost. If
        the shutdown has begun, it isn't started.
        """
        own: BaseException | None = None
        loop, number = asyncio.get_running_loop(), next(self.__numbers)
        try:
            async with asyncio.timeout(None) as scope:
                if not self.__watch(number, lambda: _tell(loop, _expire, scope)):
                    _discard(awaitable)
                    return default
                try:
                    return await awaitable
                except BaseException as error:
                    own = error
                    raise
                finally:
                    self.__watchers.pop(number, None)
        except TimeoutError as error:
            if error is own:
                raise
            return default
        finally:
            # Its traceback refers to this frame.
            own = None

    def _enter(self, guard: "Guard") -> int:
        number = next(self.__numbers)
        with self.__lock:
            if self.__is_begun:
                raise ShuttingDown(f"{guard.name!r} is refused: the shutdown has begun")
            self.__guards[number] = guard
        return number

    def _exit(self, number: int) -> None:
        del self.__guards[number]
        for drain in list(self.__drains.values()):
            drain.tell()

    def __watch(self, number: int, watcher: Callable[[], object]) -> bool:
        """Has this called when it begins. Whether that is still to come."""
        with self.__lock:
            if not self.__is_begun:
                self.__watchers[number] = watcher
            return not self.__is_begun


class Guard:
    """Work in flight: what Shutdown.guard() returns."""

    def __init__(self, shutdown: Shutdown, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"work in flight is named by a string, not {name!r}")
        self.name = name
        self.__shutdown = shutdown
        self.__number: int | None = None
        # The task to cancel at the deadline.
        self.task: asyncio.Task[Any] | None = None
        self.__is_cancelled = False

    def __enter__(self) -> Self:
        if self.__number is not None:
            raise RuntimeError(f"the guard of {self.name!r} is entered already: guard() makes another")
        self.task = _current_task()
        try:
            self.__number = self.__shutdown._enter(self)
        except ShuttingDown:
            self.task = None
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        number, self.__number, self.task = self.__number, None, None
        if number is not None:
            self.__shutdown._exit(number)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _cancel(self) -> None:
        task = self.task
        # A second request would interrupt what cleans up after the first.
        if task is not None and not self.__is_cancelled:
            self.__is_cancelled = True
            _tell(task.get_loop(), self.__cancel_if_in_flight, task)

    def __cancel_if_in_flight(self, task: asyncio.Task[Any]) -> None:
        # Between the call and this the work may have ended, and the task be at something else.
        if self.task is task:
            task.cancel(f"{self.name!r} was in flight at the deadline of the shutdown")


class _Drain:
    """One call of drain()."""

    def __init__(self, task: asyncio.Task[Any] | None) -> None:
        self.__task = task
        self.__changed = ferry.Event()
        self.__lock = threading.Lock()
        self.finished = 0

    def tell(self) -> None:
        """One has ended."""
        with self.__lock:
            self.finished += 1
        self.__changed.set()

    def others(self, guards: dict[int, Guard]) -> list[Guard]:
        return [guard for guard in list(guards.values()) if self.__task is None or guard.task is not self.__task]

    async def until_quiet(self, guards: dict[int, Guard], seconds: float | None) -> bool:
        """Waits until none is in flight, for so long; whether that was so in the end."""
        try:
            async with asyncio.timeout(seconds):
                while self.others(guards):
                    await self.__changed.wait()
                    self.__changed.clear()
        except TimeoutError:
            return not self.others(guards)
        return True


def _expire(scope: asyncio.Timeout) -> None:
    if not scope.expired():
        try:
            scope.reschedule(0)
        except RuntimeError:
            # It has ended meanwhile.
            pass


def _discard(awaitable: Awaitable[object]) -> None:
    """Lets go of what is not awaited, without a warning."""
    for end in ("close", "cancel"):
        if hasattr(awaitable, end):
            getattr(awaitable, end)()
            return


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object) -> None:
    """Calls this on the loop, from any thread."""
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        # The loop is closed, and nothing waits on it.
        pass


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        # No loop runs on this thread.
        return None
