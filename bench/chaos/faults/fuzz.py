"""Bodies and requests that no store should send: no 5xx, no dead process, and every accepted byte accounted for."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence

from bench.chaos.answer_times import get_waits_ms, judge_waits
from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun, now_us
from bench.chaos.faults.processes import list_processes
from bench.chaos.hooks import Hook
from bench.chaos.load import CONNECTIONS, SUCCESS
from bench.chaos.mutations import mutate
from bench.chaos.odd_requests import ANSWER_TIMEOUT_S, odd_requests, send_raw

SERVER_ERROR = 500
SLOW_CONNECTIONS = 200
MAX_WAIT_MS = 1_000  # for an acknowledgement
FATAL = ("poison", "internal_error")  # why a hook is set aside that killed its reader, or that we cannot read


def bodies(scene: FaultRun) -> None:
    """Damaged bodies, thousands of them."""
    check_survival(scene)
    sent = []
    for number in range(scene.times(100_000, 400)):
        sound = scene.make(scene.rng.randrange(scene.people))
        hook = Hook(sound.number, sound.who, mutate(scene.rng, sound.body), f"fuzz {number}", ())
        sent.append(scene.load.send(hook))
        while scene.load.waiting() > CONNECTIONS * 4:
            time.sleep(0.005)

    def check() -> None:
        scene.note(f"{len(sent)} damaged bodies; dead hooks so far {dict(scene.here.dead_hooks())}")
        if any((hook.status or SERVER_ERROR) >= SERVER_ERROR for hook in sent):
            scene.add_failure("a damaged body was answered with 5xx or not at all")

    scene.checks.append(check)


def requests(scene: FaultRun) -> None:
    """Odd requests and two hundred slow connections; the other hooks are not affected."""
    path, began = scene.here.hooks["order_new"], now_us()
    acknowledged: list[str] = []
    check_survival(scene, acknowledged)
    slow = [_open_slow_connections(scene) for _ in range(SLOW_CONNECTIONS)]
    for connection in slow:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: chaos\r\nContent-Length: 5000\r\n\r\n".encode() + b"{")
    for _ in range(scene.times(20, 2)):
        acknowledged += send_odd_requests(scene, path)
        for connection in slow:
            with contextlib.suppress(OSError):
                connection.sendall(b" ")
    for connection in slow:
        connection.close()
    wrong = judge_waits(get_waits_ms(list(scene.load.sent), began, now_us()), MAX_WAIT_MS)
    if wrong:
        scene.add_failure(f"beside slow connections: {wrong}")


def send_odd_requests(scene: FaultRun, path: str) -> list[str]:
    """Every odd request once; those that were acknowledged."""
    acknowledged = []
    for odd_request in odd_requests(path):
        status = send_raw(scene.here.port, odd_request.request)
        complaint = odd_request.complaint(status)
        if complaint:
            scene.add_failure(complaint)
        if status in SUCCESS:
            acknowledged.append(odd_request.what)
    return acknowledged


def check_survival(scene: FaultRun, beside: Sequence[str] = ()) -> None:
    """At the end no process has died, and every acknowledged hook, of the load and `beside` it, is accounted for."""
    processes, died = list_processes(scene), _list_fatal_hooks(scene)

    def check() -> None:
        accepted = sum(hook.accepted for hook in scene.load.sent) + len(beside)
        accounted = scene.here.accounted() - scene.accounted_before
        if accounted != accepted:
            scene.add_failure(f"{accepted} hooks accepted, {accounted} accounted for")
        if list_processes(scene) != processes:
            scene.add_failure("a process died: another runs in its place")
        if _list_fatal_hooks(scene) != died:
            scene.add_failure(f"{_list_fatal_hooks(scene) - died} hooks were set aside as {' or '.join(FATAL)}")

    scene.checks.append(check)


def _list_fatal_hooks(scene: FaultRun) -> int:
    dead = scene.here.dead_hooks()
    return sum(dead[reason] for reason in FATAL)


def _open_slow_connections(scene: FaultRun) -> socket.socket:
    return socket.create_connection(("127.0.0.1", scene.here.port), timeout=ANSWER_TIMEOUT_S)


FAULTS = (
    Fault("damaged bodies", bodies, rate=0, databases=ONLY_SQLITE, needs_new_installation=True),
    Fault("odd requests", requests, databases=ONLY_SQLITE),
)
