"""What the platforms would get of a store's newest event of a kind. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from pipeline.ledger.schema import core
from pipeline.ledger.stores import StoreRow
from pipeline.recording.gifts import GiftIndex, rebuild_candidate
from pipeline.recording.load import load_gifts
from pipeline.recording.snapshot import EarlierEvent, RecordingStore

_NEWEST = 20  # looked at, for one whose data was not emptied by an erasure


@dataclass(frozen=True, slots=True)
class EventPreview:
    """The newest event. `copies`: for each person it concerns their role and the data of their message."""

    event_id: int
    received_at: int
    copies: Sequence[tuple[str, Mapping[str, Any]]] = field(repr=False)


def preview_event(conn: Connection, store: StoreRow, name: str) -> EventPreview | None:
    """Build the messages of the store's newest event of this name; None if there is none.

    Whose data is withheld is decided when an event arrives, and not here.
    """
    event = core.Event.__table__.c
    columns = [event[column] for column in EarlierEvent.__slots__]
    of_name = event.store_id == store.id, event.name == name
    with conn.execute(select(*columns).where(*of_name).order_by(event.id.desc()).limit(_NEWEST)) as rows:
        found = next((EarlierEvent(**row._asdict()) for row in rows if row.data), None)
    if found is None:
        return None
    candidate = rebuild_candidate(found, _build_store(store))
    gifts = GiftIndex(load_gifts(conn, [candidate]), [])
    plan = candidate.build_plan(gifts.of(store.id))
    return EventPreview(found.id, found.received_at, [(person.role, person.data) for person in plan.people])


def _build_store(store: StoreRow) -> RecordingStore:
    """The store as recording knows it, without connections: nothing is sent."""
    return RecordingStore(
        id=store.id,
        name=store.name,
        token_version=store.token_version,
        old_token_until=store.old_token_until,
        currency=store.currency,
        forward_also=store.forward_also,
        forward_tests=store.forward_tests,
        record_only=False,
        connections=(),
    )
