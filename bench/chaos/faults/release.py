"""A release that no hook gets through: hooks wait for the next one, and none becomes a dead hook."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from bench.chaos.broken import MARK
from bench.chaos.installation import WORKERS, await_
from bench.chaos.scene import Fault, Scene
from pipeline.chain.limit import stopped

WORKER = "python -m bench.chaos.broken"
GO_ON_S = 30.0  # from the mended release until something arrives: it is tried every ten seconds


def broken_release(scene: Scene) -> None:
    """Workers are replaced by broken ones, and later by sound ones."""
    mark = scene.here.data_dir / MARK
    _replace_workers(scene, mark.touch)
    await_(lambda: stopped(scene.here.redis) is not None, "the chain stands")
    time.sleep(scene.seconds(40, 15))
    if (why := stopped(scene.here.redis)) is None:
        scene.broke("the chain went on although nothing was mended")
    else:
        scene.note(f"stopped by {why.error} in {why.link} of version {why.version}, with {why.hooks} hooks")
    _replace_workers(scene, mark.unlink)
    await_(lambda: stopped(scene.here.redis) is None, "the chain goes on by itself")
    scene.checks.append(lambda: _check(scene))


def _replace_workers(scene: Scene, change: Callable[[], None]) -> None:
    for name in WORKERS:
        scene.here.keeper.down(name, signal.SIGTERM)
    change()
    time.sleep(1)  # hooks come meanwhile, as they do in an upgrade
    for name in WORKERS:
        scene.here.keeper.up(name)


def _check(scene: Scene) -> None:
    dead = scene.here.dead_hooks()["internal_error"]
    if dead:
        scene.broke(f"{dead} hooks died of the release")


FAULTS = (Fault("broken release", broken_release, spoils=True, worker=WORKER, resumes_s=GO_ON_S),)
