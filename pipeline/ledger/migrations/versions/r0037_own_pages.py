"""Saved views of the activity feed, and samples of events."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0037"
down_revision = "0036"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "saved_views",
        Column("id", BigID, nullable=False),
        Column("user_id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("query", AnyJSON, nullable=False),
        Column("is_default", Boolean(), nullable=False),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_saved_views_user_id"),
        PrimaryKeyConstraint("id", name="pk_saved_views"),
        UniqueConstraint("user_id", "name", name="uq_saved_views_user_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "samples",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("data", AnyJSON, nullable=False),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_samples_store_id"),
        PrimaryKeyConstraint("id", name="pk_samples"),
        UniqueConstraint("store_id", "name", name="uq_samples_store_id_name"),
        sqlite_autoincrement=True,
    )
