"""Finds what is missing in name only: told under another identity, or by a hook that is among the dead ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from pipeline.events.paths import dig
from pipeline.ledger.tables import DeadHook, Event
from pipeline.packed import unpacked
from pipeline.reconciliation.judging import Item

HOUR, DAY = 3_600_000_000, 86_400_000_000  # µs
MOST_DEAD = 500  # of one event: the newest


def told_otherwise(db: Connection, store_id: int, missing: Iterable[Item]) -> set[str]:
    """Happenings of subscriptions whose end date was moved by hand after their hook had told another one."""
    judged = [item for item in missing if item.shown.event in _JUDGES]
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
    return {item.key for item in judged if _JUDGES[item.shown.event](item, told[item.shown.data["id"]])}


def named_by_the_dead(db: Connection, store_id: int, missing: Iterable[Item]) -> set[str]:
    """Happenings whose hook came and could not go on: its bytes, readable or not, name the subject's id."""
    by_event: dict[str, list[Item]] = defaultdict(list)
    for item in missing:
        by_event[item.shown.event].append(item)
    return {
        item.key
        for event, items in by_event.items()
        for numbers in [_numbers_in(db, store_id, event)]
        for item in items
        if _number_of(item) in numbers
    }


def _renewed(item: Item, told: Sequence[Row[Any]]) -> bool:
    """Whether as many renewals were told as were ordered within a day, under whichever end dates.

    A renewal's hook comes with its order. A subscription that was renewed again so soon needs a hook for each.
    """
    last = max(item.shown.renewals)
    ordered = [at for at in item.shown.renewals if at > last - DAY]
    since, until = min(ordered) - HOUR, last + DAY
    heard = [row for row in told if row.name == "subscription_renewed" and since <= row.received_at <= until]
    return len(heard) >= len(ordered)


def _cancelled(_: Item, told: Sequence[Row[Any]]) -> bool:
    """The last we heard of it was that it had been cancelled."""
    return bool(told) and told[-1].name == "subscription_cancelled"


_JUDGES = {"subscription_renewed": _renewed, "subscription_cancelled": _cancelled}


def _numbers_in(db: Connection, store_id: int, event: str) -> set[bytes]:
    waiting = select(DeadHook.raw).where(DeadHook.store_id == store_id, DeadHook.event == event)
    newest = waiting.where(DeadHook.replayed_at.is_(None)).order_by(DeadHook.died_at.desc()).limit(MOST_DEAD)
    return {number for raw in db.execute(newest).scalars() for number in re.findall(rb"\d+", unpacked(raw))}


def _number_of(item: Item) -> bytes:
    row = item.shown.row
    return str(dig(item.shown.data, f"{row.at}.id" if row.at else "id")).encode()
