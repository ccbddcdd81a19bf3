"""The part of Ferry's kernel that is best said in Python: how a cell is compiled, run, and shown."""

import __future__
import __main__
import ast
import asyncio
import collections
import concurrent.futures
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

# Sources of the last cells are kept, for the tracebacks of what they defined: so many cells, and so many
# characters in all.
REMEMBERED_CELLS = 1000
REMEMBERED_CHARACTERS = 16 << 20

sink = contextvars.ContextVar("ferry_sink", default=None)
steps = contextvars.ContextVar("ferry_steps", default=None)
remembered = collections.deque()
remembered_characters = 0


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
        if (cell is None or not cell.flush()) and self.original is not None:
            self.original.flush()

    def close(self):
        # Other cells print to it too.
        self.flush()

    def writable(self):
        return True

    def isatty(self):
        return sink.get() is None and self.original is not None and self.original.isatty()

    def fileno(self):
        # The process's own: a cell's output has no descriptor.
        if self.original is None:
            raise io.UnsupportedOperation("fileno")
        return self.original.fileno()

    def reconfigure(self, **settings):
        # A cell's output is text, let out by the line, so there is nothing to set.
        if sink.get() is None and hasattr(self.original, "reconfigure"):
            self.original.reconfigure(**settings)

    name = property(lambda self: getattr(self.original, "name", f"<{self.stream}>"))
    encoding = property(lambda self: self.setting("encoding", "utf-8"))
    errors = property(lambda self: self.setting("errors", "replace"))
    newlines = property(lambda self: self.setting("newlines", None))
    line_buffering = property(lambda self: self.setting("line_buffering", True))
    write_through = property(lambda self: self.setting("write_through", False))

    def setting(self, name, in_cell):
        return in_cell if sink.get() is not None else getattr(self.original, name, in_cell)

    def __getattr__(self, name):
        return getattr(self.original, name)


class RoutedBytes(io.BufferedIOBase):
    """The .buffer of a routed stream."""

    def __init__(self, text):
        self.text = text

    def write(self, data):
        data = memoryview(data).tobytes()
        cell = sink.get()
        if cell is None or not cell.write_bytes(self.text.stream, data):
            self.write_outside(data)
        return len(data)

    def write_outside(self, data):
        original = self.text.original
        if hasattr(original, "buffer"):
            original.buffer.write(data)
        elif original is not None:
            original.write(data.decode("utf-8", "replace"))

    def flush(self):
        self.text.flush()

    def close(self):
        self.flush()

    def writable(self):
        return True

    def isatty(self):
        return self.text.isatty()

    def fileno(self):
        return self.text.fileno()

    name = property(lambda self: self.text.name)


class RoutedInput(io.TextIOBase):
    """sys.stdin: at its end for a cell, which would hold the loop while it reads; for all else what it was."""

    def __init__(self, original):
        self.original = original

    def source(self):
        return io.StringIO() if sink.get() is not None or self.original is None else self.original

    def read(self, size=-1):
        return self.source().read(size)

    def readline(self, size=-1):
        return self.source().readline(size)

    def readable(self):
        return True

    def isatty(self):
        return self.source().isatty()

    def fileno(self):
        return self.source().fileno()

    def close(self):
        # Others read from it too.
        pass

    buffer = property(lambda self: getattr(self.source(), "buffer", io.BytesIO()))
    encoding = property(lambda self: getattr(self.original, "encoding", "utf-8"))
    errors = property(lambda self: getattr(self.original, "errors", "strict"))
    newlines = property(lambda self: self.source().newlines)

    def __getattr__(self, name):
        return getattr(self.original, name)


def route_streams():
    for stream in "stdout", "stderr":
        original = getattr(sys, stream)
        if not isinstance(original, Routed):
            setattr(sys, stream, Routed(stream, original))
    if not isinstance(sys.stdin, RoutedInput):
        sys.stdin = RoutedInput(sys.stdin)


