"""What a program is, and what it gives."""

import dataclasses
import functools
import inspect
import pickle
import re

import pytest

from asyncferry.effects import (
    Ask,
    Await,
    EffectBase,
    Err,
    Get,
    Listen,
    Local,
    MissingEnvKeyError,
    Modify,
    Ok,
    Perform,
    Program,
    Pure,
    Put,
    Tell,
    Try,
    UnhandledEffect,
    do,
    reader,
    run,
    stacked_handlers,
    state,
    with_handlers,
    writer,
    writer_log,
)


@do
def add(a, b=0, *rest, **named):
    """Adds."""
    return a + b + sum(rest) + sum(named.values())


@do
def twice(program):
    return (yield program) * 2


@do
def failing(error):
    yield Pure(None)
    raise error


def test_a_call_is_lazy_and_gives_what_is_returned():
    called = []

    @do
    def program():
        called.append(1)
        return (yield add(1, 2)) + (yield from add(3, b=4, c=5))

    made = program()
    assert called == []
    assert isinstance(made, Program)
    assert run(made) == 15
    assert run(made) == 15, "a program can be run again"
    assert called == [1, 1]


def test_a_do_function_looks_like_its_function():
    assert add.__name__ == "add"
    assert add.__doc__ == "Adds."
    assert list(inspect.signature(add).parameters) == ["a", "b", "rest", "named"]
    assert repr(add) == "<@do function add>"
    assert repr(add(1)) == "<program add>"
    assert do(add) is add
    assert pickle.loads(pickle.dumps(add)) is add
    assert run(functools.partial(add, 1)(2)) == 3


def test_do_functions_and_handlers_have_attributes_as_functions_do():
    @do
    def program():
        yield Pure(1)

    handler = state()
    for thing in (program, handler):
        thing.mark = 1
        assert thing.mark == 1 and "mark" in vars(thing) and "mark" in dir(thing)
        del thing.mark
        with pytest.raises(AttributeError):
            thing.mark
        with pytest.raises(AttributeError):
            del thing.mark
    assert program.__module__ == __name__ and callable(program.__wrapped__)


def test_methods():
    class Account:
        def __init__(self, balance):
            self.balance = balance

        @do
        def after(self, change):
            return self.balance + (yield Pure(change))

        @classmethod
        @do
        def new(cls):
            return (yield Pure(cls))

        @staticmethod
        @do
        def interest():
            return (yield Pure(3))

    assert run(Account(1).after(2)) == 3
    assert run(Account.after(Account(5), 2)) == 7
    assert run(Account.new()) is Account
    assert run(Account.interest()) == 3


def test_map_and_flat_map_are_of_programs_and_of_effects():
    assert run(add(1).map(lambda value: value + 1)) == 2
    assert run(add(1).flat_map(lambda value: add(value, 5))) == 6
    assert run(Pure(1).map(str).map(len)) == 1
    assert run(state({"k": 4})(Get("k").map(lambda value: value * 2))) == 8
    assert run(state({"k": 4})(Get("k").flat_map(lambda value: Put("k", value + 1)).flat_map(lambda _: Get("k")))) == 5
    with pytest.raises(TypeError, match=r"map\(\) takes a function of the program's value, not an int"):
        Pure(1).map(3)
    with pytest.raises(TypeError, match="a program yields effects and programs, not an int"):
        run(Pure(1).flat_map(lambda value: value))


def test_any_effect_is_a_program():
    assert run(Pure(3)) == 3
    assert run(state({"k": 1})(Get("k"))) == 1
    assert run(Try(failing(KeyError("x")))).error.args == ("x",)


def test_a_bare_yield_from_is_as_a_yield():
    @do
    def program():
        first = yield from Get("k")
        yield from Put("k", first + 1)
        return (yield from twice(Get("k")))

    assert run(state({"k": 1})(program())) == 4


def test_helpers_that_are_plain_generators_are_delegated_to():
    def helper():
        value = yield Get("k")
        yield Put("k", value + 1)
        return value

    @do
    def program():
        return (yield from helper()) + (yield from helper())

    assert run(state({"k": 1})(program())) == 3


@dataclasses.dataclass
class Loose:
    pass


async def coroutine():
    pass


def generator():
    yield


