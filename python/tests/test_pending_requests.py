"""patterns.PendingRequests: answers, late and unknown ones, cancelling at every moment, bounds, threads."""

import asyncio
import threading

import pytest

from asyncferry import testing
from asyncferry.patterns import Answer, Closed, DuplicateRequest, LimitReached, PendingRequests
from conftest import PATIENCE

SEEDS = 100


def on_every_order(main):
    testing.run_seeds(main, seeds=SEEDS)


async def at_once(seconds, turns, function):
    """Calls this after so many seconds and turns of the loop, beside what else happens then."""
    await asyncio.sleep(seconds)
    for _ in range(turns):
        await asyncio.sleep(0)
    return function()


def test_each_request_gets_the_answer_of_its_key():
    async def main():
        requests = PendingRequests()
        asking = {key: asyncio.create_task(requests.request(key, 10)) for key in "abc"}
        await asyncio.sleep(1)
        assert sorted(requests.keys()) == ["a", "b", "c"] and len(requests) == 3
        for key in "cab":
            assert requests.answer(key, key.upper()) is Answer.DELIVERED
            assert requests.answer(key, "again") is Answer.UNKNOWN
        assert [await asking[key] for key in "abc"] == ["A", "B", "C"]
        assert len(requests) == 0 and requests

    on_every_order(main)


def test_an_answer_that_comes_before_the_wait_is_there():
    async def main():
        requests = PendingRequests()
        with requests.register("key") as pending:
            assert requests.answer("key", None) is Answer.DELIVERED
            await asyncio.sleep(100)
            assert await pending.wait(0) is None
            assert await pending.wait(None) is None

    on_every_order(main)


@pytest.mark.parametrize("timeout", [0, 5])
def test_no_answer_in_time(timeout):
    async def main():
        requests = PendingRequests()
        with pytest.raises(TimeoutError, match=f"request 'key' was not answered within {timeout} s"):
            await requests.request("key", timeout)
        assert asyncio.get_running_loop().time() == timeout
        assert requests.answer("key", 1) is Answer.LATE
        assert requests.answer("key", 1) is Answer.LATE
        assert requests.answer("other", 1) is Answer.UNKNOWN
        assert asyncio.current_task().cancelling() == 0

    on_every_order(main)


def test_a_wait_that_timed_out_has_ended_the_request():
    async def main():
        requests = PendingRequests()
        with requests.register("key") as pending:
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    await pending.wait(1)
                assert requests.answer("key", 1) is Answer.LATE
                assert not requests.keys()

    on_every_order(main)


def test_an_answer_at_the_deadline_is_delivered_or_late_and_never_both():
    seen = []

    async def main(turns):
        requests = PendingRequests()

        async def ask():
            try:
                return await requests.request("key", 5)
            except TimeoutError:
                return Answer.LATE

        answering = at_once(5, turns, lambda: requests.answer("key", Answer.DELIVERED))
        got, told = await asyncio.gather(ask(), answering)
        assert got is told
        seen.append(told)

    for turns in range(6):
        on_every_order(lambda: main(turns))
    assert {*seen} == {Answer.LATE, Answer.DELIVERED}


def test_a_request_cancelled_at_any_moment_leaves_nothing():
    seen = set()

    async def main(turns):
        requests = PendingRequests()
        asking = asyncio.create_task(requests.request("key", 5))
        answering = at_once(1, turns, lambda: requests.answer("key", 42))
        cancelling = at_once(1, 2, asking.cancel)
        told, _, _ = await asyncio.gather(answering, cancelling, asking, return_exceptions=True)
        if asking.cancelled():
            # The answer came in the same moment, so it may have been delivered to who was cancelled.
            assert told in (Answer.LATE, Answer.DELIVERED)
        else:
            assert (await asking, told) == (42, Answer.DELIVERED)
        seen.add((asking.cancelled(), told))
        assert len(requests) == 0
        with requests.register("key"):
            pass

    for turns in range(6):
        on_every_order(lambda: main(turns))
    assert seen == {(True, Answer.LATE), (True, Answer.DELIVERED), (False, Answer.DELIVERED)}


def test_a_cancelled_wait_within_the_with_statement_loses_no_answer():
    async def main(turns):
        requests = PendingRequests()
        with requests.register("key") as pending:
            waiting = asyncio.create_task(pending.wait(5))
            answering = at_once(1, turns, lambda: requests.answer("key", 42))
            told, _, _ = await asyncio.gather(answering, at_once(1, 2, waiting.cancel), waiting, return_exceptions=True)
            assert (told, await pending.wait(5)) == (Answer.DELIVERED, 42)

    for turns in range(6):
        on_every_order(lambda: main(turns))


