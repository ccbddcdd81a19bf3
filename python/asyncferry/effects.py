"""Effect programs: generators that yield what they want, and handlers that answer.

    from asyncferry.effects import Await, Gather, Spawn, async_run, do

    @do
    def main(urls):
        tasks = []
        for url in urls:
            tasks.append((yield Spawn(Await(fetch(url)))))
        return (yield Gather(*tasks))

    pages = await async_run(main(urls))

The names are those of doeff 0.8.0; docs/effects.md says what differs.
"""

import asyncferry as _asyncferry

_native = _asyncferry._effects

PRIORITY_HIGH = _native.PRIORITY_HIGH
PRIORITY_IDLE = _native.PRIORITY_IDLE
PRIORITY_NORMAL = _native.PRIORITY_NORMAL
AcquireSemaphore = _native.AcquireSemaphore
Ask = _native.Ask
Await = _native.Await
Call = _native.Call
Cancel = _native.Cancel
CompletePromise = _native.CompletePromise
ContinuationError = _native.ContinuationError
CreateExternalPromise = _native.CreateExternalPromise
CreatePromise = _native.CreatePromise
CreateSemaphore = _native.CreateSemaphore
Discard = _native.Discard
DoFunction = _native.DoFunction
EffectBase = _native.EffectBase
Err = _native.Err
ExternalPromise = _native.ExternalPromise
ExternalPromiseCancelCallbackError = _native.ExternalPromiseCancelCallbackError
FailPromise = _native.FailPromise
Future = _native.Future
Gather = _native.Gather
Get = _native.Get
Handler = _native.Handler
K = _native.K
Listen = _native.Listen
Local = _native.Local
MissingEnvKeyError = _native.MissingEnvKeyError
Modify = _native.Modify
Ok = _native.Ok
Pass = _native.Pass
Perform = _native.Perform
Program = _native.Program
ProgramAbandoned = _native.ProgramAbandoned
Promise = _native.Promise
Pure = _native.Pure
Put = _native.Put
Race = _native.Race
ReleaseSemaphore = _native.ReleaseSemaphore
Resume = _native.Resume
ResumeThrow = _native.ResumeThrow
SchedulerDeadlockError = _native.SchedulerDeadlockError
Semaphore = _native.Semaphore
Spawn = _native.Spawn
Task = _native.Task
TaskCancelledError = _native.TaskCancelledError
Tell = _native.Tell
ThreadLoop = _native.ThreadLoop
Transfer = _native.Transfer
TransferThrow = _native.TransferThrow
Try = _native.Try
UnhandledEffect = _native.UnhandledEffect
Wait = _native.Wait
await_handler = _native.await_handler
do = _native.do
handler = _native.handler
reader = _native.reader
run = _native.run
stacked_handlers = _native.stacked_handlers
state = _native.state
thread_loop = _native.thread_loop
with_handlers = _native.with_handlers
writer = _native.writer
writer_log = _native.writer_log

# doeff's other names of the same things.
Effect = EffectBase
WriterTellEffect = Tell
race = Race


async def async_run(program, *, grace=5.0, max_tasks=1_000_000):
    """Runs a program in the event loop that runs here (asyncio's, uvloop's, trio's), and gives its result.

    Awaits are begun in this loop, so objects that belong to it work. The loop has its turns, however busy the program
    is. Cancelling this cancels the program, which unwinds with effects, and then it raises CancelledError. Tasks that the
    program leaves over are cancelled, have `grace` seconds to end, and are reported. There are `max_tasks` tasks at once at
    most.
    """
    return await _native.start(program, grace, max_tasks)


def scheduled(program):
    """The program itself: every run has a scheduler. It's here for programs that come from doeff."""
    return _a_program("scheduled()", program)


def try_handler(program):
    """The program itself: every run answers Try. It's here for programs that come from doeff."""
    return _a_program("try_handler()", program)


def local_handler(program):
    """The program itself: every run answers Local. It's here for programs that come from doeff."""
    return _a_program("local_handler()", program)


def listen_handler(program):
    """The program itself: every run answers Listen. It's here for programs that come from doeff."""
    return _a_program("listen_handler()", program)


def _a_program(what, program):
    # No handler, and so as good as a check.
    stacked_handlers()(program)
    return program


__all__ = [
    "PRIORITY_HIGH",
    "PRIORITY_IDLE",
    "PRIORITY_NORMAL",
    "AcquireSemaphore",
    "Ask",
    "Await",
    "Call",
    "Cancel",
    "CompletePromise",
    "ContinuationError",
    "CreateExternalPromise",
    "CreatePromise",
    "CreateSemaphore",
    "Discard",
    "DoFunction",
    "Effect",
    "EffectBase",
    "Err",
    "ExternalPromise",
    "ExternalPromiseCancelCallbackError",
    "FailPromise",
    "Future",
    "Gather",
    "Get",
    "Handler",
    "K",
    "Listen",
    "Local",
    "MissingEnvKeyError",
    "Modify",
    "Ok",
    "Pass",
    "Perform",
    "Program",
    "ProgramAbandoned",
    "Promise",
    "Pure",
    "Put",
    "Race",
    "ReleaseSemaphore",
    "Resume",
    "ResumeThrow",
    "SchedulerDeadlockError",
    "Semaphore",
    "Spawn",
    "Task",
    "TaskCancelledError",
    "Tell",
    "ThreadLoop",
    "Transfer",
    "TransferThrow",
    "Try",
    "UnhandledEffect",
    "Wait",
    "WriterTellEffect",
    "async_run",
    "await_handler",
    "do",
    "handler",
    "listen_handler",
    "local_handler",
    "race",
    "reader",
    "run",
    "scheduled",
    "stacked_handlers",
    "state",
    "thread_loop",
    "try_handler",
    "with_handlers",
    "writer",
    "writer_log",
]