class Server:
    """A kernel's loop, and the cells on it."""

    def __init__(self, enter_thread):
        route_streams()
        self.loop = asyncio.new_event_loop()
        take_steps(self.loop)
        # Threads of the pool are marked as the kernel's own: it waits for them when it ends.
        pool = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="asyncio", initializer=enter_thread)
        self.loop.set_default_executor(pool)
        # What to call when a cell ends, by the cell's task.
        self.cells = {}
        self.told_to_stop = False

    def start(self, source, name, output, cell, finish):
        """Starts a cell's task."""
        # Not by the loop's create_task: a task factory that a cell set may fail.
        task = asyncio.Task(run(source, name, output, cell), loop=self.loop, name=name)
        self.cells[task] = finish
        task.add_done_callback(self.end)
        return task

    def end(self, task):
        self.cells.pop(task)(task)

    def stop(self):
        self.told_to_stop = True
        self.loop.stop()

    def serve(self):
        """Runs the loop until the kernel is told to stop, and ends what is on it as asyncio.run does."""
        self.run_until(lambda: self.told_to_stop)
        # As above: no task factory.
        task = asyncio.Task(self.clean_up(), loop=self.loop)
        task.add_done_callback(lambda _: self.loop.stop())
        self.run_until(task.done)

    def close(self):
        """Closes the loop, and settles the cells that are left, which are some only when the loop broke."""
        try:
            self.loop.close()
        finally:
            while self.cells:
                task, finish = self.cells.popitem()
                if task.done():
                    finish(task)
                # Else the cell hears that the kernel is gone, as nothing else refers to `finish`.
                del finish
            for stream in sys.stdout, sys.stderr:
                if stream is not None:
                    stream.flush()

    def run_until(self, is_over):
        # A cell may stop the loop as well, which is no reason to end.
        while not is_over():
            try:
                self.loop.run_forever()
            except (KeyboardInterrupt, SystemExit):
                # It came out of a task, which has it too: it ends that task, and whoever awaits it, but not
                # the kernel.
                pass

    async def clean_up(self):
        tasks = (asyncio.all_tasks() | set(self.cells)) - {asyncio.current_task()}
        for task in tasks:
            task.cancel("the kernel is shutting down")
        if tasks:
            await asyncio.wait(tasks)
        await self.loop.shutdown_asyncgens()
        await self.loop.shutdown_default_executor()


def take_steps(loop):
    """Has the tasks that a cell makes known as the cell's, so that it can be interrupted in them."""
    create_task = loop.create_task

    def create_task_of_cell(coroutine, **options):
        cell = steps.get()
        if cell is not None and inspect.iscoroutine(coroutine):
            coroutine = cell.task(coroutine)
        return create_task(coroutine, **options)

    loop.create_task = create_task_of_cell


async def run(source, name, output, cell):
    """Runs a cell; gives (kind, value, its representation) or (kind, exception, its line, its traceback)."""
    sink.set(output)
    steps.set(cell)
    remember(source, name)
    try:
        codes = compiled(source, name)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        return "syntax", error, *shown(error)
    try:
        value = None
        for code in codes:
            # Whatever is the cell's own code is run by `cell`, and only there it can be interrupted.
            value = cell.call(eval, code, __main__.__dict__)
            if code.co_flags & inspect.CO_COROUTINE:
                value = await cell.top_level(value)
        return "done", value, None if value is None else cell.call(repr, value)
    except asyncio.CancelledError as error:
        return "cancelled", error, *shown(error)
    except SystemExit as error:
        return "exit", error, *shown(error)
    except KeyboardInterrupt as error:
        return "interrupted" if cell.was_interrupted() else "raised", error, *shown(error)
    except BaseException as error:
        return "raised", error, *shown(error)


def compiled(source, name):
    """The code of all but the last line, and that of the last one if it's an expression."""
    tree = compile(source, name, "exec", ast.PyCF_ONLY_AST | AWAIT, dont_inherit=True)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    body = compile(tree, name, "exec", AWAIT, dont_inherit=True)
    if last is None:
        return [body]
    return [body, compile(last, name, "eval", AWAIT | body.co_flags & FUTURES, dont_inherit=True)]


def remember(source, name):
    global remembered_characters
    # The lines that Python counts. An entry without a time is never compared with a file, so it stays.
    linecache.cache[name] = len(source), None, list(io.StringIO(source, None)), name
    remembered.append((name, len(source)))
    remembered_characters += len(source)
    while len(remembered) > REMEMBERED_CELLS or remembered_characters > REMEMBERED_CHARACTERS:
        oldest, characters = remembered.popleft()
        remembered_characters -= characters
        linecache.cache.pop(oldest, None)


def shown(error):
    """The error's last line, and its traceback. The kernel's own frames are removed from it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == run.__code__.co_filename:
        frames = frames.tb_next
    error.__traceback__ = frames
    try:
        told = traceback.TracebackException(type(error), error, frames, compact=True)
        text = "".join(told.format())
        # Its notes come after its line.
        told.__notes__ = None
        return list(told.format_exception_only())[-1].rstrip("\n"), text
    except BaseException:
        # Code of the error's own class has a say in this, and may fail.
        return type(error).__name__, type(error).__name__
