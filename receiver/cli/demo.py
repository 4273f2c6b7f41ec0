"""`cratewire demo`: runs a Cratewire between a store, a platform and a warehouse of the sandbox, and compares."""

from __future__ import annotations

import shlex
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.core.plural import pluralize
from receiver.cli.output import json_option, make_table, report_errors, show, styled
from receiver.demo.boxes import are_boxes_right
from receiver.demo.log_in import LogIn, make_log_in
from receiver.demo.platforms import PLATFORMS, DemoPlatform
from receiver.demo.processes import DemoInstallation, DemoProcesses, start_demo
from receiver.demo.scenario import ANSWER_KINDS, run_scenario
from receiver.demo.tour import run_tour


@click.command(epilog="Examples: cratewire demo; cratewire demo --hooks 5000 --seed 7; cratewire demo --keep")
@click.option(
    "--hooks", type=click.IntRange(1, 100_000), default=500, show_default=True, help="Hooks that the store sends."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed simulates other events.")
@click.option(
    "--platform",
    type=click.Choice(sorted(PLATFORMS)),
    default="customerio",
    show_default=True,
    help="Where messages go.",
)
@click.option("--keep", is_flag=True, help="Leave it running and print the URLs; Ctrl-C ends it.")
@click.option("--tour", is_flag=True, help="Begin without a shop, and be led through the form and the pages.")
@click.option("--broker-url", help="Celery's broker, e.g. RabbitMQ's amqp://…, instead of the embedded Valkey.")
@json_option
@report_errors
def demo(hooks: int, seed: int, platform: str, keep: bool, tour: bool, as_json: bool, **servers: str | None) -> None:
    """Watch the hooks of a sandbox store arrive at a sandbox platform, and its boxes at a sandbox warehouse.

    Everything runs on free loopback ports in a temporary directory: an embedded Valkey, web, worker, beat, and the
    sandboxes of a store, a platform and a warehouse. Afterwards what the store did is compared with what the platform
    holds, person by person and event by event. The store loses some hooks; their events must be recovered from its
    API, and its existing customers must be there. Boxes go to the warehouse after a dry run, and their tracking back;
    some answers are lost. The exit code is 0 only if nothing is missing, unexpected, duplicated or out of order, and
    every box went out once.
    """
    with tempfile.TemporaryDirectory(prefix="cratewire-demo-") as folder:
        broker_url = servers["broker_url"]
        processes = DemoProcesses(Path(folder), {"CRATEWIRE_BROKER_URL": broker_url} if broker_url else {})
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        try:
            if tour:
                _lead(processes, PLATFORMS[platform], seed)
                return
            result = _run_demo(processes, PLATFORMS[platform], hooks, seed, keep, as_json)
        finally:
            processes.stop()
    raise SystemExit(0 if is_complete(result) else 1)


def _lead(processes: DemoProcesses, platform: DemoPlatform, seed: int) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("starting everything")
    installation = start_demo(processes, seed, platform)
    try:
        run_tour(processes, installation, seed, lambda step: console.print(step, "", sep="\n"))
        console.print("Press Ctrl-C to end.")
        signal.pause()
    except KeyboardInterrupt:
        console.print("ending")


def is_complete(result: dict[str, Any]) -> bool:
    """Return whether everything arrived once, in order, for the right people, and every box went out once."""
    faults = ("missing", "unexpected", "twice", "out_of_order", "leaks", "wrong_automations")
    are_customers_there = result["backfilled"] == result["customers"] - result["customers_withheld"]
    has_all_answers = all(result[f"{kind}_arrived"] == result[f"{kind}_due"] for kind in ANSWER_KINDS)
    are_people_right = are_customers_there and has_all_answers and not result["comparison"]["wrong_people"]
    return are_people_right and are_boxes_right(result["boxes"]) and not any(result[fault] for fault in faults)


def _run_demo(
    processes: DemoProcesses, platform: DemoPlatform, hooks: int, seed: int, keep: bool, as_json: bool
) -> dict[str, Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=as_json) as bar:
        task = bar.add_task("starting everything", total=None)
        log_ins: list[LogIn] = []
        installation = start_demo(processes, seed, platform)
        result = run_scenario(
            processes,
            installation,
            hooks,
            seed,
            lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            on_connected=lambda: None if as_json else log_ins.append(_offer_log_in(console, processes, installation)),
        )
        bar.update(task, description="done", completed=1, total=1)
    document = {key: value for key, value in result.items() if key not in ("comparison", "boxes")}
    show(document, as_json=as_json, render=lambda out: _print_comparison(out, result, platform.title))
    if keep:
        _wait_for_interrupt(console, installation, log_ins)
    elif not as_json:
        console.print("The pages have ended with it; `--keep` leaves them running.")
    return result


def _offer_log_in(console: Console, processes: DemoProcesses, installation: DemoInstallation) -> LogIn:
    """Say where the pages are while the demo runs."""
    made = make_log_in(processes, installation)
    console.print("Watch it:", *list_log_in(installation, made), "", sep="\n", soft_wrap=True, highlight=False)
    return made


def list_log_in(installation: DemoInstallation, log_in: LogIn) -> list[str]:
    """The address of the store's page, and who may open it."""
    return [
        f"The store's page:      {installation.web}/stores/demo",
        f"                       Log in as {log_in.email} with the password {log_in.password}",
    ]


def _print_comparison(console: Console, result: dict[str, Any], title: str) -> None:
    _print_events(console, result, title)
    _print_boxes(console, result)
    _print_faults(console, result)
    if is_complete(result):
        console.print("Everything arrived, once.", style="green")
    else:
        console.print("Something is missing or wrong.", style="red")


def _print_events(console: Console, result: dict[str, Any], title: str) -> None:
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
        f"{result['hooks_lost_by_store']} more were lost by the store; "
        f"recovered through its API: {result['recovered']}."
    )
    console.print(
        f"{result['customers']} customers existed before; {result['backfilled']} of them are at the platform, "
        f"{result['customers_withheld']} are withheld."
    )
    console.print(
        f"{pluralize(result['people'], 'person', 'people')} "
        f"({pluralize(result['gift_recipients'], 'gift recipient')}) and "
        f"{pluralize(result['delivered'], 'event')} at "
        f"the platform ({title}) in {result['seconds']} s."
    )
    console.print(
        f"{pluralize(result['withheld_people'], 'person', 'people')} known only from the Marketplace withheld, "
        f"{pluralize(result['leaks'], 'leak')}."
    )
    console.print(
        "What people answered the shop: "
        + ", ".join(
            f"{kind.replace('_', ' ')} {result[f'{kind}_arrived']} of {result[f'{kind}_due']}" for kind in ANSWER_KINDS
        )
    )


