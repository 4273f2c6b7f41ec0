"""`make bench`: every measure on this machine, one after another, and what came out."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import structlog

from bench import disk, report, rest, small, systems
from bench.aims import list_aims
from bench.backfill import measure as backfill
from bench.backfill.report import report as report_backfill
from bench.chaos.databases import is_postgres_installed
from bench.fulfilment import measure as fulfilment
from bench.fulfilment.report import report as report_fulfilment
from bench.hooks import make_hooks
from bench.machine import describe_machine
from bench.measures import acknowledge, delivery, growth, idle, large_person, memory, paced, partitions
from bench.pages import measure as pages
from bench.pages.report import report as report_pages
from bench.plan import FULL, QUICK, Plan

_START: dict[str, systems.StartSystem] = {
    "ours": systems.ours,
    "everysec": systems.everysec,
    "textbook": systems.textbook,
    "one_task": systems.one_task,
    "node": systems.node,
    "postgresql": systems.on_postgresql,
    "node_with_ledger": systems.node_with_ledger,
}
_IDLE = ("ours", "one_task")


def _delivery(plan: Plan) -> dict[str, Any]:
    """Systems alternate by round, so that other load on the machine affects all of them."""
    found: dict[str, list[Any]] = {name: [] for name in plan.hooks}
    for number in range(plan.rounds):
        for name, count in plan.hooks.items():
            hooks = make_hooks(count + delivery.WARM_UP, seed=number + 1)
            (one,) = delivery.measure(_START[name], hooks, 1)
            found[name].append(one.as_json())
    return found


MEASURES: dict[str, tuple[Callable[[Plan], Any], Callable[[Any], Iterator[str]]]] = {
    "acknowledge": (
        lambda plan: acknowledge.summary(acknowledge.measure(plan.rounds, plan.seconds)),
        report.acknowledge,
    ),
    "paced": (lambda plan: paced.measure(list(plan.paces)), report.paced),
    "delivery": (_delivery, report.delivery),
    "idle": (lambda plan: {name: idle.measure(_START[name], plan.idle) for name in _IDLE}, report.idle),
    "memory": (lambda plan: memory.measure(*plan.memory), report.memory),
    "backfill": (lambda plan: backfill.measure(plan.backfill), report_backfill),
    "pages": (lambda plan: pages.measure(plan.pages, plan.page_requests, plan.readers), report_pages),
    "rest": (lambda plan: asdict(rest.measure_rest(plan.rest_s)), report.rest),
    "disk": (lambda plan: disk.measure_databases(plan.disk), report.disk),
    "small": (lambda plan: small.measure(*plan.small) if small.is_possible() else {}, report.small),
    "fulfilment": (lambda plan: fulfilment.measure(plan.fulfilment), report_fulfilment),
    "partitions": (
        lambda plan: partitions.measure(*plan.partitions) if is_postgres_installed() else {},
        report.partitions,
    ),
    "growth": (lambda plan: growth.measure(list(plan.ledgers), *plan.growth), report.growth),
    "large_person": (lambda plan: large_person.measure(*plan.large_person), report.large_person),
}


@click.command()
@click.option("--quick", is_flag=True, help="Everything in small, to see that it runs; its figures mean little.")
@click.option("--only", multiple=True, type=click.Choice(list(MEASURES)), help="Only this measure; may be repeated.")
@click.option(
    "--json", "place", type=click.Path(dir_okay=False, path_type=Path), help="Put the figures into this file too."
)
def main(*, quick: bool, only: tuple[str, ...], place: Path | None) -> None:
    """Measure Cratewire beside its peers."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    plan = QUICK if quick else FULL
    print(describe_machine())
    if why_not := _node_peer_is_missing():
        print(f"Left out: (d) and (e), because {why_not}.")
        plan = _without(plan, "node", "node_with_ledger")
    if not is_postgres_installed():
        print("Left out: PostgreSQL, because it is not installed; `make postgres` installs it.")
        plan = _without(plan, "postgresql", "node_with_ledger")
    found: dict[str, Any] = _load_earlier_results(place) | {"machine": describe_machine(), "quick": quick}
    for name in only or MEASURES:
        measure, lines = MEASURES[name]
        found[name] = measure(plan)
        print(*lines(found[name]), sep="\n", flush=True)
        if place:
            place.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(*list_aims(found), sep="\n")


def _without(plan: Plan, *names: str) -> Plan:
    return replace(plan, hooks={name: count for name, count in plan.hooks.items() if name not in names})


def _load_earlier_results(place: Path | None) -> dict[str, Any]:
    """The figures of earlier runs: the full plan takes an hour and may be run in parts."""
    earlier: dict[str, Any] = json.loads(place.read_text(encoding="utf-8")) if place and place.exists() else {}
    return earlier


def _node_peer_is_missing() -> str | None:
    """Why; None: it is installed now, from its lock file, again only if that has changed since."""
    try:
        ask = ["node", "--version"]
        version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
        if int(version.lstrip("v").partition(".")[0]) < systems.MIN_NODE_VERSION:
            return f"it needs Node {systems.MIN_NODE_VERSION} or newer, and this is {version.strip()}"
        lock, done = systems.NODE / "package-lock.json", systems.NODE / "node_modules" / ".package-lock.json"
        if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
            install = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(install, cwd=systems.NODE, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"Node {systems.MIN_NODE_VERSION} or newer, npm, or the packages it needs are not to be had"
    return None


if __name__ == "__main__":
    main()
