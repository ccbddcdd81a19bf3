"""Handlers of users: what they do with a continuation."""

import dataclasses
import typing

import pytest

from asyncferry.effects import (
    ContinuationError,
    EffectBase,
    Get,
    K,
    Listen,
    Pass,
    Perform,
    ProgramAbandoned,
    Pure,
    Put,
    Resume,
    ResumeThrow,
    Spawn,
    Tell,
    Transfer,
    TransferThrow,
    Try,
    UnhandledEffect,
    Wait,
    do,
    handler,
    run,
    state,
    writer,
    writer_log,
)


@dataclasses.dataclass(frozen=True)
class Ping:
    number: int = 0


class Pong(EffectBase):
    pass


@do
def two_pings():
    first = yield Ping(1)
    second = yield Ping(first)
    return first, second


@do
def pings(numbers):
    answers = []
    for number in numbers:
        answers.append((yield Ping(number)))
    return answers


def test_resume_gives_the_handler_what_the_rest_gives():
    @handler
    def plus_one(effect: Ping, k):
        result = yield Resume(k, effect.number + 1)
        return ["handled", result]

    assert run(plus_one(two_pings())) == ["handled", ["handled", (2, 3)]]


def test_transfer_is_the_last_that_a_handler_does():
    went_on = []

    @handler
    def plus_one(effect: Ping, k):
        yield Transfer(k, effect.number + 1)
        went_on.append(effect)

    assert run(plus_one(two_pings())) == (2, 3)
    assert went_on == []


def test_resume_throw_and_transfer_throw_raise_where_the_effect_was_performed():
    @do
    def program():
        try:
            yield Ping()
        except KeyError as error:
            return error.args

    @handler
    def refuse(effect: Ping, k):
        result = yield ResumeThrow(k, KeyError("no"))
        return ["after", result]

    @handler
    def refuse_for_good(effect: Ping, k):
        yield TransferThrow(k, KeyError)

    assert run(refuse(program())) == ["after", ("no",)]
    assert run(refuse_for_good(program())) == ()
    with pytest.raises(TypeError, match=r"ResumeThrow\(\) takes an exception, not an int"):
        run(handler(lambda effect, k: ResumeThrow(k, 3))(Ping()))


def test_a_handler_that_does_not_go_on_gives_the_result():
    @handler
    def stop(effect: Ping, k):
        return ("stopped", effect.number)
        yield

    @handler
    def stop_plainly(effect: Ping, k):
        return ("stopped", effect.number)

    assert run(stop(two_pings())) == ("stopped", 1)
    assert run(stop_plainly(two_pings())) == ("stopped", 1)


def test_a_handler_without_yield_returns_what_it_would_have_yielded():
    @handler
    def plus_one(effect: Ping, k):
        return Resume(k, effect.number + 1)

    @handler
    def leave(effect: Ping, k):
        return Pass(effect, k)

    assert run(plus_one(leave(two_pings()))) == (2, 3)


def test_what_is_abandoned_cleans_up_with_effects():
    seen = []

    @do
    def program():
        try:
            yield Ping()
        except ProgramAbandoned:
            seen.append("abandoned")
            yield Put("except", 1)
            raise
        finally:
            seen.append((yield Get("k")))
            yield from cleaning()

    def cleaning():
        yield Put("finally", 2)

    @handler
    def stop(effect: Ping, k):
        yield Pure(None)
        return "stopped"

    @handler
    def fail(effect: Ping, k):
        raise KeyError("no")

    for handle in (stop, fail):
        del seen[:]
        store = state({"k": "kept"})
        result = run(store(Try(handle(program()))))
        assert result.value == "stopped" if handle is stop else result.error.args == ("no",)
        assert seen == ["abandoned", "kept"]
        assert run(store(Get("except"))) == 1 and run(store(Get("finally"))) == 2


def test_an_error_of_cleaning_up_takes_the_place():
    @do
    def program():
        try:
            yield Ping()
        finally:
            raise ValueError("dirty")

    assert str(run(Try(handler(lambda effect, k: 1)(program()))).error) == "dirty"


def test_what_swallows_that_it_is_abandoned_ends_all_the_same():
    @do
    def program():
        try:
            yield Ping()
        except BaseException:
            return "swallowed"

    assert run(handler(lambda effect, k: "stopped")(program())) == "stopped"


