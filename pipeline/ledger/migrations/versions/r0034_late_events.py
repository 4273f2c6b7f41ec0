"""An index of the few events that were recorded long after their hook had come: the feed finds them by that time."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    is_late = text("recorded_at > received_at + 3600000000")
    op.create_index(
        "ix_events_late", "events", ["store_id", "received_at"], sqlite_where=is_late, postgresql_where=is_late
    )
