"""`cratewire status`: what needs attention, what waits, and for how long."""

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
from pipeline.inbox.partitions import get_partition_count
from pipeline.infra import redis_keys
from pipeline.ledger.connections import format_connection_name
from pipeline.ledger.engine import reading
from pipeline.ledger.lookups import count_waiting_lookups
from pipeline.ledger.queries import (
    assess_chain,
    count_by_connection,
    count_events,
    find_last_heartbeat,
    list_kept_data,
    list_reconciliations,
    list_registrations,
    load_newest_backfills,
)
from pipeline.ledger.stores import load_titles
from pipeline.monitoring.database_trouble import get_reported_trouble
from pipeline.monitoring.messages import build_sentence, format_time
from pipeline.monitoring.status import get_hook_health
from pipeline.operations.pause import is_paused_by_platform
from pipeline.operations.retention import get_days_by_kind
from pipeline.processing.failure_limit import get_chain_stop
from receiver.cli.context import as_document, data_option, open_context
from receiver.cli.output import json_option, make_table, report_errors, show, styled
from receiver.cli.progress import describe_trouble, format_duration

_MICROS = 1_000_000


@click.command(epilog="Example: cratewire status --json")
@data_option
@json_option
@click.option("--check", is_flag=True, help="Exit with code 1 if anything needs attention.")
@report_errors
def status(data: Path | None, as_json: bool, check: bool) -> None:
    """Show what needs attention, the chain, the inbox, the events and every connection."""
    with open_context(data) as context:
        document = collect_status(context)
    show(document, as_json=as_json, render=lambda console: _print_status(console, document))
    if check and (_list_open(document["attention"]) or document["chain"]["alive"] is False):
        raise SystemExit(1)


def collect_status(context: Context) -> dict[str, Any]:
    """Collect what needs attention; the chain's liveness, depth and age (s) of the inbox, events by name and outcome,
    every connection's counts, the hooks at Cratejoy, look-ups, missed hooks, each store's newest backfill, whether the
    public URL works, the database error that tasks reported, why the chain stopped, if it did, and what is
    kept since when.
    """
    now = context.now()
    with reading(context.engine) as conn:
        events, connections, arrival = count_events(conn), count_by_connection(conn, now), find_last_heartbeat(conn)
        titles = load_titles(conn)
        waiting, due = count_waiting_lookups(conn, now)
        kept = list_kept_data(conn, get_days_by_kind(context.settings), now)
        stores, compared, health = list_registrations(conn), list_reconciliations(conn, now), get_hook_health(conn, now)
        backfills = {store: build_progress(row, now) for store, row in load_newest_backfills(conn).items()}
    started_at: Any = context.redis.get(redis_keys.HEARTBEAT_STARTED)
    chain = assess_chain(arrival, int(started_at) if started_at else None, now, context.settings.heartbeat_seconds)
    connection_rows = [
        {**as_document(row), "oldest_pending_seconds": _get_age_s(row.oldest_pending_at, now)} for row in connections
    ]
    items = find_attention_items(context)
    return {
        "titles": titles,
        "attention": as_document(items),
        "chain": as_document(chain),
        "way_in": {**as_document(health.endpoint), "watched": bool(context.settings.canary_seconds)},
        "database": as_document(get_reported_trouble(context.redis)),
        "stopped": as_document(get_chain_stop(context.redis)),
        "alarms": [{**as_document(row), "says": build_sentence(row)} for row in health.alarms],
        "inbox": {
            "depth": stream.depth(context.redis),
            "partitions": get_partition_count(context.redis).number or context.settings.partitions,
            "oldest_seconds": _get_age_s(stream.get_oldest_received_at(context.redis), now),
        },
        "lookups": {"waiting": waiting, "due": due},
        "events": {"total": sum(events.by_name.values()), **as_document(events)},
        "pending": sum(row.pending + row.sending for row in connections),
        "sent": sum(row.sent for row in connections),
        "dead": sum(row.dead for row in connections) + events.dead_hooks,
        "connections": connection_rows,
        "registrations": as_document(stores),
        "reconciliations": [{**as_document(row), "rate": round(row.rate, 6)} for row in compared],
        "kept": as_document(kept),
        "backfills": [
            {
                "store": store,
                **as_document(row),
                "trouble": describe_trouble(store, row, _get_age_s(row.next_step_at, now)),
            }
            for store, row in backfills.items()
        ],
    }


def _get_age_s(at: int | None, now: int) -> float:
    return 0.0 if at is None else round(max(0, now - at) / _MICROS, 3)


def _format_seconds(seconds: float) -> str:
    """Format seconds with tenths below ten seconds, else as a duration."""
    return f"{seconds:.1f} s" if seconds < 10 else format_duration(seconds)  # noqa: PLR2004 - ten seconds


