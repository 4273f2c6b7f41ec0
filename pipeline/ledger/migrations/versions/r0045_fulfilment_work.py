"""Work on batches and files that a person has asked for, such as a freeze: a worker does it in turns."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0045"
down_revision = "0044"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")
_OPEN = text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "fulfilment_work",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("wanted", AnyJSON, nullable=False),
        Column("rows", AnyJSON),
        Column("via", Text(), nullable=False),
        Column("user_id", BigID),
        Column("token_id", BigID),
        Column("requested_at", BigID, nullable=False),
        Column("begun_at", BigID),
        Column("next_turn_at", BigID, nullable=False),
        Column("attempts", BigID, nullable=False),
        Column("cursor", Text()),
        Column("total", BigID),
        Column("done", BigID, nullable=False),
        Column("result", AnyJSON, nullable=False),
        Column("reason", Text()),
        Column("ended_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_work_store_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_work"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fulfilment_work_store_id", "fulfilment_work", ["store_id", "id"])
    op.create_index(
        "ix_fulfilment_work_open",
        "fulfilment_work",
        ["store_id", "subject"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
