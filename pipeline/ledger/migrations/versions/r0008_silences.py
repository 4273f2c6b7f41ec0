"""When hooks came and when the next are expected, alarms about missing hooks, canaries and notices."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    _hours_with_hooks()
    _expectations()
    _alarms()
    _canaries()
    _notices()


def _hours_with_hooks() -> None:
    op.create_table(
        "heard_hours",
        Column("store_id", BigID, nullable=False),
        Column("event", Text(), nullable=False),
        Column("hour", BigID, nullable=False),
        Column("hooks", BigID, nullable=False),
        Column("first_at", BigID, nullable=False),
        Column("last_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_heard_hours_store_id"),
        PrimaryKeyConstraint("store_id", "event", "hour", name="pk_heard_hours"),
    )
    op.create_table(
        "listening",
        Column("name", Text(), nullable=False),
        Column("event_id", BigID, nullable=False),
        PrimaryKeyConstraint("name", name="pk_listening"),
    )


def _expectations() -> None:
    op.create_table(
        "expectations",
        Column("store_id", BigID, nullable=False),
        Column("event", Text(), nullable=False),
        Column("last_at", BigID, nullable=False),
        Column("due_at", BigID),
        Column("learned_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_expectations_store_id"),
        PrimaryKeyConstraint("store_id", "event", name="pk_expectations"),
    )


def _alarms() -> None:
    op.create_table(
        "alarms",
        Column("id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("store_id", BigID),
        Column("event", Text(), nullable=False),
        Column("last_at", BigID),
        Column("expected_us", BigID),
        Column("reason", Text()),
        Column("tried", AnyJSON, nullable=False),
        Column("since", BigID, nullable=False),
        Column("tried_at", BigID),
        Column("told_at", BigID),
        Column("ended_at", BigID),
        Column("closed_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_alarms_store_id"),
        PrimaryKeyConstraint("id", name="pk_alarms"),
    )
    op.create_index("ix_alarms_store_id", "alarms", ["store_id"])


def _canaries() -> None:
    op.create_table(
        "canaries",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("nonce", Text(), nullable=False),
        Column("wanted_at", BigID, nullable=False),
        Column("sent_at", BigID),
        Column("answered_at", BigID),
        Column("fault", Text()),
        Column("arrived_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_canaries_store_id"),
        PrimaryKeyConstraint("id", name="pk_canaries"),
        UniqueConstraint("nonce", name="uq_canaries_nonce"),
    )
    op.create_index("ix_canaries_store_id", "canaries", ["store_id"])


def _notices() -> None:
    op.create_table(
        "notices",
        Column("id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("content", AnyJSON, nullable=False),
        Column("attempts", BigID, nullable=False),
        Column("next_attempt_at", BigID, nullable=False),
        Column("done_at", BigID),
        Column("reason", Text()),
        Column("created_at", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_notices"),
        UniqueConstraint("name", name="uq_notices_name"),
    )
    waiting = text("done_at IS NULL")
    op.create_index(
        "ix_notices_waiting", "notices", ["next_attempt_at", "id"], sqlite_where=waiting, postgresql_where=waiting
    )
