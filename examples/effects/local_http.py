"""A web server on this machine, and a client in a few lines, for the examples: they need no package, and no network."""

import asyncio
import contextlib
import http.server
import json
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /greeting with JSON, /slow after some time, and everything else with 404."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        values = dict(urllib.parse.parse_qsl(query))
        if path == "/greeting":
            self.answer(200, {"hello": values.get("name", "world")})
        elif path == "/slow":
            self.server.is_stopping.wait(float(values.get("seconds", 60)))
            self.answer(200, {"hello": "at last"})
        else:
            self.answer(404, {"error": f"there is nothing at {path}"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *what):
        pass


@contextlib.contextmanager
def server():
    """A server on a free port, on threads of its own; gives its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.is_stopping = threading.Event()
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.is_stopping.set()
            running.shutdown()
            thread.join()


class Session:
    """Fetches pages, as the sessions of HTTP libraries do; close it when you are done."""

    def __init__(self):
        self.writers = []

    async def get(self, url):
        parts = urllib.parse.urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        self.writers.append(writer)
        path = f"{parts.path or '/'}?{parts.query}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        status = int((await reader.readline()).split()[1])
        while (await reader.readline()).strip():
            pass
        return Response(status, reader)

    async def close(self):
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class Response:
    def __init__(self, status, reader):
        self.status, self.reader = status, reader

    async def json(self):
        return json.loads(await self.reader.read())
