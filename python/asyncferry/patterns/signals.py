"""Handlers of signals that begin a shutdown."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType, TracebackType
from typing import Any, Final, Self

# Those that ask a program to end, where the platform has them.
USUAL_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))


class SignalHandlers:
    """What Shutdown.install_signal_handlers() returns: see there."""

    def __init__(self, begin: Callable[[], object], signals: Iterable[signal.Signals]) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("signal handlers can be installed on the main thread only")
        self.__begin = begin
        self.__loop = asyncio.get_running_loop()
        # By the signals that have our handler: those that they had.
        self.__before: dict[signal.Signals, Any] = {}
        self.__is_on_loop = True
        try:
            for each in signals:
                self.__install(each)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Puts the handlers back that were there before. On the main thread."""
        for each in list(self.__before):
            self.__remove(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()

    def __install(self, each: signal.Signals) -> None:
        before = signal.getsignal(each)
        try:
            self.__loop.add_signal_handler(each, self.__came, each)
        except NotImplementedError:
            # As on Windows.
            self.__is_on_loop = False
            signal.signal(each, self.__came_outside)
        self.__before[each] = before

    def __came_outside(self, number: int, _frame: FrameType | None) -> None:
        # It may come when the loop sleeps, which only this wakes.
        self.__loop.call_soon_threadsafe(self.__came, signal.Signals(number))

    def __came(self, each: signal.Signals) -> None:
        self.__begin()
        self.__remove(each)

    def __remove(self, each: signal.Signals) -> None:
        try:
            before = self.__before.pop(each)
        except KeyError:
            return
        if self.__is_on_loop and not self.__loop.is_closed():
            # rloop 0.5 can't: it has no method that it calls there. The handler below takes its place all the same.
            with contextlib.suppress(AttributeError):
                self.__loop.remove_signal_handler(each)
        # What no Python code installed is None, and can't be put back by any.
        signal.signal(each, signal.SIG_DFL if before is None else before)
