//! Loops that end, loops that are interrupted, many loops; and locks that both sides take.

use crate::check;

#[test]
fn a_loop_closed_with_work_pending_is_silent() {
    check(
        r#"
import gc, io, sys
errors, sys.stderr = sys.stderr, io.StringIO()
try:
    jobs = [probe.Manual() for _ in range(1000)]
    loop = asyncio.new_event_loop()
    problems = []
    loop.set_exception_handler(lambda loop, context: problems.append(context))
    async def main():
        aws = [job.direct() for job in jobs]
        for aw in aws: aw.add_done_callback(problems.append)
        return aws
    aws = loop.run_until_complete(main())
    loop.close()
    probe.complete_all(jobs)
    assert [aw.result() for aw in aws] == list(range(1000)), "the results are there nevertheless"
    del aws
    gc.collect()
    # A new loop retires the old one's home, with the mail in it.
    assert asyncio.run(asyncio.wait_for(asyncio.sleep(0, "on"), 60)) == "on"
    async def again(): return await probe.later("again")
    assert asyncio.run(again()) == "again"
    assert problems == [] and sys.stderr.getvalue() == "", (problems, sys.stderr.getvalue())
finally:
    sys.stderr = errors
"#,
    );
}

#[test]
fn python_code_that_rust_awaits_ends_with_its_loop() {
    check(
        r#"
def start():
    async def main():
        return probe.relay(asyncio.get_running_loop().create_future())
    return main()
aw = asyncio.run(start())
async def after():
    try:
        await aw
    except asyncio.CancelledError:
        return "ended"
assert asyncio.run(asyncio.wait_for(after(), 60)) == "ended"
"#,
    );
}

#[test]
fn thousands_of_short_loops_leak_nothing() {
    check(
        r#"
import gc, os, weakref
def descriptors(): return len(os.listdir("/proc/self/fd"))
async def main():
    job = probe.Manual()
    asyncio.get_running_loop().call_soon(job.complete_on_thread, 1)
    await job.start()
    loops.append(weakref.ref(asyncio.get_running_loop()))
loops = []
def run(times):
    for _ in range(times):
        asyncio.run(main())
    gc.collect()
run(10)
before = descriptors()
run(1000)
# Other tests run their loops in this process meanwhile.
assert descriptors() < before + 200, (before, descriptors())
assert sum(loop() is not None for loop in loops) < 5
# A loop that was dropped without being closed is not kept alive either.
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
gone = weakref.ref(loop)
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)
    del loop
    gc.collect()
assert gone() is None
"#,
    );
}

#[test]
fn an_interrupt_in_the_middle_of_a_burst_loses_no_wake_up() {
    check(
        r#"
for stop in KeyboardInterrupt, SystemExit:
    loop = asyncio.new_event_loop()
    jobs = [probe.Manual() for _ in range(100)]
    woken = []
    async def wait(n, aw):
        await aw
        woken.append(n)
    def interrupt(aw):
        raise stop("in the middle")
    async def prepare():
        aws = [job.direct() for job in jobs]
        aws[40].add_done_callback(interrupt)
        tasks = [asyncio.create_task(wait(n, aw)) for n, aw in enumerate(aws)]
        aws[40].add_done_callback(interrupt)
        await asyncio.sleep(0)
        aws[50].add_done_callback(interrupt)
        return tasks
    tasks = loop.run_until_complete(prepare())
    probe.complete_all(jobs)
    interrupted = 0
    async def all_done():
        await asyncio.wait(tasks)
    finish = loop.create_task(all_done())
    while not finish.done():
        try:
            loop.run_until_complete(asyncio.wait_for(asyncio.shield(finish), 60))
        except stop as error:
            assert str(error) == "in the middle"
            interrupted += 1
            assert len(woken) < 100
    assert interrupted == 3, interrupted
    assert woken == list(range(100)), woken
    loop.close()
"#,
    );
}

#[test]
fn completion_under_a_lock_that_python_also_takes() {
    check(
        r#"
async def main():
    for _ in range(200):
        await probe.under_lock()
        await probe.poll_under_lock()
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn loops_in_two_threads_do_not_meet() {
    check(
        r#"
import threading
failures = []
def run(start):
    async def one(n):
        return await probe.later(n)
    async def main():
        for round in range(20):
            values = range(start, start + 50)
            assert await asyncio.gather(*[one(n) for n in values]) == list(values)
            assert await ferry.gather(*[probe.later(n) for n in values]) == list(values)
    try:
        asyncio.run(main())
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=run, args=(n * 1000,)) for n in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
"#,
    );
}

#[test]
fn a_loop_that_ends_drops_its_mail_at_once() {
    check(
        r#"
import gc, warnings, weakref
warnings.simplefilter("ignore", ResourceWarning)
class Callback:
    def __call__(self, aw): pass
for how in "closed", "dropped":
    loop = asyncio.new_event_loop()
    job = probe.Manual()
    async def main(): return job.direct()
    aw = loop.run_until_complete(main())
    job.complete(1)
    assert aw.done()
    # No loop runs here, so this is sent to the one that the awaitable was made on.
    callback = Callback()
    gone = weakref.ref(callback)
    aw.add_done_callback(callback)
    del callback
    assert gone() is not None
    if how == "closed": loop.close()
    # No other loop is made from here on.
    else: del loop; gc.collect()
    assert gone() is None, f"there's still mail for a loop that was {how}"
"#,
    );
}
