"""Takes out of messages that wait what names others, if these are withheld only since the messages were written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.omissions import apply_omissions
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.schema.core import Delivery, Event, Lane
from pipeline.recording import load
from pipeline.recording.candidate import EventCandidate
from pipeline.recording.consent import Rules, note_gifts
from pipeline.recording.gifts import GiftIndex, rebuild_candidate
from pipeline.recording.release import load_named_people
from pipeline.recording.snapshot import EarlierEvent, RecordingStore
from pipeline.recording.waiting import note_omissions

_SLICE = 500  # messages
_GIVER_NAME = "gift_sender_first_name"


def redact_waiting(
    conn: Connection, store: RecordingStore, rules: Rules, delivery_ids: Collection[int] | None = None
) -> None:
    """Redact the store's messages that wait, or some of them. The people must be judged by these rules already."""
    connections = [connection_id for connection_id, _ in store.connections]
    if not rules[store.id].may_withhold or not connections:
        return
    # Lanes before deliveries, in the order of their keys, as claiming and settling do: no deadlock.
    lanes = select(Lane.token).where(Lane.connection_id.in_(connections))
    conn.execute(lanes.order_by(Lane.connection_id, Lane.lane).with_for_update()).all()
    for rows in _read_waiting(conn, connections, delivery_ids):
        _redact_events(conn, store, rules, [row for row in rows if row.kind == "event"])
        _redact_profiles(conn, store, [row for row in rows if row.message["data"].get(_GIVER_NAME)])


def _read_waiting(
    conn: Connection, connections: Sequence[int], delivery_ids: Collection[int] | None
) -> Iterator[Sequence[Row[Any]]]:
    among = () if delivery_ids is None else (Delivery.id.in_(delivery_ids),)
    waits = Delivery.connection_id.in_(connections), OPEN, Delivery.kind.in_(("event", "profile")), *among
    columns = (Delivery.id, Delivery.kind, Delivery.person_id, Delivery.event_id, Delivery.message)
    last = 0
    while rows := conn.execute(
        select(*columns).where(*waits, Delivery.id > last).order_by(Delivery.id).limit(_SLICE)
    ).all():
        last = rows[-1].id
        yield [row for row in rows if row.message]


def _redact_events(conn: Connection, store: RecordingStore, rules: Rules, rows: Sequence[Row[Any]]) -> None:
    candidates = _rebuild(conn, store, {row.event_id for row in rows})
    note_gifts(candidates.values(), rules)
    planned = list(candidates.values())
    note_omissions(planned, load_named_people(conn, planned), rules)
    for row in rows:
        if row.event_id in candidates and (role := row.message["data"].get("role")):
            data = apply_omissions(role, row.message["data"], candidates[row.event_id].omissions)
            _write(conn, row, data)


def _redact_profiles(conn: Connection, store: RecordingStore, rows: Sequence[Row[Any]]) -> None:
    people = load.load_people_by_id(conn, {row.person_id for row in rows}, {store.id: store})
    for row in rows:
        allowed = build_attributes(people[row.person_id].known, store.name, store.currency, store.consent)
        _write(conn, row, {**row.message["data"], _GIVER_NAME: allowed.get(_GIVER_NAME)})


def _rebuild(conn: Connection, store: RecordingStore, event_ids: set[int]) -> dict[int, EventCandidate]:
    """The events as candidates, each with its plan and its giver; none that was emptied."""
    columns = [getattr(Event, name) for name in EarlierEvent.__slots__]
    events = conn.execute(select(*columns).where(Event.id.in_(event_ids)))
    rebuilt = {row.id: rebuild_candidate(EarlierEvent(**row._asdict()), store) for row in events if row.data}
    gifts = GiftIndex(load.load_gifts(conn, rebuilt.values()), [])
    for candidate in rebuilt.values():
        candidate.plan = candidate.build_plan(gifts.of(store.id))
        candidate.giver = next((found for found in candidate.plan.people if found.role == "customer"), None)
    return rebuilt


def _write(conn: Connection, row: Row[Any], data: Mapping[str, Any]) -> None:
    if data != row.message["data"]:
        message = {**row.message, "data": dict(data)}
        conn.execute(update(Delivery).where(Delivery.id == row.id, OPEN).values(message=message, packed=None))
