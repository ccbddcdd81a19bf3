//! Rust awaiting Python.

use crate::check;

#[test]
fn rust_awaits_whatever_python_can_await() {
    check(
        r#"
async def main():
    async def coroutine():
        await asyncio.sleep(0)
        return "coroutine"
    async def at_once():
        return "at once"
    class Own:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return "own"
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, "future")
    made = [coroutine(), at_once(), Own(), future, asyncio.create_task(coroutine()), probe.ready("ours"), probe.later("later")]
    got = await asyncio.gather(*[probe.relay(each) for each in made])
    assert got == ["coroutine", "at once", "own", "future", "coroutine", "ours", "later"], got
asyncio.run(main())
"#,
    );
}

#[test]
fn exceptions_cross_twice_and_stay_the_same() {
    check(
        r#"
import traceback
async def main():
    error = ValueError("mine")
    async def deep():
        raise error
    async def shallow():
        await asyncio.sleep(0)
        await deep()
    try:
        await probe.relay(shallow())
    except ValueError as caught:
        assert caught is error
        names = [frame.name for frame in traceback.extract_tb(caught.__traceback__)]
        assert names[-2:] == ["shallow", "deep"], names
    else:
        assert False
asyncio.run(main())
"#,
    );
}

#[test]
fn tasks_are_real_tasks() {
    check(
        r#"
async def main():
    async def inside():
        task = asyncio.current_task()
        assert isinstance(task, asyncio.Task)
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        await asyncio.sleep(0)
        assert asyncio.current_task() is task
        return "fine"
    outer = asyncio.current_task()
    assert await probe.relay(inside()) == "fine"
    assert asyncio.current_task() is outer
asyncio.run(main())
"#,
    );
}

#[test]
fn a_thread_without_the_gil_starts_coroutines() {
    check(
        r#"
async def main():
    started = []
    async def coroutine(n):
        started.append(n)
        await asyncio.sleep(0)
        if n % 2: raise ValueError(n)
    got = await probe.relay_from_thread([coroutine(n) for n in range(100)])
    assert got == ["ok", "error"] * 50, got
    assert started == list(range(100)), "they start in the order in which they were sent"
asyncio.run(main())
"#,
    );
}

#[test]
fn a_custom_task_factory_is_used() {
    check(
        r#"
async def main():
    made = []
    def factory(loop, coro, **options):
        task = asyncio.Task(coro, loop=loop, **options)
        made.append(task)
        return task
    asyncio.get_running_loop().set_task_factory(factory)
    async def coroutine(): return asyncio.current_task()
    assert await probe.relay(coroutine()) in made
asyncio.run(main())
"#,
    );
}

#[test]
fn a_wish_to_stop_in_the_first_step_stops_the_program() {
    check(
        r#"
async def stops():
    raise KeyboardInterrupt
async def main():
    relayed = probe.relay(stops())
    await asyncio.sleep(0)
    await relayed
for _ in range(3):
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        continue
    assert False, "the program went on"
"#,
    );
}

#[test]
fn a_task_that_its_loop_forgot_ends_the_rust_future() {
    check(
        r#"
import gc, logging
logging.disable()  # asyncio tells of the task that is destroyed
def start():
    loop = asyncio.new_event_loop()
    async def main():
        async def never(): await asyncio.Event().wait()
        return probe.relay(never())
    aw = loop.run_until_complete(main())
    for _ in range(3): loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    return aw
aw = start()
gc.collect()
async def after():
    try:
        await aw
    except asyncio.CancelledError:
        return "ended"
assert asyncio.run(asyncio.wait_for(after(), 60)) == "ended"
logging.disable(logging.NOTSET)
"#,
    );
}
