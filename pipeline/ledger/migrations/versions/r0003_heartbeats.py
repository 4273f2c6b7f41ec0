"""The last heartbeat that reached the ledger."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0003"
down_revision = "0002"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "heartbeats",
        Column("name", Text(), nullable=False),
        Column("sent_at", BigID, nullable=False),
        Column("arrived_at", BigID, nullable=False),
        PrimaryKeyConstraint("name", name="pk_heartbeats"),
    )
