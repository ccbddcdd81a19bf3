"""Jobs under trio: a stand-in for an event loop in each trio run, and how a trio task waits for a job.

The stand-in does what Ferry's bridge asks of an event loop, with trio's public means. It's made when it's first
asked for, and lives as long as the run."""

import asyncio
import contextvars
import functools
import logging

import trio

loops = trio.lowlevel.RunVar("asyncferry")


def running_loop():
    """The stand-in of the trio run in this thread; None where there is none."""
    try:
        return loops.get()
    except LookupError:
        loops.set(Loop())
        return loops.get()
    except RuntimeError:
        return None


async def wait(job):
    """The job's value, for a trio task. When its scope is cancelled, so is the job, and it's waited for."""
    task = trio.lowlevel.current_task()
    raise_cancelled = None

    def wake(_):
        trio.lowlevel.reschedule(task)

    def abort(raise_it):
        nonlocal raise_cancelled
        raise_cancelled = raise_it
        job.cancel("its trio scope was cancelled")
        # It goes on when the job has ended: that may await some cleaning up, or refuse.
        return trio.lowlevel.Abort.FAILED

    job.add_done_callback(wake)
    await trio.lowlevel.wait_task_rescheduled(abort)
    if raise_cancelled and job.cancelled():
        raise_cancelled()
    return job.result()


async def park(pause):
    """Parks this task until an operation that waits is called. When its scope is cancelled, that is raised at once."""
    task = trio.lowlevel.current_task()

    def wake(_):
        trio.lowlevel.reschedule(task)

    def abort(_):
        pause.remove_done_callback(wake)
        return trio.lowlevel.Abort.SUCCEEDED

    pause.add_done_callback(wake)
    await trio.lowlevel.wait_task_rescheduled(abort)


async def park_shielded(pause):
    """Parks this task for an operation that has something to finish although it was cancelled."""
    with trio.CancelScope(shield=True):
        await park(pause)


class Loop:
    def __init__(self):
        self.token = trio.lowlevel.current_trio_token()
        self.is_over = False

    def is_closed(self):
        return self.is_over

    def add_reader(self, descriptor, drain):
        trio.lowlevel.spawn_system_task(self.watch, descriptor, drain, name="asyncferry")

    async def watch(self, descriptor, drain):
        try:
            while True:
                await trio.lowlevel.wait_readable(descriptor)
                drain()
        finally:
            self.is_over = True

    def call_soon(self, callback, *arguments, context=None):
        call = functools.partial((context or contextvars.copy_context()).run, callback, *arguments)
        self.token.run_sync_soon(self.run, call)

    def run(self, call):
        try:
            call()
        except Exception as error:
            self.call_exception_handler({"message": f"Exception in callback {call}", "exception": error})

    def call_exception_handler(self, context):
        logging.getLogger("asyncferry").error(context["message"], exc_info=context.get("exception"))

    def create_task(self, coroutine, *, name=None, context=None):
        return Task(self, coroutine, name, context or contextvars.copy_context())


class Task:
    """A coroutine as a trio task of its own, with the methods of asyncio's tasks that Ferry uses."""

    _asyncio_future_blocking = False

    def __init__(self, loop, coroutine, name, context):
        self.loop = loop
        self.coroutine = coroutine
        self.scope = trio.CancelScope()
        self.message = None
        self.outcome = None
        self.ended = trio.Event()
        self.callbacks = []
        name = name or getattr(coroutine, "__qualname__", "asyncferry")
        trio.lowlevel.spawn_system_task(self.run, name=name, context=context)

    async def run(self):
        # What happens if its scope is cancelled, or the run itself ends first.
        self.outcome = "cancelled", None
        try:
            with self.scope:
                try:
                    self.outcome = "value", await self.coroutine
                except trio.Cancelled:
                    raise
                except asyncio.CancelledError as error:
                    self.outcome = "cancelled", error.args
                except BaseException as error:
                    self.outcome = "error", error
        finally:
            self.ended.set()
            callbacks, self.callbacks = self.callbacks, []
            for callback, context in callbacks:
                self.loop.call_soon(callback, self, context=context)

    def __await__(self):
        return self.wait().__await__()

    async def wait(self):
        await self.ended.wait()
        return self.result()

    def get_loop(self):
        return self.loop

    def get_coro(self):
        return self.coroutine

    def done(self):
        return self.ended.is_set()

    def cancelled(self):
        return self.done() and self.outcome[0] == "cancelled"

    def cancel(self, msg=None):
        if self.done():
            return False
        self.message = msg
        self.scope.cancel()
        return True

    def result(self):
        error = self.exception()
        if error is not None:
            raise error
        return self.outcome[1]

    def exception(self):
        if not self.done():
            raise asyncio.InvalidStateError("it is not done")
        kind, outcome = self.outcome
        if kind == "cancelled":
            if outcome is None:
                outcome = () if self.message is None else (self.message,)
            raise asyncio.CancelledError(*outcome)
        return outcome if kind == "error" else None

    def add_done_callback(self, callback, *, context=None):
        context = context or contextvars.copy_context()
        if self.done():
            self.loop.call_soon(callback, self, context=context)
        else:
            self.callbacks.append((callback, context))

    def __repr__(self):
        return f"<trio task {self.coroutine!r}>"
