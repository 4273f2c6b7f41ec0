"""What people's attributes were before."""

from __future__ import annotations

from sqlalchemy import Connection, select

from pipeline.fan_out.attribute_history import AttributeChange
from pipeline.ledger.schema import history

MAX_CHANGES = 1_000  # of one person: the newest


def list_attribute_changes(conn: Connection, person_id: int) -> list[AttributeChange]:
    """The person's changes, the oldest first."""
    row = history.AttributeChange
    newest = select(row.at, row.event_id, row.data).where(row.person_id == person_id)
    found = conn.execute(newest.order_by(row.id.desc()).limit(MAX_CHANGES)).all()
    return [AttributeChange(*values) for values in reversed(found)]
