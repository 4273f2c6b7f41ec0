"""Files of boxes that were handed out, the box of a tracking number, and what of a returned file a person decides."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text

revision = "0041"
down_revision = "0040"

BigID = BigInteger().with_variant(Integer, "sqlite")
_EXPORTED = text("export_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "fulfilment_exports",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("at", BigID, nullable=False),
        Column("boxes", BigID, nullable=False),
        Column("user_id", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_exports_store_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_exports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fulfilment_exports_store_id", "fulfilment_exports", ["store_id", "id"])
    op.add_column("fulfilment_orders", Column("export_id", BigID))
    op.create_index(
        "ix_fulfilment_orders_export_id",
        "fulfilment_orders",
        ["export_id"],
        sqlite_where=_EXPORTED,
        postgresql_where=_EXPORTED,
    )
    op.create_index("ix_fulfilment_packages_tracking_number", "fulfilment_packages", ["tracking_number"])
    op.add_column("quarantined_tracking", Column("reason", Text()))
