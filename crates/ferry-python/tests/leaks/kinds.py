"""Kinds of jobs: each is a function that has `number` jobs end with `outcome`; see `main.rs`."""

import concurrent.futures


async def outcome_of(job):
    try:
        await job
    except asyncio.CancelledError:
        return "cancelled"
    except Exception:
        return "failed"
    finally:
        # An exception has this frame in its traceback, and a failed job has the exception: a ring, if the frame had
        # the job. It's the same with asyncio's futures.
        del job
    return "done"


async def all_end(jobs, outcome, act=lambda: None):
    """Has a task wait for each of the jobs, calls `act`, and sees that all end with `outcome`."""
    tasks = [asyncio.create_task(outcome_of(job)) for job in jobs]
    await asyncio.sleep(0)
    act()
    outcomes = [await task for task in tasks]
    assert outcomes == [outcome] * len(jobs), (outcome, outcomes)


def pending(number):
    """Jobs that wait for what another thread does, and that."""
    manuals = [probe.Manual() for _ in range(number)]
    return manuals, [manual.start() for manual in manuals]


async def ready(outcome, number):
    make = {
        "done": lambda: probe.ready(1),
        "failed": lambda: probe.fail_with(ValueError("as it should"), "bare"),
        "cancelled": lambda: probe.fail_with(asyncio.CancelledError("as it should"), "bare"),
        "dropped": lambda: probe.ready(1),
    }[outcome]
    jobs = [make() for _ in range(number)]
    if outcome != "dropped":
        await all_end(jobs, outcome)


async def from_a_thread(outcome, number):
    manuals, jobs = pending(number)
    match outcome:
        case "done" | "failed":
            await all_end(jobs, outcome, lambda: probe.settle_all(manuals, outcome))
        case "cancelled":
            half = number // 2
            await all_end(jobs[:half], outcome, lambda: probe.settle_all(manuals[:half], outcome))
            await all_end(jobs[half:], outcome, lambda: [job.cancel() for job in jobs[half:]])
        case "dropped":
            # While those who could settle them are still there.
            jobs.clear()
            async with asyncio.timeout(30):
                while probe.living():
                    await asyncio.sleep(0)


def fails(*arguments):
    raise ValueError("as it should")


def does(*arguments):
    return arguments


async def plain(outcome, number):
    function = fails if outcome == "failed" else does
    jobs = [ferry.submit(function, each) for each in range(number)]
    match outcome:
        case "done" | "failed":
            await all_end(jobs, outcome)
        case "cancelled":
            # Some have ended already, and can't be cancelled any more.
            jobs = [job for job in jobs if job.cancel()]
            await all_end(jobs, outcome)


async def coroutine(outcome, number):
    async def works(each):
        await asyncio.sleep(0)
        if outcome == "failed":
            raise ValueError("as it should")
        if outcome in ("cancelled", "dropped"):
            await asyncio.Event().wait()
        return each

    jobs = [ferry.submit(works, each) for each in range(number)]
    half = number // 2
    match outcome:
        case "done" | "failed":
            await all_end(jobs, outcome)
        case "cancelled":
            # Some before they begin, some in the middle.
            await all_end(jobs[:half], outcome, lambda: [job.cancel() for job in jobs[:half]])
            for job in jobs[half:]:
                job.cancel("before anybody awaits it")
            await all_end(jobs[half:], outcome)
        case "dropped":
            del jobs[:half]
            await asyncio.sleep(0)
            await asyncio.sleep(0)


async def by_name(outcome, number):
    names = {"done": "probe.later", "failed": "probe.fail_with"}
    jobs = []
    for each in range(number):
        arguments = {"done": (each,), "failed": (ValueError("as it should"), "bare")}.get(outcome, ())
        jobs.append(ferry.submit(names.get(outcome, "probe.never"), *arguments))
    match outcome:
        case "done" | "failed":
            await all_end(jobs, outcome)
        case "cancelled":
            await all_end(jobs, outcome, lambda: [job.cancel() for job in jobs])


for name in "later", "fail_with", "never":
    probe.register(f"probe.{name}", getattr(probe, name))


async def relayed(outcome, number):
    async def works():
        await asyncio.sleep(0)
        if outcome == "failed":
            raise ValueError("as it should")
        if outcome in ("cancelled", "dropped"):
            await asyncio.Event().wait()

    jobs = [probe.relay(works()) for _ in range(number)]
    match outcome:
        case "done" | "failed":
            await all_end(jobs, outcome)
        case "cancelled":
            await all_end(jobs, outcome, lambda: [job.cancel() for job in jobs])
        case "dropped":
            await asyncio.sleep(0)


