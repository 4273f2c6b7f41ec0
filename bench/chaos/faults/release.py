"""A release that fails on every hook: hooks wait for the next release, and none becomes a dead hook."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from bench.chaos.broken_worker import BROKEN_RELEASE_FILE
from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.installation import WORKERS
from bench.chaos.waiting import wait_until
from pipeline.processing.failure_limit import get_chain_stop

WORKER = "python -m bench.chaos.broken_worker"
RESUME_TIMEOUT_S = 30.0  # from the mended release until something arrives: it is tried every ten seconds


def broken_release(scene: FaultRun) -> None:
    """Workers are replaced by broken workers, and later by sound workers."""
    mark = scene.here.data_dir / BROKEN_RELEASE_FILE
    _replace_workers(scene, mark.touch)
    wait_until(lambda: get_chain_stop(scene.here.redis) is not None, "the chain stands")
    time.sleep(scene.seconds(40, 15))
    if (why := get_chain_stop(scene.here.redis)) is None:
        scene.add_failure("the chain went on although nothing was mended")
    else:
        scene.note(f"stopped by {why.error} in {why.link} of version {why.version}, with {why.hooks} hooks")
    _replace_workers(scene, mark.unlink)
    wait_until(lambda: get_chain_stop(scene.here.redis) is None, "the chain goes on by itself")
    scene.checks.append(lambda: _check(scene))


def _replace_workers(scene: FaultRun, change: Callable[[], None]) -> None:
    for name in WORKERS:
        scene.here.keeper.down(name, signal.SIGTERM)
    change()
    time.sleep(1)  # hooks come meanwhile, as they do in an upgrade
    for name in WORKERS:
        scene.here.keeper.up(name)


def _check(scene: FaultRun) -> None:
    dead = scene.here.dead_hooks()["internal_error"]
    if dead:
        scene.add_failure(f"{dead} hooks died of the release")


FAULTS = (
    Fault("broken release", broken_release, needs_new_installation=True, worker=WORKER, resumes_s=RESUME_TIMEOUT_S),
)
