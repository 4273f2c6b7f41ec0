"""People with many events, while the platform answers with everything it has."""

from __future__ import annotations

import time
from typing import Any

from bench.chaos.fault_run import Fault, FaultRun

EVENTS = 40
PEOPLE = 50
STEP_S = 0.3
FAULT_SEQUENCE: tuple[dict[str, Any], ...] = (
    {"mode": "429", "headers": "retry-after", "retry_after": 1},
    {"mode": "429", "headers": "none"},
    {"mode": "status", "code": 503},
    {"mode": "status", "code": 500, "body": "empty"},
    {"mode": "reset"},
    {"mode": "reset-before"},
    {"mode": "truncated-json"},
    {"mode": "wrong-content-length"},
    {"mode": "latency", "ms": 500, "n": 2},
)


def mixed_faults(scene: FaultRun) -> None:
    """A different fault every third of a second while events of all people flow."""
    people = scene.times(PEOPLE, 10)
    for _ in range(scene.times(EVENTS, 20)):
        for who in scene.rng.sample(range(people), people):
            scene.send(who)
        scene.here.platform.set_fault(**scene.rng.choice(FAULT_SEQUENCE))
        time.sleep(STEP_S)
    scene.here.platform.clear_faults()


FAULTS = (Fault("order under faults", mixed_faults, rate=0, people=PEOPLE),)
