"""A simple interpreter of random programs, and the same programs for asyncferry.effects.

A program is a list of statements, tuples that begin with a word. [`Reference`] runs it with nested generators, one
layer for each handler, and a queue of tasks; [`program`] makes of it what Ferry runs. Both give the outcome and the trace
of all that was seen on the way, in order.
"""

import asyncio
import collections
import dataclasses
import random

from asyncferry import effects as ferry


@dataclasses.dataclass(frozen=True)
class Ping:
    number: int


class Failed(Exception):
    pass


KEYS = "ab"


# Making programs.


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def block(self, depth, known):
        # What is bound in a block is known to the rest of it, and to blocks in it.
        known = {kind: list(names) for kind, names in known.items()}
        return [self.statement(depth, known) for _ in range(self.random.randint(1, 5))]

    def statement(self, depth, known):
        simple = ["log", "get", "put", "modify", "ask", "tell", "ping", "raise", "promise", "semaphore", "turn"]
        weights = [3, 2, 2, 1, 2, 2, 4, 1, 2, 1, 2]
        if known["task"]:
            simple += ["wait", "gather", "race", "cancel", "discard"]
            weights += [4, 2, 2, 3, 1]
        if known["promise"]:
            simple += ["complete", "fail", "wait_promise"]
            weights += [3, 1, 3]
        if known["semaphore"]:
            simple += ["acquire", "release"]
            weights += [3, 2]
        if depth > 0:
            simple += ["spawn", "call", "try", "local", "listen", "guard", "finally", "handle", "holding_cancel"]
            weights += [7, 2, 2, 2, 2, 3, 3, 5, 2]
        word = self.random.choices(simple, weights)[0]
        return getattr(self, "make_" + word)(depth, known)

    def make_log(self, depth, known):
        return ("log", self.random.randint(0, 99))

    def make_get(self, depth, known):
        return ("get", self.random.choice(KEYS))

    def make_put(self, depth, known):
        return ("put", self.random.choice(KEYS), self.random.randint(0, 99))

    def make_modify(self, depth, known):
        return ("modify", self.random.choice(KEYS), self.random.randint(0, 99))

    def make_ask(self, depth, known):
        return ("ask", self.random.choice("abc"))

    def make_tell(self, depth, known):
        return ("tell", self.random.randint(0, 99))

    def make_ping(self, depth, known):
        return ("ping", self.random.randint(0, 99))

    def make_raise(self, depth, known):
        return ("raise", self.random.randint(0, 99))

    def make_turn(self, depth, known):
        return ("turn",)

    def make_promise(self, depth, known):
        name = self.name()
        known["promise"].append(name)
        return ("promise", name)

    def make_semaphore(self, depth, known):
        name = self.name()
        known["semaphore"].append(name)
        return ("semaphore", name, self.random.randint(1, 2))

    def some_tasks(self, known):
        return tuple(self.random.choices(known["task"] + known["promise"], k=self.random.randint(1, 3)))

    def make_wait(self, depth, known):
        return ("wait", self.random.choice(known["task"]))

    def make_gather(self, depth, known):
        return ("gather", self.some_tasks(known))

    def make_race(self, depth, known):
        return ("race", self.some_tasks(known))

    def make_cancel(self, depth, known):
        return ("cancel", self.random.choice(known["task"]))

    def make_discard(self, depth, known):
        return ("discard", self.random.choice(known["task"]))

    def make_complete(self, depth, known):
        return ("complete", self.random.choice(known["promise"]), self.random.randint(0, 99), self.random.random() < 0.7)

    def make_fail(self, depth, known):
        return ("fail", self.random.choice(known["promise"]), self.random.randint(0, 99))

    def make_wait_promise(self, depth, known):
        return ("wait", self.random.choice(known["promise"]))

    def make_acquire(self, depth, known):
        return ("acquire", self.random.choice(known["semaphore"]))

    def make_release(self, depth, known):
        return ("release", self.random.choice(known["semaphore"]))

    def make_spawn(self, depth, known):
        body = self.block(depth - 1, known)
        name = self.name()
        known["task"].append(name)
        return ("spawn", name, body, self.random.random() < 0.1)

    def make_call(self, depth, known):
        return ("call", self.block(depth - 1, known))

    def make_try(self, depth, known):
        return ("try", self.block(depth - 1, known))

    def make_local(self, depth, known):
        return ("local", self.random.choice("abc"), self.random.randint(0, 99), self.block(depth - 1, known))

    def make_listen(self, depth, known):
        return ("listen", self.block(depth - 1, known))

    def make_guard(self, depth, known):
        return ("guard", self.block(depth - 1, known), self.block(depth - 1, known))

    def make_finally(self, depth, known):
        return ("finally", self.block(depth - 1, known), self.block(depth - 1, known))

    def make_holding_cancel(self, depth, known):
        return ("holding_cancel", self.block(depth - 1, known), self.block(depth - 1, known))

    def make_handle(self, depth, known):
        mode = self.random.choice(["resume", "tail", "transfer", "throw", "abort", "pass", "ask_outside", "fail", "effects"])
        return ("handle", mode, self.block(depth - 1, known))


