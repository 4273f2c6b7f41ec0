"""The inbox is given other numbers of partitions while hooks come and wait, by commands of which some are killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import cycle, islice

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.faults.processes import list_children
from bench.chaos.installation import WORKERS
from bench.chaos.supervisor import ROOT
from bench.chaos.waiting import POLL_INTERVAL_S, wait_until
from pipeline.inbox import stream
from pipeline.inbox.partitions import get_partition_count, hash_store

NUMBERS = (3, 1, 7, 4)  # the store's hooks have to move each time
STOPPED_S = 3.0  # in which hooks pile up


def change_number(scene: FaultRun) -> None:
    """Workers are stopped, perhaps with a batch in their hands, and go on after what waits has been moved."""
    moved = 0
    for place, number in enumerate(islice(cycle(NUMBERS), scene.times(12, 4))):
        children = [pid for name in WORKERS for pid in list_children(scene.here.keeper[name].pid)]
        _signal(children, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        moved += stream.depth(scene.here.redis)
        is_killed = place % 2 == 1
        _run_command(scene, number, kill_amid=is_killed)
        _signal(children, signal.SIGCONT)
        wait_until(partial(_has, scene, number), f"there are {number} partitions")
        time.sleep(scene.rng.uniform(0.5, 2.0))
    places = [hash_store("chaos") % number for number in NUMBERS]
    scene.note(f"about {moved} hooks waited when they were moved; the store was in the partitions {places}")


def _run_command(scene: FaultRun, number: int, *, kill_amid: bool) -> None:
    """Run `cratewire partitions`; kill it as soon as it has begun, so that a worker has to finish the change."""
    command = [sys.executable, "-m", "receiver.cli", "partitions", str(number)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=scene.here.keeper.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if kill_amid and get_partition_count(scene.here.redis).next is not None:
            process.kill()
        time.sleep(POLL_INTERVAL_S / 10)
    process.kill()
    process.wait()


def _has(scene: FaultRun, number: int) -> bool:
    counted = get_partition_count(scene.here.redis)
    return counted.number == number and counted.next is None


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


FAULTS = (Fault("partitions changed", change_number, rate=100, needs_new_installation=True),)