def test_a_failure_is_raised_as_it_was():
    async def main():
        requests = PendingRequests()
        error = KeyError("no such user")
        asking = asyncio.create_task(requests.request("key", 5))
        await asyncio.sleep(1)
        assert requests.fail("key", error) is Answer.DELIVERED
        assert requests.fail("key", error) is Answer.UNKNOWN
        with pytest.raises(KeyError) as caught:
            await asking
        assert caught.value is error

    on_every_order(main)


def test_closing_ends_every_request():
    async def main():
        requests = PendingRequests()
        asking = [asyncio.create_task(requests.request(key, 5)) for key in "ab"]
        await asyncio.sleep(0.1)
        requests.close()
        for key, each in zip("ab", asking, strict=True):
            with pytest.raises(Closed, match=f"request '{key}': the requests were closed before"):
                await each
        with pytest.raises(Closed, match="request 'c': the requests are closed"):
            await requests.request("c", 5)
        assert requests.answer("a", 1) is Answer.LATE

    on_every_order(main)


def test_a_key_can_be_used_once_at_a_time():
    async def main():
        requests = PendingRequests()
        with requests.register("key") as pending:
            with pytest.raises(DuplicateRequest, match="'key' is pending already"):
                await requests.request("key", 5)
            assert requests.answer("key", 1) is Answer.DELIVERED
            with requests.register("key") as second:
                assert requests.answer("key", 2) is Answer.DELIVERED
                assert [await pending.wait(1), await second.wait(1)] == [1, 2]

    on_every_order(main)


def test_a_key_that_gave_up_can_be_used_again():
    async def main():
        requests = PendingRequests()
        with pytest.raises(TimeoutError):
            await requests.request("key", 1)
        with requests.register("key") as pending:
            assert requests.answer("key", 2) is Answer.DELIVERED
            assert await pending.wait(1) == 2
        assert requests.answer("key", 2) is Answer.UNKNOWN

    on_every_order(main)


def test_bounds():
    async def main():
        requests = PendingRequests(limit=2, remember=2)
        with requests.register(1), requests.register(2):
            with pytest.raises(LimitReached, match="request 3: 2 requests are pending"):
                await requests.request(3, 5)
        for key in (1, 2, 3):
            with pytest.raises(TimeoutError):
                await requests.request(key, 1)
        assert [requests.answer(key, 0) for key in (1, 2, 3)] == [Answer.UNKNOWN, Answer.LATE, Answer.LATE]

    on_every_order(main)


def test_a_request_out_of_its_with_statement():
    async def main():
        requests = PendingRequests()
        pending = requests.register("key")
        assert not requests.keys()
        with pytest.raises(RuntimeError, match="not registered yet"):
            await pending.wait(1)
        with pending:
            pass
        with pytest.raises(RuntimeError, match=r"the with statement of register\(\) has ended"):
            await pending.wait(None)
        with pytest.raises(RuntimeError, match="was registered before"), pending:
            pass

    testing.run(main())


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_that_is_none(timeout):
    async def main():
        requests = PendingRequests()
        with pytest.raises(ValueError, match="timeout must be 0 seconds or more"):
            await requests.request("key", timeout)
        assert not requests.keys()

    testing.run(main())


def test_bad_input():
    with pytest.raises(ValueError, match="limit must be 1 or more, not 0"):
        PendingRequests(limit=0)
    with pytest.raises(TypeError, match="remember must be a whole number, not True"):
        PendingRequests(remember=True)
    with pytest.raises(TypeError, match=r"fail\(\) takes an exception, not 'no'"):
        PendingRequests().fail("key", "no")


def test_answers_from_other_threads(run):
    """Many requests on one loop, answered by threads: each has its own answer, whenever that came."""
    requests = PendingRequests()
    keys = range(400)

    def answer(part):
        for key in keys[part::4]:
            while requests.answer(key, key * key) is not Answer.DELIVERED:
                pass

    async def main():
        threads = [threading.Thread(target=answer, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        asking = [asyncio.create_task(requests.request(key, PATIENCE)) for key in keys]
        assert await asyncio.gather(*asking) == [key * key for key in keys]
        for thread in threads:
            await asyncio.to_thread(thread.join)

    run(main)


def test_requests_on_two_loops():
    """One asks on its loop, and the other answers on another."""
    requests = PendingRequests()
    asked = threading.Event()

    async def ask():
        with requests.register("key") as pending:
            asked.set()
            return await pending.wait(PATIENCE)

    async def answer():
        assert requests.answer("key", 42) is Answer.DELIVERED

    def other():
        assert asked.wait(PATIENCE)
        asyncio.run(answer())

    thread = threading.Thread(target=other)
    thread.start()
    assert asyncio.run(ask()) == 42
    thread.join(PATIENCE)
