"""Random programs do what a simple interpreter in Python says they do: outcome, and trace of all that was seen."""

import asyncio
import gc
import logging

import pytest
import reference

from asyncferry import effects

PROGRAMS = 2000


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Discarded tasks tell of effects in their `finally`, and leftovers are reported, as they should."""
    monkeypatch.setattr("sys.unraisablehook", lambda what: None)
    logging.disable(logging.CRITICAL)
    yield
    gc.collect()
    logging.disable(logging.NOTSET)


def by_loop(program):
    return asyncio.run(effects.async_run(program))


@pytest.mark.parametrize("run, first", [(effects.run, 0), (by_loop, 1_000_000)], ids=["run", "async_run"])
def test_random_programs(run, first):
    ends = {}
    count = PROGRAMS if run is effects.run else PROGRAMS // 4
    for seed in range(first, first + count):
        program = reference.random_program(seed)
        expected = reference.by_reference(program)
        assert repr(reference.by_ferry(program, run)) == repr(expected), f"seed {seed}"
        ends[expected[0] if expected[0] == "value" else expected[1]] = True
    # It's no test if they all fail in the same way.
    assert {"value", "cancelled", "SchedulerDeadlockError", "InvalidStateError"} <= set(ends)


def test_the_collector_may_come_at_any_time():
    """And run code of Python's, programs too, in the middle of whatever is done."""

    class Comes:
        def __init__(self):
            self.itself = self

        def __del__(self):
            assert effects.run(effects.state({"k": 1})(effects.Get("k"))) == 1

    thresholds = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for seed in range(2_000_000, 2_000_060):
            Comes()
            program = reference.random_program(seed)
            assert repr(reference.by_ferry(program)) == repr(reference.by_reference(program)), f"seed {seed}"
    finally:
        gc.set_threshold(*thresholds)
