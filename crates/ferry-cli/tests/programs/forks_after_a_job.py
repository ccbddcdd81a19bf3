"""A child that was forked after the parent's first jobs has jobs of its own, and none of the parent's."""

import asyncio
import os

import asyncferry as ferry


def double(number):
    return 2 * number


async def quadruple(number):
    return 2 * await ferry.submit(double, number)


async def in_child(done, pending, detached):
    assert await ferry.sleep(0.001) is None
    assert await ferry.submit(double, 21) == 42
    assert await ferry.map(quadruple, range(100), limit=5) == [4 * n for n in range(100)]
    assert (await ferry.digest_file(__file__)).content_hash
    assert await done == "done"
    for job in pending:
        try:
            await job
        except RuntimeError as error:
            assert "forked" in str(error), error
        else:
            raise AssertionError(job)
    assert detached.state is ferry.State.FAILED


await ferry.sleep(0)
done = ferry.submit(asyncio.sleep, 0, "done")
await done
pending = [ferry.sleep(600), ferry.submit(asyncio.sleep, 600), ferry.gather(ferry.sleep(600), ferry.sleep(0))]
left = ferry.sleep(600)
detached = ferry.sleep(600).detach()
await ferry.submit(double, 1)
for _ in range(3):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            del left
            asyncio.run(in_child(done, pending, detached))
            assert ferry.submit(double, 4).result() == 8
            assert ferry.submit(quadruple, 4).result() == 16
            status = 7
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
await ferry.sleep(0)
assert not any(job.done() for job in pending)
