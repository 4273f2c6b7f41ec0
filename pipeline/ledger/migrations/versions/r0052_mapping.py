"""What each connection gets, and under which names."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    op.add_column("connections", Column("mapping", Text(), nullable=True))
