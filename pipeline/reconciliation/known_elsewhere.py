"""Finds what is missing in name only: told under another identity, or by a hook that is among the dead ones."""

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


def find_under_other_identity(db: Connection, store_id: int, missing: Iterable[IdentifiedEvent]) -> set[str]:
    """Happenings of subscriptions whose end date was moved by hand after their hook had told another one."""
    judged = [item for item in missing if item.shown.event in _CHECKS]
    if not judged:
        return set()
    query = select(Event.name, Event.subject_id, Event.received_at).where(
        Event.store_id == store_id,
        Event.subject == "subscription",
        Event.subject_id.in_({item.shown.data["id"] for item in judged}),
    )
    told: dict[int, list[Row[Any]]] = defaultdict(list)
    heard: Iterable[Row[Any]] = db.execute(query.order_by(Event.id))
    for row in heard:
        told[row.subject_id].append(row)
    return {item.key for item in judged if _CHECKS[item.shown.event](item, told[item.shown.data["id"]])}


def find_in_dead_hooks(db: Connection, store_id: int, missing: Iterable[IdentifiedEvent]) -> set[str]:
    """Happenings whose hook came and could not go on: its bytes, readable or not, name the subject's id."""
    by_event: dict[str, list[IdentifiedEvent]] = defaultdict(list)
    for item in missing:
        by_event[item.shown.event].append(item)
    return {
        item.key
        for event, items in by_event.items()
        for numbers in [_load_numbers(db, store_id, event)]
        for item in items
        if _get_number(item) in numbers
    }


def _is_renewal_known(item: IdentifiedEvent, told: Sequence[Row[Any]]) -> bool:
    """Whether as many renewals were told as were ordered within a day, under whichever end dates.

    A renewal's hook comes with its order. A subscription that was renewed again so soon needs a hook for each.
    """
    last = max(item.shown.renewals)
    ordered = [at for at in item.shown.renewals if at > last - DAY_US]
    since, until = min(ordered) - HOUR_US, last + DAY_US
    heard = [row for row in told if row.name == "subscription_renewed" and since <= row.received_at <= until]
    return len(heard) >= len(ordered)


def _is_cancellation_known(_: IdentifiedEvent, told: Sequence[Row[Any]]) -> bool:
    """The last we heard of it was that it had been cancelled."""
    return bool(told) and told[-1].name == "subscription_cancelled"


_CHECKS = {"subscription_renewed": _is_renewal_known, "subscription_cancelled": _is_cancellation_known}


def _load_numbers(db: Connection, store_id: int, event: str) -> set[bytes]:
    waiting = select(DeadHook.raw).where(DeadHook.store_id == store_id, DeadHook.event == event)
    newest = waiting.where(DeadHook.replayed_at.is_(None)).order_by(DeadHook.died_at.desc()).limit(MAX_DEAD_HOOKS)
    return {number for raw in db.execute(newest).scalars() for number in re.findall(rb"\d+", decompress(raw))}


def _get_number(item: IdentifiedEvent) -> bytes:
    row = item.shown.row
    return str(get_path(item.shown.data, f"{row.at}.id" if row.at else "id")).encode()
