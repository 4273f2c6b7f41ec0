"""Replays, and what each of them sends again."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0032"
down_revision = "0031"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "replays",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("user_id", BigID),
        Column("selection", AnyJSON, nullable=False),
        Column("delivers_again", Boolean(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("phase", Text(), nullable=False),
        Column("cursor", BigID, nullable=False),
        Column("counts", AnyJSON, nullable=False),
        Column("done", BigID, nullable=False),
        Column("failed", BigID, nullable=False),
        Column("left_out", BigID, nullable=False),
        Column("taken_back", BigID, nullable=False),
        Column("created_at", BigID, nullable=False),
        Column("started_at", BigID),
        Column("ended_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_replays_store_id"),
        PrimaryKeyConstraint("id", name="pk_replays"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_replays_store_id_id", "replays", ["store_id", "id"])
    part = text("state IN ('counting', 'running', 'stopping')")
    op.create_index("ix_replays_working", "replays", ["id"], sqlite_where=part, postgresql_where=part)
    op.create_table(
        "replay_items",
        Column("id", BigID, nullable=False),
        Column("replay_id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("delivery_id", BigID),
        Column("dead_hook_id", BigID),
        Column("event_id", BigID),
        Column("person_id", BigID),
        Column("state", Text(), nullable=False),
        Column("was_status", Text()),
        Column("was_reason", Text()),
        Column("was_done_at", BigID),
        ForeignKeyConstraint(["replay_id"], ["replays.id"], name="fk_replay_items_replay_id"),
        PrimaryKeyConstraint("id", name="pk_replay_items"),
        sqlite_autoincrement=True,
    )
    columns = ["replay_id", "state", "delivery_id", "dead_hook_id"]
    op.create_index("ix_replay_items_next", "replay_items", columns)
    op.create_index("ix_replay_items_event_id", "replay_items", ["replay_id", "event_id"])
    op.create_index("ix_replay_items_store_id", "replay_items", ["store_id"])
