//! What breaks in peers when work stops, fails, or was never work: across the bridge, both ways.

use crate::check;

#[test]
fn a_dropped_rust_future_and_its_python_task() {
    check(
        r#"
async def main():
    log = []
    async def slow():
        log.append("started")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            log.append(str(error))
            raise
        finally:
            log.append("finally")
    relayed = probe.relay(slow())
    while not log: await asyncio.sleep(0)
    relayed.cancel("from above")
    while "finally" not in log: await asyncio.sleep(0)
    assert log[0] == "started" and "Rust future" in log[1], log
    # Dropped before it began, it never begins, and doesn't complain of that.
    import warnings
    warnings.simplefilter("error")
    async def never():
        log.append("never")
    probe.drop_at_once(never())
    for _ in range(5): await asyncio.sleep(0)
    assert "never" not in log
asyncio.run(main())
"#,
    );
}

#[test]
fn a_dropped_awaitable_and_its_rust_future() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    del aw
    assert job.stopped()
asyncio.run(main())
job = probe.Manual()
aw = job.start()
del aw
assert job.stopped(), "also without a loop"
"#,
    );
}

#[test]
fn a_dropped_job_and_what_was_submitted() {
    check(
        r#"
import threading
async def main():
    log = []
    async def works():
        log.append("started")
        try: await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            log.append(str(error))
            raise
    job = ferry.submit(works)
    while not log: await asyncio.sleep(0)
    del job
    while len(log) < 2: await asyncio.sleep(0)
    assert log == ["started", "nobody refers to its job any more"], log
    # What runs on a thread can't be stopped from outside, but asks.
    began, told = threading.Event(), threading.Event()
    def asks():
        began.set()
        try:
            while True: ferry.check_cancelled()
        except asyncio.CancelledError as error:
            log.append(str(error))
            told.set()
    job = ferry.submit(asks)
    assert await asyncio.to_thread(began.wait, 60)
    del job
    assert await asyncio.to_thread(told.wait, 60)
    assert log[2:] == ["nobody refers to the job any more"], log
asyncio.run(asyncio.wait_for(main(), 90))
"#,
    );
}

