"""Rust work as Python awaitables, on any event loop."""

from ._native import (
    Artifact,
    FerryError,
    Job,
    PanicError,
    __version__,
    digest_file,
    gather,
    sleep,
)

__all__ = ["Artifact", "FerryError", "Job", "PanicError", "__version__", "digest_file", "gather", "sleep"]
