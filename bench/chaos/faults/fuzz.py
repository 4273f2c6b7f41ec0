"""Bodies and requests that no store should send: no 5xx, no dead process, and every accepted byte accounted for."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence

from bench.chaos.answers import judged, waits_ms
from bench.chaos.faults.processes import running
from bench.chaos.hooks import Hook
from bench.chaos.load import CONNECTIONS, SUCCESS
from bench.chaos.mutations import mutated
from bench.chaos.odd import ANSWER_SECONDS, asked, odd_requests
from bench.chaos.scene import ONLY_SQLITE, Fault, Scene, now

SERVER_ERROR = 500
SLOW_CONNECTIONS = 200
PATIENCE_MS = 1_000  # for an acknowledgement
FATAL = ("poison", "internal_error")  # why a hook is set aside that killed its reader, or that we cannot read


def bodies(scene: Scene) -> None:
    """Damaged bodies, thousands of them."""
    survive(scene)
    told = []
    for number in range(scene.times(100_000, 400)):
        sound = scene.make(scene.rng.randrange(scene.people))
        hook = Hook(sound.number, sound.who, mutated(scene.rng, sound.body), f"fuzz {number}", ())
        told.append(scene.load.tell(hook))
        while scene.load.waiting() > CONNECTIONS * 4:
            time.sleep(0.005)

    def check() -> None:
        scene.note(f"{len(told)} damaged bodies; dead hooks so far {dict(scene.here.dead_hooks())}")
        if any((one.status or SERVER_ERROR) >= SERVER_ERROR for one in told):
            scene.broke("a damaged body was answered with 5xx or not at all")

    scene.checks.append(check)


def requests(scene: Scene) -> None:
    """Odd requests and two hundred connections that dawdle; the flow beside them goes on."""
    path, began = scene.here.hooks["order_new"], now()
    acknowledged: list[str] = []
    survive(scene, acknowledged)
    slow = [_open(scene) for _ in range(SLOW_CONNECTIONS)]
    for one in slow:
        one.sendall(f"POST {path} HTTP/1.1\r\nHost: chaos\r\nContent-Length: 5000\r\n\r\n".encode() + b"{")
    for _ in range(scene.times(20, 2)):
        acknowledged += ask_oddly(scene, path)
        for one in slow:
            with contextlib.suppress(OSError):
                one.sendall(b" ")
    for one in slow:
        one.close()
    wrong = judged(waits_ms(list(scene.load.told), began, now()), PATIENCE_MS)
    if wrong:
        scene.broke(f"beside slow connections: {wrong}")


def ask_oddly(scene: Scene, path: str) -> list[str]:
    """Every odd request once; those that were acknowledged."""
    acknowledged = []
    for one in odd_requests(path):
        status = asked(scene.here.port, one.request)
        complaint = one.complaint(status)
        if complaint:
            scene.broke(complaint)
        if status in SUCCESS:
            acknowledged.append(one.what)
    return acknowledged


def survive(scene: Scene, beside: Sequence[str] = ()) -> None:
    """In the end nobody has died, and what was acknowledged, to the load and `beside` it, is accounted for."""
    processes, died = running(scene), _fatal(scene)

    def check() -> None:
        accepted = sum(one.accepted for one in scene.load.told) + len(beside)
        accounted = scene.here.accounted() - scene.accounted_before
        if accounted != accepted:
            scene.broke(f"{accepted} hooks accepted, {accounted} accounted for")
        if running(scene) != processes:
            scene.broke("a process died: another runs in its place")
        if _fatal(scene) != died:
            scene.broke(f"{_fatal(scene) - died} hooks were set aside as {' or '.join(FATAL)}")

    scene.checks.append(check)


def _fatal(scene: Scene) -> int:
    dead = scene.here.dead_hooks()
    return sum(dead[reason] for reason in FATAL)


def _open(scene: Scene) -> socket.socket:
    return socket.create_connection(("127.0.0.1", scene.here.port), timeout=ANSWER_SECONDS)


FAULTS = (
    Fault("damaged bodies", bodies, rate=0, databases=ONLY_SQLITE, spoils=True),
    Fault("odd requests", requests, databases=ONLY_SQLITE),
)
