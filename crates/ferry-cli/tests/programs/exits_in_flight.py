"""Ends in the way that it's told, with 200 jobs in flight. Its argument: end, exit, raise or thread."""

import asyncio
import sys
import threading

import asyncferry as ferry

jobs = [ferry.sleep(3600) for _ in range(100)]
tasks = [asyncio.create_task(asyncio.wait_for(ferry.sleep(3600), 7200)) for _ in range(100)]
await asyncio.sleep(0)
# Some complete just now, while the interpreter ends.
racing = [ferry.digest_file(__file__) for _ in range(20)]

match sys.argv[1]:
    case "end":
        pass
    case "exit":
        sys.exit(3)
    case "raise":
        raise ValueError("as asked")
    case "thread":
        threading.Thread(target=lambda: asyncio.run(asyncio.wait_for(ferry.sleep(0.001), 60))).start()
