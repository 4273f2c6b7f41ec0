"""The keys of stores' Merchant APIs, findings about hooks registered there, and a grace period for old hook URLs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
)

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
        Column("registers", Boolean(), nullable=False),
        Column("audit_at", BigID, nullable=False),
        Column("audited_at", BigID),
        Column("audit_error", Text()),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_store_apis_store_id"),
        PrimaryKeyConstraint("store_id", name="pk_store_apis"),
    )
    op.create_table(
        "hook_findings",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("event", Text()),
        Column("hook_id", BigID),
        Column("host", Text()),
        Column("remedy", Text()),
        Column("failure", Text()),
        Column("found_at", BigID, nullable=False),
        Column("mended_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_hook_findings_store_id"),
        PrimaryKeyConstraint("id", name="pk_hook_findings"),
    )
    op.create_index("ix_hook_findings_store_id", "hook_findings", ["store_id"])
    op.add_column("stores", Column("old_token_until", BigID))
