"""The part of asyncferry.testing for pytest, which loads it by itself where asyncferry is installed.

    import asyncio
    import pytest

    @pytest.mark.ferry_loop(seeds=20)
    async def test_order():
        await asyncio.sleep(60)  # takes no time

    def test_without_a_coroutine(ferry_loop):
        ferry_loop.run_until_complete(asyncio.sleep(60))
        assert ferry_loop.time() == 60

- The marker ferry_loop has an async test run on a VirtualEventLoop; on a class or module, all of theirs. It takes
  seeds (a number, for 0, 1 and so on, or a collection; seed 0 is first in, first out) and io_patience. Each seed is a
  test of its own, test_order[seed7], with fixtures of its own. FERRY_SEED in the environment has that one run alone.
- The fixture ferry_loop is the loop: that of the test, in a marked async one. It's closed when the test is over.

Fixtures are set up outside of the loop, so they are plain functions.
"""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from asyncferry.testing import VirtualEventLoop, checked_patience, seeds_to_run

_MARKER = "ferry_loop"
_SEED = "_ferry_seed"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "ferry_loop(seeds=None, io_patience=0.05): runs an async test on asyncferry's virtual clock; with seeds, once "
        "under each, in an order of its tasks that the seed shuffles.",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes a test for each seed."""
    marker = metafunc.definition.get_closest_marker(_MARKER)
    is_on_loop = inspect.iscoroutinefunction(metafunc.function) or _MARKER in metafunc.fixturenames
    if marker is None or not is_on_loop:
        return
    try:
        arguments = _arguments(marker)
        checked_patience(arguments.get("io_patience", 0))
        seeds = None if arguments.get("seeds") is None else seeds_to_run(arguments["seeds"])
    except (TypeError, ValueError) as error:
        # In words, as the traceback would be pytest's.
        raise pytest.fail.Exception(f"{metafunc.definition.nodeid}: {error}", pytrace=False) from None
    if seeds is None:
        return
    # Read off the test afterwards, whose function need not ask for it.
    metafunc.fixturenames.append(_SEED)
    metafunc.parametrize(_SEED, seeds, ids=[f"seed{seed}" for seed in seeds])


@pytest.fixture
def ferry_loop(request: pytest.FixtureRequest) -> Iterator[VirtualEventLoop]:
    """An event loop on a virtual clock, closed when the test is over. See asyncferry.testing."""
    with _runner(request.node) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualEventLoop)
        request.node.stash[_RUNNER] = runner
        yield loop


_RUNNER = pytest.StashKey[asyncio.Runner]()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a marked async test."""
    if pyfuncitem.get_closest_marker(_MARKER) is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = inspect.signature(pyfuncitem.obj).parameters.keys() & pyfuncitem.funcargs.keys()
    coroutine = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in given})
    runner = pyfuncitem.stash.get(_RUNNER, None)
    seed = _seed_of(pyfuncitem)
    try:
        if runner is not None:
            runner.run(coroutine)
        else:
            with _runner(pyfuncitem) as own:
                own.run(coroutine)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        if seed is not None:
            error.add_note(f"seed {seed} failed; run it alone with FERRY_SEED={seed} in the environment")
        raise
    return True


def _seed_of(item: pytest.Item) -> int | None:
    parameters = getattr(item, "callspec", None)
    return parameters.params.get(_SEED) if parameters is not None else None


def _runner(item: pytest.Item) -> asyncio.Runner:
    marker = item.get_closest_marker(_MARKER)
    options = _arguments(marker) if marker is not None else {}
    options.pop("seeds", None)
    seed = _seed_of(item)
    return asyncio.Runner(loop_factory=lambda: VirtualEventLoop(seed, **options))


def _arguments(marker: pytest.Mark) -> dict[str, Any]:
    """The marker's arguments, of which it knows two."""
    arguments = dict(marker.kwargs)
    unknown = [repr(argument) for argument in marker.args] + sorted(arguments.keys() - {"seeds", "io_patience"})
    if unknown:
        raise TypeError(f"the marker ferry_loop takes seeds=… and io_patience=…, not {', '.join(unknown)}")
    return arguments
