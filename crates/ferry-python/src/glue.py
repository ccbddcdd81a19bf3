"""The parts of Ferry's bridge that are best said in Python: chains of jobs, the background loop, and where a
coroutine waits.

A function that awaits a job forgets it at its end: a job that failed has the exception, whose traceback has the
function's frame, and that would have the job. Only Python's collector frees such a ring.
"""

import asyncio
import functools
import inspect
import itertools
import os
import threading
import types
import weakref


async def then(job, function):
    """What `function` makes of the job's value."""
    try:
        return await finished(function(await job))
    finally:
        del job


async def catch(job, function, on):
    """The job's value, or what `function` makes of its exception."""
    try:
        return await job
    except on as error:
        return await finished(function(error))
    finally:
        del job


async def finally_(job, function):
    """The job's outcome, once `function` has run."""
    try:
        return await job
    finally:
        del job
        await finished(function())


async def finished(value):
    try:
        return await value if inspect.isawaitable(value) else value
    finally:
        del value


async def mapped(submit, wait, function, items, limit, return_exceptions):
    """The results of function(item) for each of `items`, `limit` at a time."""
    places = enumerate(items)
    results = {}
    workers = []
    problems = []

    async def work(number, first):
        """Has the first item done, and then others, until there is none."""
        try:
            for place, item in itertools.chain([first], places):
                results[place] = await attempt(item)
        except BaseException as error:
            if isinstance(error, Exception):
                problems.append(error)
            # It may not be among them yet: a task that starts eagerly can end before its submit() returns.
            stop(workers[:number] + workers[number + 1 :])
            raise

    async def attempt(item):
        try:
            return await submit(function, item)
        except Exception as error:
            if return_exceptions:
                return error
            raise

    def stop(some):
        for worker in some:
            worker.cancel()

    try:
        for first in places:
            workers.append(submit(work, len(workers), first))
            if len(workers) == limit or problems:
                break
        for worker in workers:
            await worker
    except GeneratorExit:
        # Its loop is gone, so nothing can be waited for.
        stop(workers)
        raise
    except BaseException:
        stop(workers)
        if workers:
            await wait(workers)
        for worker in workers:
            # Looked at, so that it isn't reported.
            worker.cancelled() or worker.exception()
        if problems:
            raise problems[0]
        raise
    finally:
        # The workers' functions have the list of them, and their jobs the exceptions.
        worker = first = None
        workers.clear()
        problems.clear()
    return [results[place] for place in range(len(results))]


class Unseen:
    """The exception of a job that nobody has looked at, which is reported when the job goes."""

    __slots__ = "exception", "report"

    def __init__(self, exception, report):
        self.exception = exception
        self.report = report

    def tell(self):
        report, self.report = self.report, None
        if report is not None:
            report(self.exception)

    __del__ = tell


class Background:
    """An event loop on a thread of its own, for coroutines that are submitted where no loop runs."""

    def __init__(self):
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.loop = self.runner.get_loop()
        self.is_told_to_stop = False
        self.starting = threading.Lock()
        self.is_started = False
        self.thread = threading.Thread(target=self.run, name="asyncferry-loop", daemon=True)

    def start(self):
        # Several threads may come at once; and where the system refused a thread, the next call asks again.
        with self.starting:
            if not self.is_started:
                self.thread.start()
                self.is_started = True

    def run(self):
        # Leaving the runner cancels what still runs, and waits until it has cleaned up.
        with self.runner:
            while True:
                try:
                    self.loop.run_forever()
                except (KeyboardInterrupt, SystemExit):
                    # It came out of a task or a callback, and ends that only: the loop is everybody's. The job of the
                    # task has it too.
                    pass
                if self.is_told_to_stop:
                    break

    def stop(self):
        """Has all tasks cancelled and ended, and waits for that."""
        self.is_told_to_stop = True
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


def background():
    """This process's background loop, which may not have started yet."""
    process = os.getpid()
    known = backgrounds.get(process)
    if known is not None:
        if not known.loop.is_closed():
            return known
        # Its thread has ended, by some fault.
        if backgrounds[process] is known:
            del backgrounds[process]
    mine = Background()
    winner = backgrounds.setdefault(process, mine)
    if winner is not mine:
        mine.runner.close()
    return winner


# By process, as a forked one has the parent's objects, but not its threads.
backgrounds = {}

# Those that are not gone, to be worked off when Python exits.
pools = weakref.WeakSet()


def is_async(function):
    """Whether calling `function` gives a coroutine."""
    if inspect.iscoroutinefunction(function):
        return True
    call = getattr(type(function), "__call__", None)
    return not inspect.isroutine(function) and inspect.iscoroutinefunction(call)


def call_with_values(function, arguments, answer):
    """Calls a function with arguments of another language, by name or by position, and hands on its result."""
    if isinstance(arguments, dict):
        result = function(**arguments)
    elif isinstance(arguments, list):
        result = function(*arguments)
    else:
        result = function() if arguments is None else function(arguments)
    if inspect.isawaitable(result):
        return _answer_later(result, answer)
    answer(result)


async def _answer_later(result, answer):
    answer(await result)


def retried(function, retry_on, no_retry):
    """The function, after whose other exceptions there is no further attempt."""
    if is_async(function):

        @functools.wraps(function)
        async def attempt(*args, **kwargs):
            try:
                return await function(*args, **kwargs)
            except retry_on:
                raise
            except BaseException:
                no_retry()
                raise
    else:

        @functools.wraps(function)
        def attempt(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except retry_on:
                raise
            except BaseException:
                no_retry()
                raise

    return attempt


def is_same(function, other):
    """Whether one is the other, or the same one of a module that was loaded again."""

    def address(function):
        return getattr(function, "__module__", None), getattr(function, "__qualname__", None)

    return function is other or (None not in address(function) and address(function) == address(other))


def name_of(function):
    """What to call a job that runs `function`, which has no name, or one that is no text."""
    try:
        # functools.partial has no name of its own.
        inner = getattr(function, "func", function)
        name = getattr(inner, "__qualname__", None)
    except Exception:
        inner, name = function, None
    return name if isinstance(name, str) else type(inner).__qualname__


def rust_traceback(file, line, inner):
    """A traceback that begins at a place in Rust code and goes on with `inner`."""
    return types.TracebackType(inner, rust_generator(file, line).gi_frame, -1, line)


@functools.lru_cache(maxsize=256)
def rust_generator(file, line):
    """Something with a frame of that place. It's a generator as that's a frame which nobody has called: one that was
    called would keep its callers alive."""

    def frame():
        yield

    code = frame.__code__.replace(co_filename=file, co_name="<Rust>", co_qualname="<Rust>", co_firstlineno=line)
    return types.FunctionType(code, {})()


def place_of(task):
    """What the coroutine of `task` waits for, as a part of a sentence."""
    coroutine = task and task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    if frame is None:
        return None
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        return "starts at its loop's next turn"
    place = f"{frame.f_code.co_filename}, line {frame.f_lineno}, in {frame.f_code.co_name}"
    awaited = coroutine.cr_await
    return f"runs at {place}" if awaited is None else f"awaits {describe(awaited)} at {place}"


def describe(awaited):
    """A name for what is awaited, which may be the insides of something."""
    if asyncio.isfuture(awaited):
        return f"{type(awaited).__name__} '{awaited.name}'" if hasattr(awaited, "name") else repr(awaited)
    name = getattr(awaited, "__qualname__", None)
    return f"{name}()" if name else "a future"
