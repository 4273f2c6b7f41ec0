"""`cratewire demo`: a living store, a Cratewire and a Customer.io on this machine, and what arrived."""

from __future__ import annotations

import shlex
import signal
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.core.plural import pluralize
from receiver.cli.output import json_option, make_table, report_errors, show, styled
from receiver.demo.processes import DemoInstallation, DemoProcesses, start_demo
from receiver.demo.scenario import run_scenario


@click.command(epilog="Examples: cratewire demo; cratewire demo --hooks 5000 --seed 7; cratewire demo --keep")
@click.option("--hooks", type=click.IntRange(1, 100_000), default=500, show_default=True, help="Hooks the store tells.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another life.")
@click.option("--keep", is_flag=True, help="Leave it running, say where to look, and end on Ctrl-C.")
@click.option("--broker-url", help="Let Celery use this broker, such as RabbitMQ's amqp://…, and not the Valkey.")
@json_option
@report_errors
def demo(hooks: int, seed: int, keep: bool, broker_url: str | None, as_json: bool) -> None:
    """Watch a sandbox store live, and its hooks arrive at a sandbox Customer.io, through the real thing.

    Everything runs on free loopback ports in a temporary directory: an embedded Valkey, web, worker, beat and both
    sandboxes. Afterwards what the store did is compared with what Customer.io holds, person by person and event by
    event. The store loses some hooks; what its API shows of them must be there, too, and so must everybody who was its
    customer before. The exit code is 0 only if nothing is missing, unexpected, there twice or out of order.
    """
    with tempfile.TemporaryDirectory(prefix="cratewire-demo-") as folder:
        troupe = DemoProcesses(Path(folder), {"CRATEWIRE_BROKER_URL": broker_url} if broker_url else {})
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        try:
            found = _run_demo(troupe, hooks, seed, keep, as_json)
        finally:
            troupe.stop()
    raise SystemExit(0 if is_complete(found) else 1)


def is_complete(result: dict[str, Any]) -> bool:
    """Whether everything arrived, once, in order, at the right people."""
    faults = ("missing", "unexpected", "twice", "out_of_order")
    everybody = result["backfilled"] == result["customers"] and not result["comparison"]["wrong_people"]
    return everybody and not any(result[fault] for fault in faults)


def _run_demo(processes: DemoProcesses, hooks: int, seed: int, keep: bool, as_json: bool) -> dict[str, Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=as_json) as bar:
        task = bar.add_task("starting everything", total=None)
        stage = start_demo(processes, seed)
        found = run_scenario(
            processes,
            stage,
            hooks,
            seed,
            lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
        )
        bar.update(task, description="done", completed=1, total=1)
    document = {key: value for key, value in found.items() if key != "comparison"}
    show(document, as_json=as_json, human=lambda out: _print_comparison(out, found))
    if keep:
        _wait_for_interrupt(console, stage)
    return found


def _print_comparison(console: Console, result: dict[str, Any]) -> None:
    compared = result["comparison"]
    table = make_table("event", "expected", "arrived", "missing", "unexpected", "twice")
    for name, counts in sorted(compared["events"].items()):
        cells = (counts[key] for key in ("expected", "arrived", "missing", "unexpected", "twice"))
        table.add_row(name, *map(str, cells))
    console.print(table, "", sep="\n")
    console.print(
        f"{pluralize(result['sent'], 'hook')} sent, {result['accepted']} accepted: "
        f"{pluralize(result['events'], 'event')}, "
        f"{pluralize(result['duplicates_dropped'], 'duplicate')} dropped, {result['quarantined']} unreadable set aside."
    )
    console.print(
        f"{result['hooks_lost_by_store']} more were lost by the store; its API showed {result['recovered']} of them, "
        "which were recovered."
    )
    console.print(
        f"{result['customers']} customers were there before; {result['backfilled']} of them are at Customer.io."
    )
    console.print(
        f"{pluralize(result['people'], 'person', 'people')} "
        f"({pluralize(result['gift_recipients'], 'gift recipient')}) and "
        f"{pluralize(result['delivered'], 'event')} at "
        f"Customer.io in {result['seconds']} s."
    )
    if result["out_of_order"]:
        console.print(f"{result['out_of_order']} events overtook another of the same person.", style="red")
    for wrong in compared["wrong_people"][:20]:
        console.print(styled("wrong person", "red"), f"{wrong['person']}: {wrong['why']}")
    for one in compared["differences"][:20]:
        what = f"{one['event']} of {one['person']}, subject {one['subject_id']}: {one['count']}"
        console.print(styled(one["kind"], "red"), what)
    if is_complete(result):
        console.print("Everything arrived, once.", style="green")
    else:
        console.print("Not everything is as it should be.", style="red")


def list_addresses(installation: DemoInstallation) -> list[str]:
    """Where to look while it is kept running. A store's page opens only for people who were invited to it.

    The commands work as they are printed, from any directory and whatever installation the shell is set up for.
    """
    cratewire = shlex.quote(str(installation.command))
    return [
        f"Customer.io's people: {installation.customerio['url']}/",
        f"The store's truth:    {installation.store['url']}/_sandbox/truth",
        f"The store's page:     {installation.web}/stores/demo, once you are let in by the link that this prints:",
        f"                      {cratewire} accounts invite you@example.com",
        f"flower:               {installation.flower}/ (user cratewire, password: {installation.data}/flower_password)",
        f"The command line:     {cratewire} events list",
    ]


def _wait_for_interrupt(console: Console, installation: DemoInstallation) -> None:
    console.print("", *list_addresses(installation), "Ctrl-C ends it all.", sep="\n", soft_wrap=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("ending")
