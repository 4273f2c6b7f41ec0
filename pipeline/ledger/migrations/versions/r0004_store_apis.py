"""The keys of stores' Merchant APIs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, LargeBinary, PrimaryKeyConstraint, Text

revision = "0004"
down_revision = "0003"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "store_apis",
        Column("store_id", BigID, nullable=False),
        Column("config", LargeBinary(), nullable=False),
        Column("enabled_at", BigID, nullable=False),
        Column("status", Text(), nullable=False),
        Column("status_reason", Text()),
        Column("checked_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_store_apis_store_id"),
        PrimaryKeyConstraint("store_id", name="pk_store_apis"),
    )
