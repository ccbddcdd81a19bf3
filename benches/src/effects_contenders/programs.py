"""Programs of effects, for each of the contenders. Each measurement is a function of a contender and a number of operations,
and gives what is run: a function without arguments."""

import asyncio
import gc
import time


class Ferry:
    def __init__(self):
        import asyncferry.effects as effects

        self.names = effects
        self.EffectBase = effects.EffectBase

    def in_state(self, program):
        return self.names.state({"k": 1})(program)

    def in_reader(self, program):
        return self.names.reader({"k": 1})(program)

    def in_writer(self, program):
        return self.names.writer(program)

    def run(self, program):
        return self.names.run(program)

    def run_tasks(self, program):
        return self.names.run(program)

    def run_try(self, program):
        return self.names.run(program)

    def run_awaits(self, program):
        # The loop is not what is compared: the peer has one that runs already.
        async def main():
            return await self.names.async_run(program)

        return asyncio.run(main())


class Doeff:
    def __init__(self):
        import doeff
        from doeff_core_effects import handlers, scheduler

        self.names = doeff
        self.handlers = handlers
        self.scheduled = scheduler.scheduled
        self.EffectBase = doeff.EffectBase
        self.run = doeff.run

    def in_state(self, program):
        return self.handlers.state({"k": 1})(program)

    def in_reader(self, program):
        return self.handlers.reader({"k": 1})(program)

    def in_writer(self, program):
        return self.handlers.state()(self.handlers.writer(program))

    def run_tasks(self, program):
        return self.run(self.scheduled(program))

    def run_try(self, program):
        return self.run(self.handlers.try_handler(program))

    def run_awaits(self, program):
        return self.run(self.scheduled(self.handlers.await_handler()(program)))


class Trampoline:
    """A machine in a few lines of Python, without handlers of its own: what such programs cost at the least there."""

    def run(self, generator, answer):
        stack, value = [generator], None
        while stack:
            try:
                yielded = stack[-1].send(value)
            except StopIteration as end:
                stack.pop()
                value = end.value
                continue
            if hasattr(yielded, "send"):
                stack.append(yielded)
                value = None
            else:
                value = answer(yielded)
        return value


# One contender's, each.


def get_put(peer, count):
    names = peer.names
    Get, Put = names.Get, names.Put

    @names.do
    def program():
        for _ in range(count):
            value = yield Get("k")
            yield Put("k", value)

    return lambda: peer.run(peer.in_state(program()))


def get_put_trampoline(count):
    class Get:
        def __init__(self, key):
            self.key = key

    class Put:
        def __init__(self, key, value):
            self.key, self.value = key, value

    state = {"k": 1}

    def answer(effect):
        if type(effect) is Get:
            return state[effect.key]
        state[effect.key] = effect.value

    def program():
        for _ in range(count):
            value = yield Get("k")
            yield Put("k", value)

    return lambda: Trampoline().run(program(), answer)


def get(peer, count):
    names = peer.names
    Get = names.Get

    @names.do
    def program():
        for _ in range(count):
            yield Get("k")

    return lambda: peer.run(peer.in_state(program()))


def tell(peer, count):
    names = peer.names
    Tell = names.Tell

    @names.do
    def program():
        for _ in range(count):
            yield Tell("k")

    return lambda: peer.run(peer.in_writer(program()))


def user_handler(peer, count):
    names = peer.names
    Resume = names.Resume

    class Ping(peer.EffectBase):
        pass

    def pong(effect, k):
        return (yield Resume(k, 1))

    pong.__annotations__ = {"effect": Ping}
    pong = names.handler(pong)

    @names.do
    def program():
        for _ in range(count):
            yield Ping()

    return lambda: peer.run(pong(program()))


def sub_program(peer, count):
    names = peer.names

    @names.do
    def inner():
        return 1
        yield

    @names.do
    def program():
        for _ in range(count):
            yield inner()

    return lambda: peer.run(program())


def sub_program_trampoline(count):
    def inner():
        return 1
        yield

    def program():
        for _ in range(count):
            yield inner()

    return lambda: Trampoline().run(program(), None)


async def done():
    return 1


def await_done(peer, count):
    names = peer.names
    Await = names.Await

    @names.do
    def program():
        for _ in range(count):
            yield Await(done())

    return lambda: peer.run_awaits(program())


def await_done_asyncio(count):
    async def program():
        for _ in range(count):
            await asyncio.create_task(done())

    return lambda: asyncio.run(program())


def spawn_wait(peer, count):
    names = peer.names
    Spawn, Wait = names.Spawn, names.Wait

    @names.do
    def inner():
        return 1
        yield

    @names.do
    def program():
        for _ in range(count):
            task = yield Spawn(inner())
            yield Wait(task)

    return lambda: peer.run_tasks(program())


