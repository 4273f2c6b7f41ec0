"""Look-ups in stores' APIs, and the names of survey questions."""

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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.create_table(
        "lookups",
        Column("store_id", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("subject_id", BigID, nullable=False),
        Column("about", BigID),
        Column("is_live", Boolean(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("trail", AnyJSON, nullable=False),
        Column("attempts", BigID, nullable=False),
        Column("created_at", BigID, nullable=False),
        Column("next_attempt_at", BigID, nullable=False),
        Column("asked_at", BigID),
        Column("reason", Text()),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_lookups_store_id"),
        PrimaryKeyConstraint("store_id", "kind", "subject_id", name="pk_lookups"),
    )
    part = text("state = 'waiting'")
    columns = ["store_id", "next_attempt_at"]
    op.create_index("ix_lookups_waiting", "lookups", columns, sqlite_where=part, postgresql_where=part)
    op.create_table(
        "survey_questions",
        Column("store_id", BigID, nullable=False),
        Column("slug", Text(), nullable=False),
        Column("field", Text()),
        Column("question", Text(), nullable=False),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_survey_questions_store_id"),
        PrimaryKeyConstraint("store_id", "slug", name="pk_survey_questions"),
        UniqueConstraint("store_id", "field", name="uq_survey_questions_store_id_field"),
    )