def random_program(seed, depth=4):
    return Maker(seed).block(depth, {"task": [], "promise": [], "semaphore": []})


# What both do with a statement. `ask` performs an effect, by its word, and is the only thing that differs.


def body(statements, trace, names, do):
    last = None
    for statement in statements:
        last = yield from one(statement, trace, names, do)
    return last


def one(statement, trace, names, do):
    word, *rest = statement
    if word == "log":
        trace.append(("log", rest[0]))
        return rest[0]
    if word == "raise":
        raise Failed(rest[0])
    if word == "guard":
        try:
            return (yield from body(rest[0], trace, names, do))
        except Exception as error:
            trace.append(("caught", shown(error)))
            return (yield from body(rest[1], trace, names, do))
    if word == "finally":
        try:
            return (yield from body(rest[0], trace, names, do))
        finally:
            trace.append(("finally",))
            yield from body(rest[1], trace, names, do)
    if word == "holding_cancel":
        try:
            return (yield from body(rest[0], trace, names, do))
        except asyncio.CancelledError:
            trace.append(("cancelled",))
            return (yield from body(rest[1], trace, names, do))
    if word in ("promise", "semaphore", "spawn"):
        names[rest[0]] = yield from do(statement, trace, names)
        return None
    result = yield from do(statement, trace, names)
    trace.append((word, result))
    return result


def shown(error):
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    if isinstance(error, Failed):
        return f"failed {error.args[0]}"
    return type(error).__name__


# Ferry's side.


def ferry_handler(mode, trace):
    @ferry.handler
    def handler(effect: Ping, k):
        trace.append(("handler", mode, effect.number))
        if mode == "resume":
            result = yield ferry.Resume(k, effect.number + 1)
            trace.append(("resumed", result))
            return ("of the handler", result)
        if mode == "tail":
            return (yield ferry.Resume(k, effect.number + 1))
        if mode == "transfer":
            yield ferry.Transfer(k, effect.number + 2)
        if mode == "throw":
            return (yield ferry.ResumeThrow(k, Failed(effect.number)))
        if mode == "pass":
            yield ferry.Pass(effect, k)
        if mode == "ask_outside":
            answer = yield Ping(effect.number + 10)
            return (yield ferry.Resume(k, answer))
        if mode == "fail":
            raise Failed(effect.number)
        if mode == "effects":
            value = yield ferry.Get("a")
            yield ferry.Put("a", effect.number)
            return (yield ferry.Resume(k, value))
        return "aborted"

    return handler


def ferry_program(statements, trace, names):
    @ferry.do
    def block():
        return (yield from body(statements, trace, names, ferry_do))

    return block()


