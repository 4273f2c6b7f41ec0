"""Send hooks at a given rate whatever the responses, as a store does; bounded by its connections.

All hooks of a person use the same connection, each after the response to the previous hook: their order is certain.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass

from bench.chaos.hooks import Hook

CONNECTIONS = 16
ANSWER_TIMEOUT_S = 30.0
REFUSED_PAUSE_S = 0.02  # after a refused connection
READ_BYTES = 65_536
SUCCESS = range(200, 300)


@dataclass(slots=True)
class SentHook:
    """A hook and the result of sending it. Times are µs since the epoch."""

    hook: Hook
    sent_at: int = 0
    answered_at: int = 0
    status: int | None = None  # None: no response, so unknown
    retry_after: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it was acknowledged."""
        return self.status in SUCCESS


class _Connection:
    """A keep-alive connection with at most one hook in flight."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.due: deque[SentHook] = deque()
        self.socket: socket.socket | None = None
        self.current: SentHook | None = None
        self.read = b""
        self.rest_until = 0.0

    def idle(self, now: float) -> bool:
        return self.current is None and bool(self.due) and now >= self.rest_until

    def begin(self, request: bytes, sent: SentHook) -> None:
        """Send; raises OSError."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=2)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.current, self.read = sent, b""
        sent.sent_at = _now_us()
        self.socket.sendall(request)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket, self.current = None, None


class HookLoad:
    """Sends hooks to a receiver from its own thread. `send` may be called from any thread."""

    def __init__(self, port: int, path: str, connections: int = CONNECTIONS) -> None:
        self._path = path.rpartition("/")[0]  # a hook URL ends with its event
        self._lines = [_Connection(port) for _ in range(connections)]
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, _Connection] = {}
        self._ending = False
        self.sent: list[SentHook] = []
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def send(self, hook: Hook, line: int | None = None) -> SentHook:
        """Have a hook sent as soon as its connection is free: its person's, unless another is named."""
        sent = SentHook(hook)
        self.sent.append(sent)
        self._lines[(hook.who if line is None else line) % len(self._lines)].due.append(sent)
        return sent

    def waiting(self) -> int:
        """How many hooks have not been sent."""
        return sum(len(line.due) for line in self._lines)

    def finish(self) -> list[SentHook]:
        """Wait until everything has been sent and answered, or was not answered in time."""
        self._ending = True
        self._thread.join()
        self._selector.close()
        return self.sent

    def _run(self) -> None:
        while not self._ending or any(line.due or line.current for line in self._lines):
            self._step()
        for line in self._lines:
            self._drop(line)

    def _step(self) -> None:
        now = time.monotonic()
        for line in self._lines:
            if line.idle(now):
                self._send(line, now)
            elif line.current is not None and _now_us() - line.current.sent_at > ANSWER_TIMEOUT_S * 1_000_000:
                self._drop(line)
        for key, _ in self._selector.select(0.005):
            self._receive(self._watched[key.fd])

    def _send(self, line: _Connection, now: float) -> None:
        sent = line.due.popleft()
        fresh = line.socket is None
        try:
            line.begin(self._request(sent.hook), sent)
        except OSError:
            sent.sent_at = sent.sent_at or _now_us()
            self._drop(line)
            line.rest_until = now + REFUSED_PAUSE_S
            return
        if fresh and line.socket is not None:
            self._selector.register(line.socket, selectors.EVENT_READ)
            self._watched[line.socket.fileno()] = line

    def _receive(self, line: _Connection) -> None:
        data = b""
        if line.socket is not None:
            with contextlib.suppress(OSError):
                data = line.socket.recv(READ_BYTES)
        if not data:
            self._drop(line)
            return
        line.read += data
        head, found, body = line.read.partition(b"\r\n\r\n")
        if line.current is None or not found or len(body) < _length(head):
            return
        sent, line.current = line.current, None
        sent.retry_after = _header(head, b"retry-after")
        sent.status = int(head.split(b" ", 2)[1])
        sent.answered_at = _now_us()

    def _drop(self, line: _Connection) -> None:
        if line.socket is not None and line.socket.fileno() in self._watched:
            del self._watched[line.socket.fileno()]
            self._selector.unregister(line.socket)
        line.close()

    def _request(self, hook: Hook) -> bytes:
        head = f"POST {self._path}/{hook.event} HTTP/1.1\r\nHost: chaos\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(hook.body)}\r\n\r\n".encode() + hook.body


def _header(head: bytes, name: bytes) -> str | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip().decode("latin-1")
    return None


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _now_us() -> int:
    return time.time_ns() // 1000
