"""Two versions side by side, and an installation of the release before that is upgraded while hooks come."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from celery import Celery

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.installation import WORKERS
from bench.chaos.release_before import leave_batch_in_broker
from bench.chaos.supervisor import ROOT
from bench.chaos.waiting import wait_until
from pipeline.inbox import stream
from pipeline.settings import Settings
from tasks.config import DELIVERIES, HOOKS, celery_config

UNKNOWN_EVENT = "order_exploded"
# The last link that the release before runs; the next one is left in the broker.
LAST_LINKS = {"sqlite": "hooks.decode", "postgresql": "hooks.validate"}
# Tasks no version has yet, and ours with the arguments of another version.
MESSAGES: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("hooks.of_the_next_version", HOOKS, ({"batch": []},)),
    ("deliveries.of_the_next_version", DELIVERIES, ()),
    ("hooks.decode", HOOKS, ({"unexpected": True},)),
    ("hooks.validate", HOOKS, ({"token": 1},)),
    ("hooks.validate", HOOKS, ()),
    ("hooks.validate", HOOKS, ("z9:packed as no version does yet",)),
    ("hooks.fan_out", HOOKS, ({"hooks": [{"entry_id": "0-1"}]},)),
    ("deliveries.forward", DELIVERIES, ({"connections": []},)),
    ("deliveries.run_lane", DELIVERIES, (999_999, 0)),
    ("deliveries.run_lane", DELIVERIES, ("one", None, {"more": 1})),
    ("deliveries.run_lanes", DELIVERIES, ([[999_999, 0], [999_998, 0]],)),
    ("deliveries.run_lanes", DELIVERIES, ([1, 2],)),
)


def two_versions(scene: FaultRun) -> None:
    """Foreign messages before, between and after restarts of the workers."""
    app = _app(scene)
    before = scene.here.unknown_events()
    exploded = 0
    for _ in range(scene.times(6, 2)):
        for name, queue, arguments in MESSAGES:
            app.send_task(name, arguments, queue=queue)
        scene.load.send(replace(scene.make(0), event=UNKNOWN_EVENT, addresses=()))
        exploded += 1
        for worker in WORKERS:
            scene.here.keeper.kill(worker, 15)  # in sequence, as in an upgrade
            time.sleep(scene.seconds(5, 3))
    app.close()

    def check() -> None:
        kept = scene.here.unknown_events() - before
        parked = scene.here.parked()
        scene.note(f"{kept} hooks of an unknown event kept, {parked} messages of unknown tasks parked")
        if kept != exploded:
            scene.add_failure(f"{exploded} hooks of an unknown event were accepted")
        if scene.here.dead_hooks()["poison"]:
            scene.add_failure("a batch that another version had packed was called poison")
        if parked < 2 * exploded:
            scene.add_failure(f"{2 * exploded} messages of unknown tasks were sent")

    scene.checks.append(check)
    wait_until(lambda: all(scene.here.keeper[name].pid for name in WORKERS), "the workers are back")


def _app(scene: FaultRun) -> Celery:
    app = Celery("chaos")
    app.conf.update(celery_config(Settings.from_environment(scene.here.keeper.environment)))
    return app


def from_release_before(scene: FaultRun) -> None:
    """Upgrade it with hooks in the inbox, on disk and in the broker. For a while both releases have a worker."""
    here, before = scene.here, scene.here.keeper.code
    for name in WORKERS:
        here.keeper.down(name, signal.SIGTERM)
    last_link = LAST_LINKS[scene.row.database]
    if not leave_batch_in_broker(before, here.keeper.environment, last_link):
        scene.add_failure(f"no batch of {last_link} waited in the broker")
    here.proxy.be("reset")  # Redis is away, so hooks go to disk
    wait_until(lambda: here.spooled() > 0, "hooks wait on disk")
    waiting, spooled = stream.depth(here.redis), here.spooled()
    here.keeper.use_code(ROOT)
    here.migrate()
    _restart(scene, "web")
    here.proxy.be("pass")
    _start_workers(scene, before)
    _restart(scene, "beat")
    time.sleep(scene.seconds(20, 8))
    here.keeper.down("worker2", signal.SIGTERM)
    here.keeper.up("worker2")
    scene.note(f"{waiting} hooks in the inbox, {spooled} on disk, a batch of {last_link} in the broker")
    scene.checks.append(lambda: _check_nothing_died(scene))


def _restart(scene: FaultRun, name: str) -> None:
    scene.here.keeper.down(name, signal.SIGTERM)
    scene.here.keeper.up(name)


def _start_workers(scene: FaultRun, before: Path) -> None:
    """One worker of the release before, and one of ours."""
    keeper = scene.here.keeper
    keeper.use_code(before)
    keeper.up("worker2")
    wait_until(lambda: keeper["worker2"].pid is not None, "the worker of the release before is started")
    keeper.use_code(ROOT)
    keeper.up("worker")


def _check_nothing_died(scene: FaultRun) -> None:
    if dead := dict(scene.here.dead_hooks()):
        scene.add_failure(f"hooks were set aside: {dead}")


FAULTS = (
    Fault("two versions", two_versions, rate=50, needs_new_installation=True),
    Fault(
        "upgraded under load",
        from_release_before,
        needs_new_installation=True,
        cuts=True,
        begins_before=True,
    ),
)
