"""The types of the extension module. Import them from asyncferry."""

from asyncio import AbstractEventLoop, Future
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from contextvars import Context
from enum import IntEnum
from os import PathLike
from types import GenericAlias, TracebackType
from typing import Any, Final, Generic, Literal, ParamSpec, TypeVar, final, overload

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_U = TypeVar("_U")
_E = TypeVar("_E", bound=BaseException)
_F = TypeVar("_F", bound=Job[Any] | Future[Any])

__all__ = [
    "ALL_COMPLETED",
    "Artifact",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "FerryError",
    "Job",
    "PanicError",
    "State",
    "__version__",
    "_register_from_rust",
    "as_completed",
    "check_cancelled",
    "configure",
    "digest_file",
    "gather",
    "map",
    "race",
    "register",
    "report_progress",
    "sleep",
    "submit",
    "wait",
]

__version__: Final[str]

ALL_COMPLETED: Final = "ALL_COMPLETED"
FIRST_COMPLETED: Final = "FIRST_COMPLETED"
FIRST_EXCEPTION: Final = "FIRST_EXCEPTION"

class FerryError(RuntimeError): ...
class PanicError(FerryError): ...

class State(IntEnum):
    PENDING = 0
    COMPLETED = 1
    FAILED = 2
    CANCELLED = 3

@final
class Artifact:
    def __new__(cls, id: str, content_hash: str, tags: list[str] = ...) -> Artifact: ...
    @property
    def id(self) -> str: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def tags(self) -> list[str]: ...

@final
class Job(Coroutine[Any, Any, _T_co], Generic[_T_co]):
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> State: ...
    def done(self) -> bool: ...
    def cancelled(self) -> bool: ...
    def result(self, timeout: float | None = None) -> _T_co: ...
    def exception(self, timeout: float | None = None) -> BaseException | None: ...
    def cancel(self, msg: object = None) -> bool: ...
    def detach(self) -> Job[_T_co]: ...
    def add_done_callback(
        self, callback: Callable[[Job[_T_co]], object], /, *, context: Context | None = None
    ) -> None: ...
    def remove_done_callback(self, callback: Callable[[Job[_T_co]], object], /) -> int: ...
    @overload
    def then(self, function: Callable[[_T_co], Awaitable[_U]], /) -> Job[_U]: ...
    @overload
    def then(self, function: Callable[[_T_co], _U], /) -> Job[_U]: ...
    @overload
    def catch(
        self, function: Callable[[_E], Awaitable[_U]], /, *, on: type[_E] | tuple[type[_E], ...]
    ) -> Job[_T_co | _U]: ...
    @overload
    def catch(
        self, function: Callable[[_E], _U], /, *, on: type[_E] | tuple[type[_E], ...]
    ) -> Job[_T_co | _U]: ...
    @overload
    def catch(self, function: Callable[[Exception], Awaitable[_U]], /, *, on: None = None) -> Job[_T_co | _U]: ...
    @overload
    def catch(self, function: Callable[[Exception], _U], /, *, on: None = None) -> Job[_T_co | _U]: ...
    def finally_(self, function: Callable[[], object], /) -> Job[_T_co]: ...
    def progress(self) -> AsyncIterator[Any]: ...
    def get_loop(self) -> AbstractEventLoop: ...
    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    def __await__(self) -> Generator[Any, Any, _T_co]: ...
    def __iter__(self) -> Generator[Any, Any, _T_co]: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(
        self, typ: type[BaseException] | BaseException, val: object = None, tb: TracebackType | None = None, /
    ) -> Any: ...
    def close(self) -> None: ...
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    _asyncio_future_blocking: bool

@final
class _AsCompleted(Generic[_T]):
    def __aiter__(self) -> _AsCompleted[_T]: ...
    def __anext__(self) -> Job[Job[_T] | Future[_T]]: ...
    def __iter__(self) -> Iterator[Job[_T]]: ...
    def __next__(self) -> Job[_T]: ...

@overload
def submit(
    function: Callable[_P, Coroutine[Any, Any, _T]], /, *args: _P.args, **kwargs: _P.kwargs
) -> Job[_T]: ...
@overload
def submit(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Job[_T]: ...
@overload
def submit(function: str, /, *args: Any, **kwargs: Any) -> Job[Any]: ...
def register(name: str, function: Callable[..., Any], /) -> None: ...
def _register_from_rust(name: str, function: Callable[..., Any], /) -> None: ...
def configure(
    *,
    python_threads: int | None = None,
    max_queued: int | None = None,
    worker_threads: int | None = None,
    blocking_threads: int | None = None,
) -> None: ...
def report_progress(value: object, /) -> None: ...
def check_cancelled() -> None: ...
@overload
def gather(*, return_exceptions: bool = False) -> Job[list[Any]]: ...
@overload
def gather(*aws: Awaitable[_T], return_exceptions: Literal[False] = False) -> Job[list[_T]]: ...
@overload
def gather(*aws: Awaitable[_T], return_exceptions: bool) -> Job[list[_T | BaseException]]: ...
def wait(
    aws: Iterable[_F],
    *,
    timeout: float | None = None,
    return_when: Literal["ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION"] = "ALL_COMPLETED",
) -> Job[tuple[set[_F], set[_F]]]: ...
def race(*aws: Awaitable[_T]) -> Job[_T]: ...
def as_completed(aws: Iterable[Awaitable[_T]], *, timeout: float | None = None) -> _AsCompleted[_T]: ...
@overload
def map(
    function: Callable[[_U], Coroutine[Any, Any, _T]],
    items: Iterable[_U],
    /,
    *,
    limit: int = 100,
    return_exceptions: Literal[False] = False,
) -> Job[list[_T]]: ...
@overload
def map(
    function: Callable[[_U], _T],
    items: Iterable[_U],
    /,
    *,
    limit: int = 100,
    return_exceptions: Literal[False] = False,
) -> Job[list[_T]]: ...
@overload
def map(
    function: Callable[[_U], Coroutine[Any, Any, _T]],
    items: Iterable[_U],
    /,
    *,
    limit: int = 100,
    return_exceptions: bool,
) -> Job[list[_T | Exception]]: ...
@overload
def map(
    function: Callable[[_U], _T],
    items: Iterable[_U],
    /,
    *,
    limit: int = 100,
    return_exceptions: bool,
) -> Job[list[_T | Exception]]: ...
@overload
def map(
    function: str, items: Iterable[Any], /, *, limit: int = 100, return_exceptions: bool = False
) -> Job[list[Any]]: ...
def sleep(seconds: float) -> Job[None]: ...
def digest_file(
    path: str | bytes | PathLike[str] | PathLike[bytes], *, tags: list[str] = ...
) -> Job[Artifact]: ...
