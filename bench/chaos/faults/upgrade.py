"""Two versions side by side: messages and events unknown to one of them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from celery import Celery

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.installation import WORKERS, wait_until
from pipeline.settings import Settings
from tasks.config import DELIVERIES, HOOKS, celery_config

UNKNOWN_EVENT = "order_exploded"
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


FAULTS = (Fault("two versions", two_versions, rate=50, needs_new_installation=True),)
