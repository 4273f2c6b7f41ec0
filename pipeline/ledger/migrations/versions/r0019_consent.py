"""What a store forwards about Marketplace customers and gift recipients, and the decisions about it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.add_column("stores", Column("marketplace_policy", Text(), nullable=False, server_default="withhold"))
    op.add_column("stores", Column("marketplace_policy_by", Text()))
    op.add_column("stores", Column("marketplace_policy_at", BigID))
    op.add_column("stores", Column("marketplace_sources", AnyJSON))
    op.add_column("stores", Column("storefront_sources", AnyJSON))
    op.add_column("stores", Column("gift_recipients", Text(), nullable=False, server_default="profile"))
    op.add_column("people", Column("withheld", Text()))
    is_withheld = text("withheld IS NOT NULL")
    op.create_index(
        "ix_people_withheld", "people", ["store_id", "id"], sqlite_where=is_withheld, postgresql_where=is_withheld
    )
    op.create_table(
        "consent_decisions",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("person_id", BigID),
        Column("kind", Text(), nullable=False),
        Column("decided_by", Text(), nullable=False),
        Column("decided_at", BigID, nullable=False),
        Column("detail", AnyJSON, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_consent_decisions_store_id"),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_consent_decisions_person_id"),
        PrimaryKeyConstraint("id", name="pk_consent_decisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consent_decisions_store_id_id", "consent_decisions", ["store_id", "id"])
    about_a_person = text("person_id IS NOT NULL")
    op.create_index(
        "ix_consent_decisions_person_id",
        "consent_decisions",
        ["person_id"],
        sqlite_where=about_a_person,
        postgresql_where=about_a_person,
    )
