"""The spool: web killed while it writes there, and its disk full."""

from __future__ import annotations

import time

from bench.chaos.disk import filled
from bench.chaos.faults.processes import kill_group
from bench.chaos.scene import ONLY_SQLITE, Fault, Scene

REFUSED = 503


def killed_while_spooling(scene: Scene) -> None:
    """Valkey is away, so every hook goes to disk; web dies again and again."""
    scene.here.keeper.down("valkey")
    for _ in range(scene.times(10, 3)):
        time.sleep(scene.rng.uniform(1.5, 3.0))
        kill_group(scene, "web")
    time.sleep(scene.seconds(3, 2))
    scene.here.keeper.up("valkey")


def full(scene: Scene) -> None:
    """Neither Valkey nor the disk takes anything: 503 with Retry-After, and no acknowledgement that is then lost."""
    place = scene.here.spool_disk
    if place is None:
        scene.note("skipped: a disk of its own for the spool needs root and mounts")
        return
    scene.here.keeper.down("valkey")
    time.sleep(3)
    with filled(place):
        time.sleep(scene.seconds(8, 3))
    time.sleep(2)
    scene.here.keeper.up("valkey")
    refused = [one for one in list(scene.load.told) if one.status is not None and not one.accepted]
    scene.note(f"{len(refused)} hooks were told to come again")
    if any(one.status != REFUSED or not one.retry_after for one in refused):
        scene.broke("a refusal without 503 or Retry-After")


FAULTS = (
    Fault("web killed while spooling", killed_while_spooling, rate=200),
    Fault("spool disk full", full, databases=ONLY_SQLITE),
)
