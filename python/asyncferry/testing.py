"""Testing asyncio programs on a virtual clock, under many orders of their tasks. They need not use Ferry.

    import asyncio
    from asyncferry import testing

    async def main():
        await asyncio.sleep(3600)  # takes no time
        return asyncio.get_running_loop().time()

    assert testing.run(main()) == 3600.0

VirtualEventLoop is an asyncio event loop whose clock jumps to the next timer when nothing can run. Given a seed, it
shuffles which task has its turn; the same seed gives the same order again. run() runs a coroutine on one, and
run_seeds() runs a function's coroutine under many seeds, and tells which one failed. With pytest, a marker does the
same for an async test:

    import pytest

    @pytest.mark.ferry_loop(seeds=20)
    async def test_order():
        await asyncio.sleep(60)

What holds the clock: as long as something is at work outside of the loop that will bring it something, nothing jumps,
and the loop waits in real time. That is
- a call that was sent to an executor (run_in_executor(), asyncio.to_thread(), name resolution), until it's done;
- a subprocess, until it has ended;
- a job of Ferry that a task waits for, if it's a function on a thread, Rust's own work, or runs on another loop;
- a hold_clock() that was not released, for threads of your own.
Sockets and pipes hold it a little: see VirtualEventLoop. ferry.sleep() and the timeouts of ferry.wait() and
ferry.as_completed() go by the virtual clock.

The variable FERRY_SEED in the environment has run_seeds() and the marker run that seed alone.
"""

import asyncio
import collections
import itertools
import math
import os
import random
import selectors
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Executor
from contextvars import Context
from types import FrameType, TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

__all__ = ["ClockHold", "VirtualEventLoop", "hold_clock", "run", "run_seeds", "seeds_to_run"]

_T = TypeVar("_T")
_ProtocolT = TypeVar("_ProtocolT", bound=asyncio.BaseProtocol)

_VARIABLE: Final = "FERRY_SEED"
_IO_PATIENCE: Final = 0.05
# How long the loop waits, in real seconds, before it looks again whether something is still out.
_GLANCE: Final = 0.1
# A timer is due for asyncio's loop when its deadline is before the time and this.
_RESOLUTION: Final = time.get_clock_info("monotonic").resolution


class VirtualEventLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on a virtual clock: when nothing can run, it jumps to the next timer.

    Its time() begins at 0.0. Timers come by their deadline; those of the same moment in the order in which they were
    set, and tasks that are ready first in, first out.

    With a seed (from 1 on; 0 is as none), both are shuffled: of the tasks that are ready at the same turn of the loop,
    any may come first. The same seed gives the same order, as long as nothing comes from outside. Callbacks that are no
    tasks' (call_soon, add_done_callback) keep their order, as asyncio promises that, and no task overtakes them.

    While a socket or pipe is watched, the loop waits for so many real seconds before each jump (io_patience) whether it
    brings something: math.inf never jumps meanwhile, 0 always does. Peers in the same process or on the same machine
    answer in time as a rule, others may not.

    When nothing is ready, no timer is pending and nothing is out, the program would wait for ever: that is a
    RuntimeError, which lists the tasks and where they wait. A thread of your own that is to wake the loop must hold its
    clock, or it's not known of: see hold_clock().

        with asyncio.Runner(loop_factory=VirtualEventLoop) as runner:
            runner.run(asyncio.sleep(3600))
            assert runner.get_loop().time() == 3600.0

    It's made of asyncio's own loop for Unix, by its public methods, a selector of its own, and three of its private
    names: _ready, _scheduled, and the _callback of a handle.
    """

    _ready: collections.deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    # What Ferry's bridge knows such a loop by.
    _asyncferry_virtual_clock = True

    def __init__(self, seed: int | None = None, *, io_patience: float = _IO_PATIENCE) -> None:
        self.__now = 0.0
        self.__arrivals = itertools.count()
        self.__holds = 0
        self.__lock = threading.Lock()
        self.__processes = weakref.WeakSet[asyncio.SubprocessTransport]()
        # By the descriptors that Ferry wakes the loop with: who knows what is out.
        self.__bells: dict[int, _Bell] = {}
        selector = _Selector(self.__idle, self.__tick)
        super().__init__(selector)
        self.__watched = selector.get_map()
        # The loop's own pipe, by which other threads wake it.
        self.__own = frozenset(self.__watched)
        try:
            self.__random = random.Random(seed) if seed is not None and _given_seed(seed) else None
            self.__io_patience = checked_patience(io_patience)
        except (TypeError, ValueError):
            self.close()
            raise
        self.__shuffled = None
        if self.__random is not None:
            self._ready = self.__shuffled = _Shuffled(self.__random)

    def time(self) -> float:
        """The virtual time, in seconds."""
        return self.__now

    def hold_clock(self) -> "ClockHold":
        """Keeps the clock from jumping until what is returned is released. See hold_clock()."""
        return ClockHold(self)

    def call_at(  # type: ignore[override]  # with any arguments
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's. Timers of the same moment come in the order in which they were set, or as the seed has it."""
        if when is not None and math.isnan(when):
            raise ValueError("can't call at NaN: give a time")
        if when is not None:
            tie = next(self.__arrivals) if self.__random is None else self.__random.random()
            when = _Deadline(when, tie)
        return super().call_at(when, callback, *args, context=context)

    # What is out.

    def run_in_executor(  # type: ignore[override]  # with any arguments
        self, executor: Executor | None, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """As asyncio's. The clock is held until the future is done."""
        future = super().run_in_executor(executor, func, *args)
        hold = self.hold_clock()
        future.add_done_callback(lambda _: hold.release())
        return future

    if sys.version_info >= (3, 12):

        async def shutdown_default_executor(self, timeout: float | None = None) -> None:
            """As asyncio's. The clock is held meanwhile, so the timeout never comes."""
            with self.hold_clock():
                await super().shutdown_default_executor(timeout)

    else:

        async def shutdown_default_executor(self) -> None:
            """As asyncio's. The clock is held meanwhile."""
            with self.hold_clock():
                await super().shutdown_default_executor()

    async def subprocess_exec(
        self, protocol_factory: Callable[[], _ProtocolT], *args: Any, **kwargs: Any
    ) -> tuple[asyncio.SubprocessTransport, _ProtocolT]:
        """As asyncio's. The clock is held until the process has ended."""
        return await self.__started(super().subprocess_exec(protocol_factory, *args, **kwargs))

    async def subprocess_shell(
        self, protocol_factory: Callable[[], _ProtocolT], *args: Any, **kwargs: Any
    ) -> tuple[asyncio.SubprocessTransport, _ProtocolT]:
        """As asyncio's. The clock is held until the process has ended."""
        return await self.__started(super().subprocess_shell(protocol_factory, *args, **kwargs))

    async def __started(
        self, starting: Coroutine[Any, Any, tuple[asyncio.SubprocessTransport, _ProtocolT]]
    ) -> tuple[asyncio.SubprocessTransport, _ProtocolT]:
        with self.hold_clock():
            transport, protocol = await starting
        self.__processes.add(transport)
        return transport, protocol

    def add_reader(  # type: ignore[override]  # with any arguments
        self, fd: Any, callback: Callable[..., Any], *args: Any
    ) -> None:
        """As asyncio's."""
        super().add_reader(fd, callback, *args)
        if hasattr(callback, "is_work_out"):
            self.__bells[fd] = callback
        else:
            self.__bells.pop(fd, None)

    def remove_reader(self, fd: Any) -> bool:
        """As asyncio's."""
        self.__bells.pop(fd, None)
        return super().remove_reader(fd)

    def close(self) -> None:
        """As asyncio's."""
        super().close()
        self.__bells.clear()

    def _hold(self) -> None:
        with self.__lock:
            self.__holds += 1

    def _let_go(self) -> None:
        with self.__lock:
            self.__holds -= 1
        if not self.is_closed() and _running_loop() is not self:
            try:
                self.call_soon_threadsafe(_nothing)
            except RuntimeError:
                # It was closed meanwhile.
                pass

    def __is_held(self) -> bool:
        return (
            self.__holds > 0
            or any(process.get_returncode() is None for process in self.__processes)
            or any(bell.is_work_out() for bell in self.__bells.values())
        )

    # The turn.

    def __tick(self) -> None:
        """A turn begins."""
        if self.__shuffled is not None:
            self.__shuffled.tick_begins = True

    def __idle(self, select: "_Select") -> "_Events":
        """Nothing is ready: waits for what is out, or jumps to the next timer."""
        # Looked at first: what is let go of afterwards has woken the selector before.
        if self.__is_held():
            return select(_GLANCE)
        deadline = float(self._scheduled[0].when()) if self._scheduled else math.inf
        watches = any(fd not in self.__own and fd not in self.__bells for fd in self.__watched)
        if deadline == math.inf:
            events = select(_GLANCE if watches else 0)
            if not events and not watches:
                raise RuntimeError(_waits_for_ever(self))
            return events
        patience = self.__io_patience if watches else 0
        events = select(min(patience, _GLANCE) if patience == math.inf else patience)
        if not events and patience < math.inf:
            self.__now = max(self.__now, _due_at(deadline))
        return events


def run(
    main: Coroutine[Any, Any, _T],
    *,
    seed: int | None = None,
    debug: bool | None = None,
    io_patience: float = _IO_PATIENCE,
) -> _T:
    """Runs a coroutine on a new VirtualEventLoop, as asyncio.run() does on a real one.

    VirtualEventLoop tells of seed and io_patience; debug is asyncio's debug mode.

        async def main():
            async with asyncio.timeout(10):
                await asyncio.sleep(60)

        try:
            testing.run(main(), seed=7)
        except TimeoutError:
            print("after no time")
    """
    with asyncio.Runner(debug=debug, loop_factory=lambda: VirtualEventLoop(seed, io_patience=io_patience)) as runner:
        return runner.run(main)


def run_seeds(
    main_factory: Callable[[], Coroutine[Any, Any, _T]],
    *,
    seeds: int | Iterable[int] = 20,
    debug: bool | None = None,
    io_patience: float = _IO_PATIENCE,
) -> list[_T]:
    """Runs the coroutine that main_factory() makes once under each seed, each on a new loop, and gives the results.

    A number of seeds stands for 0, 1, …; seed 0 is first in, first out. An exception has a note that says which seed it
    was, and how to run that one alone.

        async def main():
            log = []

            async def sleeps(name):
                await asyncio.sleep(1)
                log.append(name)

            await asyncio.gather(*map(sleeps, "abc"))
            return "".join(log)

        orders = testing.run_seeds(main, seeds=50)
        assert orders[0] == "abc" and len(set(orders)) == 6
    """
    if asyncio.iscoroutine(main_factory):
        main_factory.close()
        raise TypeError("run_seeds() takes a function that makes the coroutine: main instead of main()")
    if not callable(main_factory):
        raise TypeError(f"run_seeds() takes a function that makes a coroutine, not {main_factory!r}")
    results: list[_T] = []
    for seed in seeds_to_run(seeds):
        try:
            results.append(run(main_factory(), seed=seed, debug=debug, io_patience=io_patience))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            error.add_note(
                f"seed {seed} failed, after {len(results)} that did not; run it alone with {_VARIABLE}={seed} in the "
                "environment"
            )
            raise
    return results


def seeds_to_run(seeds: int | Iterable[int]) -> Sequence[int]:
    """The seeds that run_seeds() and the marker run: 0, 1, … for a number, those of a collection, or the one that
    FERRY_SEED in the environment says.

        assert list(testing.seeds_to_run(3)) == [0, 1, 2]
    """
    chosen = _chosen(seeds)
    text = os.environ.get(_VARIABLE)
    if text is None:
        return chosen
    try:
        return [_given_seed(int(text))]
    except ValueError:
        raise ValueError(
            f"{_VARIABLE} is {text!r}, which is no seed: give a whole number from 0 on, or leave it unset"
        ) from None


def hold_clock() -> "ClockHold":
    """Keeps the clock of this thread's loop from jumping until what is returned is released, on any thread: for a
    thread of your own that is to wake the loop. On a loop with a real clock it does nothing.

        async def main():
            loop = asyncio.get_running_loop()
            answer = loop.create_future()

            def work(hold):
                with hold:
                    loop.call_soon_threadsafe(answer.set_result, 42)

            threading.Thread(target=work, args=(testing.hold_clock(),)).start()
            async with asyncio.timeout(1):
                assert await answer == 42

        testing.run(main())
    """
    running = _running_loop()
    if running is None:
        raise RuntimeError("no running event loop: call hold_clock() in a coroutine or a callback of a loop")
    return ClockHold(running if isinstance(running, VirtualEventLoop) else None)


class ClockHold:
    """What hold_clock() returns: the clock stands still until release(), or to the end of a with statement. See there
    for an example."""

    def __init__(self, loop: VirtualEventLoop | None) -> None:
        self.__release = None
        if loop is not None:
            loop._hold()
            # Called at most once, also when two threads release it.
            self.__release = iter([loop._let_go])

    def release(self) -> None:
        """Lets the clock go on. Works on any thread; a second time it does nothing."""
        for let_go in self.__release or ():
            let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


_Events = list[tuple[selectors.SelectorKey, int]]
_Select = Callable[[float], _Events]


class _Bell(Protocol):
    """What Ferry watches its descriptor with."""

    def is_work_out(self) -> bool: ...


class _Selector(selectors.DefaultSelector):
    """The system's selector. What it would wait, its loop decides on."""

    def __init__(self, idle: Callable[[_Select], _Events], tick: Callable[[], None]) -> None:
        super().__init__()
        self.idle = idle
        self.tick = tick

    def select(self, timeout: float | None = None) -> _Events:
        # A loop selects once a turn.
        self.tick()
        if timeout is not None and timeout <= 0:
            return super().select(0)
        return self.idle(super().select)


class _Deadline(float):
    """The moment of a timer, and which of those of the same moment comes first."""

    __slots__ = ("tie",)

    def __new__(cls, when: float, tie: float) -> Self:
        deadline = super().__new__(cls, when)
        deadline.tie = tie
        return deadline

    tie: float

    def __lt__(self, other: object) -> bool:
        if isinstance(other, _Deadline) and float.__eq__(self, other):
            return self.tie < other.tie
        return float.__lt__(self, other)  # type: ignore[operator]


class _Shuffled(collections.deque[asyncio.Handle]):
    """What is ready: the steps of tasks, and plain callbacks. Of the steps of a turn any may come first, and each may
    come later than it would, but callbacks keep their order, and no step overtakes one. (Whoever awaits a future relies
    on the callbacks that it had before: asyncio's sock_connect() does.)

    asyncio's loop takes them out one by one, as many as there were when the turn began; what comes meanwhile belongs to
    the next turn.
    """

    def __init__(self, generator: random.Random) -> None:
        super().__init__()
        self.random = generator
        self.tick_begins = False

    def popleft(self) -> asyncio.Handle:
        if self.tick_begins:
            self.tick_begins = False
            self.shuffle()
        return super().popleft()

    def shuffle(self) -> None:
        ready = collections.deque(super(_Shuffled, self).popleft() for _ in range(len(self)))
        steps: list[asyncio.Handle] = []
        order: list[asyncio.Handle] = []
        while ready or steps:
            while ready and _is_step(ready[0]):
                steps.append(ready.popleft())
            place = self.random.randrange(len(steps) + bool(ready))
            if place == len(steps):
                order.append(ready.popleft())
            else:
                steps[place], steps[-1] = steps[-1], steps[place]
                order.append(steps.pop())
        self.extendleft(reversed(order))


def _is_step(handle: asyncio.Handle) -> bool:
    """Whether it's a task that goes on."""
    return isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)  # type: ignore[attr-defined]


