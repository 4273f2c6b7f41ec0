"""What is usual in the data of a store, and what has changed in it."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0033"
down_revision = "0032"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")
_OPEN = text("ended_at IS NULL")


def upgrade() -> None:
    _create_event_table("event_keys", Column("bodies", BigID, nullable=False), Column("keys", AnyJSON, nullable=False))
    _create_event_table("usual_rates")
    op.create_table(
        "rate_checks",
        Column("store_id", BigID, nullable=False),
        Column("hour", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_rate_checks_store_id"),
        PrimaryKeyConstraint("store_id", name="pk_rate_checks"),
    )
    texts = (Column(name, Text(), nullable=False) for name in ("event", "kind", "key", "was", "now"))
    times = (Column(name, BigID, nullable=False) for name in ("since", "found_at"))
    op.create_table(
        "data_changes",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        *texts,
        Column("event_id", BigID, nullable=True),
        *times,
        Column("ended_at", BigID, nullable=True),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_data_changes_store_id"),
        PrimaryKeyConstraint("id", name="pk_data_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_data_changes_store_id", "data_changes", ["store_id"])
    op.create_index(
        "uq_data_changes_open",
        "data_changes",
        ["store_id", "event", "kind", "key"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _create_event_table(name: str, *more: Column[Any]) -> None:
    op.create_table(
        name,
        Column("store_id", BigID, nullable=False),
        Column("event", Text(), nullable=False),
        Column("since", BigID, nullable=False),
        *more,
        ForeignKeyConstraint(["store_id"], ["stores.id"], name=f"fk_{name}_store_id"),
        PrimaryKeyConstraint("store_id", "event", name=f"pk_{name}"),
    )
