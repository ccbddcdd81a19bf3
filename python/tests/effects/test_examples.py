"""The programs in examples/effects, which talk to a real server on this machine."""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import PATIENCE

EXAMPLES = pathlib.Path(__file__).parents[3] / "examples" / "effects"

PRINTED = {
    "fetch_json": """\
{'hello': 'Ferry'}
Err(LookupError('404: there is nothing at /nowhere'))
fetched /greeting?name=Ferry
closed the session
closed the session
""",
    "parallel_fetches": """\
Ada
Grace
Edsger
Barbara
4 pages fetched
""",
    "with_timeout": """\
Ok({'hello': 'world'})
Err(TimeoutError('it took longer than 0.05 seconds'))
closed the session of greeting
closed the session of slow
""",
}


def test_all_examples_are_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*PRINTED, "local_http"}


@pytest.mark.parametrize("name", PRINTED)
def test_examples(name):
    # The module that they share lies beside them.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, text=True, timeout=PATIENCE, env=env
    )
    assert (ended.stderr, ended.stdout) == ("", PRINTED[name])
