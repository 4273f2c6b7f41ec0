"""Which Cratejoy orders are behind which box: found by an index instead of by reading every box."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, text

revision = "0047"
down_revision = "0046"

BigID = BigInteger().with_variant(Integer, "sqlite")
_OF_BOXES = "INSERT INTO fulfilment_order_links (store_id, box_id, number) SELECT DISTINCT box.store_id, box.id, "
_FILL = {
    "sqlite": f"{_OF_BOXES} CAST(one.value AS INTEGER) FROM fulfilment_orders AS box, json_each(box.order_ids) AS one",
    "postgresql": (
        f"{_OF_BOXES} CAST(one.value AS BIGINT) FROM fulfilment_orders AS box, "
        "jsonb_array_elements_text(CAST(box.order_ids AS JSONB)) AS one(value)"
    ),
}


def upgrade() -> None:
    op.create_table(
        "fulfilment_order_links",
        Column("store_id", BigID, nullable=False),
        Column("box_id", BigID, nullable=False),
        Column("number", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_order_links_store_id"),
        ForeignKeyConstraint(["box_id"], ["fulfilment_orders.id"], name="fk_fulfilment_order_links_box_id"),
        PrimaryKeyConstraint("box_id", "number", name="pk_fulfilment_order_links"),
    )
    op.execute(text(_FILL[op.get_bind().dialect.name]))
    op.create_index("ix_fulfilment_order_links_number", "fulfilment_order_links", ["store_id", "number"])
