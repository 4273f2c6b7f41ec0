"""`cratewire status`: what needs a person, what waits, and how long it has been waiting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from pipeline import keys
from pipeline.attention.item import Sources
from pipeline.attention.listing import attention
from pipeline.backfill.progress import progress_of
from pipeline.chain.limit import stopped
from pipeline.inbox import stream
from pipeline.ledger.connections import named
from pipeline.ledger.engine import reading
from pipeline.ledger.reading import (
    event_counts,
    judge,
    last_arrival,
    newest_backfills,
    reconciliations,
    registrations,
    status_counts,
)
from pipeline.pausing import by_platform
from pipeline.plural import counted
from pipeline.silence.hearing import hearing
from pipeline.silence.words import sentence_of, when
from pipeline.troubles import trouble_now
from receiver.cli.opened import Opened, as_document, opened
from receiver.cli.options import data_option
from receiver.cli.output import json_option, show, speaks_plainly, styled
from receiver.cli.progress import duration, trouble_of
from receiver.cli.tables import plain

_MICROS = 1_000_000


@click.command(epilog="Example: cratewire status --json")
@data_option
@json_option
@click.option("--check", is_flag=True, help="End with exit code 1 if anything needs a person.")
@speaks_plainly
def status(data: Path | None, as_json: bool, check: bool) -> None:
    """Show what needs a person, whether hooks are handled, the inbox, the events and every connection."""
    with opened(data) as here:
        document = status_of(here)
    show(document, as_json=as_json, human=lambda console: _tell(console, document))
    if check and (document["attention"] or document["chain"]["alive"] is False):
        raise SystemExit(1)


def status_of(here: Opened) -> dict[str, Any]:
    """What needs a person; the chain's liveness, depth and age (s) of the inbox, events by name and outcome, every
    connection's counts, how the hooks at Cratejoy are, how many never came, each store's newest backfill, whether the
    way in works, what keeps tasks from using the database, and why the chain stands, if it does.
    """
    now = here.now()
    with reading(here.engine) as db:
        events, connections, arrival = event_counts(db), status_counts(db, now), last_arrival(db)
        stores, compared, heard = registrations(db), reconciliations(db, now), hearing(db, now)
        backfills = {store: progress_of(row, now) for store, row in newest_backfills(db).items()}
    began: Any = here.redis.get(keys.PULSE)
    chain = judge(arrival, int(began) if began else None, now, here.settings.heartbeat_seconds)
    wires = [{**as_document(one), "oldest_pending_seconds": _age(one.oldest_pending_at, now)} for one in connections]
    items = attention(Sources(here.engine, here.redis, here.settings, now))
    return {
        "attention": as_document(items),
        "chain": as_document(chain),
        "way_in": {**as_document(heard.way_in), "watched": bool(here.settings.canary_seconds)},
        "database": as_document(trouble_now(here.redis)),
        "stopped": as_document(stopped(here.redis)),
        "alarms": [{**as_document(one), "says": sentence_of(one)} for one in heard.alarms],
        "inbox": {"depth": stream.depth(here.redis), "oldest_seconds": _age(stream.oldest(here.redis), now)},
        "events": {"total": sum(events.by_name.values()), **as_document(events)},
        "pending": sum(one.pending + one.sending for one in connections),
        "sent": sum(one.sent for one in connections),
        "dead": sum(one.dead for one in connections) + events.dead_hooks,
        "connections": wires,
        "registrations": as_document(stores),
        "reconciliations": [{**as_document(one), "rate": round(one.rate, 6)} for one in compared],
        "backfills": [
            {"store": store, **as_document(one), "trouble": trouble_of(store, one, _age(one.next_step_at, now))}
            for store, one in backfills.items()
        ],
    }


def _age(at: int | None, now: int) -> float:
    return 0.0 if at is None else round(max(0, now - at) / _MICROS, 3)


def _seconds(seconds: float) -> str:
    """Tenths while they matter, then minutes and hours."""
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)  # noqa: PLR2004 - ten seconds


_CHAIN = {
    True: "chain: alive",
    False: "chain: NOT ALIVE, hooks are kept but do not become events; last heartbeat {last_heartbeat} ago",
    None: "chain: unknown, heartbeats are off",
}


def _chain(found: dict[str, Any]) -> str:
    last = found["last_heartbeat_seconds"]
    return _CHAIN[found["alive"]].format(last_heartbeat="never" if last is None else _seconds(last))


def _tell(console: Console, document: dict[str, Any]) -> None:
    inbox, events = document["inbox"], document["events"]
    _tell_attention(console, document["attention"])
    console.print(_chain(document["chain"]))
    console.print(f"way in: {_way_in(document['way_in'])}", soft_wrap=True)
    console.print(f"inbox: {counted(inbox['depth'], 'hook')}, the oldest {_seconds(inbox['oldest_seconds'])}")
    outcomes = ", ".join(f"{count} {name}" for name, count in events["by_outcome"].items())
    console.print(f"events: {events['total']} ({outcomes or 'none yet'}); dead hooks: {events['dead_hooks']}")
    if not document["connections"]:
        console.print("No store is connected yet: see `cratewire connect --help`.")
        return
    console.print("", _connections(document["connections"]), sep="\n")
    _tell_troubles(console, document)
    for one in document["backfills"]:
        if one["trouble"]:
            console.print(f"{one['store']}'s customers: {one['trouble']}.", soft_wrap=True)


def _tell_attention(console: Console, items: list[dict[str, Any]]) -> None:
    """The first line is all that some people read, or some programs."""
    if not items:
        console.print("Nothing needs you.")
        return
    need = "1 thing needs you" if len(items) == 1 else f"{len(items)} things need you"
    console.print(styled(f"{need}:", "red"), "; ".join(one["headline"] for one in items), soft_wrap=True)
    for one in items:
        console.print(f"- {one['headline']}, since {when(one['since'])}. {one['effect']}", soft_wrap=True)
        for tried in one["tried"]:
            console.print(f"  tried: {tried}", soft_wrap=True)
        console.print(f"  to do: {one['to_do']}", soft_wrap=True)
    console.print()


def _connections(found: list[dict[str, Any]]) -> Table:
    table = plain("store", "platform", "state", "waiting", "oldest", "sent", "dead", "waits for")
    for one in found:
        oldest, waiting = _seconds(one["oldest_pending_seconds"]), one["pending"] + one["sending"]
        where = named(one["platform"], one["label"])
        row = (one["store"], where, one["status"], waiting, oldest, one["sent"], one["dead"])
        table.add_row(*map(str, row), one["waiting_reason"] or "")
    return table


_ADVICE = "`cratewire connections resume --store {store}` lets it go on."


def _tell_troubles(console: Console, document: dict[str, Any]) -> None:
    for one in document["connections"]:
        if one["status_reason"] and not by_platform(one["status_reason"]):
            where = named(one["platform"], one["label"])
            console.print(
                f"{one['store']} to {where} is paused: {one['status_reason']}. {_ADVICE.format(**one)}", soft_wrap=True
            )
    for one in document["registrations"]:
        if trouble := _trouble(one):
            console.print(f"{one['store']}'s hooks at Cratejoy: {trouble}.", soft_wrap=True)
    for one in document["reconciliations"]:
        if told := _missed(one):
            console.print(f"{one['store']}'s API: {told}.", soft_wrap=True)


def _missed(one: dict[str, Any]) -> str | None:
    """What a store's API says of its hooks; nothing if all came."""
    if one["trouble"]:
        return f"not all of it could be compared ({one['trouble']}); it is tried again"
    if one["missed"]:
        share = f"{one['missed']} of {counted(one['expected'], 'hook')} of the last seven days never came"
        return f"{share}, and were made up for; see `cratewire reconcile report --store {one['store']}`"
    return None


def _way_in(found: dict[str, Any]) -> str:
    """What hooks of our own to the public address say of it."""
    if not found["watched"]:
        return "not watched, canaries are off"
    if found["works"] is False:
        return f"BROKEN since {when(found['since'])}: {found['fault']}"
    return f"proven at {when(found['proven_at'])}" if found["proven_at"] else "not proven yet"


def _trouble(one: dict[str, Any]) -> str | None:
    """What is wrong with a store's hooks, the worst first; refused keys are in the list of what needs a person."""
    if one["audit_error"]:
        return f"the last audit failed ({one['audit_error']}); it is tried again"
    if one["faults"]:
        return f"{one['faults']} to mend; see `cratewire hooks audit --store {one['store']}`"
    return None if one["registers"] else f"removed; `cratewire hooks sync --store {one['store']}` brings them back"
