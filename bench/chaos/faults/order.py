"""People with many events, while the platform answers with everything it has."""

from __future__ import annotations

import time
from typing import Any

from bench.chaos.scene import Fault, Scene

EVENTS = 40
PEOPLE = 50
STEP = 0.3
SCRIPT: tuple[dict[str, Any], ...] = (
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


def mixture(scene: Scene) -> None:
    """A fault of another kind every third of a second while everybody's events flow."""
    people = scene.times(PEOPLE, 10)
    for _ in range(scene.times(EVENTS, 20)):
        for who in scene.rng.sample(range(people), people):
            scene.tell(who)
        scene.here.platform.misbehave(**scene.rng.choice(SCRIPT))
        time.sleep(STEP)
    scene.here.platform.behave()


FAULTS = (Fault("order under faults", mixture, rate=0, people=PEOPLE),)