def test_pass_leaves_the_effect_to_those_outside():
    @handler
    def outer(effect: Ping, k):
        yield Transfer(k, "outer")

    @handler
    def odd(effect: Ping, k):
        if effect.number % 2:
            yield Transfer(k, "odd")
        yield Pass(effect, k)

    assert run(outer(odd(pings(range(3))))) == ["outer", "odd", "outer"]
    with pytest.raises(UnhandledEffect):
        run(odd(pings(range(3))))


def test_an_effect_that_a_handler_performs_goes_to_those_outside():
    @handler
    def twice(effect: Ping, k):
        answer = yield effect
        return (yield Resume(k, answer * 2))

    @handler
    def plus_one(effect: Ping, k):
        return (yield Resume(k, effect.number + 1))

    assert run(plus_one(twice(Perform(Ping(1))))) == 4
    assert run(plus_one(twice(twice(Perform(Ping(1)))))) == 8


def test_handlers_are_deep():
    """What is resumed has the handler again, and those inside of it."""

    @handler
    def count(effect: Ping, k):
        total = yield Get("n")
        yield Put("n", total + 1)
        return (yield Resume(k, total))

    assert run(state({"n": 0})(count(pings(range(5))))) == [0, 1, 2, 3, 4]


def test_a_continuation_is_used_once():
    """However the source is laid out."""

    @handler
    def twice(effect: Ping, k):
        first = yield Resume(k, 1)
        try: second = yield Resume(k, 2)
        except ContinuationError as error: return first, str(error)
        return first, second

    @handler
    def twice_on_a_line(effect: Ping, k): return ((yield Resume(k, 1)), (yield Resume(k, 2)))

    assert run(twice(Perform(Ping()))) == (1, "the continuation k was used already: a program can be resumed once")
    with pytest.raises(ContinuationError, match="used already"):
        run(twice_on_a_line(Perform(Ping())))


def test_a_tail_is_told_from_the_code_and_not_from_its_lines():
    """A handler that goes on after a Resume is not cut off, wherever that stands."""
    went_on = []

    @handler
    def several(effect: Ping, k):
        if effect.number == 0:
            return (yield Resume(k, 1))
        elif effect.number == 1: result = yield Resume(k, 2); went_on.append(result); return result
        try:
            return (yield Resume(k, 3))
        finally:
            went_on.append("finally")

    assert run(several(pings(range(3)))) == [1, 2, 3]
    assert went_on == ["finally", [1, 2, 3]]


def test_a_million_effects_take_no_more_memory_than_one():
    """Of handlers that end with a Resume, nothing is kept."""
    import tracemalloc

    @handler
    def count(effect: Ping, k):
        return (yield Resume(k, effect.number + 1))

    @handler
    def count_by_name(effect: Ping, k):
        result = yield Resume(k, effect.number + 1)
        return result

    @do
    def program(count):
        number = 0
        for _ in range(count):
            number = yield Ping(number)
        return number

    for handle in (count, count_by_name):
        run(handle(program(10)))
        tracemalloc.start()
        try:
            assert run(handle(program(20_000))) == 20_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 100_000, f"{peak} bytes for 20,000 effects"


def test_a_continuation_that_is_kept_is_resumed_by_another_handler():
    kept = []

    @handler
    def keep(effect: Ping, k):
        kept.append(k)
        return "kept"

    @handler
    def go_on(effect: Pong, k):
        result = yield Resume(kept.pop(), "later")
        return (yield Resume(k, result))

    @do
    def inner():
        return ("inner got", (yield Ping()))

    @do
    def program():
        first = yield keep(inner())
        return first, (yield Pong())

    assert run(go_on(program())) == ("kept", ("inner got", "later"))


def test_a_continuation_that_is_dropped_closes_what_it_held():
    closed = []

    @do
    def program():
        try:
            yield Ping()
        finally:
            closed.append(1)

    kept = []

    @handler
    def keep(effect: Ping, k):
        kept.append(k)

    assert run(keep(program())) is None
    assert closed == []
    kept.clear()
    assert closed == [1]


def test_a_continuation_can_not_be_used_after_its_handler_failed():
    kept = []

    @handler
    def fail(effect: Ping, k):
        kept.append(k)
        raise KeyError

    with pytest.raises(KeyError):
        run(fail(Perform(Ping())))
    with pytest.raises(ContinuationError, match="its handler ended without it, so the program was unwound"):
        run(handler(lambda effect, k: Resume(kept[0], 1))(Perform(Ping())))
    assert repr(kept[0]) == "<a continuation that was unwound>"


