"""Samples of events: named, with all personal details replaced. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.schema.core import Event, Store
from pipeline.ledger.schema.own_pages import Sample
from pipeline.ledger.sql.tables import insert_into
from pipeline.redaction.sample import replace_personal_details

MAX_NAME_CHARS = 80
MAX_LISTED = 200


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


def save_sample(conn: Connection, event_id: int, name: str, now: int) -> int:
    """Save the data of an event as a sample of its store; one of the same name is replaced. Returns its id.

    Raises Misconfigured for a name that is not allowed, and for an event of which nothing is left.
    """
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise Misconfigured(f"a sample needs a name of at most {MAX_NAME_CHARS} characters")
    event = conn.execute(select(Event.store_id, Event.name, Event.data).where(Event.id == event_id)).one_or_none()
    if event is None or not event.data:
        raise Misconfigured(f"there is no data of event {event_id}")
    values = {"event": event.name, "data": replace_personal_details(event.data), "created_at": now}
    statement = insert_into(conn, Sample).values(store_id=event.store_id, name=name, **values)
    saved = statement.on_conflict_do_update(index_elements=["store_id", "name"], set_=values).returning(Sample.id)
    sample_id: int = conn.execute(saved).scalar_one()
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


def delete_sample(conn: Connection, sample_id: int) -> bool:
    """Delete a sample; False if there is none with this id."""
    return bool(conn.execute(delete(Sample).where(Sample.id == sample_id)).rowcount)