def ferry_do(statement, trace, names):
    word, *rest = statement
    here = lambda statements: ferry_program(statements, trace, names)
    waited = lambda name: names[name].future if isinstance(names[name], ferry.Promise) else names[name]
    if word == "get":
        return (yield ferry.Get(rest[0]))
    if word == "put":
        return (yield ferry.Put(rest[0], rest[1]))
    if word == "modify":
        return (yield ferry.Modify(rest[0], lambda old: (old or 0) + rest[1]))
    if word == "ask":
        return (yield ferry.Ask(rest[0]))
    if word == "tell":
        return (yield ferry.Tell(rest[0]))
    if word == "ping":
        return (yield Ping(rest[0]))
    if word == "turn":
        task = yield ferry.Spawn(ferry.Pure(None))
        return (yield ferry.Wait(task))
    if word == "promise":
        return (yield ferry.CreatePromise())
    if word == "semaphore":
        return (yield ferry.CreateSemaphore(rest[1]))
    if word == "spawn":
        return (yield ferry.Spawn(here(rest[1]), daemon=rest[2]))
    if word == "wait":
        return (yield ferry.Wait(waited(rest[0])))
    if word == "gather":
        return (yield ferry.Gather(*map(waited, rest[0])))
    if word == "race":
        return (yield ferry.Race(*map(waited, rest[0])))
    if word == "cancel":
        return (yield ferry.Cancel(names[rest[0]]))
    if word == "discard":
        return (yield ferry.Discard(names[rest[0]]))
    if word == "complete":
        return (yield ferry.CompletePromise(names[rest[0]], rest[1], yield_to_woken=rest[2]))
    if word == "fail":
        return (yield ferry.FailPromise(names[rest[0]], Failed(rest[1])))
    if word == "acquire":
        return (yield ferry.AcquireSemaphore(names[rest[0]]))
    if word == "release":
        return (yield ferry.ReleaseSemaphore(names[rest[0]]))
    if word == "call":
        return (yield here(rest[0]))
    if word == "try":
        result = yield ferry.Try(here(rest[0]))
        return ("ok", result.value) if result else ("err", shown(result.error))
    if word == "local":
        return (yield ferry.Local({rest[0]: rest[1]}, here(rest[2])))
    if word == "listen":
        value, told = yield ferry.Listen(here(rest[0]))
        return (value, [effect.msg for effect in told])
    if word == "handle":
        return (yield ferry_handler(rest[0], trace)(here(rest[1])))
    raise AssertionError(word)


def by_ferry(statements, run=ferry.run):
    trace = []
    program = ferry_program(statements, trace, {})
    handlers = [ferry.state({"a": 1}), ferry.reader({"a": 7, "b": 8}), ferry.writer, ferry_handler("tail", trace)]
    program = ferry.with_handlers(handlers, program)
    return ended(lambda: run(program), trace)


def ended(action, trace):
    try:
        return ("value", action(), trace)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, AssertionError)):
            raise
        return ("error", shown(error), trace)


# The reference.


class Deadlock(RuntimeError):
    pass


Deadlock.__name__ = "SchedulerDeadlockError"


class Missing(KeyError):
    pass


Missing.__name__ = "MissingEnvKeyError"


class Unhandled(RuntimeError):
    pass


Unhandled.__name__ = "UnhandledEffect"


class Effect:
    def __init__(self, word, *rest):
        self.word, self.rest = word, rest
        # The handlers that it has gone by, the innermost first.
        self.passed = []


class Answered:
    """A handler that answers some effects at once."""

    def __init__(self, answer):
        self.answer = answer


