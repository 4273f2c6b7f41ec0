"""A small load generator: one thread, keep-alive connections, each with one request under way."""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What the connections saw."""

    seconds: float
    answers: int = 0
    failures: int = 0
    waits: list[float] = field(default_factory=list)  # seconds from request to answer

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    def wait(self, share: float) -> float:
        """The wait that this share of the requests did not exceed, in ms."""
        return sorted(self.waits)[int(share * (len(self.waits) - 1))] * 1_000 if self.waits else 0.0


def post(path: str, body: bytes) -> bytes:
    """The bytes of a request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def press(port: int, request: bytes, connections: int, seconds: float) -> Outcome:
    """Send the request over and over on that many connections."""
    outcome = Outcome(seconds)
    with selectors.DefaultSelector() as selector:
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        sent = dict.fromkeys(sockets, 0.0)
        for connection in sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
            sent[connection] = time.perf_counter()
            connection.sendall(request)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for key, _ in selector.select(0.1):
                _next(key.fileobj, request, sent, outcome)  # type: ignore[arg-type] # only sockets are registered
        for connection in sockets:
            connection.close()
    return outcome


def _next(connection: socket.socket, request: bytes, sent: dict[socket.socket, float], outcome: Outcome) -> None:
    """Take an answer, which is small enough to come in one piece, and send the next request."""
    answer = connection.recv(4_096)
    now = time.perf_counter()
    if answer.startswith(b"HTTP/1.1 20"):
        outcome.answers += 1
        outcome.waits.append(now - sent[connection])
    else:
        outcome.failures += 1
    sent[connection] = now
    connection.sendall(request)
