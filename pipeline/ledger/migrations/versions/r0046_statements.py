"""Monthly statements of stores, with a hash chain over their events."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0046"
down_revision = "0045"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "statements",
        Column("store_id", BigID, nullable=False),
        Column("month", Text(), nullable=False),
        Column("last_event_id", BigID, nullable=False),
        Column("events", BigID, nullable=False),
        Column("previous", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        Column("counts", AnyJSON, nullable=False),
        Column("closed_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_statements_store_id"),
        PrimaryKeyConstraint("store_id", "month", name="pk_statements"),
    )
