"""Bodies that kill their reader, eat its memory or hold it for ever: set aside after three tries, as they came."""

from __future__ import annotations

import json
import time

from bench.chaos.hooks import Hook
from bench.chaos.poisoned import EFFECTS
from bench.chaos.scene import Fault, Scene

WORKER = "python -m bench.chaos.poisoned"


def poison(scene: Scene) -> None:
    """Each kind among sound hooks, and one of them once more after it was condemned."""
    told = [_poisoned(scene, mark) for mark in EFFECTS for _ in range(scene.times(2, 1))]
    for one in told:
        scene.load.tell(one)
        time.sleep(scene.seconds(10, 1))
    scene.load.tell(told[0])

    def check() -> None:
        kept = scene.here.dead_bodies()
        missing = sum(one.body not in kept for one in told)
        scene.note(f"{len(told)} poisonous hooks, set aside as {dict(scene.here.dead_hooks())}")
        if missing:
            scene.broke(f"{missing} poisonous hooks were not set aside with their raw bytes")

    scene.checks.append(check)


def _poisoned(scene: Scene, mark: bytes) -> Hook:
    sound = scene.make(0)
    body = json.loads(sound.body) | {"note": mark.decode()}
    return Hook(sound.number, sound.who, json.dumps(body).encode(), f"poison {sound.number}", ())


FAULTS = (Fault("poison", poison, rate=20, spoils=True, worker=WORKER),)
