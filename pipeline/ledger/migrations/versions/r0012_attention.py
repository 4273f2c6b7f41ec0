"""Alarms about anything that needs a person, one open alarm per subject, and since when a lane has been failing."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.add_column("alarms", Column("subject", Text(), nullable=False, server_default=text("''")))
    op.add_column("alarms", Column("audience", Text(), nullable=False, server_default="merchant"))
    op.add_column("alarms", Column("said", AnyJSON, nullable=False, server_default="{}"))
    op.execute("UPDATE alarms SET audience = 'operator' WHERE kind = 'way_in'")
    once = text("ended_at IS NULL AND subject <> ''")
    op.create_index(
        "uq_alarms_open", "alarms", ["kind", "subject"], unique=True, sqlite_where=once, postgresql_where=once
    )
    op.add_column("lanes", Column("failing_since", BigID))