def _due_at(deadline: float) -> float:
    """When a timer counts as due: its deadline, or, where floats are too far apart for asyncio's test, the next one."""
    return deadline if deadline < deadline + _RESOLUTION else math.nextafter(deadline, math.inf)


def _waits_for_ever(loop: asyncio.AbstractEventLoop) -> str:
    """Tells which tasks wait, and where."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: (len(task.get_name()), task.get_name()))
    waiting = "".join(f"\n- {_place(task)}" for task in tasks) or "\nThere are no tasks."
    return (
        "the program waits for ever: nothing is ready, no timer is pending, and nothing is at work that the loop knows "
        "of. (A thread of your own that is to wake it must hold its clock: asyncferry.testing.hold_clock().)" + waiting
    )


def _place(task: "asyncio.Task[Any]") -> str:
    """Where the task waits: through all coroutines that it awaits, down to the innermost."""
    outer = task.get_coro()
    told = f"task '{task.get_name()}' of {getattr(outer, '__qualname__', outer)}()"
    frames: list[FrameType] = []
    awaited: Any = outer
    while awaited is not None:
        kind = next((kind for kind in ("cr", "gi", "ag") if getattr(awaited, f"{kind}_frame", None)), None)
        if kind is None:
            break
        frames.append(getattr(awaited, f"{kind}_frame"))
        awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")
    if frames:
        code = frames[-1].f_code
        told += f" waits at {code.co_filename}, line {frames[-1].f_lineno}, in {code.co_qualname}"
    # asyncio's iterator of a future says nothing of it.
    is_told = awaited is not None and type(awaited).__module__ != "_asyncio"
    return f"{told}, for {awaited!r}" if is_told else told


def _chosen(seeds: int | Iterable[int]) -> Sequence[int]:
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        if seeds < 1:
            raise ValueError(f"seeds is how many to run, 1 or more, not {seeds}")
        return range(seeds)
    if isinstance(seeds, (bool, str, bytes)) or not isinstance(seeds, Iterable):
        raise TypeError(f"seeds is a number, or a collection of seeds, not {seeds!r}")
    chosen = [_given_seed(seed) for seed in seeds]
    if not chosen:
        raise ValueError("seeds is empty: there is nothing to run")
    return chosen


def _given_seed(seed: object) -> int:
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"a seed is a whole number from 0 on, not {seed!r}")
    if seed < 0:
        raise ValueError(f"a seed is a whole number from 0 on, not {seed}")
    return seed


def checked_patience(io_patience: float) -> float:
    if not isinstance(io_patience, (int, float)) or isinstance(io_patience, bool):
        raise TypeError(f"io_patience is a number of seconds, not {io_patience!r}")
    if not io_patience >= 0:
        raise ValueError(f"io_patience is 0 or more seconds, not {io_patience}")
    return io_patience


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _nothing() -> None:
    pass
