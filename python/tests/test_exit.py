"""What goes on while Python exits, in whole processes: threads that it doesn't wait for, and handlers of others."""

import pytest

HEAD = "import asyncio, atexit, os, signal, sys, threading, asyncferry as ferry\n"


# Threads that Python doesn't wait for. It stops them as soon as they ask for the GIL, wherever they are.

COMPUTING = """
began = threading.Event()
def compute():
    began.set()
    while True: sum(range(1000))
async def main():
{main}
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
began.wait()
"""

# How code comes to run inside of Ferry's, and goes on there.
INSIDE = {
    "a coroutine": """
    async def work(): compute()
    await ferry.submit(work)
""",
    "a coroutine that got an exception": """
    async def work():
        try: await asyncio.sleep(1000)
        finally: compute()
    job = ferry.submit(work)
    await asyncio.sleep(0)
    job.cancel()
    await job
""",
    "a task that a job woke": """
    await ferry.sleep(0.001)
    compute()
""",
    "a callback": """
    ferry.sleep(0.001).add_done_callback(lambda _: compute())
    await asyncio.Event().wait()
""",
    "an exception handler": """
    asyncio.get_running_loop().set_exception_handler(lambda *_: compute())
    ferry.sleep(0.001).add_done_callback(lambda _: 1 / 0)
    await asyncio.Event().wait()
""",
}


@pytest.mark.parametrize("main", INSIDE.values(), ids=INSIDE)
def test_a_daemon_thread_that_computes_when_python_ends(program, main):
    assert program(HEAD + COMPUTING.format(main=main)) == ""


# It may have been the first in the process to use Ferry.
@pytest.mark.parametrize("use", ["ferry.sleep(60).result()", "ferry.submit(print, end='').result()"])
def test_a_daemon_thread_whose_first_job_python_does_not_wait_for(program, use):
    assert program(HEAD + f"threading.Thread(target=lambda: {use}, daemon=True).start()") == ""


# Handlers of others. Those that were registered before Ferry was used come after its own.


def test_a_later_handler_goes_on_with_its_event_loop(program):
    assert program(
        HEAD
        + """
loop = asyncio.new_event_loop()
async def work(what):
    await ferry.sleep(0.001)
    print(what)
def late():
    loop.run_until_complete(waits)
    loop.run_until_complete(work("cleaned up"))
atexit.register(late)
loop.run_until_complete(work("worked"))
waits = loop.create_task(work("began before"))
loop.run_until_complete(asyncio.sleep(0))
"""
    ).splitlines() == ["worked", "began before", "cleaned up"]


SUBMITS = {"a function": "ferry.submit(int)", "a coroutine": "ferry.submit(asyncio.sleep, 0)"}


@pytest.mark.parametrize("before", ["", "ferry.submit(int).result(); ferry.submit(asyncio.sleep, 0).result()"])
@pytest.mark.parametrize("submits", SUBMITS.values(), ids=SUBMITS)
def test_a_later_handler_that_submits_is_refused(program, before, submits):
    assert program(
        HEAD
        + f"""
def late():
    try: {submits}.result()
    except RuntimeError as error: print(error)
atexit.register(late)
async def main(): await ferry.sleep(0.001)
asyncio.run(main())
{before}
"""
    ).endswith("while Python exits\n")


def test_an_earlier_handler_submits(program):
    assert program(
        HEAD
        + """
async def give(value): return value
def early(): print(ferry.submit(int, "1").result(), ferry.submit(give, 2).result())
# Both kinds of threads are there: Python 3.12 starts none any more at its exit.
ferry.submit(int).result(), ferry.submit(give, 0).result()
atexit.register(early)
"""
    ) == "1 2\n"


# What signal handlers raise while Python waits for functions that run. The signal comes when it waits: the last thing
# before that is to set the timer.

WAITING = """
began, release = threading.Event(), threading.Event()
def work():
    began.set()
    release.wait()
def stop(*_):
    {stop}
signal.signal(signal.SIGALRM, stop)
sys.unraisablehook = lambda what: print(repr(what.exc_value), "is told")
atexit.register(print, "a handler of others")
job = ferry.submit(work)
began.wait()
atexit.register(signal.setitimer, signal.ITIMER_REAL, 0.001)
"""


@pytest.mark.parametrize(
    "stop, code, complaint", [("7", 7, ""), ("", 0, ""), ("-1", 255, ""), ("'in words'", 1, "in words\n")]
)
def test_a_signal_handler_exits_while_python_waits(program, stop, code, complaint):
    program(HEAD + WAITING.format(stop=f"sys.exit({stop})"), exit_code=code, complaint=complaint)


def test_a_signal_handler_that_fails_while_python_waits(program):
    told = program(HEAD + WAITING.format(stop="release.set(); raise ValueError('no')"))
    assert told.splitlines() == ["ValueError('no') is told", "a handler of others"]


# Errors that nobody has seen.


def test_errors_of_jobs_that_live_on_are_told_at_exit(program):
    assert program(
        HEAD
        + """
said = []
atexit.register(lambda: print(*sorted(said), sep="\\n"))
sys.unraisablehook = lambda what: said.append(f"{what.exc_value} of {what.object}")
def fail(why): raise ValueError(why)
async def fail_async(why): raise ValueError(why)
jobs = [ferry.submit(fail, "not looked at"), ferry.submit(fail_async, "waited for"), ferry.submit(fail, "seen")]
jobs += [ferry.submit(fail, "only a module has it")]
ferry.wait(jobs).result()
jobs[0].done(), jobs[2].exception()
sys.modules["os"].left = jobs.pop()
"""
    ).splitlines() == [
        "not looked at of Job 'fail' failed, and nobody retrieved its exception",
        "only a module has it of Job 'fail' failed, and nobody retrieved its exception",
        "waited for of Job 'fail_async' failed, and nobody retrieved its exception",
    ]


# As concurrent.futures does: what was submitted is run, also what no thread has begun yet.
def test_queued_functions_run_before_python_ends(program):
    said = program(
        HEAD
        + """
ferry.configure(python_threads=1)
hold = threading.Event()
threading.Thread(target=lambda: (threading.main_thread().join(), hold.set())).start()
ferry.submit(hold.wait).detach()
for number in range(5): ferry.submit(print, number).detach()
kept = ferry.submit(print, "kept")
dropped = ferry.submit(print, "dropped")
del dropped
"""
    )
    assert said.split() == ["0", "1", "2", "3", "4", "kept"]
