"""Indexes of the events that the activity feed can be narrowed to: those recovered, and test orders."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    columns, recovered = ["store_id", "id"], text("source = 'reconcile'")
    op.create_index("ix_events_recovered", "events", columns, sqlite_where=recovered, postgresql_where=recovered)
    tests, tests_on_sqlite = text("is_test = true"), text("is_test = 1")
    op.create_index("ix_events_tests", "events", columns, sqlite_where=tests_on_sqlite, postgresql_where=tests)
