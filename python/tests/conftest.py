"""What the tests share: functions that give or fail, a runner for each event loop, a Rust job that ends when a test
says so, programs in processes of their own, and what the tests of the primitives ask for."""

import asyncio
import os
import re
import subprocess
import sys
import textwrap
import threading

import pytest
import rloop
import uvloop

import asyncferry as ferry
from asyncferry import testing

# Far more than anything here takes. A test that waits so long has failed.
PATIENCE = 30


async def give(value=None):
    await asyncio.sleep(0)
    return value


async def fail(error):
    await asyncio.sleep(0)
    raise error


def give_now(value=None):
    return value


def fail_now(error):
    raise error


class RLoop(rloop.RLoop):
    """rloop 0.5 closes its two sockets twice, once in Rust and once in Python: the second time it may close what
    another thread has just been given under the same number. Here Python leaves them to Rust."""

    def _ssock_stop(self):
        sockets = self._ssock_r, self._ssock_w
        super()._ssock_stop()
        for each in sockets:
            each.detach()


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop, "rloop": RLoop}


class Run:
    """Runs coroutine functions, each on a new loop of one kind, and collects what is told to its handler."""

    def __init__(self, new_loop):
        self.new_loop = new_loop
        self.reports = []

    def __call__(self, main, *arguments, debug=None):
        async def bounded():
            return await asyncio.wait_for(main(*arguments), PATIENCE)

        with asyncio.Runner(loop_factory=self.new_loop, debug=debug) as runner:
            # rloop calls it without the loop.
            runner.get_loop().set_exception_handler(lambda *what: self.reports.append(what[-1]))
            return runner.run(bounded())

    def take_reports(self):
        """What was reported since the last look, for a test that expects it."""
        reports, self.reports = self.reports, []
        return reports


@pytest.fixture(params=LOOPS)
def run(request):
    """Runs a coroutine function on each kind of loop. What a loop's handler is told fails the test, unless the test
    takes it."""
    runner = Run(LOOPS[request.param])
    yield runner
    assert runner.reports == []


@pytest.fixture
def unraisable(monkeypatch):
    """What Python is told of errors that no loop is there for."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append((what.exc_value, what.object)))
    return told


class Gate:
    """Jobs of a Rust function that end when the gate is opened: each reads a pipe."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path = path

    def job(self):
        return ferry.digest_file(self.path)

    def open(self):
        """Lets one job end, on a thread of Rust's."""
        with open(self.path, "wb") as writer:
            writer.write(b"x")


@pytest.fixture
def gate(tmp_path):
    path = tmp_path / "pipe"
    gate = Gate(path)
    yield gate
    # Threads that still wait for a writer get one, which writes nothing; those that come later find no file.
    other_name = tmp_path / "gone"
    path.rename(other_name)
    try:
        while True:
            os.close(os.open(other_name, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        pass


@pytest.fixture
def program():
    """Runs a Python program in a process of its own, and checks that it ends well and has nothing to complain of.
    Gives what it printed."""

    def run(code, *arguments, flags=(), env=None, exit_code=0, complaint=""):
        ended = subprocess.run(
            [sys.executable, *flags, "-c", textwrap.dedent(code), *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={**os.environ, **(env or {})},
        )
        assert (ended.stderr, ended.returncode) == (complaint, exit_code)
        return ended.stdout

    return run


@pytest.fixture
def in_thread():
    """Runs a function on a new thread, to its end, and gives what it gave."""

    def run(function, *arguments):
        ended = []

        def attempt():
            try:
                ended.append((function(*arguments), None))
            except BaseException as error:
                ended.append((None, error))

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join(PATIENCE)
        [(value, error)] = ended
        if error is not None:
            raise error
        return value

    return run


# For the tests of the primitives. Each runs on asyncio's own class as well, which proves that it asks for the right thing.


@pytest.fixture(params=[asyncio, ferry], ids=["asyncio", "ferry"])
def m(request):
    """The module whose primitives are used."""
    return request.param


@pytest.fixture
def virtual():
    """Runs a coroutine function on the virtual clock, in order and under some seeds."""

    def run(main):
        testing.run_seeds(main, seeds=5)

    return run


@pytest.fixture
def described():
    """A primitive's representation without its class and address: '[unset, waiters:1]'."""

    def describe(primitive):
        found = re.fullmatch(r"<(asyncferry|asyncio\.locks)\.\w+ object at 0x[0-9a-f]+ (\[.*\])>", repr(primitive))
        assert found, repr(primitive)
        return found[2]

    return describe


@pytest.fixture
def cancelled():
    """Cancels a task and says what its CancelledError had to say."""

    async def cancel(task, message="why"):
        task.cancel(message)
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        return raised.value.args

    return cancel


@pytest.fixture
def turns():
    """Lets everything that is ready run."""

    async def run(number=10):
        for _ in range(number):
            await asyncio.sleep(0)

    return run
