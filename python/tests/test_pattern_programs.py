"""The programs in examples/patterns, and those in the doc strings of asyncferry.patterns, run on the virtual clock."""

import asyncio
import inspect
import pathlib
import re
import runpy
import textwrap

import pytest

from asyncferry import patterns, testing

EXAMPLES = pathlib.Path(__file__).parent.parent.parent / "examples" / "patterns"

PRINTED = {
    "agent_requests": """\
SLOW QUESTION, FAST QUESTION
divide by zero: it can't be done
too slow: request 4 was not answered within 0.2 s
the response to task 4 is late
""",
    "approvals": """\
Ada decides a-1: delivered
Grace decides a-2: delivered
Grace decides a-1: unknown
Ada decides a-9: unknown
deploying goes ahead (decided by Ada)
deleting the logs is not done (decided by Grace)
sending the mail is not done (decided by nobody, in time)
Ada decides a-3: late
""",
    "background_tasks": """\
running: send_mail, cache refresh, metrics
mail sent to ada@example.org
metrics reported
cache refresh failed: ConnectionError('the cache is gone')
metrics reported
still running: metrics
0 left
""",
    "graceful_shutdown": """\
short request begins
longer request begins
endless request begins
short request is done
shutting down
longer request is done
endless request is rolled back
finished in time: 1, given up: endless request
""",
    "health_ready": """\
all is well
web: serves
metrics: serves
health: {'database': 'ready', 'cache': 'ready'}
the cache is slow
web: not ready within 0.3 s: cache
metrics: not ready within 0.3 s: cache
health: {'database': 'ready', 'cache': 'ready'}
the database refuses
web: not ready: database (failed: no such host)
metrics: not ready: database (failed: no such host)
health: {'database': 'failed', 'cache': 'ready'}
""",
    "parallel_checks": """\
agent-1: healthy
agent-2: healthy
agent-3: healthy
agent-4: healthy
agent-5: connection refused
agent-6: healthy
agent-7: healthy
agent-8: healthy
at most 3 checks ran at once
""",
    "task_distribution": """\
submitted 1; 0 run, 1 wait
submitted 2; 0 run, 2 wait
submitted 3; 2 run, 1 wait
submitted 4; 2 run, 2 wait
submitted 5; 2 run, 1 wait
submitted 6; 2 run, 2 wait
submitted 7; 2 run, 1 wait
submitted 8; 2 run, 2 wait
task 1 is done
task 2 is done
failed: task 3 is broken
task 4 is done
task 5 is done
task 6 is done
task 7 is done
task 8 is done
shut down: 1 finished, given up: sleep
""",
}

CLASSES = [
    patterns.BackgroundTasks,
    patterns.PendingRequests,
    patterns.Readiness,
    patterns.Shutdown,
    patterns.WorkerPool,
]


def test_each_program_is_tested():
    assert PRINTED.keys() == {path.stem for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", PRINTED)
def test_the_program_prints(name, capfd, monkeypatch):
    monkeypatch.setattr(asyncio, "run", lambda main: testing.run(main, debug=True))
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == (PRINTED[name], "")


@pytest.mark.parametrize("documented", CLASSES)
def test_the_program_in_the_doc_string_runs(documented):
    blocks = re.findall(r"(?:^(?:    .*)?\n)+", inspect.getdoc(documented), re.MULTILINE)
    [program] = [block for block in blocks if "testing.run(main())" in block]
    exec(textwrap.dedent(program), {"asyncio": asyncio, "testing": testing, **vars(patterns)})
