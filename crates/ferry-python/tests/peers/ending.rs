//! What breaks in peers when something ends: the process, a loop, the runtime, a batch that Ctrl-C interrupts.

use crate::{check, check_alone};

#[test]
fn exit_with_200_in_flight() {
    for round in 0..40 {
        let how = ["return", "exit", "left open", "daemon", "computing daemon", "without a loop"][round % 6];
        check_alone(
            "ending::exit_with_200_in_flight",
            how,
            r#"
import itertools, sys, threading
flying = [probe.Manual() for _ in range(50)]
def computes(): return sum(range(1000))
# Comes back from waiting while Python ends, or would, if that didn't wait for it.
def blocks(): threading.Event().wait(0.02)
async def waits(aw): await aw
events = []
async def cleans_up():
    # What a task waits for is held by others too, or Python's collector may take the task.
    events.append(asyncio.Event())
    try: await events[-1].wait()
    finally:
        # One whose loop is neither run nor closed any more can't.
        if how in ("return", "exit", "without a loop"): await asyncio.sleep(0)
def complete_from_now_on():
    probe.complete_while_python_ends(flying)
async def main():
    global kept
    kept = [job.direct() for job in flying] + [probe.spin() for _ in range(2)]
    kept += [ferry.sleep(n / 1e4) for n in range(50)]
    kept += [ferry.submit(blocks) for _ in range(4)]
    kept += [ferry.submit(computes) for _ in range(45)] + [ferry.submit(cleans_up) for _ in range(49)]
    assert len(kept) == 200
    kept += [asyncio.create_task(waits(aw)) for aw in kept]
    await asyncio.sleep(0)
    if how in ("left open", "daemon", "computing daemon"):
        # asyncio says of each task that it is pending when it is destroyed, as it should.
        kept.append(asyncio.get_running_loop())
        kept[-1].set_exception_handler(lambda loop, context: None)
    complete_from_now_on()
    if how == "exit": sys.exit(0)
    if how == "daemon":
        ready.set()
        await asyncio.Event().wait()
    if how == "computing daemon":
        # Inside of Ferry's code, and never anywhere else.
        async def computes_on():
            ready.set()
            while True: computes()
        await ferry.submit(computes_on)
if how == "left open":
    asyncio.new_event_loop().run_until_complete(main())
elif "daemon" in how:
    # The loop runs on, in a thread that Python does not wait for.
    ready = threading.Event()
    threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
    ready.wait()
elif how == "without a loop":
    kept = [job.direct() for job in flying] + [ferry.sleep(n / 1e4) for n in range(50)]
    kept += [ferry.submit(blocks) for _ in range(4)]
    kept += [ferry.submit(computes) for _ in range(46)] + [ferry.submit(cleans_up) for _ in range(50)]
    complete_from_now_on()
else:
    asyncio.run(main())
"#,
        );
    }
}

#[test]
fn a_loop_closed_with_work_pending() {
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
    check(
        r#"
import gc, io, sys
# Functions that were submitted, and coroutines that Rust awaits.
errors, sys.stderr = sys.stderr, io.StringIO()
try:
    loop = asyncio.new_event_loop()
    problems = []
    loop.set_exception_handler(lambda loop, context: problems.append(context))
    def computes(n): return n
    async def works(n): return await asyncio.sleep(0, n)
    async def main():
        jobs = [ferry.submit(computes, n) for n in range(300)]
        jobs += [probe.later(n) for n in range(300, 600)]
        for job in jobs: job.add_done_callback(problems.append)
        coroutines = [ferry.submit(works, n) for n in range(100)] + [probe.relay(works(n)) for n in range(100)]
        for _ in range(2): await asyncio.sleep(0)
        return jobs, coroutines
    jobs, coroutines = loop.run_until_complete(main())
    called = len(problems)
    loop.close()
    assert [job.result(30) for job in jobs] == list(range(600)), "the results are there nevertheless"
    ended = 0
    for job in coroutines:
        try:
            job.result(30)
            ended += 1
        except asyncio.CancelledError:
            ended += 1
    assert ended == 200, ended
    del jobs, coroutines
    gc.collect()
    assert len(problems) == called, problems[called:]
    assert "Event loop is closed" not in sys.stderr.getvalue(), sys.stderr.getvalue()
finally:
    sys.stderr = errors
"#,
    );
}

