"""The values of `source` that each store's orders and subscriptions have had."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0024"
down_revision = "0023"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "store_sources",
        Column("store_id", BigID, nullable=False),
        Column("value", Text(), nullable=False),
        Column("orders", BigID, nullable=False, server_default="0"),
        Column("subscriptions", BigID, nullable=False, server_default="0"),
        Column("examples", AnyJSON, nullable=False),
        Column("met_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_store_sources_store_id"),
        PrimaryKeyConstraint("store_id", "value", name="pk_store_sources"),
    )
