"""Bodies and requests that no store should send: no 5xx, no dead process, and every accepted byte accounted for."""

from __future__ import annotations

import contextlib
import socket
import time

from bench.chaos.hooks import Hook
from bench.chaos.load import CONNECTIONS
from bench.chaos.mutations import mutated
from bench.chaos.scene import ONLY_SQLITE, Fault, Scene

SERVER_ERROR = 500
TOO_LARGE = 10_000_000
SLOW_CONNECTIONS = 200
ANSWER_SECONDS = 60
PATIENCE = 1_000_000  # µs for an acknowledgement


def bodies(scene: Scene) -> None:
    """Damaged bodies, thousands of them."""
    before, starts = scene.here.accounted(), _starts(scene)
    told = []
    for number in range(scene.times(100_000, 400)):
        sound = scene.make(scene.rng.randrange(scene.people))
        hook = Hook(sound.number, sound.who, mutated(scene.rng, sound.body), f"fuzz {number}", ())
        told.append(scene.load.tell(hook))
        while scene.load.waiting() > CONNECTIONS * 4:
            time.sleep(0.005)

    def check() -> None:
        accepted = sum(one.accepted for one in scene.load.told[1:])
        accounted = scene.here.accounted() - before
        scene.note(f"{len(told)} damaged bodies; dead hooks so far {dict(scene.here.dead_hooks())}")
        if any((one.status or SERVER_ERROR) >= SERVER_ERROR for one in told):
            scene.broke("a damaged body was answered with 5xx or not at all")
        if accounted != accepted:
            scene.broke(f"{accepted} hooks accepted, {accounted} accounted for")
        if _starts(scene) != starts:
            scene.broke("a process died")

    scene.checks.append(check)


def requests(scene: Scene) -> None:
    """Odd requests and two hundred connections that dawdle; the flow beside them goes on."""
    path = scene.here.hooks["order_new"]
    slow = [_open(scene) for _ in range(SLOW_CONNECTIONS)]
    for one in slow:
        one.sendall(f"POST {path} HTTP/1.1\r\nHost: chaos\r\nContent-Length: 5000\r\n\r\n".encode() + b"{")
    for _ in range(scene.times(20, 2)):
        for head, body in _odd(path):
            answer = _answer(scene, head.encode("latin-1") + body)
            if answer.startswith(b"HTTP/1.1 5"):
                scene.broke(f"{head.splitlines()[0][:20]} … was answered with {answer[9:12].decode()}")
        for one in slow:
            with contextlib.suppress(OSError):
                one.sendall(b" ")
    for one in slow:
        one.close()
    late = [one for one in list(scene.load.told) if one.accepted and one.answered_at - one.sent_at > PATIENCE]
    if late:
        scene.broke(f"{len(late)} hooks waited more than a second beside slow connections")


def _odd(path: str) -> list[tuple[str, bytes]]:
    end = "Host: chaos\r\nConnection: close\r\n\r\n"
    return [
        (f"GET {path}?id=1&email=a%40example.org HTTP/1.1\r\n{end}", b""),
        (f"GET {path}?{'a' * 6_000} HTTP/1.1\r\n{end}", b""),
        (f"GET {path}?%00%ff&&==& HTTP/1.1\r\n{end}", b""),
        (f"POST {path} HTTP/1.1\r\nContent-Length: -5\r\n{end}", b"{}"),
        (f"POST {path} HTTP/1.1\r\nContent-Length: many\r\n{end}", b"{}"),
        (f"POST {path} HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n{end}", b"{}"),
        (f"POST {path} HTTP/1.1\r\nContent-Length: {TOO_LARGE}\r\n{end}", b"{" * 1_000),
        (f"POST {path} HTTP/1.1\r\nContent-Length: {TOO_LARGE}\r\n{end}", b"{" * TOO_LARGE),
        (f"POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{end}", b"zz\r\n{}\r\n0\r\n\r\n"),
        (f"POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{end}", b"2\r\n{}\r\n0\r\n\r\n"),
        (f"PUT {path} HTTP/1.1\r\nContent-Length: 2\r\n{end}", b"{}"),
        (f"POST {path[:-9]}\xff HTTP/1.1\r\nContent-Length: 2\r\n{end}", b"{}"),
        ("POST /hooks/../../etc HTTP/1.1\r\nContent-Length: 2\r\n" + end, b"{}"),
    ]


def _open(scene: Scene) -> socket.socket:
    return socket.create_connection(("127.0.0.1", scene.here.port), timeout=ANSWER_SECONDS)


def _answer(scene: Scene, request: bytes) -> bytes:
    with _open(scene) as connection, contextlib.suppress(OSError):
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(4_096)
    return b""


def _starts(scene: Scene) -> int:
    return sum(scene.here.keeper[name].starts for name in ("web", "worker", "worker2"))


FAULTS = (
    Fault("damaged bodies", bodies, rate=0, databases=ONLY_SQLITE, spoils=True),
    Fault("odd requests", requests, databases=ONLY_SQLITE),
)
