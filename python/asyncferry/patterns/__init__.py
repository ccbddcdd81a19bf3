"""Small parts that most async programs write again, each a class on top of asyncferry's primitives.

- PendingRequests: ask somebody, and wait for the answer with that key: approvals, request and response.
- BackgroundTasks: tasks that are kept, named, and reported when they fail.
- Shutdown: one signal to stop, a guard around work in flight, and a drain with a deadline.
- Readiness: named parts that become ready or fail, and who waits for all of them.
- WorkerPool: some workers on a queue with a bound.

For a map with limited concurrency there is asyncferry.map(function, items, limit=5).

Each of them is for tasks of an asyncio event loop. What may be called from any thread says so. Where somebody who waits
is cancelled, nothing else is lost: a key is free again, a place in line goes to the next, and a job either is in the
queue or is not.
"""

from .background import BackgroundTasks
from .errors import Closed, DuplicateRequest, LimitReached, NotReady, NotReadyInTime, ShuttingDown
from .readiness import PartState, Readiness
from .requests import Answer, PendingRequest, PendingRequests
from .shutdown import Drained, Guard, Shutdown
from .signals import SignalHandlers
from .workers import WorkerPool

__all__ = [
    "Answer",
    "BackgroundTasks",
    "Closed",
    "Drained",
    "DuplicateRequest",
    "Guard",
    "LimitReached",
    "NotReady",
    "NotReadyInTime",
    "PartState",
    "PendingRequest",
    "PendingRequests",
    "Readiness",
    "Shutdown",
    "ShuttingDown",
    "SignalHandlers",
    "WorkerPool",
]
