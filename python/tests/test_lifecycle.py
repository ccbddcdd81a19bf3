"""The package in whole processes: imported, reloaded, forked, spawned, interrupted, and ended with work in flight."""

import os
import sys

import pytest

# What every program begins with.
HEAD = "import asyncio, atexit, os, sys, threading, asyncferry as ferry\n"


# Ends.

IN_FLIGHT = {
    "sleeps": "jobs = [ferry.sleep(1000) for _ in range(200)]",
    "coroutines in the background": "jobs = [ferry.submit(asyncio.sleep, 1000) for _ in range(200)]",
    "queued functions": "jobs = [ferry.submit(sum, range(1000)) for _ in range(2000)]",
    "detached jobs": "[ferry.submit(asyncio.sleep, 1000).detach() for _ in range(200)]; ferry.sleep(1000).detach()",
    "groups": "jobs = ferry.gather(*[ferry.sleep(1000) for _ in range(200)]), ferry.map(asyncio.sleep, [1000] * 500)",
    "chains": "jobs = [ferry.sleep(1000).then(print).catch(print).finally_(list) for _ in range(50)]",
    "callbacks": "jobs = [ferry.sleep(1000) for _ in range(50)]; [job.add_done_callback(id) for job in jobs]",
    "a reference from a module": "sys.modules['os'].left = [ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000)]",
    "ended jobs": "jobs = [ferry.submit(int) for _ in range(50)]; [job.done() for job in jobs]",
}


@pytest.mark.parametrize("work", IN_FLIGHT.values(), ids=IN_FLIGHT)
def test_exit_with_work_in_flight(program, work):
    assert program(HEAD + work) == ""


@pytest.mark.parametrize("work", IN_FLIGHT.values(), ids=IN_FLIGHT)
def test_exit_with_work_of_a_loop_in_flight(program, work):
    assert program(HEAD + of_a_loop("asyncio", work)) == ""


def test_exit_with_all_work_of_uvloop_in_flight(program):
    assert program(HEAD + of_a_loop("uvloop", "; ".join(IN_FLIGHT.values()).replace("jobs = ", "jobs += "))) == ""


def of_a_loop(loop, work):
    """A program that does `work` in a coroutine, and leaves it."""
    main = f"jobs = []\nasync def main():\n    global jobs\n    {work}\n    await asyncio.sleep(0)\n"
    return f"import {loop}\n{main}with asyncio.Runner(loop_factory={loop}.new_event_loop) as runner: runner.run(main())\n"


@pytest.mark.parametrize("ending, code", [("sys.exit(3)", 3), ("os._exit(4)", 4), ("raise SystemExit(5)", 5)])
def test_exit_codes_are_kept(program, ending, code):
    work = "jobs = [ferry.submit(asyncio.sleep, 1000), ferry.sleep(1000), ferry.submit(sum, range(1000))]\n"
    program(HEAD + work + ending, exit_code=code)


def test_what_runs_is_waited_for_and_cleans_up(program):
    assert program(
        HEAD
        + """
began = threading.Event()
async def work():
    began.set()
    try:
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0)
        print("cleaned up")
def on_thread():
    both.wait()
    # Until Python is told to end.
    main.join()
    print("function ended")
both, main = threading.Barrier(2), threading.main_thread()
jobs = ferry.submit(work), ferry.submit(on_thread)
began.wait()
both.wait()
"""
    ).splitlines() == ["function ended", "cleaned up"]


def test_an_error_that_nobody_saw_is_told_at_exit(program):
    assert program(
        HEAD
        + """
said = []
def told(what): said.append(f"{type(what.exc_value).__name__} of {what.object}")
# Called last, as the first to be registered.
atexit.register(lambda: print(*sorted(said), sep="\\n"))
sys.unraisablehook = told
def fail(): raise ValueError("lost")
async def fail_async(): raise KeyError("lost")
ferry.submit(fail).detach()
job = ferry.submit(fail_async)
ferry.wait([job]).result()
del job
"""
    ).splitlines() == [
        "KeyError of Job 'fail_async' failed, and nobody retrieved its exception",
        "ValueError of Detached job 'fail' failed, and nobody retrieved its exception",
    ]


def test_submitting_while_python_exits(program):
    # Handlers run in the reverse order: this one before Ferry's own, which comes with the first job, and one after it.
    assert program(
        HEAD
        + """
def late(when):
    try:
        print(when, ferry.submit(int).result(10))
    except RuntimeError as error:
        print(when, error)
atexit.register(late, "after")
ferry.submit(int).result()
atexit.register(late, "before")
"""
    ).splitlines() == ["before 0", "after can't submit a function while Python exits"]


def test_a_daemon_thread_that_waits_when_python_ends(program):
    assert program(
        HEAD
        + """
waits = threading.Event()
job = ferry.sleep(1000)
def wait():
    waits.set()
    job.result()
threading.Thread(target=wait, daemon=True).start()
waits.wait()
"""
    ) == ""


