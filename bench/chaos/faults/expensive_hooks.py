"""The hooks of one store need more CPU time than is available; those of another store do not wait."""

from __future__ import annotations

import time
from math import inf

from bench.chaos.accounting import get_delays_s
from bench.chaos.fault_run import Fault, FaultRun, now_us
from bench.chaos.hooks import Hook
from bench.chaos.load import HookLoad

STORE = "costly"
EVENT = "design_updated"  # not forwarded: it is about the reading of hooks
MAX_WAIT_S = 5.0  # in which a hook of another store reaches the platform, whatever this store sends,
LONGEST_TIMES = 20  # or this multiple of the slowest hook before, on a machine with other work
BEFORE_S = 2.0
INTERVAL_S = 0.4  # while reading a hook takes longer
BODY_BYTES = 4_900_000
LAYERS = 60


def costly(scene: FaultRun) -> None:
    """Large hooks of the costliest kinds that are known; those of the other store flow on."""
    hooks = scene.here.connect_store(STORE)
    load = HookLoad(scene.here.port, hooks[EVENT], connections=4)
    time.sleep(BEFORE_S)
    began = now_us()
    before = list(scene.load.sent)
    for number in range(scene.times(60, 12)):
        body = KINDS[number % len(KINDS)](number)
        load.send(Hook(number, number, body, "", (), EVENT))
        time.sleep(INTERVAL_S)
    sent = load.finish()
    struck = [hook for hook in list(scene.load.sent) if began < hook.sent_at < now_us()]

    def check() -> None:
        arrived = scene.here.platform.arrived()
        longest = max(get_delays_s(struck, arrived), default=inf)
        limit = max(MAX_WAIT_S, LONGEST_TIMES * max(get_delays_s(before, arrived), default=0.0))
        scene.note(f"{sum(hook.accepted for hook in sent)} costly hooks; the others took {longest:.1f} s at the most")
        scene.note(f"set aside: {dict(scene.here.dead_hooks())}")
        if longest > limit:
            scene.add_failure(f"a hook of another store took {longest:.1f} s beside costly ones")

    scene.checks.append(check)


def _escapes(number: int) -> bytes:
    """As Python prints a text that is nothing but ends of lines."""
    return b"{'number': %d, 'a': '" % number + rb"\n" * (BODY_BYTES // 2) + b"'}"


def _blanks(number: int) -> bytes:
    return b"{%s x %d" % (b" " * BODY_BYTES, number)


def _nested(number: int) -> bytes:
    """The same name twice in each layer, around what is large."""
    return b'{"a":1,"a":1,"b":' * LAYERS + b'"%d%s"' % (number, b"x" * BODY_BYTES) + b"}" * LAYERS


def _many(number: int) -> bytes:
    """As many values as there may be."""
    return b'{"number": %d, "theme_name": [%s1]}' % (number, b'"a",' * 99_000)


KINDS = (_escapes, _nested, _escapes, _blanks, _escapes, _many)
FAULTS = (Fault("costly hooks", costly, rate=20),)
