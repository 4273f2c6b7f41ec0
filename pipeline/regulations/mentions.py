"""Finds what names a person although nothing in the ledger connects it with them: test events, texts, dead hooks."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Text, cast, or_, select

from pipeline.core.hooks import RawBody
from pipeline.events.catalogue import get_event_row
from pipeline.infra.compression import TooLarge, decompress
from pipeline.ledger.schema.core import Body, DeadHook, Event
from pipeline.ledger.stores import StoreRow
from pipeline.redaction.identity import Identity
from pipeline.redaction.raw_body import list_raw_keys
from pipeline.redaction.text import build_pattern, find_addresses, list_views

_SLICE = 500  # rows
_RUN_OF_LETTERS = re.compile(r"[a-z0-9]{2,}")


@dataclass(slots=True)
class Mentions:
    """Ids of events and of dead hooks, and how far the events were read."""

    events: set[int] = field(default_factory=set)
    dead_hooks: set[int] = field(default_factory=set)
    read_to: int = 0  # the id of the last event that was read


def find_mentions(conn: Connection, store: StoreRow, who: Identity, after: int = 0) -> Mentions:
    """Events after this id whose data or body contains one of the person's addresses, and dead hooks that name them."""
    mentions = Mentions(read_to=after)
    if who.emails:
        mentions.events |= _find_in_data(conn, store.id, who, after)
    for event_id, raw, packed in _read_events(conn, store.id, after):
        mentions.read_to = event_id
        if _is_in_text(packed, who) or (_may_name(raw, who) and who.emails & find_addresses(list_views(raw))):
            mentions.events.add(event_id)
    mentions.dead_hooks = {dead_id for dead_id, event, raw in read_dead_hooks(conn, store) if names(event, raw, who)}
    return mentions


def names(event: str, raw: RawBody, who: Identity) -> bool:
    """Whether a body that may be unreadable names the person: by an address, a full name, or as its customer."""
    keys = list_raw_keys(get_event_row(event), raw)
    if any((kind == "email" and value in who.emails) for kind, value in keys):
        return True
    if any(kind == "customer" and int(value) in who.customer_ids for kind, value in keys):
        return True
    pattern = build_pattern({*who.emails, *(name for name in who.names if " " in name)})
    return pattern is not None and any(pattern.search(view.casefold()) for view in list_views(*raw))


def read_dead_hooks(conn: Connection, store: StoreRow) -> Iterator[tuple[int, str, RawBody]]:
    """(id, event, what was sent) of the store's dead hooks that have bytes."""
    last = 0
    columns = (DeadHook.id, DeadHook.event, DeadHook.raw, DeadHook.query)
    mine = or_(DeadHook.store_id == store.id, DeadHook.store == store.name)
    while True:
        query = select(*columns).where(mine, DeadHook.id > last).order_by(DeadHook.id).limit(_SLICE)
        rows = conn.execute(query).all()
        for row in rows:
            last = row.id
            raw = _unpack(row.raw)
            if raw or row.query:
                yield row.id, row.event, (raw, row.query)
        if len(rows) < _SLICE:
            return


def _find_in_data(conn: Connection, store_id: int, who: Identity, after: int) -> set[int]:
    """Of the events whose data is not packed; the database finds no text in packed data."""
    text = cast(Event.data, Text)
    found = or_(*(text.icontains(email, autoescape=True) for email in sorted(who.emails)))
    query = select(Event.id).where(Event.store_id == store_id, Event.id > after, found)
    return set(conn.execute(query).scalars())


def _read_events(conn: Connection, store_id: int, after: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(id, body, data that is packed) of the store's events."""
    last = after
    while True:
        query = (
            select(Event.id, Body.raw, Event.packed)
            .join(Body, Body.event_id == Event.id, isouter=True)
            .where(Event.store_id == store_id, Event.id > last)
            .order_by(Event.id)
            .limit(_SLICE)
        )
        rows: Sequence[Any] = conn.execute(query).all()
        for row in rows:
            last = row.id
            yield row.id, _unpack(row.raw), _unpack(row.packed)
        if len(rows) < _SLICE:
            return


def _unpack(compressed: bytes | None) -> bytes:
    try:
        return b"" if compressed is None else decompress(compressed)
    except (zlib.error, TooLarge):
        return b""


def _is_in_text(data: bytes, who: Identity) -> bool:
    """Whether one of the addresses is in the data, as `_find_in_data` finds it."""
    lowered = data.decode().lower()
    return any(email.lower() in lowered for email in who.emails)


def _may_name(raw: bytes, who: Identity) -> bool:
    """Whether the body contains the longest run of letters of an address: no escape changes letters. Quick."""
    lowered = raw.lower()
    for email in who.emails:
        runs = _RUN_OF_LETTERS.findall(email.partition("@")[0])
        if not runs or max(runs, key=len).encode() in lowered:
            return True
    return False
