"""Readiness: named parts that become ready or fail, and who waits for all of them."""

import asyncio
import contextlib
import enum
import threading
from collections.abc import Iterator

import asyncferry as ferry

from .arguments import checked_seconds
from .errors import NotReady, NotReadyInTime


class PartState(enum.Enum):
    """How a part is."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class Readiness:
    """The parts that must be ready before a program serves, by name.

        async def main():
            readiness = Readiness("database", "cache")

            async def start(part):
                with readiness.starting(part):
                    await asyncio.sleep(1)

            async with asyncio.TaskGroup() as group:
                for part in ("database", "cache"):
                    group.create_task(start(part))
                await readiness.wait(timeout=30)
                assert readiness.is_ready

        testing.run(main())

    Any number of tasks may wait, on any event loop. All but wait() may be called from any thread.
    """

    def __init__(self, *parts: str) -> None:
        if not parts:
            raise ValueError("name at least one part")
        for part in parts:
            if not isinstance(part, str):
                raise TypeError(f"a part is named by a string, not {part!r}")
        if len(set(parts)) < len(parts):
            raise ValueError(f"a part is named twice: {', '.join(parts)}")
        self.__lock = threading.RLock()
        self.__states = dict.fromkeys(parts, PartState.WAITING)
        self.__errors: dict[str, BaseException | None] = {}
        # Set when there is nothing to wait for: all are ready, or one failed.
        self.__decided = ferry.Event()

    def set_ready(self, part: str) -> None:
        """This part is ready, also when it had failed."""
        self.__change(part, PartState.READY)

    def set_failed(self, part: str, error: BaseException | None = None) -> None:
        """This part can't become ready: who waits need not any more. It can still be set ready later."""
        self.__change(part, PartState.FAILED, error)

    def set_waiting(self, part: str) -> None:
        """This part is not ready any more, or not yet again."""
        self.__change(part, PartState.WAITING)

    @contextlib.contextmanager
    def starting(self, part: str) -> Iterator[None]:
        """Sets the part ready when the with statement ends, and failed when an exception ends it. One that is cancelled
        leaves it waiting."""
        self.set_waiting(part)
        try:
            yield
        except Exception as error:
            self.set_failed(part, error)
            raise
        self.set_ready(part)

    @property
    def is_ready(self) -> bool:
        """Whether all parts are."""
        return all(state is PartState.READY for state in self.states().values())

    def states(self) -> dict[str, PartState]:
        """How each part is."""
        with self.__lock:
            return dict(self.__states)

    async def wait(self, timeout: float | None) -> None:
        """Waits until all parts are ready, at most `timeout` seconds; None waits for ever.

        Raises NotReady as soon as a part has failed, from its error, and NotReadyInTime, which is a TimeoutError too.
        Both name the parts that aren't ready.
        """
        seconds = checked_seconds("timeout", timeout)
        try:
            async with asyncio.timeout(seconds):
                while not self.__is_decided():
                    await self.__decided.wait()
        except TimeoutError:
            if not self.__is_decided():
                raise self.__not_ready(NotReadyInTime, f" within {timeout} s") from None

    def __is_decided(self) -> bool:
        """Whether all are ready. Raises NotReady if one failed."""
        with self.__lock:
            failed = [part for part, state in self.__states.items() if state is PartState.FAILED]
            if failed:
                raise self.__not_ready(NotReady, "") from self.__errors[failed[0]]
            return self.is_ready

    def __not_ready(self, kind: type[NotReady], when: str) -> NotReady:
        with self.__lock:
            states = self.__states.items()
            failed = {part: self.__errors[part] for part, state in states if state is PartState.FAILED}
            waiting = tuple(part for part, state in states if state is PartState.WAITING)
        told = [f"{part} (failed: {error})" if error else f"{part} (failed)" for part, error in failed.items()]
        return kind(f"not ready{when}: {', '.join([*told, *waiting])}", failed=failed, waiting=waiting)

    def __change(self, part: str, state: PartState, error: BaseException | None = None) -> None:
        with self.__lock:
            if part not in self.__states:
                raise ValueError(f"there is no part {part!r}: the parts are {', '.join(self.__states)}")
            self.__states[part] = state
            self.__errors.pop(part, None)
            if state is PartState.FAILED:
                self.__errors[part] = error
            if self.is_ready or PartState.FAILED in self.__states.values():
                self.__decided.set()
            else:
                self.__decided.clear()
