"""What examples/digest_tree.py does, on asyncio alone: hashlib's blake2b in a thread pool.

    python digest_tree_asyncio.py FOLDER [IN_FLIGHT]
"""

import asyncio
import hashlib
import os
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass


@dataclass
class Artifact:
    id: str
    content_hash: str
    tags: list


def digest_file(path, tags):
    with open(path, "rb") as file:
        return Artifact(path, hashlib.file_digest(file, "blake2b").hexdigest(), tags)


def files(folder):
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


async def main(folder, in_flight=64):
    loop = asyncio.get_running_loop()
    start, count, size = time.perf_counter(), 0, 0
    with ThreadPoolExecutor() as pool:
        pending = deque()
        walk = files(folder)
        while True:
            while len(pending) < in_flight and (path := next(walk, None)):
                tags = [os.path.splitext(path)[1].lstrip(".") or "file"]
                pending.append((path, loop.run_in_executor(pool, digest_file, path, tags)))
            if not pending:
                break
            path, job = pending.popleft()
            print(await job)
            count += 1
            size += os.path.getsize(path)
    seconds = time.perf_counter() - start
    print(f"{count} files, {size:,} bytes, {seconds:.2f} s, {size / seconds / 1e6:.1f} MB/s")


asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:3])))
