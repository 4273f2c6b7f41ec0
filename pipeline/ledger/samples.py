"""Samples of events: named, with all personal details replaced. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select

from pipeline.core.errors import Misconfigured
from pipeline.core.names import check_name
from pipeline.ledger.audit import Actor, record_store_action
from pipeline.ledger.schema.core import Event, Store
from pipeline.ledger.schema.own_pages import Sample
from pipeline.ledger.sql.tables import insert_into
from pipeline.redaction.sample import replace_personal_details

MAX_NAME_CHARS = 80
MAX_LISTED = 200  # a store has no more


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample. `created_at` is µs."""

    id: int
    store: str
    name: str
    event: str
    data: dict[str, Any]
    created_at: int


_QUERY = select(Sample.id, Store.name.label("store"), Sample.name, Sample.event, Sample.data, Sample.created_at).join(
    Store, Store.id == Sample.store_id
)


def save_sample(conn: Connection, event_id: int, name: str, actor: Actor, now: int) -> int:
    """Save the data of an event as a sample of its store; one of the same name is replaced. Returns its id.

    Raises Misconfigured for a name that is not allowed, for an event of which nothing is left, and for a store that has
    as many samples as are listed.
    """
    name = check_name(name, MAX_NAME_CHARS, f"a sample needs a name of at most {MAX_NAME_CHARS} characters")
    event = conn.execute(select(Event.store_id, Event.name, Event.data).where(Event.id == event_id)).one_or_none()
    if event is None or not event.data:
        raise Misconfigured(f"there is no data of event {event_id}")
    others = select(func.count()).where(Sample.store_id == event.store_id, Sample.name != name)
    if conn.execute(others).scalar_one() >= MAX_LISTED:
        raise Misconfigured(f"the store has {MAX_LISTED} samples already: delete one first")
    values = {"event": event.name, "data": replace_personal_details(event.data), "created_at": now}
    statement = insert_into(conn, Sample).values(store_id=event.store_id, name=name, **values)
    saved = statement.on_conflict_do_update(index_elements=["store_id", "name"], set_=values).returning(Sample.id)
    sample_id: int = conn.execute(saved).scalar_one()
    about = {"event": event_id, "sample": sample_id}
    record_store_action(conn, event.store_id, actor, "sample.saved", now, about)
    return sample_id


def list_samples(conn: Connection, store_ids: Collection[int] | None = None) -> list[SampleRow]:
    """The samples of these stores, or of all, the newest first."""
    query = _QUERY if store_ids is None else _QUERY.where(Sample.store_id.in_(store_ids))
    rows = conn.execute(query.order_by(Sample.id.desc()).limit(MAX_LISTED))
    return [SampleRow(**row._asdict()) for row in rows]


def get_sample(conn: Connection, sample_id: int) -> SampleRow | None:
    """A sample; None if there is none with this id."""
    row = conn.execute(_QUERY.where(Sample.id == sample_id)).one_or_none()
    return None if row is None else SampleRow(**row._asdict())


def delete_sample(conn: Connection, sample_id: int, actor: Actor, now: int) -> bool:
    """Delete a sample; False if there is none with this id."""
    deleted = delete(Sample).where(Sample.id == sample_id).returning(Sample.store_id)
    store_id = conn.execute(deleted).scalar_one_or_none()
    if store_id is not None:
        record_store_action(conn, store_id, actor, "sample.deleted", now, {"sample": sample_id})
    return store_id is not None
