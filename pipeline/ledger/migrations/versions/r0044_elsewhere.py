"""Boxes that may be at a warehouse that the store had before."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.add_column("fulfilment_orders", Column("is_elsewhere", Boolean(), nullable=False, server_default=false()))