_CHAIN_TEXTS = {
    True: "chain: alive",
    False: "chain: NOT ALIVE, hooks are stored but do not become events; last heartbeat {last_heartbeat} ago",
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
    parts = f" in {inbox['partitions']} partitions" if inbox["partitions"] > 1 else ""
    oldest = _format_seconds(inbox["oldest_seconds"])
    console.print(f"inbox: {pluralize(inbox['depth'], 'hook')}{parts}, the oldest {oldest}")
    if document["lookups"]["waiting"]:
        console.print(f"look-ups: {document['lookups']['waiting']} wait, {document['lookups']['due']} of them are due")
    outcomes = ", ".join(f"{count} {name}" for name, count in events["by_outcome"].items())
    deleted = f", and {events['deleted_dead_hooks']} deleted" if events["deleted_dead_hooks"] else ""
    console.print(f"events: {events['total']} ({outcomes or 'none yet'}); dead hooks: {events['dead_hooks']}{deleted}")
    if not document["connections"]:
        console.print("No store is connected yet: see `cratewire connect --help`.")
        return
    console.print("", _build_connections_table(document["connections"], document["titles"]), sep="\n")
    _print_troubles(console, document)
    for row in document["backfills"]:
        if row["trouble"]:
            console.print(
                f"{_show_store(row['store'], document['titles'])}'s customers: {row['trouble']}.", soft_wrap=True
            )
    console.print("", _build_kept_table(document["kept"]), sep="\n")


KIND_TEXTS = {
    "bodies": "raw bodies",
    "messages": "messages' contents",
    "calls": "calls",
    "dead_hooks": "dead hooks",
    "events": "events",
    "attribute_changes": "changes of attributes",
    "people": "people",
}


def _build_kept_table(found: list[dict[str, Any]]) -> Table:
    table = make_table("kept", "for", "since", "deleted", "last swept")
    for row in found:
        days = pluralize(row["days"], "day") if row["days"] else "ever"
        swept = "LATE" if row["is_late"] else _format_kept_time(row["swept_at"]) if row["days"] else "-"
        table.add_row(KIND_TEXTS[row["kind"]], days, _format_kept_time(row["oldest_at"]), str(row["deleted"]), swept)
    return table


def _format_kept_time(at: int | None) -> str:
    return "-" if at is None else format_time(at)


def _print_attention(console: Console, items: list[dict[str, Any]]) -> None:
    """Print the items; the first line summarizes them, as some programs read only that."""
    waiting, aside = _list_open(items), [row for row in items if row["set_aside"]]
    if waiting:
        need = "1 thing needs you" if len(waiting) == 1 else f"{len(waiting)} things need you"
        console.print(styled(f"{need}:", "red"), "; ".join(row["headline"] for row in waiting), soft_wrap=True)
    else:
        console.print("Nothing needs you.")
    for row in aside:
        until = format_time(row["set_aside"]["until"]) if row["set_aside"]["until"] else "it gets worse"
        console.print(f"Set aside until {until}: {row['headline']}", soft_wrap=True)
    for row in waiting:
        console.print(f"- {row['headline']}, since {format_time(row['since'])}. {row['effect']}", soft_wrap=True)
        for tried in row["tried"]:
            console.print(f"  tried: {tried}", soft_wrap=True)
        console.print(f"  to do: {row['to_do']}", soft_wrap=True)
    if items:
        console.print()


def _list_open(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items that no one has set aside."""
    return [row for row in items if row["set_aside"] is None]


def _show_store(name: str, titles: dict[str, str]) -> str:
    """Return what people see of a store, with the name that commands take."""
    return f"{titles[name]} ({name})" if name in titles else name


def _build_connections_table(found: list[dict[str, Any]], titles: dict[str, str]) -> Table:
    table = make_table("store", "platform", "state", "waiting", "oldest", "sent", "dead", "waits for")
    for row in found:
        oldest, waiting = _format_seconds(row["oldest_pending_seconds"]), row["pending"] + row["sending"]
        where = format_connection_name(row["platform"], row["label"], row["title"])
        cells = (_show_store(row["store"], titles), where, row["status"], waiting, oldest, row["sent"], row["dead"])
        table.add_row(*map(str, cells), row["waiting_reason"] or "")
    return table


_RESUME_ADVICE = "`cratewire connections resume --store {store}` resumes it."


def _print_troubles(console: Console, document: dict[str, Any]) -> None:
    titles = document["titles"]
    for row in document["connections"]:
        if row["status_reason"] and not is_paused_by_platform(row["status_reason"]):
            where = format_connection_name(row["platform"], row["label"], row["title"])
            says = f"{_show_store(row['store'], titles)} to {where} is paused: {row['status_reason']}."
            console.print(says, _RESUME_ADVICE.format(**row), soft_wrap=True)
    for row in document["registrations"]:
        if trouble := _describe_hook_trouble(row):
            console.print(f"{_show_store(row['store'], titles)}'s hooks at Cratejoy: {trouble}.", soft_wrap=True)
    for row in document["reconciliations"]:
        if trouble := _describe_missed_hooks(row):
            console.print(f"{_show_store(row['store'], titles)}'s API: {trouble}.", soft_wrap=True)


def _describe_missed_hooks(row: dict[str, Any]) -> str | None:
    """Describe missed hooks and failed comparisons; None if all hooks arrived."""
    if row["trouble"]:
        return f"not all of it could be compared ({row['trouble']}); it is retried"
    if row["missed"]:
        share = f"{row['missed']} of {pluralize(row['expected'], 'hook')} of the last seven days never arrived"
        return f"{share}; their events were recovered, see `cratewire reconcile report --store {row['store']}`"
    return None


def _format_endpoint(found: dict[str, Any]) -> str:
    """Describe the public URL as tested by canaries."""
    if not found["watched"]:
        return "not monitored, canaries are off"
    if found["works"] is False:
        return f"BROKEN since {format_time(found['since'])}: {found['fault']}"
    return f"tested at {format_time(found['proven_at'])}" if found["proven_at"] else "not tested yet"


def _describe_hook_trouble(row: dict[str, Any]) -> str | None:
    """Describe what is wrong with a store's hooks, the worst first; refused keys are attention items."""
    if row["audit_error"]:
        return f"the last audit failed ({row['audit_error']}); it is retried"
    if row["faults"]:
        return f"{row['faults']} to repair; see `cratewire hooks audit --store {row['store']}`"
    return None if row["registers"] else f"removed; `cratewire hooks sync --store {row['store']}` registers them again"