def test_ctrl_c_ends_a_program_that_awaits(program):
    assert program(
        HEAD
        + """
import signal
async def main():
    async def interrupt():
        os.kill(os.getpid(), signal.SIGINT)
    ferry.submit(interrupt).detach()
    try:
        await ferry.sleep(1000)
    finally:
        print("cleaned up")
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    ).splitlines() == ["cleaned up", "interrupted"]


# Imports.


@pytest.mark.parametrize("flags", [(), ("-X", "dev"), ("-W", "error"), ("-I",), ("-OO",)], ids=" ".join)
def test_it_is_imported_without_a_word(program, flags):
    if "-I" in flags and "PYTHONPATH" in os.environ:
        pytest.skip("the package is found by PYTHONPATH, which -I ignores")
    assert program("import asyncferry; print(asyncferry.submit(int).result())", flags=flags) == "0\n"


def test_importing_it_starts_nothing(program):
    assert program(
        """
        import sys
        before = set(sys.modules)
        import asyncferry, threading
        print(threading.active_count(), len(__import__("os").listdir("/proc/self/task")))
        """
    ) == "1 1\n"


def test_a_subinterpreter_is_refused_clearly(program):
    if sys.version_info >= (3, 13):
        ask = "import _interpreters as i; error = i.exec(i.create('legacy'), {code!r}); print(error.formatted)"
    else:
        ask = """
import _xxsubinterpreters as i
try:
    i.run_string(i.create(isolated=False), {code!r})
except i.RunFailedError as error:
    print(error)
"""
    told = program("import asyncferry\n" + ask.format(code="import asyncferry"))
    assert "ImportError" in told and "interpreter" in told


def test_the_module_may_be_reloaded(program):
    assert program(
        HEAD
        + """
import importlib
job, before = ferry.submit(int), ferry.Job
ferry.register("name", int)
again = importlib.reload(ferry)
assert again is ferry and ferry.Job is before
print(job.result(), ferry.submit("name").result(), ferry.submit(int).result())
del sys.modules["asyncferry"]
import asyncferry
print(asyncferry.submit("name").result(), asyncferry.Job is before)
"""
    ).splitlines() == ["0 0 0", "0 True"]


def test_a_module_that_registers_functions_may_be_reloaded(program, tmp_path):
    (tmp_path / "registers.py").write_text(
        "import asyncferry\ndef version(): return VERSION\nVERSION = 1\nasyncferry.register('version', version)\n"
    )
    assert program(
        HEAD
        + """
import importlib, pathlib
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import registers
first = ferry.submit("version").result()
path = pathlib.Path(registers.__file__)
path.write_text(path.read_text().replace("VERSION = 1", "VERSION = 22"))
importlib.reload(registers)
print(first, ferry.submit("version").result())
""",
        str(tmp_path),
    ) == "1 22\n"


# Debug modes.

EVERYTHING = (
    HEAD
    + """
async def give(value):
    await asyncio.sleep(0)
    return value
async def main():
    assert await ferry.submit(give, 1) == 1
    assert await ferry.submit(str, 2) == "2"
    assert await ferry.gather(ferry.submit(give, 3), give(4)) == [3, 4]
    assert await ferry.map(give, range(20), limit=3) == list(range(20))
    assert await asyncio.wait_for(ferry.submit(give, 5), 30) == 5
    assert await ferry.race(ferry.submit(give, 6), ferry.sleep(1000)) == 6
    async with asyncio.TaskGroup() as group:
        group.create_task(ferry.submit(str, 7))
    try:
        async with asyncio.timeout(0.001):
            await ferry.submit(asyncio.sleep, 1000)
    except TimeoutError:
        pass
    return await ferry.sleep(0.001).then(lambda _: "end")
for _ in range(3):
    print(asyncio.run(main()))
print(ferry.submit(give, "background").result())
"""
)


@pytest.mark.parametrize(
    "flags, env", [((), {}), ((), {"PYTHONASYNCIODEBUG": "1"}), (("-X", "dev"), {}), (("-bb", "-W", "error"), {})]
)
def test_debug_modes_find_nothing(program, flags, env):
    # How long things take is not what is asked here, and the machine may be busy.
    patient = "import asyncio; asyncio.base_events.logger.setLevel('ERROR')\n"
    assert program(patient + EVERYTHING, flags=flags, env=env).split() == ["end"] * 3 + ["background"]


# Forks. Python itself warns of them where threads run, from 3.12 on.

FORKING = ("-W", "ignore::DeprecationWarning")


def test_a_forked_child_begins_anew(program):
    assert program(
        HEAD
        + """
def work(value): return value * 2
async def give(value): return value * 2
async def main(): return await ferry.gather(ferry.submit(work, 1), ferry.submit(give, 2), ferry.sleep(0.001))
done, pending, running = ferry.submit(work, 4), ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000)
assert done.result() == 8 and ferry.submit(give, 1).result() == 2
ferry.sleep(0).result()
asyncio.run(main())
child = os.fork()
if child == 0:
    try:
        print(done.result(), ferry.submit(work, 5).result(), ferry.submit(give, 6).result(), asyncio.run(main()))
        for job in pending, running:
            try:
                job.result()
            except RuntimeError as error:
                print("forked" in str(error), job.cancel())
        sys.stdout.flush()
    finally:
        os._exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), ferry.submit(work, 7).result(), pending.done(), pending.cancel())
