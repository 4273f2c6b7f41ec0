"""Processes of ours that are killed: a worker's children, workers, beat, web."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun
from bench.chaos.installation import WORKERS


def worker_children(scene: FaultRun) -> None:
    """Kill a single child of a worker at a time."""
    for _ in range(scene.times(20, 6)):
        children = [pid for name in WORKERS for pid in list_children(scene.here.keeper[name].pid)]
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(scene.rng.choice(children), signal.SIGKILL)
        _pause_between_kills(scene)


def worker_main_processes(scene: FaultRun) -> None:
    """A worker's main process; its pool is swept away with it, as a service manager does."""
    for _ in range(scene.times(20, 4)):
        scene.here.keeper.kill(scene.rng.choice(list(WORKERS)))
        _pause_between_kills(scene)


def beat(scene: FaultRun) -> None:
    """Beat, whose sweeps are what finds lost messages."""
    for _ in range(scene.times(8, 3)):
        scene.here.keeper.kill("beat")
        _pause_between_kills(scene)


def web(scene: FaultRun) -> None:
    """The whole web process group, in the middle of answering."""
    for _ in range(scene.times(50, 3)):
        kill_group(scene, "web")
        scene.await_answers()
        time.sleep(scene.rng.uniform(0.2, 2.0))


def web_worker(scene: FaultRun) -> None:
    """The process that serves, below granian's main process, which is to start another."""
    for _ in range(scene.times(10, 3)):
        for pid in list_serving_processes(scene.here.keeper["web"].pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        scene.await_answers()
        time.sleep(scene.rng.uniform(0.2, 2.0))


def kill_group(scene: FaultRun, name: str) -> None:
    """SIGKILL for a process and all it has started."""
    pid = scene.here.keeper[name].pid
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def list_children(pid: int | None) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def list_serving_processes(pid: int | None) -> list[int]:
    """Granian's worker processes; its helper for shared resources is none."""
    commands = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in list_children(pid)}
    return [child for child, command in commands.items() if b"resource_tracker" not in command]


def list_processes(scene: FaultRun) -> dict[str, frozenset[int | None]]:
    """Web, the workers and their children: a parent replaces a child without any notice."""
    mains = {name: scene.here.keeper[name].pid for name in ("web", *WORKERS)}
    return {name: frozenset([pid, *list_serving_processes(pid)]) for name, pid in mains.items()}


def _pause_between_kills(scene: FaultRun) -> None:
    time.sleep(scene.rng.uniform(2.0, 5.0) if not scene.short else scene.rng.uniform(1.0, 2.0))


FAULTS = (
    Fault("worker children killed", worker_children),
    Fault("workers killed", worker_main_processes),
    Fault("beat killed", beat, databases=ONLY_SQLITE),
    Fault("web killed", web, rate=200, databases=ONLY_SQLITE, cuts=True),
    Fault("web's server killed", web_worker, rate=200, databases=ONLY_SQLITE, cuts=True),
)
