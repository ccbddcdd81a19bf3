"""PendingRequests: who asks waits for the answer with the request's key."""

import asyncio
import enum
import threading
from collections import OrderedDict
from collections.abc import Hashable
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

import asyncferry as ferry

from .arguments import checked_limit, checked_seconds
from .errors import Closed, DuplicateRequest, LimitReached

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Answer(enum.Enum):
    """What became of an answer."""

    DELIVERED = "delivered"
    """The request has it."""
    LATE = "late"
    """The request had given up: it timed out, was cancelled, or was closed."""
    UNKNOWN = "unknown"
    """There is no such request: it never was, was answered before, or gave up too long ago."""


class PendingRequests(Generic[_K, _V]):
    """Requests by key, each of which waits for one answer: approvals by a human, or request and response over a
    connection.

        approvals = PendingRequests[str, bool]()

        async def ask():
            return await approvals.request("deploy 7", timeout=300)

        async def main():
            asking = asyncio.create_task(ask())
            await asyncio.sleep(60)
            assert approvals.answer("deploy 7", True) is Answer.DELIVERED
            assert await asking

        testing.run(main())

    Requests wait on any event loop. answer(), fail() and close() may be called from any thread. Give each request a key
    of its own: an answer to an earlier one of the same key can't be told from one to this.

    limit is how many requests may be pending, and remember how many keys of requests that gave up are kept, so that
    their answers are told from answers to nothing.
    """

    def __init__(self, *, limit: int = 10_000, remember: int = 1_000) -> None:
        self.__limit = checked_limit("limit", limit)
        self.__remember = checked_limit("remember", remember)
        # Held for a few lines. It is reentrant, as a handler of a signal may come in between and answer.
        self.__lock = threading.RLock()
        self.__pending: dict[_K, PendingRequest[_K, _V]] = {}
        self.__gave_up: OrderedDict[_K, None] = OrderedDict()
        self.__is_closed = False

    async def request(self, key: _K, timeout: float | None) -> _V:
        """Registers a request and waits for its answer, at most `timeout` seconds; None waits for ever.

        Raises TimeoutError when there is none in time, what fail() was given, and Closed; and what register() raises.
        Cancelled, it gives up, and an answer is late from then on.
        """
        with self.register(key) as pending:
            return await pending.wait(timeout)

    def register(self, key: _K) -> "PendingRequest[_K, _V]":
        """A request that is pending as long as the with statement runs. What is sent in it can't be answered too early:

            with requests.register(key) as pending:
                await send(key, question)
                answer = await pending.wait(timeout=60)

        The with statement raises DuplicateRequest when a request of this key is pending, LimitReached, and Closed.
        """
        return PendingRequest(self, key)

    def answer(self, key: _K, value: _V) -> Answer:
        """Answers the request of this key. From any thread.

        A request that has its answer doesn't time out any more. If it's cancelled before it has looked, the answer is
        lost with it.
        """
        return self.__settle(key, value, None)

    def fail(self, key: _K, exception: BaseException) -> Answer:
        """Answers the request of this key with an exception, which it raises. From any thread."""
        if not isinstance(exception, BaseException):
            raise TypeError(f"fail() takes an exception, not {exception!r}")
        return self.__settle(key, None, exception)

    def close(self) -> None:
        """Has every pending request raise Closed, and refuses others. From any thread."""
        with self.__lock:
            self.__is_closed = True
            given_up = list(self.__pending.values())
            for pending in given_up:
                self.__give_up(pending)
        for pending in given_up:
            pending._set(None, Closed(f"request {pending.key!r}: the requests were closed before it was answered"))

    def keys(self) -> list[_K]:
        """The keys of the requests that are pending, the oldest first."""
        with self.__lock:
            return list(self.__pending)

    def __len__(self) -> int:
        return len(self.__pending)

    def __bool__(self) -> bool:
        # One without requests is no less true.
        return True

    def _add(self, pending: "PendingRequest[_K, _V]") -> None:
        key = pending.key
        with self.__lock:
            if self.__is_closed:
                raise Closed(f"request {key!r}: the requests are closed")
            if key in self.__pending:
                raise DuplicateRequest(f"request {key!r} is pending already: give each request a key of its own")
            if len(self.__pending) >= self.__limit:
                raise LimitReached(f"request {key!r}: {self.__limit} requests are pending, and that is the limit")
            self.__gave_up.pop(key, None)
            self.__pending[key] = pending

    def _withdraw(self, pending: "PendingRequest[_K, _V]") -> bool:
        """Whether it was pending still."""
        with self.__lock:
            if self.__pending.get(pending.key) is not pending:
                return False
            self.__give_up(pending)
            return True

    def __give_up(self, pending: "PendingRequest[_K, _V]") -> None:
        del self.__pending[pending.key]
        self.__gave_up[pending.key] = None
        if len(self.__gave_up) > self.__remember:
            self.__gave_up.popitem(last=False)

    def __settle(self, key: _K, value: _V | None, exception: BaseException | None) -> Answer:
        with self.__lock:
            pending = self.__pending.pop(key, None)
            if pending is None:
                return Answer.LATE if key in self.__gave_up else Answer.UNKNOWN
        # Nobody else has it from here on.
        pending._set(value, exception)
        return Answer.DELIVERED


class PendingRequest(Generic[_K, _V]):
    """A request that register() made: see there."""

    def __init__(self, requests: PendingRequests[_K, _V], key: _K) -> None:
        self.key = key
        self.__requests = requests
        self.__is_entered = False
        self.__settled = ferry.Event()
        self.__value: _V | None = None
        self.__exception: BaseException | None = None

    def __enter__(self) -> Self:
        if self.__is_entered:
            raise RuntimeError(f"request {self.key!r} was registered before: register() makes another")
        self.__requests._add(self)
        self.__is_entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.__requests._withdraw(self):
            self._set(None, RuntimeError(f"request {self.key!r}: the with statement of register() has ended"))

    async def wait(self, timeout: float | None) -> _V:
        """Waits for the answer, at most `timeout` seconds; None waits for ever. Raises as request() does.

        A wait that times out ends the request. One that is cancelled doesn't, as long as the with statement runs: the
        next wait has the answer.
        """
        if not self.__is_entered:
            raise RuntimeError(f"request {self.key!r} is not registered yet: wait in the with statement of register()")
        seconds = checked_seconds("timeout", timeout)
        try:
            async with asyncio.timeout(seconds):
                await self.__settled.wait()
        except TimeoutError:
            # Whoever has answered meanwhile was told so, and the answer counts.
            if self.__requests._withdraw(self):
                late = f"request {self.key!r} was not answered within {timeout} s"
                self._set(None, TimeoutError(late))
            await self.__settled.wait()
        if self.__exception is not None:
            try:
                raise self.__exception
            finally:
                # The exception's traceback refers to this frame: without this, they would keep each other.
                del self
        return cast(_V, self.__value)

    def _set(self, value: _V | None, exception: BaseException | None) -> None:
        self.__value, self.__exception = value, exception
        self.__settled.set()