""",
        flags=FORKING,
    ).splitlines() == ["8 10 12 [2, 4, None]", "True False", "True False", "0 14 False True"]


# Another thread may be about to use Ferry for the first time.
def test_a_fork_beside_the_first_job(program):
    assert (
        program(
            HEAD
            + """
first = threading.Thread(target=lambda: ferry.sleep(0.001).result())
first.start()
child = os.fork()
if child == 0:
    ferry.sleep(0.001).result()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
first.join()
""",
            flags=FORKING,
        )
        == "0\n"
    )


def test_a_forked_child_ends_well(program):
    assert program(
        HEAD
        + """
jobs = [ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000), ferry.submit(int)]
for _ in range(5):
    child = os.fork()
    if child == 0:
        more = [ferry.sleep(1000), ferry.submit(asyncio.sleep, 1000), ferry.submit(int)]
        sys.exit(more[2].result() + 7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
        flags=FORKING,
    ).split() == ["7"] * 5


def test_a_fork_inside_of_a_running_loop(program):
    assert program(
        HEAD
        + """
async def main():
    job = ferry.sleep(0.001)
    child = os.fork()
    if child == 0:
        # The loop is the parent's. A thread has none, so it may wait.
        codes = []
        thread = threading.Thread(target=lambda: codes.append(ferry.submit(int, "9").result()))
        thread.start()
        thread.join()
        os._exit(*codes)
    await job
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(asyncio.run(main()))
""",
        flags=FORKING,
    ) == "9\n"


# Hooks that are registered before Ferry is used run inside of its own, were there any.
HOOKS = {
    "uses Ferry here": "use()",
    "uses Ferry on a thread": "thread = threading.Thread(target=use); thread.start(); thread.join()",
    "collects": "gc.collect()",
}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_a_fork_beside_hooks_of_others(program, hook):
    assert program(
        HEAD
        + f"""
import faulthandler, gc, warnings
warnings.simplefilter("ignore", ResourceWarning)
gc.disable()
async def give(value): return value
def use():
    assert ferry.submit(int).result(20) == 0 and ferry.submit(give, 1).result(20) == 1
    asyncio.run(main())
async def main(): await ferry.sleep(0.001)
def leave_a_loop():
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    # A ring, which the collector frees: that closes the loop, and its home.
    loop.itself = loop
def hook():
    {hook}
os.register_at_fork(before=hook, after_in_parent=hook, after_in_child=hook)
use()
for _ in range(2):
    leave_a_loop()
    child = os.fork()
    if child == 0:
        # A child that hangs ends all the same.
        faulthandler.dump_traceback_later(20, exit=True)
        use()
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    use()
""",
        flags=FORKING,
    ).split() == ["7"] * 2


MULTIPROCESSING = """
import multiprocessing
def work(value): return value + 1
def in_child(value):
    async def main(): return await ferry.gather(ferry.submit(work, value), ferry.submit(asyncio.sleep, 0, value))
    return ferry.submit(work, value).result(), asyncio.run(main())
if __name__ == "__main__":
    ferry.submit(work, 1).result()
    left = ferry.sleep(1000)
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        print(pool.map(in_child, range(3)))
        pool.close()
        pool.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(program, tmp_path, method):
    path = tmp_path / "program.py"
    path.write_text(HEAD + MULTIPROCESSING.format(method=method))
    code = f"import os, sys; os.execv(sys.executable, [sys.executable, *{list(FORKING)!r}, {str(path)!r}])"
    assert program(code) == "[(1, [1, 0]), (2, [2, 1]), (3, [3, 2])]\n"


def test_a_subprocess_beside_it(program):
    assert program(
        HEAD
        + """
async def main():
    job = ferry.submit(asyncio.sleep, 0.001)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('child')", stdout=-1)
    out, _ = await child.communicate()
    await job
    return out.decode().strip()
print(asyncio.run(main()))
"""
    ) == "child\n"


# What the system refuses.


@pytest.mark.parametrize("megabytes", [1, 3, 6], ids=["no thread", "one thread", "some threads"])
def test_a_system_that_refuses_threads(program, megabytes):
    told = program(
        HEAD
        + f"""
import resource
[pages] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize")]
job = None
resource.setrlimit(resource.RLIMIT_AS, (pages * 1024 + {megabytes} * 2**20, resource.RLIM_INFINITY))
try: job = ferry.sleep(0.001)
except RuntimeError as error: refused = str(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if job is None:
    assert "could not start its worker threads" in refused, refused
    job = ferry.sleep(0.001)
print(job.result(20))
"""
    )
    assert told == "None\n"


def test_functions_may_go_as_deep_as_python_allows(program):
    assert program(
        HEAD
        + """
def deep(_=None): return sorted([1], key=deep)
try: ferry.submit(deep).result()
except RecursionError: print("RecursionError")
"""
    ) == "RecursionError\n"
