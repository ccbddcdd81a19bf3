"""Checks of what the patterns are given, so that bad input fails where it's given."""

import math


def checked_limit(name: str, limit: int) -> int:
    """A number of things: a whole number from 1 on."""
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise TypeError(f"{name} must be a whole number, not {limit!r}")
    if limit < 1:
        raise ValueError(f"{name} must be 1 or more, not {limit}")
    return limit


def checked_seconds(name: str, seconds: float | None) -> float | None:
    """A duration, or None for no bound."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, or None for no bound, not {seconds!r}")
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"{name} must be 0 seconds or more, not {seconds}")
    return None if seconds == math.inf else seconds