def test_annotations_say_which_effects_a_handler_takes():
    def of(annotation):
        def handle(effect, k):
            return (yield Resume(k, "taken"))

        if annotation is not None:
            handle.__annotations__["effect"] = annotation
        return handler(handle)

    class Special(Pong):
        pass

    taken = {
        name: [run(Try(of(annotation)(Perform(effect)))).is_ok() for effect in (Ping(), Pong(), Special(), Get("k"))]
        for name, annotation in {
            "none": None,
            "any": typing.Any,
            "object": object,
            "ping": Ping,
            "pong": Pong,
            "text": "EffectBase",
            "union": Ping | Get,
            "old union": typing.Union[Special, Ping],
            "unknown": "NoSuchName",
        }.items()
    }
    assert taken == {
        "none": [True] * 4,
        "any": [True] * 4,
        "object": [True] * 4,
        "ping": [True, False, False, False],
        "pong": [False, True, True, False],
        "text": [False, True, True, True],
        "union": [True, False, False, True],
        "old union": [True, False, True, False],
        "unknown": [True] * 4,
    }


def test_handlers_see_every_effect_that_they_take():
    """The run's own too: Spawn, Try and the others are effects like any."""
    seen = []

    @handler
    def watch(effect, k):
        seen.append(type(effect).__name__)
        yield Pass(effect, k)

    @do
    def program():
        task = yield Spawn(Get("k"))
        yield Try(Pure(1))
        yield Tell("x")
        return (yield Wait(task))

    assert run(writer(state({"k": 1})(watch(program())))) == 1
    assert seen == ["Spawn", "Try", "Tell", "Wait", "Get"], "the task has the handler as well"


def test_a_handler_may_answer_for_the_run():
    """As for a test that wants no real tasks."""

    @handler
    def at_once(effect: Spawn, k):
        value = yield effect.program
        return (yield Resume(k, ("done at once", value)))

    assert run(at_once(Spawn(Pure(1)))) == ("done at once", 1)


def test_a_handler_may_handle_itself():
    @handler
    def nested(effect: Ping, k):
        if effect.number > 3:
            return (yield Resume(k, "deep"))
        inner = yield nested(Perform(Ping(effect.number + 1)))
        return (yield Resume(k, inner))

    assert run(nested(Perform(Ping(0)))) == "deep"


def test_methods_are_handlers():
    class Counter:
        def __init__(self):
            self.count = 0

        def handle(self, effect: Ping, k):
            self.count += 1
            return (yield Resume(k, self.count))

    assert run(handler(Counter().handle)(two_pings())) == (1, 2)


def test_what_handler_refuses():
    async def asynchronous(effect, k):
        pass

    with pytest.raises(TypeError, match=r"async def: write def .*asynchronous\(effect, k\)"):
        handler(asynchronous)
    with pytest.raises(TypeError, match=r"@handler takes a function of \(effect, k\), which .*<lambda> is not"):
        handler(lambda effect: None)
    with pytest.raises(TypeError, match=r"@handler takes a function of \(effect, k\), not an int"):
        handler(3)
    with pytest.raises(TypeError, match="no effect is a str"):

        @handler
        def wrong(effect: str, k):
            yield

    with pytest.raises(TypeError, match=r"Resume\(\) takes the k that the handler was called with, not an int"):
        Resume(3, 4)
    with pytest.raises(TypeError, match="cannot create '.*K' instances|No constructor defined for K"):
        K()


def test_a_handler_of_doeff_has_do_below_handler():
    @handler
    @do
    def plus_one(effect: Ping, k):
        return (yield Resume(k, effect.number + 1))

    assert run(plus_one(two_pings())) == (2, 3)
    assert plus_one.__name__ == "plus_one"
    assert handler(plus_one) is plus_one


def test_listen_sees_through_handlers_inside_and_its_tasks_are_told_too():
    @do
    def child():
        yield Tell("child")
        return "child's"

    @do
    def program():
        task = yield Spawn(child())
        yield Tell("own")
        return (yield Wait(task))

    @do
    def main():
        value, told = yield Listen(program())
        return value, [effect.msg for effect in told], (yield writer_log())

    assert run(writer(main())) == ("child's", ["own", "child"], ["own", "child"])
