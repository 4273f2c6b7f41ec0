"""How far old data has been deleted, and what is remembered of deleted events."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0025"
down_revision = "0024"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "retention",
        Column("kind", Text(), nullable=False),
        Column("cursor", BigID, nullable=False),
        Column("left_behind", BigID),
        Column("slice_size", BigID, nullable=False),
        Column("began_at", BigID),
        Column("swept_at", BigID),
        Column("deleted", BigID, nullable=False),
        PrimaryKeyConstraint("kind", name="pk_retention"),
    )
    op.create_table(
        "past_events",
        Column("store_id", BigID, nullable=False),
        Column("happening", Text(), nullable=False),
        Column("event_id", BigID, nullable=False),
        Column("received_at", BigID, nullable=False),
        PrimaryKeyConstraint("store_id", "happening", name="pk_past_events"),
    )
    op.create_table(
        "past_counts",
        Column("store_id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("outcome", Text(), nullable=False),
        Column("number", BigID, nullable=False),
        Column("duplicates", BigID, nullable=False),
        PrimaryKeyConstraint("store_id", "name", "outcome", name="pk_past_counts"),
    )
