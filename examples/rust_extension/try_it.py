"""Uses all that word_counts has, and checks what it shows. README.md says how to build and run it."""

import asyncio
import contextvars
import socket

import asyncferry as ferry
import word_counts

PAGES = {"fox": "The quick brown fox.", "dog": "The lazy dog, the end."}

user = contextvars.ContextVar("user")


class Server:
    """Serves PAGES to whoever sends the name of one; it never answers those who ask for something else."""

    def __init__(self):
        self.was_asked = asyncio.Event()
        self.was_left = asyncio.Event()

    async def answer(self, reader, writer):
        name = (await reader.readline()).decode().strip()
        self.was_asked.set()
        if name in PAGES:
            writer.write(PAGES[name].encode())
        else:
            await reader.read()  # until the client hangs up
            self.was_left.set()
        writer.close()


async def fetches_pages(address):
    fox, dog = await asyncio.gather(*(word_counts.fetch(address, name) for name in PAGES))
    assert (fox, dog) == tuple(PAGES.values())
    print("fetched two pages at once:", fox, dog)

    job = word_counts.fetch(address, "fox")
    assert await job == await job == job.result() == fox
    print("a job may be awaited twice:", job)


async def stops_what_is_cancelled(address, server):
    server.was_asked.clear()
    task = asyncio.create_task(word_counts.fetch(address, "what never comes"))
    await server.was_asked.wait()
    task.cancel("we have waited enough")
    try:
        await task
    except asyncio.CancelledError as cancelled:
        print("the fetch was cancelled:", cancelled)
    await server.was_left.wait()
    print("and Rust has hung up")


async def shows_the_cause_of_an_error():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    try:
        await word_counts.fetch(address, "fox")
    except word_counts.FerryError as error:
        assert str(error) == f"the page 'fox' could not be had from {address}"
        assert "refused" in str(error.__cause__)
        assert isinstance(error, ferry.FerryError), "it's one of the package's as well"
        print("an error:", error)
        print("its cause:", error.__cause__)
    else:
        raise AssertionError("nobody listens there")


async def counts_in_the_background():
    assert await word_counts.count(["To be, or not", "to be"]) == {"be": 2, "not": 1, "or": 1, "to": 2}

    texts = ["so many words " * 2_000] * 2_000
    before = word_counts.counted()
    job = word_counts.count(texts)
    while word_counts.counted() == before:
        await asyncio.sleep(0)
    job.cancel()
    # The text that is being counted is counted to its end; then the work ends.
    seen = None
    while seen != (seen := word_counts.counted()):
        await asyncio.sleep(0.1)
    assert seen - before < len(texts)
    print(f"cancelled work stopped after {seen - before} of {len(texts)} texts")


async def calls_back():
    async def load(name):
        assert user.get() == "Ada"
        await asyncio.sleep(0)
        return PAGES[name]

    user.set("Ada")
    counts = await word_counts.count_all(load, list(PAGES))
    assert counts == {"brown": 1, "dog": 1, "end": 1, "fox": 1, "lazy": 1, "quick": 1, "the": 3}
    print("Rust awaited Python:", counts)

    gone = LookupError("there is no such page")
    were_cancelled = []

    async def fail_at_the_first(name):
        if name == "first":
            raise gone
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            were_cancelled.append(name)
            raise

    try:
        await word_counts.count_all(fail_at_the_first, ["first", "second", "third"])
    except LookupError as error:
        assert error is gone
    while len(were_cancelled) < 2:
        await asyncio.sleep(0)
    print("an exception came through Rust as the same object, and the others were cancelled:", were_cancelled)


async def main():
    server = Server()
    async with await asyncio.start_server(server.answer, "127.0.0.1") as listening:
        address = "127.0.0.1:{}".format(listening.sockets[0].getsockname()[1])
        await fetches_pages(address)
        await stops_what_is_cancelled(address, server)
    await shows_the_cause_of_an_error()
    await counts_in_the_background()
    await calls_back()
    assert await ferry.submit("count_words", ["one", "One"]) == {"one": 2}


asyncio.run(main())
# A job needs no event loop: where none runs, result() waits.
assert ferry.submit("count_words", ["by its name"]).result(timeout=60) == {"by": 1, "its": 1, "name": 1}
print("submit found the function by its name, with and without an event loop")
