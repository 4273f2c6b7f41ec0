"""How many processes fit into the available memory, so that the kernel kills none."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipeline.core.errors import Misconfigured
from pipeline.infra.memory import MEGABYTE

# Measured, in megabytes; docs/operations.md says how. A worker process includes its growth.
BASE_MB = 260  # what run imports for all, two Valkeys, web, the worker's main process, and backfill when it runs
FLOWER_MB = 70
WORKER_MB = 80
MIN_CHOSEN_WORKERS = 2


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """What to start. `warning`: why it is less than was configured."""

    workers: int
    runs_flower: bool
    warning: str | None = None


def choose_workers(most: int, cores: int | None = os.cpu_count()) -> int:
    """Return how many worker processes to start where no number was set: more than cores would only use memory.

    Two at least: while one runs a hook or a call that takes long, the other does the rest.
    """
    return min(most, max(MIN_CHOSEN_WORKERS, cores or most))


def plan_processes(workers: int, available_bytes: int | None) -> ProcessPlan:
    """Plan as many workers as fit; all if the memory is unknown (None). Raises Misconfigured if not even one fits."""
    if available_bytes is None:
        return ProcessPlan(workers, runs_flower=True)
    available_mb = available_bytes // MEGABYTE
    fitting = (available_mb - BASE_MB - FLOWER_MB) // WORKER_MB
    if fitting >= workers:
        return ProcessPlan(workers, runs_flower=True)
    wanted_mb = BASE_MB + FLOWER_MB + workers * WORKER_MB
    shortage = f"{available_mb} MB of memory are available, and {workers} worker processes need {wanted_mb} MB"
    if fitting >= 1:
        return ProcessPlan(fitting, runs_flower=True, warning=f"{shortage}: starting {fitting} (CRATEWIRE_WORKERS)")
    minimum_mb = BASE_MB + WORKER_MB
    if available_mb >= minimum_mb:
        return ProcessPlan(1, runs_flower=False, warning=f"{shortage}: starting 1, and no flower")
    raise Misconfigured(
        f"{available_mb} MB of memory are available, and Cratewire needs {minimum_mb} MB with one worker process: "
        "give this machine, its container or its service more"
    )
