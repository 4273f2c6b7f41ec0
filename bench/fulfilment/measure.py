"""Every way in turn: a store with its boxes, a warehouse, the processes of an installation, and what came of it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.backfill.installation import Installation, start_installation
from bench.chaos.databases import is_postgres_installed, running_postgres
from bench.fulfilment.boxes import Boxes, open_boxes
from bench.fulfilment.live_hooks import LiveHooks, compare
from bench.fulfilment.scenario import WAYS, Scenario, Way
from bench.processes import Folder

_NOT_BESIDE = {"CRATEWIRE_RECONCILE_SECONDS": "0"}  # the sandbox's sales fire no hooks, and all would count as missed


def measure(script: Scenario) -> dict[str, Any]:
    """Way -> its figures."""
    found: dict[str, Any] = {}
    for name in script.ways:
        way = WAYS[name]
        if way.database == "postgresql" and not is_postgres_installed():
            print(f"Left out: {name}, because PostgreSQL is not installed; `make postgres` installs it.")
            continue
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-boxes-")))
            url = stack.enter_context(running_postgres(home))[0] if way.database == "postgresql" else None
            made = stack.enter_context(
                start_installation(Folder(home), script.cratejoy_rate, url, backfill_workers=1, variables=_NOT_BESIDE)
            )
            found[name] = _measure_way(made, way, script, is_hooked=name in script.hooked)
    return found


def _measure_way(made: Installation, way: Way, script: Scenario, *, is_hooked: bool) -> dict[str, Any]:
    paths = made.connect()
    with open_boxes(made, way, script) as boxes:
        boxes.sell_and_accept()
        turns: dict[str, Any] = {}
        if is_hooked:
            turns = _take_turns(LiveHooks(made, paths, script), boxes, script)
        sent = boxes.send(script.seconds)
        boxes.pause()
        named = {"title": way.title, "database": way.database, "latency_ms": script.latency_ms}
        return {**named, **sent, **turns, **boxes.account()}


def _take_turns(live: LiveHooks, boxes: Boxes, script: Scenario) -> dict[str, Any]:
    """Live hooks while the warehouse is paused, then beside the boxes, and again."""
    live.warm_up()
    for _ in range(script.turns):
        live.send("without")
        boxes.resume()
        live.send("beside")
        boxes.pause()
    return compare(live)
