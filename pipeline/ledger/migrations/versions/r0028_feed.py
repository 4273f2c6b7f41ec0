"""Indexes of what the activity feed can be narrowed to, so that a page of it costs the same among a million events."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0028"
down_revision = "0027"

_EVENTS = {
    "ix_events_replayed": "source = 'replay'",
    "ix_events_repeats": "duplicates > 0",
    "ix_events_kept": "outcome NOT IN ('forwarded', 'withheld')",
}
_DELIVERIES = {
    "ix_deliveries_waiting_events": "done_at IS NULL AND event_id IS NOT NULL",
    "ix_deliveries_dead_events": "status = 'dead' AND event_id IS NOT NULL",
    "ix_deliveries_stopped_events": "status IN ('withheld', 'stopped') AND event_id IS NOT NULL",
}


def upgrade() -> None:
    for name, condition in _EVENTS.items():
        _create(name, "events", ["store_id", "id"], condition)
    for name, condition in _DELIVERIES.items():
        _create(name, "deliveries", ["store_id", "event_id"], condition)
    _create("ix_dead_hooks_unread", "dead_hooks", ["store", "id"], "replayed_at IS NULL")


def _create(name: str, table: str, columns: list[str], condition: str) -> None:
    part = text(condition)
    op.create_index(name, table, columns, sqlite_where=part, postgresql_where=part)
