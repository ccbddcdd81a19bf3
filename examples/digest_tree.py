"""Hashes every file below a folder: the walking is Python, the hashing a Rust job (BLAKE3).

    ferry run examples/digest_tree.py FOLDER [IN_FLIGHT]

At most IN_FLIGHT files (64 unless you say otherwise) are out at once. Prints one Artifact a file, in the order
of the walk, then the total and the throughput. Links and special files are left out; what could not be read is
told at the end, on stderr, and makes the exit code 1.
"""

import os
import stat
import sys
import time
from collections import deque
from itertools import islice

import asyncferry as ferry


def arguments():
    match sys.argv[1:]:
        case [folder, *_] if not os.path.isdir(folder):
            problem = f"there is no folder {folder!r}"
        case [folder]:
            return folder, 64
        case [folder, number] if number.isdecimal() and int(number) > 0:
            return folder, int(number)
        case _:
            problem = "name a folder and, if you like, how many files may be out at once"
    print(f"digest_tree.py: {problem}. Usage: digest_tree.py FOLDER [IN_FLIGHT]", file=sys.stderr)
    sys.exit(2)


def files(folder, problems):
    """Every regular file below `folder` with its size, in a fixed order. Links and the like are left out."""
    for parent, folders, names in os.walk(folder, onerror=problems.append):
        folders.sort()
        for path in (os.path.join(parent, name) for name in sorted(names)):
            try:
                status = os.lstat(path)
            except OSError as error:
                problems.append(error)
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, status.st_size


class Output:
    """Lines on stdout, and below them a progress bar on stderr if that is a terminal."""

    def __init__(self, total):
        self.total, self.done, self.lines = total, 0, []
        self.start = self.shown = time.perf_counter()
        self.has_bar = sys.stderr.isatty()

    def add(self, size, *lines):
        self.done += size
        self.lines += lines
        # Lines come in batches, so that the bar seldom has to make way for them.
        if time.perf_counter() - self.shown > 0.05:
            self.show()
            self.draw_bar()

    def show(self):
        self.shown = time.perf_counter()
        if self.has_bar:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        if self.lines:
            print(*self.lines, sep="\n", flush=True)
        self.lines.clear()

    def draw_bar(self):
        if self.has_bar:
            part = self.done / self.total if self.total else 1.0
            speed = self.done / 1e6 / (self.shown - self.start)
            width = max(os.get_terminal_size(sys.stderr.fileno()).columns - 24, 0)
            bar = f"[{'#' * int(part * width):<{width}}] {part:4.0%} {speed:,.0f} MB/s"
            print(bar, end="", file=sys.stderr, flush=True)


folder, in_flight = arguments()
problems = []
found = list(files(folder, problems))
output = Output(sum(size for _, size in found))
waiting, jobs = iter(found), deque()
count = total = 0

try:
    while True:
        for path, size in islice(waiting, in_flight - len(jobs)):
            suffix = os.path.splitext(path)[1].lstrip(".")
            jobs.append((size, ferry.digest_file(path, tags=[suffix] if suffix else [])))
        if not jobs:
            break
        size, job = jobs.popleft()
        try:
            artifact = await job
        except OSError as error:
            problems.append(error)
            output.add(size)
        else:
            count, total = count + 1, total + size
            output.add(size, artifact)
finally:
    output.show()

seconds = time.perf_counter() - output.start
print(f"{count:,} files, {total:,} bytes, {seconds:.2f} s, {total / seconds / 1e6:,.1f} MB/s")
for problem in problems:
    print(f"not hashed: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