#[test]
fn a_non_awaitable() {
    check(
        r#"
async def main():
    log = []
    async def started(): log.append("started")
    coroutine = started()
    for wrong in 1, main, None, "text":
        try:
            ferry.gather(coroutine, wrong)
        except TypeError as error:
            assert "argument 2" in str(error), error
        else:
            assert False
        try:
            probe.relay(wrong)
        except TypeError as error:
            assert "can't be awaited" in str(error), error
        else:
            assert False
    assert await probe.relay_from_thread([1, coroutine]) == ["error", "ok"]
    assert log == ["started"], "nothing was started by the calls that were refused"
asyncio.run(main())
"#,
    );
    check(
        r#"
async def main():
    async def coroutine(): pass
    for wrong in 1, None, coroutine():
        for take in ferry.submit, lambda wrong: ferry.map(wrong, [1]):
            try: take(wrong)
            except TypeError as error: assert "takes a function" in str(error), error
            else: assert False, wrong
    for wrong in 1, None:
        for take in ferry.race, lambda wrong: ferry.wait([wrong]), lambda wrong: ferry.as_completed([wrong]):
            try: take(wrong)
            except TypeError as error: assert "takes awaitables" in str(error), error
            else: assert False, wrong
    # A function that gives what can't be awaited gives just that, and so does a link of a chain.
    assert await ferry.submit(lambda: 1) == 1
    assert await probe.ready(1).then(lambda value: value + 1) == 2
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn the_text_of_boom() {
    check(
        r#"
async def main():
    for at_once in True, False:
        try:
            await probe.boom("boom 7", at_once)
        except ferry.PanicError as error:
            assert str(error) == "boom 7" and isinstance(error, ferry.FerryError)
        else:
            assert False
asyncio.run(main())
"#,
    );
    check(
        r#"
async def main():
    job = probe.Manual()
    task = asyncio.create_task(job.start())
    await asyncio.sleep(0)
    job.fail("boom")
    try:
        await task
    except ferry.FerryError as error:
        assert str(error) == "boom"
    else:
        assert False
asyncio.run(main())
"#,
    );
    check(
        r#"
async def main():
    async def works(): raise ValueError("boom")
    def computes(): raise ValueError("boom")
    hows = "bare", "wrapped", "anyhow", "context"
    makes = [lambda how=how: probe.fail_with(ValueError("boom"), how) for how in hows]
    makes += [lambda: probe.relay(works()), lambda: ferry.submit(works), lambda: ferry.submit(computes)]
    makes += [lambda: ferry.gather(ferry.submit(computes), probe.ready(1)), lambda: probe.relay(probe.relay(works()))]
    for place, make in enumerate(makes):
        try: await make()
        except ValueError as error: assert type(error) is ValueError and str(error) == "boom", (place, error)
        else: assert False, place
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn cancel_messages() {
    check(
        r#"
async def main():
    job = probe.Manual()
    aw = job.start()
    async def wait():
        await aw
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel("no time")
    try:
        await task
    except asyncio.CancelledError as error:
        assert error.args == ("no time",), error.args
    assert aw.cancelled() and job.stopped()
asyncio.run(main())
"#,
    );
    check(
        r#"
async def main():
    job = probe.Manual()
    task = asyncio.create_task(job.start())
    await asyncio.sleep(0)
    job.cancel("by Rust")
    try:
        await task
    except asyncio.CancelledError as error:
        assert error.args == ("by Rust",), error.args
    else:
        assert False
    assert task.cancelled()
asyncio.run(main())
"#,
    );
    check(
        r#"
async def main():
    async def doomed():
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(0)
    aw = probe.relay(doomed())
    try:
        await aw
    except asyncio.CancelledError as error:
        assert error.args == ("by itself",), error.args
    else:
        assert False
    assert aw.cancelled()
asyncio.run(main())
"#,
    );
    check(
        r#"
class Bad:
    def __str__(self): raise ValueError("no str")
async def main():
    for message in "\udc80", Bad(), 3, None:
        job = probe.Manual()
        async def wait(): await job.start()
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        assert task.cancel(message)
        try:
            await task
        except asyncio.CancelledError as error:
            assert error.args == (() if message is None else (message,)), error.args
        else:
            assert False
        assert job.stopped()
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

/// anyio tells a cancellation of its own scopes from others by the message, wherever it comes out, and cancels
/// again and again until the scope is left. This does as anyio does, which isn't there to be imported.
#[test]
fn cancel_messages_of_anyio_scopes() {
    check(
        r#"
class Scope:
    def __enter__(self):
        self.task, self.word = asyncio.current_task(), f"Cancelled by cancel scope {id(self):x}"
        return self
    def cancel(self):
        if self.task is None: return
        waiter = self.task._fut_waiter
        if not self.task._must_cancel and (waiter is None or not waiter.done()): self.task.cancel(self.word)
        self.again = asyncio.get_running_loop().call_soon(self.cancel)
    def __exit__(self, kind, error, trace):
        self.again.cancel()
        self.task = None
        if error is None or error.args != (self.word,): return False
        asyncio.current_task().uncancel()
        return True
async def main():
    async def forever(): await asyncio.Event().wait()
    manuals = []
    def pending():
        manuals.append(probe.Manual())
        return manuals[-1].start()
    makes = [
        pending, lambda: ferry.submit(forever), lambda: probe.relay(forever()), lambda: ferry.gather(pending(), forever()),
        lambda: ferry.wait([pending()]), lambda: ferry.race(pending(), pending()), lambda: pending().then(print),
        lambda: ferry.map(pending_of, range(3)),
    ]
    async def pending_of(_): await pending()
    for place, make in enumerate(makes):
        scope, left = Scope(), False
        with scope:
            asyncio.get_running_loop().call_later(0.001, scope.cancel)
            await make()
            left = True
        assert not left, place
    del makes
    assert all(manual.stopped() for manual in manuals)
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn reference_cycles_through_a_waiting_task() {
    check(
        r#"
import gc, warnings, weakref
warnings.simplefilter("ignore", ResourceWarning)
for how in "closed", "dropped":
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    job = probe.Manual()
    async def prepare():
        async def wait(aw):
            await aw
        aw = job.start()
        task = asyncio.create_task(wait(aw))
        await asyncio.sleep(0)
        return weakref.ref(task), weakref.ref(aw)
    gone = loop.run_until_complete(prepare())
    gc.collect()
    assert gone[0]() is not None and gone[1]() is not None, "the loop is there"
    if how == "closed": loop.close()
    del loop
    gc.collect()
    assert gone[0]() is None and gone[1]() is None, f"they outlive a loop that was {how}"
    assert job.stopped()
"#,
    );
    check(
        r#"
import gc, logging, warnings, weakref
# The task waits for what refers to the task: its callback, its member, its iterator, its link.
warnings.simplefilter("ignore")
logging.disable()
class Ring: pass
async def works(): await asyncio.Event().wait()
members = []
def member():
    task = asyncio.create_task(works())
    members.append(weakref.ref(task))
    return task
def make(how, manual):
    match how:
        case "job": return manual.start()
        case "gather": return ferry.gather(manual.start(), member())
        case "wait": return ferry.wait([manual.start(), member()])
        case "race": return ferry.race(manual.start(), member())
        case "as_completed": return next(ferry.as_completed([manual.start(), member()]))
        case "submit": return ferry.submit(works)
        case "relay": return probe.relay(works())
        case "chain": return manual.start().then(print).catch(print).finally_(print)
        case "progress": return anext(ferry.submit(works).progress())
        case "map": return ferry.map(lambda _: works(), range(3))
HOWS = "job", "gather", "wait", "race", "as_completed", "submit", "relay", "chain", "progress", "map"
def left_behind(how, end):
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    manual = probe.Manual()
    async def prepare():
        ring = Ring()
        async def waits():
            ring.job = make(how, manual)
            ring.job.add_done_callback(lambda job: ring)
            await ring.job
        ring.task = asyncio.create_task(waits())
        for _ in range(3): await asyncio.sleep(0)
        return weakref.ref(ring), weakref.ref(ring.task), weakref.ref(ring.job)
    gone = loop.run_until_complete(prepare())
    gc.collect()
    assert all(each() is not None for each in gone), f"{how}: the loop is there, so its tasks go on"
    if end == "closed": loop.close()
    return gone
for how in HOWS:
    for end in "closed", "dropped":
        gone = left_behind(how, end)
        for _ in range(3): gc.collect()
        assert not any(each() for each in members), f"{how}: its members outlive a loop that was {end}"
        assert [each() for each in gone] == [None] * 3, f"{how}: they outlive a loop that was {end}"
logging.disable(logging.NOTSET)
"#,
    );
    check(
        r#"
import gc, weakref
# A group that was dropped before its member is.
async def main():
    groups = [
        ferry.gather, lambda future: ferry.wait([future]), ferry.race, lambda future: ferry.as_completed([future]),
        lambda future: next(ferry.as_completed([future])),
    ]
    for place, group in enumerate(groups):
        future = asyncio.get_running_loop().create_future()
        group(future)
        gone = weakref.ref(future)
        del future
        gc.collect()
        assert gone() is None, place
asyncio.run(main())
"#,
    );
}
