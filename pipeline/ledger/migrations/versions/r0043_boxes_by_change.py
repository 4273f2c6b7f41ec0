"""Boxes in the order in which they changed: for the list of orders."""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.create_index("ix_fulfilment_orders_state_at", "fulfilment_orders", ["store_id", "state_at"])