def within(inner, handler, action=("send", None)):
    """Runs a generator inside of a handler."""
    while True:
        try:
            effect = inner.send(action[1]) if action[0] == "send" else inner.throw(action[1])
        except StopIteration as end:
            return end.value
        if isinstance(handler, Answered):
            try:
                answer = handler.answer(effect)
            except Exception as error:
                action = ("throw", error)
                continue
            if answer is not None:
                action = ("send", answer[0])
                continue
        elif effect.word == "ping":
            return (yield from handled(inner, handler, effect))
        effect.passed.append(handler)
        try:
            action = ("send", (yield effect))
        except BaseException as error:
            action = ("throw", error)


def handled(inner, handler, effect):
    is_used = False

    def resume(action):
        nonlocal is_used
        is_used = True
        return within(inner, handler, action)

    def unwind():
        if is_used:
            return
        try:
            yield from within(inner, handler, ("throw", ferry.ProgramAbandoned()))
        except ferry.ProgramAbandoned:
            pass

    def pass_on():
        nonlocal is_used
        is_used = True
        effect.passed.append(handler)
        try:
            action = ("send", (yield effect))
        except BaseException as error:
            action = ("throw", error)
        return (yield from within(inner, handler, action))

    mode, trace = handler
    try:
        result = yield from handling(mode, trace, effect.rest[0], resume, pass_on)
    except BaseException as error:
        if is_used:
            raise
        yield from unwind()
        raise error
    yield from unwind()
    return result


def handling(mode, trace, number, resume, pass_on):
    trace.append(("handler", mode, number))
    if mode == "resume":
        result = yield from resume(("send", number + 1))
        trace.append(("resumed", result))
        return ("of the handler", result)
    if mode == "tail":
        return (yield from resume(("send", number + 1)))
    if mode == "transfer":
        return (yield from resume(("send", number + 2)))
    if mode == "throw":
        return (yield from resume(("throw", Failed(number))))
    if mode == "pass":
        return (yield from pass_on())
    if mode == "ask_outside":
        answer = yield Effect("ping", number + 10)
        return (yield from resume(("send", answer)))
    if mode == "fail":
        raise Failed(number)
    if mode == "effects":
        value = yield Effect("get", "a")
        yield Effect("put", "a", number)
        return (yield from resume(("send", value)))
    return "aborted"


class Cell:
    """A task or a promise."""

    def __init__(self):
        self.outcome = None
        self.waiters = []


class Task(Cell):
    def __init__(self, generator, is_daemon=False):
        super().__init__()
        self.generator, self.is_daemon = generator, is_daemon
        self.action = ("send", None)
        self.is_new, self.is_queued, self.wait, self.grant = True, True, None, None


class Semaphore:
    def __init__(self, permits):
        self.permits = self.free = permits
        self.waiters = collections.deque()


