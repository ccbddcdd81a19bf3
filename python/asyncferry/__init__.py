"""Rust work as Python awaitables, on any event loop."""

from ._native import (
    Artifact,
    FerryError,
    Job,
    PanicError,
    State,
    __version__,
    check_cancelled,
    configure,
    digest_file,
    gather,
    register,
    report_progress,
    sleep,
    submit,
)

__all__ = [
    "Artifact",
    "FerryError",
    "Job",
    "PanicError",
    "State",
    "__version__",
    "check_cancelled",
    "configure",
    "digest_file",
    "gather",
    "register",
    "report_progress",
    "sleep",
    "submit",
]
