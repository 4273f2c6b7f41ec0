"""The events that a store switches off."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Column
from sqlalchemy.dialects.postgresql import JSONB

revision = "0035"
down_revision = "0034"

AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    op.add_column("stores", Column("not_forwarded", AnyJSON))
