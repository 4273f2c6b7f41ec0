"""Boxes by when they were sent, and by batch; and how far a run has read."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("fulfilment_runs", Column("cursor", Text()))
    op.create_index("ix_fulfilment_orders_sent_at", "fulfilment_orders", ["store_id", "sent_at"])
    op.create_index("ix_fulfilment_orders_batch_id", "fulfilment_orders", ["store_id", "batch_id"])