def spawn_wait_asyncio(count):
    async def program():
        for _ in range(count):
            await asyncio.create_task(done())

    return lambda: asyncio.run(program())


def spawn_gather(peer, count):
    names = peer.names
    Spawn, Gather = names.Spawn, names.Gather

    @names.do
    def inner():
        return 1
        yield

    @names.do
    def program():
        for _ in range(count // 100):
            tasks = []
            for _ in range(100):
                tasks.append((yield Spawn(inner())))
            yield Gather(*tasks)

    return lambda: peer.run_tasks(program())


def spawn_gather_asyncio(count):
    async def program():
        for _ in range(count // 100):
            await asyncio.gather(*[asyncio.create_task(done()) for _ in range(100)])

    return lambda: asyncio.run(program())


def await_gather(peer, count):
    names = peer.names
    Spawn, Gather, Await = names.Spawn, names.Gather, names.Await

    @names.do
    def program():
        for _ in range(count // 100):
            tasks = []
            for _ in range(100):
                tasks.append((yield Spawn(Await(done()))))
            yield Gather(*tasks)

    return lambda: peer.run_awaits(program())


await_gather_asyncio = spawn_gather_asyncio


def await_turn_gather(peer, count):
    """As before, of coroutines that wait for a turn of the loop."""
    names = peer.names
    Spawn, Gather, Await = names.Spawn, names.Gather, names.Await

    @names.do
    def program():
        for _ in range(count // 100):
            tasks = []
            for _ in range(100):
                tasks.append((yield Spawn(Await(asyncio.sleep(0)))))
            yield Gather(*tasks)

    return lambda: peer.run_awaits(program())


def await_turn_gather_asyncio(count):
    async def program():
        for _ in range(count // 100):
            await asyncio.gather(*[asyncio.create_task(asyncio.sleep(0)) for _ in range(100)])

    return lambda: asyncio.run(program())


def try_ok(peer, count):
    names = peer.names
    Try = names.Try

    @names.do
    def inner():
        return 1
        yield

    @names.do
    def program():
        for _ in range(count):
            yield Try(inner())

    return lambda: peer.run_try(program())


# Milliseconds.


def sleep_beside_busy(peer, count):
    """How long a sleep of 10 ms takes beside a task that only performs effects."""
    names = peer.names
    Spawn, Wait, Await, Get, Put = names.Spawn, names.Wait, names.Await, names.Get, names.Put

    @names.do
    def busy():
        while not (yield Get("stop")):
            pass

    @names.do
    def program():
        task = yield Spawn(busy())
        taken = []
        for _ in range(count):
            began = time.perf_counter()
            yield Await(asyncio.sleep(0.01))
            taken.append(time.perf_counter() - began)
        yield Put("stop", True)
        yield Wait(task)
        return taken

    if isinstance(peer, Doeff):
        # It has no turns: the sleep is over when the busy task is, which it is after some time.
        deadline = time.perf_counter() + 0.5

        @names.do
        def busy():
            while time.perf_counter() < deadline:
                yield Get("stop")

        taken = peer.run(peer.in_state(peer.scheduled(peer.handlers.await_handler()(program()))))
        return max(taken) * 1000
    taken = peer.run_awaits(peer.in_state(program()))
    return sorted(taken)[len(taken) // 2] * 1000


# Bytes of a task that waits.


def parked_task(peer, count):
    names = peer.names
    Spawn, Wait, CreatePromise, CompletePromise = names.Spawn, names.Wait, names.CreatePromise, names.CompletePromise
    Gather = names.Gather

    @names.do
    def inner(future):
        return (yield Wait(future))

    @names.do
    def wait_a_turn():
        # Its end comes after all those before it have begun.
        return 1
        yield

    @names.do
    def program():
        promise = yield CreatePromise()
        before = used()
        tasks = []
        for _ in range(count):
            tasks.append((yield Spawn(inner(promise.future))))
        yield Wait((yield Spawn(wait_a_turn())))
        bytes = used() - before
        yield CompletePromise(promise, 1)
        yield Gather(*tasks)
        return bytes / count

    return peer.run_tasks(program())


def parked_task_asyncio(count):
    async def program():
        future = asyncio.get_running_loop().create_future()

        async def inner():
            return await future

        before = used()
        tasks = [asyncio.create_task(inner()) for _ in range(count)]
        await asyncio.sleep(0)
        bytes = used() - before
        future.set_result(1)
        await asyncio.gather(*tasks)
        return bytes / count

    return asyncio.run(program())


def used():
    """The memory of this process in bytes, of Python's and of Rust's allocators."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def timed(action):
    gc.collect()
    start = time.process_time_ns()
    action()
    return time.process_time_ns() - start