@pytest.mark.parametrize(
    "yielded, hint",
    [
        (lambda: 3, "not an int.*a value is returned"),
        (lambda: None, "not a NoneType: a bare yield asks for nothing"),
        (lambda: add, r"not a DoFunction: call it, add\(\)"),
        (lambda: coroutine(), r"not a coroutine: write yield Await\(...\)"),
        (lambda: coroutine, "not a function: call it, inside of Await"),
        (lambda: generator(), r"not a generator: put @do on generator\(\)"),
        (lambda: Loose(), "not a Loose: a dataclass is an effect if it's frozen"),
        (lambda: Get, r"not a type: make one, Get\(...\)"),
        (lambda: [Pure(1)], r"not a list: to wait for several at once, Spawn each of them and yield Gather\(\*tasks\)"),
    ],
)
def test_what_can_not_be_yielded_is_refused_with_a_hint(yielded, hint):
    @do
    def program():
        try:
            yield yielded()
        except TypeError as error:
            return str(error)

    assert re.search(hint, run(program()))
    with pytest.raises(TypeError, match=hint):
        run(yielded())


def test_what_do_refuses():
    async def asynchronous():
        pass

    async def asynchronous_generator():
        yield

    for function in (asynchronous, asynchronous_generator):
        with pytest.raises(TypeError, match=r"async def: write def .*asynchronous.*yield Await\(coroutine\)"):
            do(function)
    with pytest.raises(TypeError, match="@do stands below @staticmethod, not above it"):
        do(staticmethod(generator))
    with pytest.raises(TypeError, match="@do takes a function, not an int"):
        do(3)
    with pytest.raises(TypeError, match="@do takes a function, not the class Loose"):
        do(Loose)


def test_without_an_answer_the_effect_is_raised_where_it_was_performed():
    @do
    def program():
        try:
            yield Get("k")
        except UnhandledEffect as error:
            return error

    error = run(program())
    assert isinstance(error.effect, Get)
    assert "Get('k') is not answered, which is performed in" in str(error)
    assert __file__ in str(error)
    assert "in test_without_an_answer_the_effect_is_raised_where_it_was_performed.<locals>.program" in str(error)
    assert "put the program in a state: state({...})(program)" in str(error)
    for effect, hint in [
        (Ask("k"), "reader({...})(program)"),
        (Tell("k"), "writer(program)"),
        (Put("k", 1), "state({...})(program)"),
        (writer_log(), "writer(program)"),
    ]:
        with pytest.raises(UnhandledEffect) as raised:
            run(effect)
        assert hint in str(raised.value)


def test_state():
    @do
    def program():
        assert (yield Get("missing")) is None
        yield Put("k", 1)
        assert (yield Modify("k", lambda old: old + 1)) == 2
        assert (yield Modify("new", lambda old: (old, 1))) == (None, 1)
        return (yield Get("k"))

    initial = {"other": 1}
    handler = state(initial)
    assert run(handler(program())) == 2
    assert initial == {"other": 1}, "it has a copy"
    assert run(handler(Get("k"))) == 2, "and keeps it"
    inner = state({"k": "inner"})
    assert run(state({"k": "outer"})(inner(Get("k")))) == "inner"
    with pytest.raises(TypeError, match=r"unhashable"):
        run(state()(Get([])))
    with pytest.raises(ZeroDivisionError):
        run(state({"k": 1})(Modify("k", lambda old: old / 0)))
    with pytest.raises(TypeError, match=r"Modify\(\) takes a function of the old value, not an int"):
        Modify("k", 3)
    with pytest.raises(TypeError, match=r"state\(\) takes a dict, not a program: .*state\(\{...\}\)\(program\)"):
        state(program())
    with pytest.raises(TypeError, match=r"state\(\) takes a dict, not an int"):
        state(3)


def test_reader_and_local():
    @do
    def program():
        assert (yield Ask("a")) == 1
        inside = yield Local({"a": 2, "c": 3}, inner())
        assert (yield Ask("a")) == 1
        return inside

    @do
    def inner():
        return [(yield Ask("a")), (yield Ask("b")), (yield Ask("c")), (yield Local({"c": 4}, Ask("c")))]

    assert run(reader({"a": 1, "b": 5})(program())) == [2, 5, 3, 4]
    with pytest.raises(MissingEnvKeyError, match=r"Ask\('d'\) found no such key .*it has 'a', 'b'.*reader") as raised:
        run(reader({"a": 1, "b": 2})(Ask("d")))
    assert isinstance(raised.value, KeyError)
    assert (raised.value.key, raised.value.env_keys) == ("d", ("a", "b"))
    with pytest.raises(MissingEnvKeyError, match="it's empty"):
        run(reader()(Ask("d")))
    with pytest.raises(UnhandledEffect):
        run(Local({"a": 1}, Ask("b")))
    with pytest.raises(TypeError, match=r"Local\(\) takes the values and a program, not an int"):
        Local({}, 3)


