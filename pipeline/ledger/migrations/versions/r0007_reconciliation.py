"""Progress of reconciliation, the events that stores' APIs have shown, and whether recovered events are forwarded."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "reconciliations",
        Column("store_id", BigID, nullable=False),
        Column("collection", Text(), nullable=False),
        Column("since", BigID, nullable=False),
        Column("mark", BigID, nullable=False),
        Column("floor", BigID),
        Column("high", BigID),
        Column("next_at", BigID, nullable=False),
        Column("began_at", BigID),
        Column("cursor", Text()),
        Column("pages", BigID, nullable=False),
        Column("barren", BigID, nullable=False),
        Column("visited", AnyJSON, nullable=False),
        Column("reached", BigID, nullable=False),
        Column("unreadable", BigID, nullable=False),
        Column("renewals_told", Boolean(), nullable=False),
        Column("done_at", BigID),
        Column("error", Text()),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_reconciliations_store_id"),
        PrimaryKeyConstraint("store_id", "collection", name="pk_reconciliations"),
    )
    op.create_table(
        "shown_happenings",
        Column("store_id", BigID, nullable=False),
        Column("happening", Text(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("day", BigID, nullable=False),
        Column("state", Text(), nullable=False),
        Column("seen_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_shown_happenings_store_id"),
        PrimaryKeyConstraint("store_id", "happening", name="pk_shown_happenings"),
    )
    op.create_index("ix_shown_happenings_counted", "shown_happenings", ["store_id", "day", "event", "state"])
    op.add_column("stores", Column("record_only_since", BigID))
