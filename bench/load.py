"""A small load generator: a thread with keep-alive connections, each with a single request in flight.

Without a rate every connection sends as soon as it is free. With one, each request has its moment and its wait counts
from there, so that a server that stalls cannot hide the requests that could not even be sent.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bench.hooks import make_hooks
from bench.systems import SystemUnderTest

_SELECT_TIMEOUT_S = 0.05
_ANSWER_TIMEOUT_S = 30.0  # seconds without any answer


@dataclass
class Outcome:
    """What the connections saw."""

    began: float = 0.0
    seconds: float = 0.0
    answers: int = 0
    failures: int = 0
    waits: list[float] = field(default_factory=list)  # seconds from a request's moment to its answer

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


def send_hooks(system: SystemUnderTest, per_second: int, seconds: int, connections: int, first: int) -> Outcome:
    """Send hooks at this rate for so many seconds; `first`: the number of the first one, so that none is sent twice."""
    hooks = make_hooks(per_second * seconds, first=first)
    requests = [post(system.paths(hook.event), hook.body) for hook in hooks]
    return send_requests(system.port, requests, connections, rate=per_second)


def send_requests(
    port: int, requests: Iterable[bytes], connections: int, *, rate: float | None = None, seconds: float | None = None
) -> Outcome:
    """Send the requests, each once; stop sending after so many seconds. Returns when all are answered."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in sockets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
        try:
            return _LoadRun(selector, sockets, iter(requests), rate, seconds).run()
        finally:
            for connection in sockets:
                connection.close()


class _LoadRun:
    def __init__(
        self,
        selector: selectors.BaseSelector,
        sockets: list[socket.socket],
        requests: Iterator[bytes],
        rate: float | None,
        seconds: float | None,
    ) -> None:
        self._selector = selector
        self._requests = requests
        self._rate = rate
        self._idle = deque(sockets)
        self._due: dict[socket.socket, float] = {}  # of the connections that wait for an answer
        self._outcome = Outcome(began=time.perf_counter())
        self._end = self._outcome.began + seconds if seconds else float("inf")
        self._sent = 0
        self._more = True

    def run(self) -> Outcome:
        answered_at = time.perf_counter()
        while self._more or self._due:
            self._send()
            for key, _ in self._selector.select(_SELECT_TIMEOUT_S if not self._idle else self._until_next()):
                self._take(key.fileobj)  # type: ignore[arg-type] # only sockets are registered
                answered_at = time.perf_counter()
            if self._due and time.perf_counter() - answered_at > _ANSWER_TIMEOUT_S:
                self._outcome.failures += len(self._due)
                break
        self._outcome.seconds = time.perf_counter() - self._outcome.began
        return self._outcome

    def _send(self) -> None:
        while self._more and self._idle and (due := self._next_due()) <= time.perf_counter():
            request = next(self._requests, None) if due < self._end else None
            if request is None:
                self._more = False
                return
            connection = self._idle.popleft()
            self._due[connection] = due
            self._sent += 1
            connection.sendall(request)

    def _take(self, connection: socket.socket) -> None:
        """Read a response, which is small enough to arrive at once."""
        answer, now = connection.recv(4_096), time.perf_counter()
        wait = now - self._due.pop(connection, now)
        if answer.startswith(b"HTTP/1.1 20"):
            self._outcome.answers += 1
            self._outcome.waits.append(wait)
        else:
            self._outcome.failures += 1
        if answer:
            self._idle.append(connection)
        else:
            self._selector.unregister(connection)

    def _next_due(self) -> float:
        return self._outcome.began + self._sent / self._rate if self._rate else time.perf_counter()

    def _until_next(self) -> float:
        if not self._more:
            return _SELECT_TIMEOUT_S
        return min(_SELECT_TIMEOUT_S, max(0.0, self._next_due() - time.perf_counter()))
