"""`cratewire status`: what needs a person, what waits, and how long it has been waiting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from pipeline.attention.listing import find_attention_items
from pipeline.backfill.progress import build_progress
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.connections import format_connection_name
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import (
    assess_chain,
    count_by_connection,
    count_events,
    find_last_heartbeat,
    list_reconciliations,
    list_registrations,
    load_newest_backfills,
)
from pipeline.monitoring.database_trouble import get_reported_trouble
from pipeline.monitoring.messages import build_sentence, format_time
from pipeline.monitoring.status import get_hook_health
from pipeline.operations.pause import is_paused_by_platform
from pipeline.processing.failure_limit import get_chain_stop
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import json_option, make_table, report_errors, show, styled
from receiver.cli.progress import describe_trouble, format_duration

_MICROS = 1_000_000


@click.command(epilog="Example: cratewire status --json")
@data_option
@json_option
@click.option("--check", is_flag=True, help="End with exit code 1 if anything needs a person.")
@report_errors
def status(data: Path | None, as_json: bool, check: bool) -> None:
    """Show what needs a person, whether hooks are handled, the inbox, the events and every connection."""
    with open_context(data) as here:
        document = collect_status(here)
    show(document, as_json=as_json, human=lambda console: _print_status(console, document))
    if check and (document["attention"] or document["chain"]["alive"] is False):
        raise SystemExit(1)


def collect_status(here: Context) -> dict[str, Any]:
    """What needs a person; the chain's liveness, depth and age (s) of the inbox, events by name and outcome, every
    connection's counts, how the hooks at Cratejoy are, how many never came, each store's newest backfill, whether the
    way in works, what keeps tasks from using the database, and why the chain stands, if it does.
    """
    now = here.now()
    with reading(here.engine) as db:
        events, connections, arrival = count_events(db), count_by_connection(db, now), find_last_heartbeat(db)
        stores, compared, heard = list_registrations(db), list_reconciliations(db, now), get_hook_health(db, now)
        backfills = {store: build_progress(row, now) for store, row in load_newest_backfills(db).items()}
    began: Any = here.redis.get(redis_keys.HEARTBEAT_STARTED)
    chain = assess_chain(arrival, int(began) if began else None, now, here.settings.heartbeat_seconds)
    wires = [
        {**as_document(one), "oldest_pending_seconds": _get_age_s(one.oldest_pending_at, now)} for one in connections
    ]
    items = find_attention_items(here)
    return {
        "attention": as_document(items),
        "chain": as_document(chain),
        "way_in": {**as_document(heard.endpoint), "watched": bool(here.settings.canary_seconds)},
        "database": as_document(get_reported_trouble(here.redis)),
        "stopped": as_document(get_chain_stop(here.redis)),
        "alarms": [{**as_document(one), "says": build_sentence(one)} for one in heard.alarms],
        "inbox": {
            "depth": stream.depth(here.redis),
            "oldest_seconds": _get_age_s(stream.get_oldest_received_at(here.redis), now),
        },
        "events": {"total": sum(events.by_name.values()), **as_document(events)},
        "pending": sum(one.pending + one.sending for one in connections),
        "sent": sum(one.sent for one in connections),
        "dead": sum(one.dead for one in connections) + events.dead_hooks,
        "connections": wires,
        "registrations": as_document(stores),
        "reconciliations": [{**as_document(one), "rate": round(one.rate, 6)} for one in compared],
        "backfills": [
            {
                "store": store,
                **as_document(one),
                "trouble": describe_trouble(store, one, _get_age_s(one.next_step_at, now)),
            }
            for store, one in backfills.items()
        ],
    }


def _get_age_s(at: int | None, now: int) -> float:
    return 0.0 if at is None else round(max(0, now - at) / _MICROS, 3)


def _format_seconds(seconds: float) -> str:
    """Tenths while they matter, then minutes and hours."""
    return f"{seconds:.1f} s" if seconds < 10 else format_duration(seconds)  # noqa: PLR2004 - ten seconds


_CHAIN_TEXTS = {
    True: "chain: alive",
    False: "chain: NOT ALIVE, hooks are kept but do not become events; last heartbeat {last_heartbeat} ago",
    None: "chain: unknown, heartbeats are off",
}


def _format_chain(found: dict[str, Any]) -> str:
    last = found["last_heartbeat_seconds"]
    return _CHAIN_TEXTS[found["alive"]].format(last_heartbeat="never" if last is None else _format_seconds(last))


def _print_status(console: Console, document: dict[str, Any]) -> None:
    inbox, events = document["inbox"], document["events"]
    _print_attention(console, document["attention"])
    console.print(_format_chain(document["chain"]))
    console.print(f"way in: {_format_endpoint(document['way_in'])}", soft_wrap=True)
    console.print(f"inbox: {pluralize(inbox['depth'], 'hook')}, the oldest {_format_seconds(inbox['oldest_seconds'])}")
    outcomes = ", ".join(f"{count} {name}" for name, count in events["by_outcome"].items())
    console.print(f"events: {events['total']} ({outcomes or 'none yet'}); dead hooks: {events['dead_hooks']}")
    if not document["connections"]:
        console.print("No store is connected yet: see `cratewire connect --help`.")
        return
    console.print("", _build_connections_table(document["connections"]), sep="\n")
    _print_troubles(console, document)
    for one in document["backfills"]:
        if one["trouble"]:
            console.print(f"{one['store']}'s customers: {one['trouble']}.", soft_wrap=True)


def _print_attention(console: Console, items: list[dict[str, Any]]) -> None:
    """The first line is all that some people read, or some programs."""
    if not items:
        console.print("Nothing needs you.")
        return
    need = "1 thing needs you" if len(items) == 1 else f"{len(items)} things need you"
    console.print(styled(f"{need}:", "red"), "; ".join(one["headline"] for one in items), soft_wrap=True)
    for one in items:
        console.print(f"- {one['headline']}, since {format_time(one['since'])}. {one['effect']}", soft_wrap=True)
        for tried in one["tried"]:
            console.print(f"  tried: {tried}", soft_wrap=True)
        console.print(f"  to do: {one['to_do']}", soft_wrap=True)
    console.print()


def _build_connections_table(found: list[dict[str, Any]]) -> Table:
    table = make_table("store", "platform", "state", "waiting", "oldest", "sent", "dead", "waits for")
    for one in found:
        oldest, waiting = _format_seconds(one["oldest_pending_seconds"]), one["pending"] + one["sending"]
        where = format_connection_name(one["platform"], one["label"])
        row = (one["store"], where, one["status"], waiting, oldest, one["sent"], one["dead"])
        table.add_row(*map(str, row), one["waiting_reason"] or "")
    return table


_RESUME_ADVICE = "`cratewire connections resume --store {store}` lets it go on."


def _print_troubles(console: Console, document: dict[str, Any]) -> None:
    for one in document["connections"]:
        if one["status_reason"] and not is_paused_by_platform(one["status_reason"]):
            where = format_connection_name(one["platform"], one["label"])
            console.print(
                f"{one['store']} to {where} is paused: {one['status_reason']}. {_RESUME_ADVICE.format(**one)}",
                soft_wrap=True,
            )
    for one in document["registrations"]:
        if trouble := _describe_hook_trouble(one):
            console.print(f"{one['store']}'s hooks at Cratejoy: {trouble}.", soft_wrap=True)
    for one in document["reconciliations"]:
        if told := _describe_missed_hooks(one):
            console.print(f"{one['store']}'s API: {told}.", soft_wrap=True)


def _describe_missed_hooks(one: dict[str, Any]) -> str | None:
    """What a store's API says of its hooks; nothing if all came."""
    if one["trouble"]:
        return f"not all of it could be compared ({one['trouble']}); it is tried again"
    if one["missed"]:
        share = f"{one['missed']} of {pluralize(one['expected'], 'hook')} of the last seven days never came"
        return f"{share}, and were made up for; see `cratewire reconcile report --store {one['store']}`"
    return None


def _format_endpoint(found: dict[str, Any]) -> str:
    """What hooks of our own to the public address say of it."""
    if not found["watched"]:
        return "not watched, canaries are off"
    if found["works"] is False:
        return f"BROKEN since {format_time(found['since'])}: {found['fault']}"
    return f"proven at {format_time(found['proven_at'])}" if found["proven_at"] else "not proven yet"


def _describe_hook_trouble(one: dict[str, Any]) -> str | None:
    """What is wrong with a store's hooks, the worst first; refused keys are in the list of what needs a person."""
    if one["audit_error"]:
        return f"the last audit failed ({one['audit_error']}); it is tried again"
    if one["faults"]:
        return f"{one['faults']} to mend; see `cratewire hooks audit --store {one['store']}`"
    return None if one["registers"] else f"removed; `cratewire hooks sync --store {one['store']}` brings them back"
