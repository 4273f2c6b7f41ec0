"""Repeated hooks: at once, later, and in other wire forms. Each has a single effect, and repeats are counted."""

from __future__ import annotations

import time

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.hooks import Hook, rewrap
from bench.chaos.load import CONNECTIONS

FORMS = 4
COPIES = 100


def sent_100_times(scene: FaultRun) -> None:
    """Each of a few hooks a hundred times, over sixteen connections at once."""
    _check_repeats(scene, wanted=scene.times(20, 5) * (COPIES - 1))
    for _ in range(scene.times(20, 5)):
        hook = scene.make(scene.rng.randrange(scene.people))
        for copy in range(COPIES):
            scene.load.send(hook, line=copy % CONNECTIONS)


def replayed(scene: FaultRun) -> None:
    """Everything once, and then twice more."""
    hooks = [scene.make(scene.rng.randrange(scene.people)) for _ in range(scene.times(10_000, 300))]
    _check_repeats(scene, wanted=2 * len(hooks))
    for _ in range(3):
        _send_all(scene, hooks)


def rewrapped(scene: FaultRun) -> None:
    """The same event in each wire form of the store."""
    hooks = [scene.make(scene.rng.randrange(scene.people)) for _ in range(scene.times(1_000, 50))]
    _check_repeats(scene, wanted=(FORMS - 1) * len(hooks))
    for form in range(FORMS):
        _send_all(scene, [rewrap(hook, form) for hook in hooks])


def _send_all(scene: FaultRun, hooks: list[Hook]) -> None:
    for hook in hooks:
        scene.load.send(hook)
        while scene.load.waiting() > CONNECTIONS * 4:
            time.sleep(0.005)


def _check_repeats(scene: FaultRun, wanted: int) -> None:
    """Every repeat is in the public counts; a repeat that was stored twice, because Redis was slow, counts twice."""
    before = scene.here.repeats()

    def check() -> None:
        counted = scene.here.repeats() - before
        scene.note(f"{counted} repeats were recognised, of {wanted} sent")
        if counted < wanted:
            scene.add_failure("repeats went uncounted")

    scene.checks.append(check)


FAULTS = (
    Fault("one hook 100 times", sent_100_times, rate=0),
    Fault("replayed twice", replayed, rate=0),
    Fault("every wire form", rewrapped, rate=0),
)
