"""The counts of a pass over a collection, and which pass that is."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Column
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"

AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    for table in ("backfills", "reconciliations"):
        op.add_column(table, Column("tally", AnyJSON))
