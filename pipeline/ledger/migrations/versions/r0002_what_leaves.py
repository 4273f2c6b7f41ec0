"""Deliveries, calls and dead hooks."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    _deliveries()
    _dead_hooks()


def _deliveries() -> None:
    """What leaves, and through what."""
    op.create_table(
        "deliveries",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("connection_id", BigID, nullable=False),
        Column("lane", SmallInteger(), nullable=False),
        Column("event_id", BigID),
        Column("person_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("name", Text()),
        Column("message_id", Text()),
        Column("message", AnyJSON, nullable=False),
        Column("status", Text(), nullable=False),
        Column("attempts", BigID, nullable=False),
        Column("token", BigID),
        Column("reason", Text()),
        Column("detail", Text()),
        Column("notes", AnyJSON, nullable=False),
        Column("created_at", BigID, nullable=False),
        Column("done_at", BigID),
        CheckConstraint("(done_at IS NULL) = (status IN ('pending', 'sending'))", name="ck_deliveries_open"),
        ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_deliveries_connection_id"),
        ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_deliveries_event_id"),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_deliveries_person_id"),
        PrimaryKeyConstraint("id", name="pk_deliveries"),
        UniqueConstraint("connection_id", "message_id", name="uq_deliveries_connection_id_message_id"),
    )
    op.create_index("ix_deliveries_dead", "deliveries", ["done_at", "id"], **_where("status = 'dead'"))
    op.create_index("ix_deliveries_event_id", "deliveries", ["event_id"])
    op.create_index(
        "ix_deliveries_open", "deliveries", ["connection_id", "lane", "status", "id"], **_where("done_at IS NULL")
    )
    op.create_index("ix_deliveries_person_id", "deliveries", ["person_id"])
    op.create_table(
        "introductions",
        Column("connection_id", BigID, nullable=False),
        Column("person_id", BigID, nullable=False),
        ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_introductions_connection_id"),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_introductions_person_id"),
        PrimaryKeyConstraint("connection_id", "person_id", name="pk_introductions"),
    )
    op.create_table(
        "lanes",
        Column("connection_id", BigID, nullable=False),
        Column("lane", SmallInteger(), nullable=False),
        Column("token", BigID, nullable=False),
        Column("taken_at", BigID, nullable=False),
        Column("attempts", BigID, nullable=False),
        Column("next_attempt_at", BigID, nullable=False),
        Column("reason", Text()),
        Column("sent", BigID, nullable=False),
        ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_lanes_connection_id"),
        PrimaryKeyConstraint("connection_id", "lane", name="pk_lanes"),
    )
    op.create_table(
        "calls",
        Column("id", BigID, nullable=False),
        Column("connection_id", BigID, nullable=False),
        Column("method", Text(), nullable=False),
        Column("endpoint", Text(), nullable=False),
        Column("status", SmallInteger()),
        Column("items", SmallInteger(), nullable=False),
        Column("error", Text()),
        Column("started_at", BigID, nullable=False),
        Column("duration_us", BigID, nullable=False),
        ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_calls_connection_id"),
        PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_connection_id_id", "calls", ["connection_id", "id"])
    op.create_table(
        "delivery_calls",
        Column("delivery_id", BigID, nullable=False),
        Column("call_id", BigID, nullable=False),
        ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_delivery_calls_call_id"),
        ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_delivery_calls_delivery_id"),
        PrimaryKeyConstraint("delivery_id", "call_id", name="pk_delivery_calls"),
    )


def _dead_hooks() -> None:
    """What could not become an event, and who may say so."""
    op.create_table(
        "dead_hooks",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID),
        Column("store", Text(), nullable=False),
        Column("version", SmallInteger(), nullable=False),
        Column("event", Text(), nullable=False),
        Column("receipt", Text(), nullable=False),
        Column("stage", Text(), nullable=False),
        Column("reason", Text(), nullable=False),
        Column("detail", AnyJSON, nullable=False),
        Column("raw", LargeBinary(), nullable=False),
        Column("query", Text()),
        Column("times", BigID, nullable=False),
        Column("received_at", BigID, nullable=False),
        Column("died_at", BigID, nullable=False),
        Column("replayed_at", BigID),
        PrimaryKeyConstraint("id", name="pk_dead_hooks"),
        UniqueConstraint("receipt", name="uq_dead_hooks_receipt"),
    )
    op.create_index("ix_dead_hooks_waiting", "dead_hooks", ["died_at", "id"], **_where("replayed_at IS NULL"))
    op.create_table(
        "fences",
        Column("name", Text(), nullable=False),
        Column("token", BigID, nullable=False),
        PrimaryKeyConstraint("name", name="pk_fences"),
    )


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
