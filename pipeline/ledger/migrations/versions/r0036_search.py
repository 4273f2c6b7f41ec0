"""The names, addresses and tracking numbers that the search finds by their beginning."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text

revision = "0036"
down_revision = "0035"

BigID = BigInteger().with_variant(Integer, "sqlite")
Folded = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "person_terms",
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("value", Folded, nullable=False),
        Column("person_id", BigID, nullable=False),
        ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_person_terms_person_id"),
        PrimaryKeyConstraint("store_id", "kind", "value", "person_id", name="pk_person_terms"),
    )
    op.create_index("ix_person_terms_person_id", "person_terms", ["person_id"])
    op.create_table(
        "tracking_numbers",
        Column("store_id", BigID, nullable=False),
        Column("value", Folded, nullable=False),
        Column("event_id", BigID, nullable=False),
        ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_tracking_numbers_event_id"),
        PrimaryKeyConstraint("store_id", "value", "event_id", name="pk_tracking_numbers"),
    )
    op.create_index("ix_tracking_numbers_event_id", "tracking_numbers", ["event_id"])
    op.create_table(
        "search_progress",
        Column("kind", Text(), nullable=False),
        Column("cursor", BigID, nullable=False),
        Column("done_at", BigID),
        PrimaryKeyConstraint("kind", name="pk_search_progress"),
    )