def test_writer_and_listen():
    @do
    def program():
        yield Tell(1)
        value, told = yield Listen(inner())
        yield Tell(4)
        assert [effect.msg for effect in told] == [2, 3]
        return value, (yield writer_log())

    @do
    def inner():
        yield Tell(2)
        nested = yield Listen(Tell(3))
        assert [effect.msg for effect in nested[1]] == [3]
        return "inner"

    assert run(writer(program())) == ("inner", [1, 2, 3, 4])
    assert run(writer(program())) == ("inner", [1, 2, 3, 4]), "each has a log of its own"
    value, performed = run(state({"k": 1})(Listen(twice(Get("k")), types=(Get,))))
    assert (value, [effect.key for effect in performed]) == (2, ["k"])
    with pytest.raises(TypeError, match=r"Listen\(\) takes classes of effects as types, not an int"):
        Listen(Pure(1), types=(3,))


def test_try_gives_values_and_errors():
    assert run(Try(Pure(1))) == Ok(1)
    error = run(Try(failing(ValueError("x")))).error
    assert (type(error), error.args) == (ValueError, ("x",))
    assert run(Try(Try(failing(KeyError(1))))).value.is_err()
    with pytest.raises(KeyboardInterrupt):
        run(Try(failing(KeyboardInterrupt())))
    match run(Try(Pure(2))), run(Try(failing(ValueError()))):
        case Ok(value), Err(error):
            assert value == 2 and isinstance(error, ValueError)
        case other:
            raise AssertionError(other)


def test_ok_and_err_are_values():
    error = ValueError("x")
    assert (Ok(1), Err(error)) == (Ok(1), Err(error))
    assert Ok(1) != Ok(2) and Ok(1) != 1 and Err(error) != Err(ValueError("x")) and Ok(error) != Err(error)
    assert {Ok(1), Ok(1)} == {Ok(1)}
    assert bool(Ok(0)) and not bool(Err(error))
    assert (repr(Ok(1)), repr(Err(error))) == ("Ok(1)", "Err(ValueError('x'))")
    assert pickle.loads(pickle.dumps(Ok(1))) == Ok(1)
    assert pickle.loads(pickle.dumps(Err(error))).error.args == ("x",)
    with pytest.raises(TypeError, match=r"Err\(\) takes an exception, not an int"):
        Err(3)
    assert str(Ok[int]) == "asyncferry.effects.Ok[int]"


def test_effects_of_users():
    class Plain(EffectBase):
        pass

    class WithInit(EffectBase):
        def __init__(self, value):
            self.value = value

    @dataclasses.dataclass(frozen=True)
    class Frozen:
        value: int

    @dataclasses.dataclass(frozen=True)
    class FrozenBase(EffectBase):
        value: int

    assert WithInit(3).value == 3
    assert FrozenBase(3) == FrozenBase(3)
    with pytest.raises(TypeError, match=r"Plain\(\) takes no arguments: give Plain an __init__ that keeps them"):
        Plain(3)
    for effect in (Plain(), WithInit(1), Frozen(1), FrozenBase(1), Perform(Frozen(1))):
        with pytest.raises(UnhandledEffect, match="no handler around it takes"):
            run(effect)
    with pytest.raises(TypeError, match=r"Perform\(\) takes an effect, not an int"):
        Perform(3)


def test_repr_of_effects_says_what_they_are():
    shown = {
        repr(effect)
        for effect in (Get("k"), Put("k", 1), Ask("k"), Tell("m"), Pure(1), Perform(Get("k")), Try(Get("k")), Local({}, Get("k")))
    }
    assert shown == {"Get('k')", "Put('k', 1)", "Ask('k')", "Tell('m')", "Pure(1)", "Perform(Get('k'))", "Try(Get('k'))", "Local({}, ...)"}


def test_handlers_are_stacked_the_outermost_first():
    program = Get("k").flat_map(lambda value: Ask("k").map(lambda other: (value, other)))
    assert run(with_handlers([state({"k": 1}), reader({"k": 2})], program)) == (1, 2)
    assert run(with_handlers([], Pure(1))) == 1
    bundle = stacked_handlers(state({"k": 1}), state({"k": 2}))
    assert run(bundle(Get("k"))) == 2
    with pytest.raises(TypeError, match=r"stacked_handlers\(\) takes handlers, not a function: put @handler on a function"):
        with_handlers([lambda effect, k: None], Pure(1))
    with pytest.raises(TypeError, match=r"the handler writer takes a program, not an int"):
        writer(3)
    with pytest.raises(TypeError, match=r"the handler writer takes a program, not a DoFunction: call it, add\(\)"):
        writer(add)


def test_await_takes_what_asyncio_awaits():
    with pytest.raises(TypeError, match=r"Await\(\) takes what asyncio awaits, not a program"):
        Await(Pure(1))
    with pytest.raises(TypeError, match=r"Await\(\) takes what asyncio awaits, not a function: call it first"):
        Await(coroutine)
    with pytest.raises(TypeError, match=r"Await\(\) takes what asyncio awaits, not an int"):
        Await(3)
