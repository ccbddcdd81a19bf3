"""What the patterns raise."""

from collections.abc import Mapping


class Closed(RuntimeError):
    """What was asked to do more was closed before, or while somebody waited for it."""


class DuplicateRequest(ValueError):
    """A request with this key is pending already."""


class LimitReached(RuntimeError):
    """There are as many as the limit allows."""


class ShuttingDown(RuntimeError):
    """New work was refused, as the program is about to end."""


class NotReady(Exception):
    """Some parts are not ready: `failed` has the errors of those that failed, `waiting` names the others."""

    def __init__(self, message: str, *, failed: Mapping[str, BaseException | None], waiting: tuple[str, ...]) -> None:
        super().__init__(message)
        self.failed = dict(failed)
        self.waiting = waiting


class NotReadyInTime(NotReady, TimeoutError):
    """Some parts were not ready in time."""
