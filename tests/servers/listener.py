"""An HTTP server on loopback that remembers what it was asked and always answers the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass
class Listener:
    status: int
    url: str = ""
    requests: list[Request] = field(default_factory=list)


@contextmanager
def listener(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Iterator[Listener]:
    """`status` may be changed while it listens."""
    state = Listener(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = {name.lower(): value for name, value in self.headers.items()}
            read = self.rfile.read(int(given.get("content-length", 0)))
            state.requests.append(Request(self.command, self.path, given, read))
            self.send_response(state.status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: tests look at `requests`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield state
        server.shutdown()
