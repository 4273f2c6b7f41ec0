"""Fulfilment: warehouses, the boxes that go there, their parcels, what was done about each, and the jobs' runs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0039"
down_revision = "0038"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


_PAYLOAD = text("payload IS NOT NULL")
_ACKNOWLEDGE = text("acknowledge_at IS NOT NULL")
_UPDATE = text("update_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "fulfilment_orders",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("shipment_id", BigID, nullable=False),
        Column("resend_no", SmallInteger(), nullable=False),
        Column("order_number", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("billing_type", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("state_at", BigID, nullable=False),
        Column("reason", Text()),
        Column("detail", AnyJSON),
        Column("version", BigID, nullable=False),
        Column("adjusted_ordered_at", BigID),
        Column("target_at", BigID),
        Column("due_at", BigID),
        Column("batch_id", BigID),
        Column("batch_starts_at", BigID),
        Column("batch_ends_at", BigID),
        Column("subscription_id", BigID),
        Column("customer_id", BigID),
        Column("order_ids", AnyJSON, nullable=False),
        Column("cycle", BigID),
        Column("is_gift", Boolean(), nullable=False),
        Column("country", Text()),
        Column("lines", AnyJSON, nullable=False),
        Column("payload", LargeBinary()),
        Column("purge_at", BigID),
        Column("is_erased", Boolean(), nullable=False),
        Column("fingerprint", Text()),
        Column("fingerprint_sent", Text()),
        Column("external_id", Text()),
        Column("external_version", Text()),
        Column("attempts", BigID, nullable=False),
        Column("next_attempt_at", BigID, nullable=False),
        Column("trying_since", BigID),
        Column("missed_at", BigID),
        Column("first_seen_at", BigID, nullable=False),
        Column("cratejoy_checked_at", BigID),
        Column("warehouse_checked_at", BigID),
        Column("sent_at", BigID),
        Column("shipped_at", BigID),
        Column("confirmed_at", BigID),
        Column("acknowledge_at", BigID),
        Column("update_at", BigID),
        Column("is_cancel_wanted", Boolean(), nullable=False),
        Column("may_exist", Boolean(), nullable=False),
        Column("released", AnyJSON, nullable=False),
        Column("notice", Text()),
        Column("notice_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_orders_store_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_orders"),
        UniqueConstraint("store_id", "order_number", name="uq_fulfilment_orders_store_id_order_number"),
        UniqueConstraint(
            "store_id",
            "shipment_id",
            "resend_no",
            name="uq_fulfilment_orders_store_id_shipment_id_resend_no",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_fulfilment_orders_acknowledge",
        "fulfilment_orders",
        ["store_id", "acknowledge_at"],
        sqlite_where=_ACKNOWLEDGE,
        postgresql_where=_ACKNOWLEDGE,
    )
    op.create_index("ix_fulfilment_orders_customer_id", "fulfilment_orders", ["store_id", "customer_id"])
    op.create_index("ix_fulfilment_orders_next_attempt_at", "fulfilment_orders", ["next_attempt_at"])
    op.create_index(
        "ix_fulfilment_orders_payload",
        "fulfilment_orders",
        ["store_id", "purge_at"],
        sqlite_where=_PAYLOAD,
        postgresql_where=_PAYLOAD,
    )
    op.create_index("ix_fulfilment_orders_state", "fulfilment_orders", ["store_id", "state", "next_attempt_at"])
    op.create_index("ix_fulfilment_orders_subscription_id", "fulfilment_orders", ["store_id", "subscription_id"])
    op.create_index(
        "ix_fulfilment_orders_update",
        "fulfilment_orders",
        ["store_id", "update_at"],
        sqlite_where=_UPDATE,
        postgresql_where=_UPDATE,
    )
    op.create_table(
        "fulfilment_runs",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("job", Text(), nullable=False),
        Column("is_full", Boolean(), nullable=False),
        Column("started_at", BigID, nullable=False),
        Column("ended_at", BigID),
        Column("pages", BigID, nullable=False),
        Column("rows", BigID, nullable=False),
        Column("is_ok", Boolean(), nullable=False),
        Column("error", Text()),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_runs_store_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fulfilment_runs_store_id", "fulfilment_runs", ["store_id", "job", "id"])
    op.create_table(
        "quarantined_tracking",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("order_number", Text(), nullable=False),
        Column("tracking_number", Text(), nullable=False),
        Column("carrier", Text(), nullable=False),
        Column("method", Text(), nullable=False),
        Column("url", Text(), nullable=False),
        Column("shipped_at", BigID),
        Column("is_complete", Boolean(), nullable=False),
        Column("found_at", BigID, nullable=False),
        Column("seen_at", BigID, nullable=False),
        Column("outcome", Text()),
        Column("settled_at", BigID),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_quarantined_tracking_store_id"),
        PrimaryKeyConstraint("id", name="pk_quarantined_tracking"),
        UniqueConstraint(
            "store_id",
            "order_number",
            "tracking_number",
            name="uq_quarantined_tracking_store_id_order_number_tracking_number",
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "warehouses",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("adapter", Text(), nullable=False),
        Column("config", LargeBinary(), nullable=False),
        Column("settings", AnyJSON, nullable=False),
        Column("mode", Text(), nullable=False),
        Column("status", Text(), nullable=False),
        Column("status_reason", Text()),
        Column("status_at", BigID, nullable=False),
        Column("accepted_at", BigID),
        Column("accepted_by", BigID),
        Column("wait_until", BigID, nullable=False),
        Column("failures", BigID, nullable=False),
        Column("trouble", Text()),
        Column("volume_passed_at", BigID),
        Column("created_at", BigID, nullable=False),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_warehouses_store_id"),
        PrimaryKeyConstraint("id", name="pk_warehouses"),
        UniqueConstraint("store_id", name="uq_warehouses_store_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "fulfilment_events",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("order_id", BigID),
        Column("at", BigID, nullable=False),
        Column("kind", Text(), nullable=False),
        Column("from_state", Text()),
        Column("to_state", Text()),
        Column("reason", Text()),
        Column("detail", AnyJSON),
        Column("user_id", BigID),
        ForeignKeyConstraint(["order_id"], ["fulfilment_orders.id"], name="fk_fulfilment_events_order_id"),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_fulfilment_events_store_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fulfilment_events_order_id", "fulfilment_events", ["order_id"])
    op.create_index("ix_fulfilment_events_store_id", "fulfilment_events", ["store_id", "id"])
    op.create_table(
        "fulfilment_packages",
        Column("id", BigID, nullable=False),
        Column("order_id", BigID, nullable=False),
        Column("tracking_number", Text(), nullable=False),
        Column("carrier", Text(), nullable=False),
        Column("method", Text(), nullable=False),
        Column("url", Text(), nullable=False),
        Column("shipped_at", BigID),
        Column("source", Text(), nullable=False),
        Column("found_at", BigID, nullable=False),
        Column("acknowledged_at", BigID),
        ForeignKeyConstraint(["order_id"], ["fulfilment_orders.id"], name="fk_fulfilment_packages_order_id"),
        PrimaryKeyConstraint("id", name="pk_fulfilment_packages"),
        UniqueConstraint(
            "order_id",
            "tracking_number",
            name="uq_fulfilment_packages_order_id_tracking_number",
        ),
        sqlite_autoincrement=True,
    )
