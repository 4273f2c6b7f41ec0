"""Each further platform behind a bad network, while workers are killed: it must hold what Customer.io holds, once."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun, now_us
from bench.chaos.other_platform import OtherPlatform, start_platform
from receiver.demo.platforms import PLATFORMS, DemoPlatform

BLOW_S = 2.0
SETTLED_S = 1.0


def strike(demo: DemoPlatform) -> Callable[[FaultRun], None]:
    """Return the fault of one platform."""

    def inject(scene: FaultRun) -> None:
        other = start_platform(scene.here, demo)
        scene.here.connect_further(other.list_options(scene.here.keeper.folder))
        time.sleep(SETTLED_S)
        scene.others[other] = now_us()
        for blow in range(scene.times(5, 2)):
            _blow(scene, other, blow)
        other.proxy.be("pass")

    return inject


def _blow(scene: FaultRun, other: OtherPlatform, blow: int) -> None:
    """Cut calls in the middle, swallow them, delay them, and kill a worker amid each."""
    other.proxy.be("reset")
    time.sleep(BLOW_S)
    other.proxy.be("slow", 0.3)
    time.sleep(BLOW_S)
    other.proxy.be("reset")  # amid calls, of which some have been processed
    scene.here.keeper.kill("worker" if blow % 2 else "worker2")
    other.proxy.be("pass")
    time.sleep(BLOW_S)
    other.proxy.be("blackhole")
    time.sleep(BLOW_S)
    other.proxy.be("pass")
    time.sleep(BLOW_S)


FAULTS = tuple(
    Fault(f"{name}: network down", strike(demo), rate=20, databases=ONLY_SQLITE, needs_new_installation=True)
    for name, demo in PLATFORMS.items()
    if name != "customerio"  # whose sandbox has rows of its own
)
