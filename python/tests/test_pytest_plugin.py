"""The fixture and the marker ferry_loop: pytest runs tests of tests."""

import importlib.metadata

import pytest

pytest_plugins = ["pytester"]

ORDER = """
    async def order():
        done = []

        async def sleeps(name):
            await asyncio.sleep(1)
            done.append(name)

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(sleeps(name))
        return "".join(done)
"""


@pytest.fixture
def run_tests(pytester, monkeypatch):
    """Runs tests, and gives what pytest told. The plugin is loaded by name where the package is not installed."""
    monkeypatch.delenv("FERRY_SEED", raising=False)
    installed = importlib.metadata.entry_points(group="pytest11", name="asyncferry")
    plugin = [] if installed else ["-p", "asyncferry.pytest_plugin"]

    def run(code, *arguments):
        pytester.makepyfile("import asyncio\nimport pytest\n" + ORDER.replace("\n    ", "\n") + code)
        return pytester.runpytest("--strict-markers", "-p", "no:cacheprovider", *plugin, *arguments)

    return run


def test_a_marked_test_runs_on_the_virtual_clock(run_tests):
    ran = run_tests(
        """
@pytest.mark.ferry_loop
async def test_sleeps(tmp_path, ferry_loop):
    assert tmp_path.exists() and asyncio.get_running_loop() is ferry_loop
    await asyncio.sleep(3600)
    assert ferry_loop.time() == 3600

@pytest.mark.ferry_loop
class TestOfAClass:
    @pytest.mark.parametrize("seconds", [1, 2])
    async def test_method(self, seconds):
        await asyncio.sleep(seconds)
        assert asyncio.get_running_loop().time() == seconds

    def test_plain(self):
        pass

def test_with_a_plain_function(ferry_loop):
    assert ferry_loop.run_until_complete(order()) == "abc"
    assert ferry_loop.time() == 1
""",
        "-W",
        "error",
    )
    ran.assert_outcomes(passed=5)


def test_each_seed_is_a_test_and_the_one_that_fails_is_named(run_tests):
    ran = run_tests(
        """
set_up = []

@pytest.fixture
def thing():
    set_up.append(1)

@pytest.mark.ferry_loop(seeds=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20])
async def test_order(thing):
    assert await order() == "abc"

@pytest.mark.ferry_loop(seeds=11)
def test_plain(ferry_loop):
    assert ferry_loop.run_until_complete(order()) == "abc"

def test_fixtures_are_set_up_for_each():
    assert len(set_up) == 11
""",
    )
    outcomes = ran.parseoutcomes()
    assert outcomes["passed"] + outcomes["failed"] == 23 and outcomes["failed"] > 10
    ran.stdout.fnmatch_lines(["FAILED *::test_order[[]seed20[]]*"])
    ran.stdout.fnmatch_lines(["E *seed 20 failed; run it alone with FERRY_SEED=20 in the environment"])
    ran.stdout.no_fnmatch_line("FAILED *[[]seed0[]]*")


def test_the_environment_chooses_the_seed(run_tests, monkeypatch):
    code = """
@pytest.mark.ferry_loop(seeds=3)
@pytest.mark.parametrize("number", [1, 2])
async def test_order(number):
    await order()
"""
    ran = run_tests(code, "-v")
    ran.assert_outcomes(passed=6)
    monkeypatch.setenv("FERRY_SEED", "17")
    ran = run_tests(code, "-v")
    ran.assert_outcomes(passed=2)
    ran.stdout.fnmatch_lines(["*test_order*seed17* PASSED*"])
    monkeypatch.setenv("FERRY_SEED", "x")
    ran = run_tests(code, "-v")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*test_order: FERRY_SEED is 'x', which is no seed*"])


def test_bad_arguments_are_told(run_tests, pytester):
    bad = {
        "5": "the marker ferry_loop takes seeds=… and io_patience=…, not 5",
        "seed=5": "the marker ferry_loop takes seeds=… and io_patience=…, not seed",
        "seeds=0": "seeds is how many to run, 1 or more, not 0",
        "seeds='a'": "seeds is a number, or a collection of seeds, not 'a'",
        "io_patience=-1": "io_patience is 0 or more seconds, not -1",
    }
    for number, arguments in enumerate(bad):
        code = f"import pytest\n@pytest.mark.ferry_loop({arguments})\nasync def test_bad(): pass"
        pytester.makepyfile(**{f"test_{number}": code})
    ran = run_tests("")
    ran.assert_outcomes(errors=len(bad))
    for number, words in enumerate(bad.values()):
        ran.stdout.fnmatch_lines([f"test_{number}.py::test_bad: {words}"])


def test_a_test_that_waits_for_ever_fails(run_tests):
    ran = run_tests("""
@pytest.mark.ferry_loop
async def test_waits():
    await asyncio.Event().wait()

@pytest.mark.ferry_loop(io_patience=0)
async def test_patience():
    pass
""")
    ran.assert_outcomes(failed=1, passed=1)
    ran.stdout.fnmatch_lines(["E *the program waits for ever*", "E *task 'Task-*' of test_waits() waits at *"])


def test_what_is_not_marked_is_left_to_others(run_tests):
    ran = run_tests("""
@pytest.mark.anyio
async def test_of_anyio():
    assert asyncio.get_running_loop().time() > 0

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def test_of_nobody():
    pass
""")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*async def functions are not natively supported*"])


def test_the_marker_is_documented(run_tests):
    run_tests("", "--markers").stdout.fnmatch_lines(["@pytest.mark.ferry_loop(seeds=None, io_patience=0.05): *"])
    run_tests("", "--fixtures").stdout.fnmatch_lines(["ferry_loop*", "*An event loop on a virtual clock*"])
