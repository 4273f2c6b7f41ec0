"""When a message was sent again: such an arrival says nothing about how long an event takes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer

revision = "0038"
down_revision = "0037"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("deliveries", Column("replayed_at", BigID, nullable=True))
