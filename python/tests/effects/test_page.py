"""The programs of docs/effects.md run."""

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "effects.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=[str(n) for n in range(len(PROGRAMS))])
def test_programs(program):
    exec(compile(program, str(PAGE), "exec"), {"__name__": "page"})


def test_there_are_some():
    assert len(PROGRAMS) == 2
