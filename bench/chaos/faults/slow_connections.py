"""Thousands of connections that send half of a request, without any token: hooks are answered as if there were none."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

from bench.chaos.answer_times import judge_waits
from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun
from bench.chaos.faults.fuzz import check_survival
from bench.chaos.load import SUCCESS
from bench.chaos.odd_requests import send_raw

MAX_WAIT_MS = 3_000  # for a hook over a new connection: a third of the timeout for slow connections
PAUSE_S = 0.01  # seconds between two such hooks
OTHER_FILES = 500  # of this process, besides the connections
PARTIAL_REQUESTS = (
    b"POST /login HTTP/1.1\r\nHost: chaos\r\nX-Half: a he",
    b"POST /login HTTP/1.1\r\nHost: chaos\r\nContent-Length: 500\r\n\r\nhalf=a+bo",
)


class SlowConnections:
    """Many connections, each with half a request; a connection that the server closes is opened again."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._halves = cycle(PARTIAL_REQUESTS)
        self._selector = selectors.DefaultSelector()
        self._open_ones: dict[int, socket.socket] = {}
        self._ending = threading.Event()
        self.ended = 0  # by the server
        for _ in range(number):
            self._open()
        self._thread = threading.Thread(target=self._run, name="dawdlers", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Close all of them."""
        self._ending.set()
        self._thread.join()
        for connection in list(self._open_ones.values()):
            self._close(connection)
        self._selector.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            for key, _ in self._selector.select(0.1):
                self._close(self._open_ones[key.fd])
                self.ended += 1
                self._open()

    def _open(self) -> None:
        with contextlib.suppress(OSError):  # refused: only the other hooks are judged
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            self._open_ones[connection.fileno()] = connection
            self._selector.register(connection, selectors.EVENT_READ)
            connection.sendall(next(self._halves))

    def _close(self, connection: socket.socket) -> None:
        del self._open_ones[connection.fileno()]
        self._selector.unregister(connection)
        connection.close()


@contextmanager
def open_slow_connections(port: int, number: int) -> Iterator[SlowConnections]:
    """So many of them while the block runs. Raises ValueError if this process may not open as many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number + OTHER_FILES:
        raise ValueError(f"the hard limit of open files is {hard}: too low for {number} connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number + OTHER_FILES), hard))
    dawdlers = SlowConnections(port, number)
    try:
        yield dawdlers
    finally:
        dawdlers.end()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connections(scene: FaultRun) -> None:
    """Hooks over new connections, before and beside the slow connections; the other hooks continue."""
    acknowledged: list[str] = []
    check_survival(scene, acknowledged)
    number, seconds = scene.times(5_000, 1_500), scene.seconds(30, 4)
    before = _waits_ms(scene, acknowledged, until=_after(seconds / 2))
    try:
        with open_slow_connections(scene.here.port, number) as dawdlers:
            beside = _waits_ms(scene, acknowledged, until=_after(seconds))
            ended = dawdlers.ended
    except ValueError as error:
        scene.skip(str(error))
        return
    was, became = _p99(before), _p99(beside)
    scene.note(f"p99 over a new connection: {became:.0f} ms beside {number} that dawdle, {was:.0f} before")
    scene.note(f"{became / was:.1f} times as long; {len(beside)} hooks; web ended {ended} of the {number} and more")
    wrong = judge_waits(beside, MAX_WAIT_MS, share=0.01)
    if wrong:
        scene.add_failure(f"beside {number} connections that dawdle: {wrong}")


def _waits_ms(scene: FaultRun, acknowledged: list[str], until: Callable[[], bool]) -> list[float]:
    """The wait of each hook for its response, in sequence, each over its own connection."""
    waits = []
    while not until():
        hook = scene.make(scene.rng.randrange(scene.people))
        head = f"POST {scene.here.hooks[hook.event]} HTTP/1.1\r\nHost: chaos\r\nConnection: close\r\n"
        request = f"{head}Content-Length: {len(hook.body)}\r\n\r\n".encode() + hook.body
        began = time.monotonic()
        status = _status(scene.here.port, request)
        waits.append((time.monotonic() - began) * 1_000)
        if status in SUCCESS:
            acknowledged.append(hook.subject)
        else:
            scene.add_failure(f"a hook over a new connection was answered with {status or 'nothing'}")
        time.sleep(PAUSE_S)
    return waits


def _status(port: int, request: bytes) -> int | None:
    with contextlib.suppress(OSError):
        return send_raw(port, request)
    return None


def _after(seconds: float) -> Callable[[], bool]:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() >= ends


def _p99(waits: list[float]) -> float:
    return sorted(waits)[len(waits) * 99 // 100]


FAULTS = (Fault("dawdling connections", connections, rate=50, databases=ONLY_SQLITE),)
