"""Effect programs: their exceptions, and what is said of them in words."""

import asyncio
import dis
import functools
import inspect
import logging
import reprlib
import types
import typing

MODULE = "asyncferry.effects"

logger = logging.getLogger("asyncferry")


class UnhandledEffect(RuntimeError):
    """A program performed an effect that nothing answers. It's raised where the effect was performed."""

    __module__ = MODULE

    def __init__(self, effect, message):
        super().__init__(message)
        self.effect = effect


class TaskCancelledError(asyncio.CancelledError):
    """Raised in a task that is cancelled, where it waits, and in whoever waits for one that was."""

    __module__ = MODULE


class SchedulerDeadlockError(RuntimeError):
    """All tasks of a run wait for each other. It's raised where the run's own program waits."""

    __module__ = MODULE

    def __init__(self, parked_waiters):
        self.parked_waiters = list(parked_waiters)
        super().__init__(
            "nothing can go on, as every task waits for what only another one could do: "
            + "; ".join(self.parked_waiters)
        )


class MissingEnvKeyError(KeyError):
    """Ask(key) found no value in any environment."""

    __module__ = MODULE

    def __init__(self, key, env_keys=()):
        super().__init__(key)
        self.key = key
        self.env_keys = tuple(env_keys)

    def __str__(self):
        keys = ", ".join(reprlib.repr(key) for key in self.env_keys[:8])
        more = ", and more" if len(self.env_keys) > 8 else ""
        has = f"it has {keys}{more}" if self.env_keys else "it's empty"
        return (
            f"Ask({reprlib.repr(self.key)}) found no such key in the environment: {has}. "
            "Give it to reader({...}) or Local({...}, program)"
        )


class ExternalPromiseCancelCallbackError(RuntimeError):
    """Callbacks of on_cancel() have failed, while a Cancel called them. The task is cancelled nevertheless."""

    __module__ = MODULE

    def __init__(self, errors):
        self.errors = list(errors)
        super().__init__("on_cancel callbacks failed: " + "; ".join(repr(error) for error in self.errors))


class ContinuationError(RuntimeError):
    """A continuation was used a second time, or where it can't be used."""

    __module__ = MODULE


class ProgramAbandoned(BaseException):
    """Raised in a program whose handler has ended without going on with it, so that it cleans up. It's no Exception, and
    no GeneratorExit either: `yield from` would close what is thrown that into, and then nothing could be awaited there."""

    __module__ = MODULE


# Hints.


def describe(value):
    """Short, and whatever its own repr does."""
    if inspect.iscoroutine(value) or inspect.isgenerator(value):
        return f"{value.__qualname__}()"
    try:
        return reprlib.repr(value)
    except Exception:
        return class_name(value)


def class_name(value):
    name = type(value).__qualname__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def name_of(value):
    value = getattr(value, "__wrapped__", value)
    try:
        return getattr(value, "__qualname__", None) or type(value).__qualname__
    except Exception:
        return type(value).__qualname__


def not_a_program(what, value):
    return TypeError(f"{what}, not {class_name(value)}{hint(value)}")


def not_awaitable(value):
    if hasattr(type(value), "map") and hasattr(type(value), "flat_map"):
        return TypeError(
            f"Await() takes what asyncio awaits, not a program: yield {describe(value)} itself, or Spawn it and Wait for it"
        )
    called = ": call it first" if inspect.iscoroutinefunction(value) else ""
    return TypeError(f"Await() takes what asyncio awaits, not {class_name(value)}{called}")


def hint(value):
    if inspect.iscoroutine(value) or asyncio.isfuture(value):
        if inspect.iscoroutine(value):
            # Closed, it doesn't warn that it was never awaited.
            value.close()
        return ": write yield Await(...) around what asyncio awaits"
    if inspect.isgenerator(value):
        return f": put @do on {value.__name__}()"
    if type(value).__qualname__ == "DoFunction":
        return f": call it, {value.__name__}()"
    if inspect.iscoroutinefunction(value):
        return ": call it, inside of Await(...)"
    if isinstance(value, type):
        return f": make one, {value.__name__}(...)"
    if inspect.isawaitable(value):
        return ": write yield Await(...) around what asyncio awaits"
    parameters = getattr(type(value), "__dataclass_params__", None)
    if parameters is not None and not parameters.frozen:
        return f": a dataclass is an effect if it's frozen, @dataclass(frozen=True) class {type(value).__name__}"
    if isinstance(value, (list, tuple)):
        return ": to wait for several at once, Spawn each of them and yield Gather(*tasks)"
    if value is None:
        return ": a bare yield asks for nothing"
    return ": a program yields effects (EffectBase, or a frozen dataclass) and programs (calls of @do functions); a value is returned"


