"""Stores, events and people."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

revision = "0001"
down_revision = None

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    _stores()
    _events()
    _people()


def _stores() -> None:
    """Who sends, and where it goes."""
    op.create_table(
        "accounts",
        Column("id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("created_at", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_accounts"),
        UniqueConstraint("name", name="uq_accounts_name"),
    )
    op.create_table(
        "stores",
        Column("id", BigID, nullable=False),
        Column("account_id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("token_version", SmallInteger(), nullable=False),
        Column("currency", Text(), nullable=False),
        Column("forward_also", AnyJSON, nullable=False),
        Column("forward_tests", Boolean(), nullable=False),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_stores_account_id"),
        PrimaryKeyConstraint("id", name="pk_stores"),
        UniqueConstraint("name", name="uq_stores_name"),
    )
    op.create_index("ix_stores_account_id", "stores", ["account_id"])
    op.create_table(
        "connections",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("platform", Text(), nullable=False),
        Column("label", Text(), nullable=False),
        Column("account", Text(), nullable=False),
        Column("config", LargeBinary(), nullable=False),
        Column("status", Text(), nullable=False),
        Column("status_reason", Text()),
        Column("status_at", BigID, nullable=False),
        Column("lanes", SmallInteger(), nullable=False),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_connections_store_id"),
        PrimaryKeyConstraint("id", name="pk_connections"),
        UniqueConstraint("store_id", "platform", "label", name="uq_connections_store_id_platform_label"),
    )
    op.create_index("ix_connections_store_id", "connections", ["store_id"])


def _events() -> None:
    """What happened."""
    op.create_table(
        "events",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("name", Text(), nullable=False),
        Column("happening", Text(), nullable=False),
        Column("ulid", Text(), nullable=False),
        Column("receipt", Text(), nullable=False),
        Column("source", Text(), nullable=False),
        Column("subject", Text()),
        Column("subject_id", BigID),
        Column("form", Text(), nullable=False),
        Column("is_test", Boolean(), nullable=False),
        Column("outcome", Text(), nullable=False),
        Column("notes", AnyJSON, nullable=False),
        Column("data", AnyJSON, nullable=False),
        Column("unknown", AnyJSON, nullable=False),
        Column("duplicates", BigID, nullable=False),
        Column("occurred_at", BigID, nullable=False),
        Column("received_at", BigID, nullable=False),
        Column("decoded_at", BigID, nullable=False),
        Column("validated_at", BigID, nullable=False),
        Column("recorded_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_events_store_id"),
        PrimaryKeyConstraint("id", name="pk_events"),
        UniqueConstraint("store_id", "happening", name="uq_events_store_id_happening"),
    )
    op.create_index("ix_events_receipt", "events", ["receipt"])
    op.create_index("ix_events_store_id_id", "events", ["store_id", "id"])
    op.create_index("ix_events_store_id_name_id", "events", ["store_id", "name", "id"])
    op.create_index("ix_events_store_id_outcome_id", "events", ["store_id", "outcome", "id"])
    only_repeated = text("duplicates > 0")
    op.create_index(
        "ix_events_repeated",
        "events",
        ["store_id", "duplicates"],
        sqlite_where=only_repeated,
        postgresql_where=only_repeated,
    )
    op.create_index("ix_events_subject", "events", ["store_id", "subject", "subject_id"])
    op.create_index("ix_events_ulid", "events", ["ulid"])
    op.create_table(
        "bodies",
        Column("event_id", BigID, nullable=False),
        Column("raw", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_bodies_event_id"),
        PrimaryKeyConstraint("event_id", name="pk_bodies"),
    )
    op.create_table(
        "event_subjects",
        Column("event_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("subject_id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_event_subjects_event_id"),
        PrimaryKeyConstraint("event_id", "kind", "subject_id", name="pk_event_subjects"),
    )
    op.create_index("ix_event_subjects_subject", "event_subjects", ["store_id", "kind", "subject_id"])


def _people() -> None:
    """Whom it concerns, and what is known of them."""
    op.create_table(
        "people",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("customer_id", BigID),
        Column("email", Text()),
        Column("attributes", AnyJSON, nullable=False),
        Column("known_at", BigID, nullable=False),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_people_store_id"),
        PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_index("ix_people_store_id", "people", ["store_id"])
    op.create_table(
        "person_keys",
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("value", Text(), nullable=False),
        Column("person_id", BigID, nullable=False),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_person_keys_person_id"),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_person_keys_store_id"),
        PrimaryKeyConstraint("store_id", "kind", "value", name="pk_person_keys"),
    )
    op.create_index("ix_person_keys_person_id", "person_keys", ["person_id"])
    op.create_table(
        "facts",
        Column("person_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("subject", Text(), nullable=False),
        Column("data", AnyJSON, nullable=False),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_facts_person_id"),
        PrimaryKeyConstraint("person_id", "kind", "subject", name="pk_facts"),
    )
    op.create_table(
        "gifts",
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("subject_id", BigID, nullable=False),
        Column("email", Text()),
        Column("data", AnyJSON, nullable=False),
        Column("as_of", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_gifts_store_id"),
        PrimaryKeyConstraint("store_id", "kind", "subject_id", name="pk_gifts"),
    )
    op.create_table(
        "event_people",
        Column("event_id", BigID, nullable=False),
        Column("person_id", BigID, nullable=False),
        Column("role", Text(), nullable=False),
        Column("reason", Text()),
        ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_event_people_event_id"),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_event_people_person_id"),
        PrimaryKeyConstraint("event_id", "person_id", "role", name="pk_event_people"),
    )
    op.create_index("ix_event_people_person_id_event_id", "event_people", ["person_id", "event_id"])
