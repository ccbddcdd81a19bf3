"""The programs of docs/which-primitive.md: the wrong ones show their fault, and the right ones have none."""

import asyncio
import gc
import pathlib
import re

import pytest

from asyncferry import testing

PAGE = (pathlib.Path(__file__).parent.parent.parent / "docs" / "which-primitive.md").read_text()
BLOCKS = re.findall(r"^(## .*?)$|^```python(.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def programs():
    """What each program must do, and the program."""
    heading = ""
    for title, words, program in BLOCKS:
        heading = title or heading
        if program:
            number = heading.removeprefix("## ").partition(".")[0]
            yield pytest.param(words.split(), program, id=f"{number}-{'-'.join(words.split())}")


@pytest.fixture
def reports(caplog, monkeypatch):
    """Has asyncio.run() run on the virtual clock. Gives what the loop's handler logs."""
    monkeypatch.setattr(asyncio, "run", testing.run)
    # What other programs have left behind, as they were wrong, is told now.
    gc.collect()
    caplog.clear()
    return caplog


@pytest.mark.parametrize(("words", "program"), list(programs()))
def test_the_program(words, program, reports):
    match words:
        # Its asserts tell the fault.
        case ["wrong"]:
            execute(program)
        case ["wrong", "hangs"]:
            with pytest.raises(RuntimeError, match="the program waits for ever"):
                execute(program)
        case ["right"]:
            execute(program)
            assert [record.getMessage() for record in reports.records] == []
        case _:
            raise AssertionError(f"the page says of a program neither wrong nor right, but {words}")


def test_each_wrong_one_has_a_right_one():
    kinds = {}
    for parameters in programs():
        number = parameters.id.partition("-")[0]
        kinds.setdefault(number, set()).add(parameters.values[0][0])
    assert len(kinds) == 16
    assert all(found == {"wrong", "right"} for found in kinds.values())


def test_the_links_of_the_table_lead_to_the_headings():
    links = re.findall(r"\]\(#(.*?)\)", PAGE)
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert set(links) == {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def execute(program):
    # Its functions are those of a module, which `global` needs.
    exec(compile(program, "the program", "exec"), {"__name__": "__main__"})