def program_for_mapping(what, value):
    return TypeError(
        f"{what} takes a dict, not a program: it makes a handler, which takes the program then, as in "
        f"{what[:-2]}({{...}})(program)"
    )


def check_do(function):
    """Whether calling it gives a generator."""
    if isinstance(function, (staticmethod, classmethod)):
        kind = type(function).__name__
        raise TypeError(f"@do stands below @{kind}, not above it")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        name = name_of(function)
        raise TypeError(
            f"@do takes a plain function, and {name} is an async def: write def {name}, and "
            "value = yield Await(coroutine) for each value = await coroutine"
        )
    if not callable(function):
        raise TypeError(f"@do takes a function, not {class_name(function)}")
    if isinstance(function, type):
        raise TypeError(f"@do takes a function, not the class {function.__qualname__}")
    return inspect.isgeneratorfunction(function)


def unhandled(effect, place):
    name = type(effect).__name__
    text = f"{describe(effect)} is not answered, which is performed in {place}"
    answer = ANSWERS.get(name) if type(effect).__module__ == MODULE else None
    if answer is None:
        answer = f"no handler around it takes {class_name(effect)}: make one with @handler, and put the program in it"
    return UnhandledEffect(effect, f"{text}; {answer}")


ANSWERS = {
    "Await": "run() has no event loop: use await async_run(program) in a coroutine, or run(program, awaits=thread_loop())",
    "Get": "put the program in a state: state({...})(program)",
    "Put": "put the program in a state: state({...})(program)",
    "Modify": "put the program in a state: state({...})(program)",
    "Ask": "put the program in an environment: reader({...})(program)",
    "Tell": "put the program in a log: writer(program)",
    "_WriterLog": "put the program in a log: writer(program)",
}


# Handlers.

NEVER, ALWAYS, SOMETIMES = range(3)