async def members(outcome, number, wait_for):
    """Groups of ten, of which most wait for other threads, one for Python, and one is done."""
    for _ in range(number // 10):
        manuals, jobs = pending(8)
        aws = [*jobs, asyncio.create_task(asyncio.sleep(0)), probe.ready(1)]
        await wait_for(outcome, manuals, aws)


async def gathered(outcome, number):
    async def wait_for(outcome, manuals, aws):
        job = ferry.gather(*aws)
        match outcome:
            case "done" | "failed":
                await all_end([job], outcome, lambda: probe.settle_all(manuals, outcome))
            case "cancelled":
                await all_end([job], outcome, job.cancel)
        await asyncio.wait([aws[-2]])

    await members(outcome, number, wait_for)


async def waited(outcome, number):
    async def wait_for(outcome, manuals, aws):
        job = ferry.wait(aws, timeout=0.0001 if outcome == "failed" else None)
        match outcome:
            case "done":
                await all_end([job], outcome, lambda: probe.settle_all(manuals, outcome))
            case "failed":
                # It can't fail, but its time can be over.
                await all_end([job], "done")
            case "cancelled":
                await all_end([job], outcome, job.cancel)
        await asyncio.wait([aws[-2]])

    await members(outcome, number, wait_for)


async def raced(outcome, number):
    async def wait_for(outcome, manuals, aws):
        job = ferry.race(*aws[:-2])
        match outcome:
            case "done" | "failed":
                await all_end([job], outcome, lambda: probe.settle_all(manuals, outcome))
            case "cancelled":
                await all_end([job], outcome, job.cancel)
        await asyncio.wait([aws[-2]])

    await members(outcome, number, wait_for)


async def as_completed(outcome, number):
    async def wait_for(outcome, manuals, aws):
        readers = list(ferry.as_completed(aws))
        match outcome:
            case "done":
                await all_end(readers, outcome, lambda: probe.settle_all(manuals, outcome))
            case "failed":
                probe.settle_all(manuals, outcome)
                # Each in a task, as an exception's traceback may have the frame of who awaits, and that the readers.
                tasks = [asyncio.create_task(outcome_of(reader)) for reader in readers]
                assert sorted([await task for task in tasks]) == ["done"] * 2 + ["failed"] * 8
            case "cancelled":
                await all_end(readers[2:], outcome, lambda: [reader.cancel() for reader in readers[2:]])
            case "dropped":
                async for _ in ferry.as_completed(aws):
                    break
        await asyncio.wait([aws[-2]])

    await members(outcome, number, wait_for)


async def mapped(outcome, number):
    for _ in range(number // 10):
        job = ferry.map(fails if outcome == "failed" else does, range(10), limit=4)
        match outcome:
            case "done" | "failed":
                await all_end([job], outcome)
            case "cancelled":
                await all_end([job], outcome, job.cancel)
            case "dropped":
                await asyncio.sleep(0)


async def chained(outcome, number):
    function = fails if outcome == "failed" else does
    manuals, jobs = pending(number)
    chains = [job.then(function).catch(fails).finally_(does) for job in jobs]
    match outcome:
        case "done":
            await all_end(chains, outcome, lambda: probe.settle_all(manuals, "done"))
        case "failed":
            # From the first link on, or in it.
            half = number // 2
            probe.settle_all(manuals[:half], "failed")
            await all_end(chains, outcome, lambda: probe.settle_all(manuals[half:], "done"))
        case "cancelled":
            await all_end(chains, outcome, lambda: [chain.cancel() for chain in chains])
        case "dropped":
            await asyncio.sleep(0)


async def progress(outcome, number):
    def reports():
        for step in range(5):
            ferry.report_progress([step])
        if outcome == "failed":
            raise ValueError("as it should")

    async def read(job):
        steps = [step async for step in job.progress()]
        assert outcome == "cancelled" or len(steps) == 5, steps

    jobs = [ferry.submit(reports) for _ in range(number)]
    readers = [asyncio.create_task(read(job)) for job in jobs]
    match outcome:
        case "done" | "failed":
            await all_end(jobs, outcome)
        case "cancelled":
            for job in jobs:
                job.cancel()
        case "dropped":
            await asyncio.sleep(0)
            for reader in readers:
                reader.cancel()
            del jobs
    await asyncio.wait(readers)
    for reader in readers:
        reader.cancelled() or reader.result()


async def detached(outcome, number):
    manuals = [probe.Manual() for _ in range(number)]
    for manual in manuals:
        manual.start().detach()
    # What is dropped here is the promise, which cancels those who wait for it.
    if outcome != "dropped":
        probe.settle_all(manuals, outcome)


async def timed(outcome, number):
    jobs = [ferry.sleep(0.001 if outcome == "done" else 600) for _ in range(number)]
    match outcome:
        case "done":
            await all_end(jobs, outcome)
        case "failed":
            # asyncio's timeout strikes while a timer of Rust runs.
            for job in jobs:
                try:
                    async with asyncio.timeout(0):
                        await job
                except TimeoutError:
                    pass
        case "cancelled":
            await all_end(jobs, outcome, lambda: [job.cancel() for job in jobs])


without_loop = concurrent.futures.ThreadPoolExecutor(1)


async def blocking(outcome, number):
    def waits():
        for _ in range(number):
            job = ferry.submit(fails if outcome == "failed" else does)
            if outcome == "cancelled":
                job.cancel()
            if outcome == "dropped":
                continue
            try:
                job.result()
            except (ValueError, asyncio.CancelledError):
                del job

    await asyncio.get_running_loop().run_in_executor(without_loop, waits)


# Each of these is made of ten jobs.
OF_TEN = gathered, waited, raced, as_completed, mapped
