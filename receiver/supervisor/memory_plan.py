"""How many processes fit into the memory there is: fewer that live do more than many that the kernel kills."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.errors import Misconfigured
from pipeline.infra.memory import MEGABYTE

# Megabytes, measured: docs/operations.md says how. A worker process is counted with what it grows by.
BASE_MB = 570  # run itself, two Valkeys, web, beat, both workers' main processes, backfill's process
FLOWER_MB = 110
WORKER_MB = 110


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """What to start: so many worker processes, and flower or not. `says`: why it is less than was asked for."""

    workers: int
    flower: bool
    says: str | None = None


def plan_processes(workers: int, available_bytes: int | None) -> ProcessPlan:
    """As many as fit into so many bytes. Raise Misconfigured if not even the least does. None: nobody knows."""
    if available_bytes is None:
        return ProcessPlan(workers, flower=True)
    room = available_bytes // MEGABYTE
    fit = (room - BASE_MB - FLOWER_MB) // WORKER_MB
    if fit >= workers:
        return ProcessPlan(workers, flower=True)
    wanted = BASE_MB + FLOWER_MB + workers * WORKER_MB
    short = f"{room} MB of memory can be had, and {workers} worker processes need {wanted} MB"
    if fit >= 1:
        return ProcessPlan(fit, flower=True, says=f"{short}: starting {fit} (CRATEWIRE_WORKERS)")
    least = BASE_MB + WORKER_MB
    if room >= least:
        return ProcessPlan(1, flower=False, says=f"{short}: starting 1, and no flower")
    raise Misconfigured(
        f"{room} MB of memory can be had, and Cratewire needs {least} MB with one worker process: give this machine, "
        "its container or its service more"
    )
