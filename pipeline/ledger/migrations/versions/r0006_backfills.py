"""Backfills: how far each has read its store's customers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "backfills",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("phase", Text(), nullable=False),
        Column("cursor", Text()),
        Column("steps", BigID, nullable=False),
        Column("phase_pages", BigID, nullable=False),
        Column("barren", SmallInteger(), nullable=False),
        Column("pages", BigID, nullable=False),
        Column("done", AnyJSON, nullable=False),
        Column("totals", AnyJSON, nullable=False),
        Column("changes_since", BigID),
        Column("started_at", BigID, nullable=False),
        Column("ended_at", BigID),
        Column("paused_at", BigID),
        Column("paused_us", BigID, nullable=False),
        Column("throttled_us", BigID, nullable=False),
        Column("waited_us", BigID, nullable=False),
        Column("attempts", BigID, nullable=False),
        Column("next_step_at", BigID, nullable=False),
        Column("error", Text()),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_backfills_store_id"),
        PrimaryKeyConstraint("id", name="pk_backfills"),
    )
    _index("uq_backfills_open", "backfills", ["store_id"], "state IN ('running', 'paused')", unique=True)
    op.create_index("ix_backfills_store_id_id", "backfills", ["store_id", "id"])
    _index("ix_backfills_next_step_at", "backfills", ["next_step_at"], "state = 'running'")


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    part = text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=part, postgresql_where=part)
