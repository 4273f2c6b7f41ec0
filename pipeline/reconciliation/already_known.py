"""Finds missing events that are known after all: under another identity, or from a hook that is a dead letter."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from pipeline.events.fields import get_path
from pipeline.infra.compression import decompress
from pipeline.ledger.schema.core import DeadHook, Event
from pipeline.reconciliation.classify import IdentifiedEvent

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000  # µs
MAX_DEAD_HOOKS = 500  # of one event: the newest


def find_under_other_identity(conn: Connection, store_id: int, missing: Iterable[IdentifiedEvent]) -> set[str]:
    """Events of subscriptions whose end date was changed by hand after their hook had reported another date."""
    candidates = [event for event in missing if event.evidence.event in _CHECKS]
    if not candidates:
        return set()
    query = select(Event.name, Event.subject_id, Event.received_at).where(
        Event.store_id == store_id,
        Event.subject == "subscription",
        Event.subject_id.in_({event.evidence.data["id"] for event in candidates}),
    )
    known: dict[int, list[Row[Any]]] = defaultdict(list)
    rows: Iterable[Row[Any]] = conn.execute(query.order_by(Event.id))
    for row in rows:
        known[row.subject_id].append(row)
    return {event.key for event in candidates if _CHECKS[event.evidence.event](event, known[event.evidence.data["id"]])}


def find_in_dead_hooks(conn: Connection, store_id: int, missing: Iterable[IdentifiedEvent]) -> set[str]:
    """Events whose hook arrived and is a dead letter: its bytes, readable or not, contain the subject's id."""
    by_event: dict[str, list[IdentifiedEvent]] = defaultdict(list)
    for event in missing:
        by_event[event.evidence.event].append(event)
    return {
        event.key
        for name, events in by_event.items()
        for numbers in [_load_numbers(conn, store_id, name)]
        for event in events
        if _get_number(event) in numbers
    }


def _is_renewal_known(event: IdentifiedEvent, known: Sequence[Row[Any]]) -> bool:
    """Whether hooks have reported as many renewals as were ordered within a day, under whichever end dates.

    A renewal's hook comes with its order. A subscription that was renewed twice within a day needs two hooks.
    """
    last = max(event.evidence.renewed_at)
    ordered = [at for at in event.evidence.renewed_at if at > last - DAY_US]
    since, until = min(ordered) - HOUR_US, last + DAY_US
    received = [row for row in known if row.name == "subscription_renewed" and since <= row.received_at <= until]
    return len(received) >= len(ordered)


def _is_cancellation_known(_: IdentifiedEvent, known: Sequence[Row[Any]]) -> bool:
    """Whether the subscription's last event is a cancellation."""
    return bool(known) and known[-1].name == "subscription_cancelled"


_CHECKS = {"subscription_renewed": _is_renewal_known, "subscription_cancelled": _is_cancellation_known}


def _load_numbers(conn: Connection, store_id: int, event: str) -> set[bytes]:
    dead_hooks = select(DeadHook.raw).where(DeadHook.store_id == store_id, DeadHook.event == event)
    newest = dead_hooks.where(DeadHook.replayed_at.is_(None)).order_by(DeadHook.died_at.desc()).limit(MAX_DEAD_HOOKS)
    return {number for raw in conn.execute(newest).scalars() for number in re.findall(rb"\d+", decompress(raw))}


def _get_number(event: IdentifiedEvent) -> bytes:
    row = event.evidence.event_row
    return str(get_path(event.evidence.data, f"{row.at}.id" if row.at else "id")).encode()
