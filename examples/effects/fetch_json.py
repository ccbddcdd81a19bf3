"""A program that awaits an HTTP library, and closes its session whatever happens.

    ferry run examples/effects/fetch_json.py
"""

import asyncio

from asyncferry.effects import Ask, Await, Tell, Try, async_run, do, reader, writer, writer_log
from local_http import Session, server


@do
def fetch_json(path):
    session = Session()
    try:
        url = (yield Ask("server")) + path
        response = yield Await(session.get(url))
        data = yield Await(response.json())
        if response.status != 200:
            raise LookupError(f"{response.status}: {data['error']}")
        yield Tell(f"fetched {path}")
        return data
    finally:
        yield Await(session.close())
        yield Tell("closed the session")


@do
def main():
    greeting = yield fetch_json("/greeting?name=Ferry")
    missing = yield Try(fetch_json("/nowhere"))
    return greeting, missing, (yield writer_log())


if __name__ == "__main__":
    with server() as address:
        greeting, missing, log = asyncio.run(async_run(writer(reader({"server": address})(main()))))
    print(greeting)
    print(missing)
    print(*log, sep="\n")
