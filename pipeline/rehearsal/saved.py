"""Runs a rehearsal that was asked for on a page, and saves what it finds: counts, fields and ids, but no value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Connection, select

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.infra.memory import MEGABYTE, get_available_bytes
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.rehearsals import (
    begin_rehearsal,
    end_rehearsal,
    fail_rehearsal,
    note_rehearsal_progress,
)
from pipeline.ledger.schema import core
from pipeline.ledger.stores import get_store
from pipeline.rehearsal.change import load_change
from pipeline.rehearsal.differences import Difference, DifferenceGroup
from pipeline.rehearsal.run import DAY_US, Rehearsal, RehearsalReport, rehearse

log = structlog.get_logger(__name__)

NEEDED_BYTES = 400 * MEGABYTE  # two processes that have imported everything
MAX_GROUPS, MAX_FIELDS = 200, 50  # that are saved
PROGRESS_US = 1_000_000


def run_saved(context: Context, number: int) -> bool:
    """Run a rehearsal that waits, and save its result; False if it does not wait."""
    with writing(context.engine) as conn:
        row = begin_rehearsal(conn, number, context.now())
        store = get_store(conn, row.store_id) if row else None
    if row is None or store is None:
        return False
    noted = context.now()

    def note(done: int, total: int) -> None:
        nonlocal noted
        if context.now() - noted >= PROGRESS_US:
            noted = context.now()
            with writing(context.engine) as conn:
                note_rehearsal_progress(conn, number, done, total, noted)

    try:
        _check_memory()
        rehearsal = Rehearsal(store, context.now() - row.days * DAY_US, load_change(row.change))
        with rehearse(context, rehearsal, note) as (report, _):
            save_report(context, number, store.id, report)
    except CratewireError as error:
        with writing(context.engine) as conn:
            fail_rehearsal(conn, number, str(error), context.now())
    return True


def save_report(
    context: Context, number: int, store_id: int, report: RehearsalReport, release: str | None = None
) -> None:
    """Save what a rehearsal has found. `release`: of the other version, if there was one."""
    with reading(context.engine) as conn:
        saved = build_saved_report(conn, store_id, report)
    with writing(context.engine) as conn:
        now = context.now()
        note_rehearsal_progress(conn, number, report.hooks, report.hooks, now)
        end_rehearsal(conn, number, now, report=saved, differences=report.differences, release=release)


def build_saved_report(conn: Connection, store_id: int, report: RehearsalReport) -> dict[str, Any]:
    """The report as JSON without any value: people and events by the ids of the ledger."""
    shown = report.groups[:MAX_GROUPS]
    examples = [one for group in shown for one in group.examples]
    people, events = _find_people(conn, store_id, examples), _find_events(conn, examples)
    return {
        "hooks": report.hooks,
        "from_data": report.from_data,
        "emptied": report.emptied,
        "messages_before": report.messages_before,
        "messages_after": report.messages_after,
        "groups": [_build_group(group, people, events) for group in shown],
        "more_groups": len(report.groups) - len(shown),
        "unsendable": [
            {"connection": connection, "event": event, "kind": kind, "count": count}
            for (connection, event, kind), count in sorted(report.unsendable.items())
        ],
    }


def _build_group(group: DifferenceGroup, people: Mapping[str, int], events: Mapping[str, int]) -> dict[str, Any]:
    return {
        "connection": group.connection,
        "change": group.change,
        "kind": group.kind,
        "event": group.event,
        "fields": list(group.fields[:MAX_FIELDS]),
        "more_fields": max(0, len(group.fields) - MAX_FIELDS),
        "count": group.count,
        "people": group.people,
        "examples": [{"event": events.get(one.receipt), "person": people.get(one.person)} for one in group.examples],
    }


def _find_people(conn: Connection, store_id: int, examples: list[Difference]) -> dict[str, int]:
    """The ids of people in the ledger, by what the runs call them."""
    key = core.PersonKey.__table__.c
    names = {one.person for one in examples if one.person}
    values = [name.partition(":")[2] for name in names]
    query = select(key.kind, key.value, key.person_id).where(key.store_id == store_id, key.value.in_(values))
    return {f"{row.kind}:{row.value}": row.person_id for row in conn.execute(query)}


def _find_events(conn: Connection, examples: list[Difference]) -> dict[str, int]:
    event = core.Event.__table__.c
    receipts = {one.receipt for one in examples}
    return {
        row.receipt: row.id for row in conn.execute(select(event.receipt, event.id).where(event.receipt.in_(receipts)))
    }


def _check_memory() -> None:
    available = get_available_bytes()
    if available is not None and available < NEEDED_BYTES:
        raise Misconfigured(
            f"a rehearsal needs {NEEDED_BYTES // MEGABYTE} MB of free memory, and there are {available // MEGABYTE}: "
            "run `cratewire rehearse` on another host with the same database"
        )
