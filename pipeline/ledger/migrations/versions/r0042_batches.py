"""Batches as they were frozen."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0042"
down_revision = "0041"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "fulfilment_batches",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("batch_id", BigID, nullable=False),
        Column("wave", Text(), nullable=False),
        Column("frozen_at", BigID, nullable=False),
        Column("boxes", BigID, nullable=False),
        Column("digest", Text(), nullable=False),
        Column("manifest", AnyJSON, nullable=False),
        Column("user_id", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_batches_store_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_batches"),
        UniqueConstraint("store_id", "batch_id", "wave", name="uq_fulfilment_batches_store_id_batch_id_wave"),
        sqlite_autoincrement=True,
    )