def check_handler(function):
    """Which effects it takes (None for all), whether it's a generator function, and where it ends with Resume."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        name = name_of(function)
        raise TypeError(f"@handler takes a plain function, and {name} is an async def: write def {name}(effect, k)")
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"@handler takes a function of (effect, k), not {class_name(function)}")
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        parameters = None
    if parameters is not None:
        try:
            inspect.signature(function).bind(None, None)
        except TypeError:
            raise TypeError(f"@handler takes a function of (effect, k), which {name_of(function)} is not") from None
    inner = inspect.unwrap(function)
    is_generator = inspect.isgeneratorfunction(inner)
    code = getattr(inner, "__code__", None)
    ends, offsets = tail_yields(code) if is_generator and code is not None else (NEVER, frozenset())
    return effects_of(inner, parameters), is_generator, ends, offsets


def effects_of(function, parameters):
    """The classes that the annotation of its first parameter names."""
    if not parameters or parameters[0].annotation is inspect.Parameter.empty:
        return None
    try:
        annotation = typing.get_type_hints(function).get(parameters[0].name)
    except Exception:
        # It names what isn't there at run time.
        return None
    classes = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    if typing.get_origin(annotation) is typing.Union:
        classes = typing.get_args(annotation)
    classes = tuple(typing.get_origin(item) or item for item in classes)
    if typing.Any in classes or object in classes:
        return None
    if not all(isinstance(item, type) for item in classes):
        return None
    for item in classes:
        if item in (str, int, float, bool, bytes, list, tuple, dict, set, type(None)):
            raise TypeError(
                f"{name_of(function)} takes the effects that its first parameter is annotated with, and no effect is "
                f"{class_name(item())}"
            )
    return classes


@functools.lru_cache(maxsize=1024)
def tail_yields(code):
    """Whether what its yields give is returned as it is, outside of any try: there a Resume is a Transfer. It's read
    from the compiled code, so the layout of the source makes no difference."""
    instructions = [item for item in dis.get_instructions(code) if item.opname not in ("CACHE", "EXTENDED_ARG", "NOP")]
    protected = protected_offsets(code)
    tails, others = set(), 0
    for place, item in enumerate(instructions):
        if item.opname != "YIELD_VALUE":
            continue
        rest = [following.opname for following in instructions[place + 1 : place + 5]]
        names = instructions[place + 1 : place + 5]
        if rest[:1] == ["RESUME"]:
            rest, names = rest[1:], names[1:]
        if rest[:1] == ["STORE_FAST_LOAD_FAST"] and len(set(names[0].argval)) == 1:
            rest = rest[1:]
        elif rest[:2] == ["STORE_FAST", "LOAD_FAST"] and names[0].argval == names[1].argval:
            rest = rest[2:]
        if rest[:1] == ["RETURN_VALUE"] and item.offset not in protected:
            tails.add(item.offset)
        else:
            others += 1
    if not tails:
        return NEVER, frozenset()
    return (SOMETIMES if others else ALWAYS), frozenset(tails)


def protected_offsets(code):
    """The offsets of instructions inside of a try or a with."""
    covered = set()
    bytecode = dis.Bytecode(code)
    for entry in getattr(bytecode, "exception_entries", ()):
        # From 3.12 on a generator has one around all of it, which turns StopIteration into RuntimeError.
        handler = next((item for item in bytecode if item.offset == entry.target), None)
        if handler is not None and handler.opname == "CALL_INTRINSIC_1":
            continue
        covered.update(range(entry.start, entry.end + 1, 2))
    return covered


# Places and tracebacks.


def place_of(generator):
    frame = getattr(generator, "gi_frame", None)
    code = getattr(generator, "gi_code", None)
    if code is None:
        return "a program"
    line = frame.f_lineno if frame is not None and frame.f_lineno else code.co_firstlineno
    return f"{code.co_filename}, line {line}, in {code.co_qualname}"


def line_of(code, instruction):
    """The line of an instruction of `code`."""
    positions = list(code.co_positions())
    place = instruction // 2
    if 0 <= place < len(positions) and positions[place][0]:
        return positions[place][0]
    return code.co_firstlineno


def spawn_place(code, instruction):
    return f"{code.co_filename}, line {line_of(code, instruction)}, in {code.co_qualname}"


NOTE = "Effect programs (the outermost first):"


def add_note(error, name, spawned):
    """Tells the error of a task which programs it came through, and where the task was spawned."""
    lines = chain_of(error)
    head = f"Raised in {name}"
    if spawned:
        head += f", which was spawned in {spawned}"
    note = "\n".join([head] + lines)
    notes = getattr(error, "__notes__", ())
    # A program that fails again and again, with one exception, doesn't make it longer each time.
    if note not in notes and len(notes) < 64:
        error.add_note(note)


def chain_of(error):
    """The lines of programs that its traceback goes through, with repeated ones folded."""
    places = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_flags & inspect.CO_GENERATOR:
            places.append((code.co_qualname, code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    folded = fold(places)
    if len(folded) > 40:
        folded = folded[:20] + [f"... {len(folded) - 40} more ..."] + folded[-20:]
    return ["  " + line for line in folded]


def fold(places):
    """One line a place; a sequence of up to eight places that comes again at once is told once, with its count."""
    lines, at = [], 0
    while at < len(places):
        length, count = repeated(places, at)
        for place in places[at : at + length]:
            name, file, line = place
            lines.append(f"{name}, {file}:{line}")
        if count > 1:
            what = "the line above" if length == 1 else f"the {length} lines above"
            lines.append(f"  ({what}, {count} times)")
        at += length * count
    return lines


def repeated(places, at):
    """The shortest sequence that begins there and comes at least three times, and how often."""
    for length in range(1, 9):
        count = 1
        while places[at + length * count : at + length * (count + 1)] == places[at : at + length]:
            if len(places[at : at + length]) < length:
                break
            count += 1
        if count >= 3:
            return length, count
    return 1, 1


async def awaiting(awaitable):
    return await awaitable


def with_context(error, context):
    """An error that takes the place of another one, which is not lost."""
    if context is not error and error.__context__ is None:
        error.__context__ = context
    return error


def report_lost(message, error):
    logger.error(message, exc_info=error)


def warn_left_over(root, left, killed):
    text = f"{root} ended before {'a task' if len(left) == 1 else f'{len(left)} tasks'} that it had spawned: {some_of(left)}"
    if killed:
        text += f". These had not ended when their time was over, and were discarded: {some_of(killed)}"
    else:
        text += ". They were cancelled"
    logger.warning("%s", text)


def some_of(descriptions, shown=10):
    more = len(descriptions) - shown
    return "; ".join(descriptions[:shown]) + (f"; and {more} more" if more > 0 else "")