def _print_faults(console: Console, result: dict[str, Any]) -> None:
    compared = result["comparison"]
    if result["wrong_automations"]:
        why = "started by the past, or by a subscription that no person asked for"
        console.print(f"{pluralize(result['wrong_automations'], 'automation')} {why}.", style="red")
    if result["out_of_order"]:
        console.print(f"{result['out_of_order']} events overtook another of the same person.", style="red")
    for wrong in compared["wrong_people"][:20]:
        console.print(styled("wrong person", "red"), f"{wrong['person']}: {wrong['why']}")
    for offence in compared["offences"]:
        if offence["kind"] in (*ANSWER_KINDS, "leak"):
            console.print(styled(offence["kind"], "red"), f"{offence['person']}: {offence['why']}")
    for difference in compared["differences"][:20]:
        what = "{event} of {person}, subject {subject_id}: {count}".format_map(difference)
        console.print(styled(difference["kind"], "red"), what)


def _print_boxes(console: Console, result: dict[str, Any]) -> None:
    table = make_table("boxes", "count")
    table.add_row("due", str(result["shipments_due"]))
    table.add_row("sent to the warehouse", str(result["sent_to_warehouse"]))
    table.add_row("shipped, and confirmed to the store", str(result["confirmed"]))
    table.add_row("sent twice", str(result["boxes_twice"]))
    table.add_row("e-mails of the store about a box, of all it has shipped", str(result["store_emails"]))
    console.print("", table, "", sep="\n")
    for offence in result["boxes"]["offences"][:20]:
        console.print(styled(offence["kind"], "red"), f"shipment {offence['shipment']}: {offence['detail']}")


def list_addresses(installation: DemoInstallation, log_ins: Sequence[LogIn]) -> list[str]:
    """List the URLs of a demo that keeps running.

    The commands work from any directory, whatever installation the shell is set up for.
    """
    cratewire = shlex.quote(str(installation.command))
    return [
        f"The platform's people: {installation.platform_keys['url']}{installation.platform.people_page}",
        f"The store's truth:     {installation.store['url']}/_sandbox/truth",
        *(line for made in log_ins for line in list_log_in(installation, made)),
        f"flower:                {installation.flower}/ (user cratewire; {installation.data}/flower_password)",
        f"The command line:      {cratewire} events list",
    ]


def _wait_for_interrupt(console: Console, installation: DemoInstallation, log_ins: Sequence[LogIn]) -> None:
    console.print("", *list_addresses(installation, log_ins), "Press Ctrl-C to end.", sep="\n", soft_wrap=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("ending")
