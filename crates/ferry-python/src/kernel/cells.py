"""The part of Ferry's kernel that is best said in Python: how a cell is compiled, run, and shown."""

import __future__
import __main__
import ast
import asyncio
import collections
import contextvars
import inspect
import io
import linecache
import sys
import traceback

AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
FUTURES = 0
for _name in __future__.all_feature_names:
    FUTURES |= getattr(__future__, _name).compiler_flag

# Sources of this many cells are kept, for the tracebacks of what they defined.
REMEMBERED = 1000

sink = contextvars.ContextVar("ferry_sink", default=None)
remembered = collections.deque()


class Routed(io.TextIOBase):
    """sys.stdout or sys.stderr: what a cell prints goes to the cell, all else where it went before."""

    def __init__(self, stream, original):
        self.stream, self.original = stream, original
        self.buffer = RoutedBytes(self)

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        cell = sink.get()
        if (cell is None or not cell.write(self.stream, text)) and self.original is not None:
            self.original.write(text)
        return len(text)

    def flush(self):
        cell = sink.get()
        if cell is not None:
            cell.flush()
        elif self.original is not None:
            self.original.flush()

    def writable(self):
        return True

    def isatty(self):
        return sink.get() is None and self.original is not None and self.original.isatty()

    def fileno(self):
        if self.original is None:
            raise io.UnsupportedOperation("fileno")
        return self.original.fileno()

    encoding = "utf-8"
    errors = "replace"


class RoutedBytes(io.RawIOBase):
    """The .buffer of a routed stream."""

    def __init__(self, text):
        self.text = text

    def write(self, data):
        data = bytes(data)
        binary = getattr(self.text.original, "buffer", None)
        if sink.get() is None and binary is not None:
            return binary.write(data)
        self.text.write(data.decode("utf-8", "replace"))
        return len(data)

    def flush(self):
        self.text.flush()

    def writable(self):
        return True

    def fileno(self):
        return self.text.fileno()


def new_loop():
    for stream in "stdout", "stderr":
        original = getattr(sys, stream)
        if not isinstance(original, Routed):
            setattr(sys, stream, Routed(stream, original))
    return asyncio.new_event_loop()


def serve(loop):
    """Runs the loop until it's stopped, and closes it as asyncio.run does."""
    stopping = False
    while not stopping:
        try:
            loop.run_forever()
            stopping = True
        except (KeyboardInterrupt, SystemExit):
            # It came out of a task, which has it too: it ends that task, and whoever awaits it, but not the
            # kernel.
            pass
    try:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel("the kernel is shutting down")
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
        for stream in sys.stdout, sys.stderr:
            if stream is not None:
                stream.flush()


def start(source, name, output, finish):
    """Starts a cell's task."""
    task = asyncio.get_running_loop().create_task(run(source, name, output), name=name)
    task.add_done_callback(finish)
    return task


async def run(source, name, output):
    """Runs a cell; gives (kind, value, its representation) or (kind, exception, its line, its traceback)."""
    sink.set(output)
    remember(source, name)
    try:
        body, last = compiled(source, name)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        return "syntax", error, *shown(error, None)
    try:
        value = await executed(body)
        if last is not None:
            value = await executed(last)
        return "done", value, None if value is None else repr(value)
    except asyncio.CancelledError as error:
        return "cancelled", error, *shown(error, name)
    except SystemExit as error:
        return "exit", error, *shown(error, name)
    except BaseException as error:
        return "raised", error, *shown(error, name)


def compiled(source, name):
    """The code of all but the last line, and that of the last one if it's an expression."""
    tree = compile(source, name, "exec", ast.PyCF_ONLY_AST | AWAIT, dont_inherit=True)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    body = compile(tree, name, "exec", AWAIT, dont_inherit=True)
    if last is not None:
        last = compile(last, name, "eval", AWAIT | body.co_flags & FUTURES, dont_inherit=True)
    return body, last


async def executed(code):
    value = eval(code, __main__.__dict__)
    return await value if code.co_flags & inspect.CO_COROUTINE else value


def remember(source, name):
    # An entry without a time is never compared with a file, so it stays.
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    remembered.append(name)
    if len(remembered) > REMEMBERED:
        linecache.cache.pop(remembered.popleft(), None)


def shown(error, name):
    """The error's last line, and its traceback from the first frame of the cell on."""
    frames = error.__traceback__ if name is not None else None
    while frames is not None and frames.tb_frame.f_code.co_filename != name:
        frames = frames.tb_next
    line = traceback.format_exception_only(type(error), error)[-1].rstrip("\n")
    return line, "".join(traceback.format_exception(type(error), error, frames))