class Reference:
    def __init__(self):
        self.ready = collections.deque()
        self.tasks = []

    def run(self, statements):
        trace = []
        state, env, log = {"a": 1}, {"a": 7, "b": 8}, []
        generator = self.program(statements, trace, {})
        for handler in (("tail", trace), Answered(writer(log)), Answered(reader(env)), Answered(stateful(state))):
            generator = within(generator, handler)
        root = self.root = self.spawn(generator)
        return ended(lambda: self.until_over(root), trace)

    def until_over(self, root):
        while True:
            while self.ready:
                self.step(self.ready.popleft())
            if root.outcome is not None:
                break
            self.unlink(root, root.wait)
            self.go_on(root, ("throw", Deadlock()))
        # What waits for what nobody does any more is dropped.
        for task in self.tasks:
            if task.outcome is None:
                self.discard(task)
        kind, value = root.outcome
        if kind == "throw":
            raise value
        return value

    def program(self, statements, trace, names):
        return body(statements, trace, names, self.do)

    def spawn(self, generator, is_daemon=False):
        task = Task(generator, is_daemon)
        self.tasks.append(task)
        self.ready.append(task)
        return task

    def step(self, task):
        task.is_queued, task.grant = False, None
        if task.outcome is not None or task.action is None:
            return
        task.is_new = False
        action, task.action = task.action, None
        self.running = task
        while True:
            try:
                effect = task.generator.send(action[1]) if action[0] == "send" else task.generator.throw(action[1])
            except StopIteration as end:
                return self.finish(task, ("send", end.value))
            except BaseException as error:
                return self.finish(task, ("throw", error))
            try:
                action = self.answer(task, effect)
            except BaseException as error:
                action = ("throw", error)
            if action is None:
                return

    def finish(self, task, outcome):
        self.settle(task, outcome)
        if task is self.root:
            # What is left over is cancelled at once.
            left = [task for task in self.tasks if task.outcome is None]
            for other in left:
                self.cancel(other)

    def settle(self, cell, outcome):
        cell.outcome = outcome
        waiters, cell.waiters = cell.waiters, []
        has_woken = False
        for task, wait in waiters:
            has_woken |= self.wake(task, wait, outcome)
        return has_woken

    def wake(self, task, wait, outcome):
        if task.wait is not wait:
            return False
        kind, items = wait[0], wait[1]
        if kind == "all" and outcome[0] == "send":
            wait[2] -= 1
            if wait[2]:
                return False
            outcome = ("send", [item.outcome[1] for item in items])
        self.unlink(task, wait)
        self.go_on(task, outcome)
        return True

    def unlink(self, task, wait):
        if wait[0] == "permit":
            wait[1].waiters = collections.deque(item for item in wait[1].waiters if item[1] is not wait)
            return
        for item in wait[1]:
            item.waiters = [(other, its) for other, its in item.waiters if its is not wait]

    def go_on(self, task, action):
        task.wait, task.action = None, action
        if not task.is_queued:
            task.is_queued = True
            self.ready.append(task)

    def cancel(self, task):
        if task.outcome is not None:
            return
        if task.is_new:
            self.finish(task, ("throw", asyncio.CancelledError()))
            return
        grant, task.grant = task.grant, None
        if task.wait is not None:
            self.unlink(task, task.wait)
        self.go_on(task, ("throw", asyncio.CancelledError()))
        if grant is not None:
            self.release(grant)

    def discard(self, task):
        if task.outcome is not None:
            return
        if task.wait is not None:
            self.unlink(task, task.wait)
        task.wait, task.action = None, None
        if task.grant is not None:
            self.release(task.grant)
        generator, task.generator = task.generator, None
        close(generator)
        self.finish(task, ("throw", asyncio.CancelledError()))

    def release(self, semaphore):
        if semaphore.free == semaphore.permits:
            raise RuntimeError("released too often")
        if semaphore.waiters:
            task, wait = semaphore.waiters.popleft()
            self.go_on(task, ("send", None))
            task.grant = semaphore
        else:
            semaphore.free += 1

    def park(self, task, wait):
        task.wait = wait
        return None

    def wait_for(self, task, kind, items):
        wait = [kind, items, 0]
        for item in items:
            if item.outcome is None:
                wait[2] += 1
                item.waiters.append((task, wait))
            elif kind != "all" or item.outcome[0] == "throw":
                self.unlink(task, wait)
                return item.outcome
        if kind == "all" and wait[2] == 0:
            return ("send", [item.outcome[1] for item in items])
        return self.park(task, wait)

    def answer(self, task, effect):
        word, rest = effect.word, effect.rest
        if word == "spawn":
            generator = rest[0]
            for handler in effect.passed:
                generator = within(generator, handler)
            return ("send", self.spawn(generator, rest[1]))
        if word == "wait":
            return self.wait_for(task, "one", [rest[0]])
        if word == "gather":
            return self.wait_for(task, "all", list(rest[0]))
        if word == "race":
            return self.wait_for(task, "first", list(rest[0]))
        if word == "cancel":
            if rest[0] is task:
                raise asyncio.CancelledError
            self.cancel(rest[0])
            return ("send", None)
        if word == "discard":
            if rest[0] is task:
                generator, task.generator = task.generator, None
                close(generator)
                self.finish(task, ("throw", asyncio.CancelledError()))
                return None
            self.discard(rest[0])
            return ("send", None)
        if word == "promise":
            return ("send", Cell())
        if word == "complete":
            cell, value, yields = rest
            if cell.outcome is not None:
                raise asyncio.InvalidStateError
            if self.settle(cell, ("send", value)) and yields:
                self.go_on(task, ("send", None))
                return None
            return ("send", None)
        if word == "fail":
            if rest[0].outcome is not None:
                raise asyncio.InvalidStateError
            self.settle(rest[0], ("throw", rest[1]))
            return ("send", None)
        if word == "semaphore":
            return ("send", Semaphore(rest[0]))
        if word == "acquire":
            semaphore = rest[0]
            if semaphore.free and not semaphore.waiters:
                semaphore.free -= 1
                return ("send", None)
            wait = ["permit", semaphore, 0]
            semaphore.waiters.append((task, wait))
            return self.park(task, wait)
        if word == "release":
            self.release(rest[0])
            return ("send", None)
        raise Unhandled(word)

    def do(self, statement, trace, names):
        word, *rest = statement
        here = lambda statements: self.program(statements, trace, names)
        if word in ("get", "ask", "tell", "ping", "put", "modify", "promise"):
            return (yield Effect(word, *rest))
        if word == "turn":
            task = yield Effect("spawn", pure(), False)
            return (yield Effect("wait", task))
        if word == "semaphore":
            return (yield Effect("semaphore", rest[1]))
        if word == "spawn":
            return (yield Effect("spawn", here(rest[1]), rest[2]))
        if word in ("wait", "cancel", "discard", "acquire", "release"):
            return (yield Effect(word, names[rest[0]]))
        if word in ("gather", "race"):
            return (yield Effect(word, [names[name] for name in rest[0]]))
        if word == "complete":
            return (yield Effect("complete", names[rest[0]], rest[1], rest[2]))
        if word == "fail":
            return (yield Effect("fail", names[rest[0]], Failed(rest[1])))
        if word == "call":
            return (yield from here(rest[0]))
        if word == "try":
            try:
                return ("ok", (yield from here(rest[0])))
            except Exception as error:
                return ("err", shown(error))
        if word == "local":
            return (yield from within(here(rest[2]), Answered(local({rest[0]: rest[1]}))))
        if word == "listen":
            told = []
            value = yield from within(here(rest[0]), Answered(listening(told)))
            return (value, list(told))
        if word == "handle":
            return (yield from within(here(rest[1]), (rest[0], trace)))
        raise AssertionError(word)


def close(generator):
    """As Python drops a generator: its plain statements run, and nobody answers an effect."""
    try:
        generator.close()
    except BaseException:
        pass


def pure():
    return None
    yield


def stateful(store):
    def answer(effect):
        if effect.word == "get":
            return (store.get(effect.rest[0]),)
        if effect.word == "put":
            store[effect.rest[0]] = effect.rest[1]
            return (None,)
        if effect.word == "modify":
            store[effect.rest[0]] = (store.get(effect.rest[0]) or 0) + effect.rest[1]
            return (store[effect.rest[0]],)

    return answer


def reader(env):
    def answer(effect):
        if effect.word == "ask":
            if effect.rest[0] not in env:
                raise Missing(effect.rest[0])
            return (env[effect.rest[0]],)

    return answer


def local(env):
    def answer(effect):
        if effect.word == "ask" and effect.rest[0] in env:
            return (env[effect.rest[0]],)

    return answer


def writer(log):
    def answer(effect):
        if effect.word == "tell":
            log.append(effect.rest[0])
            return (None,)

    return answer


def listening(told):
    def answer(effect):
        if effect.word == "tell":
            told.append(effect.rest[0])

    return answer


def by_reference(statements):
    return Reference().run(statements)
