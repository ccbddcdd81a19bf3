"""The programs on the package's page run as they stand there."""

import pathlib
import re
import subprocess
import sys

import pytest

README = pathlib.Path(__file__).parent.parent / "README.md"
PROGRAMS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


# What each prints first.
FIRST_WORDS = ["parsing\n", "[<JobMetrics area priority=5 ", "[('hello', 0.002), ('hello', 0.001)]\n"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_runs(program, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(program)
    ran = subprocess.run([sys.executable, "-X", "dev", script], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(FIRST_WORDS[PROGRAMS.index(program)])
