"""Titles that people see instead of names, and the removal of stores."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Text, text

revision = "0021"
down_revision = "0020"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("stores", Column("title", Text()))
    op.add_column("stores", Column("removed_at", BigID))
    op.add_column("connections", Column("title", Text()))
    op.create_table(
        "store_removals",
        Column("store", Text(), nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("asked_at", BigID, nullable=False),
        Column("leaves_hooks", Boolean(), nullable=False),
        Column("registered", Boolean(), nullable=False),
        Column("next_at", BigID, nullable=False),
        Column("trouble", Text()),
        Column("deleting_since", BigID),
        Column("token_version", BigID),
        Column("ended_at", BigID),
        PrimaryKeyConstraint("store", name="pk_store_removals"),
    )
    is_open = text("ended_at IS NULL")
    op.create_index(
        "ix_store_removals_open", "store_removals", ["next_at"], sqlite_where=is_open, postgresql_where=is_open
    )
    # Without them each row that is deleted costs a scan of the rows that may refer to it.
    op.create_index("ix_introductions_person_id", "introductions", ["person_id"])
    op.create_index("ix_delivery_calls_call_id", "delivery_calls", ["call_id"])
