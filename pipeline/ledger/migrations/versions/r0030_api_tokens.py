"""Tokens of the API."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0029"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        Column("id", BigID, nullable=False),
        Column("account_id", BigID, nullable=False),
        Column("uid", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("scopes", AnyJSON, nullable=False),
        Column("sealed", LargeBinary(), nullable=False),
        Column("secret_hash", Text(), nullable=False),
        Column("created_by", BigID),
        Column("created_at", BigID, nullable=False),
        Column("expires_at", BigID, nullable=False),
        Column("last_used_at", BigID),
        Column("revoked_at", BigID),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_api_tokens_account_id"),
        PrimaryKeyConstraint("id", name="pk_api_tokens"),
        UniqueConstraint("uid", name="uq_api_tokens_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_tokens_account_id", "api_tokens", ["account_id"])