#[test]
fn fork_beside_work_in_flight() {
    for how in ["quiet", "busy"] {
        check_alone(
            "ending::fork_beside_work_in_flight",
            how,
            r#"
import os, signal, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, from Python 3.12 on
def double(n): return 2 * n
async def quadruple(n): return 2 * await ferry.submit(double, n)
async def in_child(done, pending):
    assert await probe.later(1) == 1
    assert await ferry.sleep(0.001) is None
    assert await ferry.submit(double, 21) == 42
    assert await ferry.map(quadruple, range(100), limit=5) == [4 * n for n in range(100)]
    assert await ferry.gather(*[probe.later(n) for n in range(100)]) == list(range(100))
    assert await done == "done"
    for job in pending:
        try: await job
        except RuntimeError as error: assert "forked" in str(error), error
        else: assert False, job
def forked(done, pending):
    child = os.fork()
    if child: return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(60)
    status = 1
    try:
        asyncio.run(in_child(done, pending))
        assert ferry.submit(double, 4).result() == 8
        assert ferry.submit(quadruple, 4).result() == 16
        status = 7
    finally:
        os._exit(status)
async def main():
    done = probe.later("done")
    await done
    assert await asyncio.to_thread(lambda: ferry.submit(quadruple, 1).result()) == 4
    job = probe.Manual()
    pending = [job.start(), ferry.sleep(600), ferry.submit(asyncio.sleep, 600), ferry.gather(ferry.sleep(600))]
    for _ in range(10):
        # All of the parent's threads are at work, with whatever locks they take, in the moment of the fork.
        traffic = []
        if how == "busy":
            traffic = [probe.later(n) for n in range(200)] + [ferry.submit(double, n) for n in range(200)]
        assert forked(done, pending) == 7
        await ferry.gather(*traffic)
    assert not any(each.done() for each in pending)
    job.complete(5)
    assert await pending[0] == 5
asyncio.run(asyncio.wait_for(main(), 100))
"#,
        );
    }
}

#[test]
fn a_runtime_dropped_with_the_gil_held() {
    check(
        r#"
async def main():
    loops = 0
    for _ in range(20):
        # A loop of Rust ends on this thread, which has the GIL, and with it the runtime of its own. A thread of that
        # runtime waits for the GIL, and so do the destructors of the tasks that are left.
        loops += probe.run_a_loop_with_the_gil()
    assert loops == 20
    while probe.took_the_gil() < 40: await asyncio.sleep(0)
    # Futures whose destructors take the GIL are cancelled, dropped and abandoned while this thread has it.
    jobs = [probe.takes_the_gil_when_dropped() for _ in range(30)]
    for job in jobs[:10]: assert job.cancel()
    task = asyncio.create_task(asyncio.wait_for(ferry.gather(*jobs[10:20]), 0.001))
    await asyncio.wait([task])
    assert isinstance(task.exception(), TimeoutError)
    del jobs, job, task
    while probe.took_the_gil() < 70: await asyncio.sleep(0)
asyncio.run(asyncio.wait_for(main(), 60))
"#,
    );
}

#[test]
fn exit_with_destructors_that_take_the_gil() {
    check_alone(
        "ending::exit_with_destructors_that_take_the_gil",
        "",
        r#"
async def main():
    global kept
    kept = [probe.takes_the_gil_when_dropped() for _ in range(200)]
    ferry.submit(asyncio.sleep, 0).detach()
    probe.takes_the_gil_when_dropped().detach()
    await asyncio.sleep(0)
asyncio.run(main())
"#,
    );
}

#[test]
fn ctrl_c_in_the_middle_of_a_batch_and_its_wake_ups() {
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
fn ctrl_c_in_the_middle_of_a_batch_and_its_work() {
    for how in ["from this thread", "from another"] {
        check_alone(
            "ending::ctrl_c_in_the_middle_of_a_batch_and_its_work",
            how,
            r#"
import signal, threading
def interrupt():
    if how == "from this thread": return signal.raise_signal(signal.SIGINT)
    thread = threading.Thread(target=signal.pthread_kill, args=(threading.main_thread().ident, signal.SIGINT))
    thread.start()
    return thread
def computes(n): return n
async def works():
    try: await asyncio.Event().wait()
    finally: cleaned_up.append(1)
cleaned_up, ended = [], []
manuals = [probe.Manual() for _ in range(1000)]
async def main():
    jobs = [manual.start() for manual in manuals]
    global submitted
    submitted = [ferry.submit(computes, n) for n in range(200)]
    coroutines = [ferry.submit(works) for _ in range(200)]
    async def wait(n, job): ended.append((n, await job))
    async with asyncio.TaskGroup() as group:
        for n, job in enumerate(jobs): group.create_task(wait(n, job))
        for job in coroutines: group.create_task(wait("never", job))
        await asyncio.sleep(0)
        jobs[250].add_done_callback(lambda _: interrupt())
        probe.complete_all(manuals[:500])
        await asyncio.Event().wait()
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
else:
    assert False, "the batch went on"
assert len(cleaned_up) == 200, "coroutines were told to stop, and could clean up"
assert all(manual.stopped() for manual in manuals), "Rust futures go on"
assert {number for number, value in ended if number == value} == {number for number, _ in ended} <= set(range(500))
# Nothing is stuck: what ran on threads has its results, and the next batch is whole.
assert [job.result(30) for job in submitted] == list(range(200))
async def again():
    batch = [probe.later(n) for n in range(500)] + [ferry.submit(computes, n) for n in range(500, 1000)]
    assert await ferry.gather(*batch) == list(range(1000))
asyncio.run(asyncio.wait_for(again(), 60))
"#,
        );
    }
}
