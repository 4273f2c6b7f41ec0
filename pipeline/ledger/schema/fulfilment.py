"""The tables of the fulfilment: warehouses, the boxes that go there, their parcels, and what was done about each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class Warehouse(Base):
    """The warehouse of a store, of which a store has at most one. `config` is encrypted."""

    __tablename__ = "warehouses"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), unique=True)
    adapter: Mapped[str]
    config: Mapped[bytes]
    settings: Mapped[dict[str, Any]]  # pipeline.fulfilment.settings.FulfilmentSettings
    mode: Mapped[str]  # dry_run: nothing is sent, live
    status: Mapped[str]  # active, paused
    status_reason: Mapped[str | None]  # why it is paused, for people
    status_at: Mapped[int]
    accepted_at: Mapped[int | None]  # when the report of the dry run was accepted
    accepted_by: Mapped[int | None]  # the user who did; None: the operator, on the command line. For people who ask
    wait_until: Mapped[int] = mapped_column(default=0)  # the warehouse asked for it: it is called no sooner
    failures: Mapped[int] = mapped_column(default=0)  # calls in a row to which the warehouse had no answer
    trouble: Mapped[str | None]  # a code: why the last of them failed
    volume_passed_at: Mapped[int | None]  # when a person let an unusual number of boxes pass
    created_at: Mapped[int]


class FulfilmentOrder(Base):
    """One box: a Cratejoy shipment under one order number. Kept for at least 24 months, so that none is sent twice.

    Names and addresses are only in `payload`, which is encrypted, and emptied 90 days after the box is confirmed.
    """

    __tablename__ = "fulfilment_orders"
    __table_args__ = (
        UniqueConstraint("store_id", "shipment_id", "resend_no"),
        UniqueConstraint("store_id", "order_number"),
        Index("ix_fulfilment_orders_state", "store_id", "state", "next_attempt_at"),
        Index("ix_fulfilment_orders_sent_at", "store_id", "sent_at"),
        Index("ix_fulfilment_orders_state_at", "store_id", "state_at"),
        Index("ix_fulfilment_orders_batch_id", "store_id", "batch_id"),
        Index("ix_fulfilment_orders_next_attempt_at", "next_attempt_at"),
        Index("ix_fulfilment_orders_subscription_id", "store_id", "subscription_id"),
        Index("ix_fulfilment_orders_customer_id", "store_id", "customer_id"),
        Index(
            "ix_fulfilment_orders_acknowledge",
            "store_id",
            "acknowledge_at",
            **partial_index("acknowledge_at IS NOT NULL"),
        ),
        Index("ix_fulfilment_orders_export_id", "export_id", **partial_index("export_id IS NOT NULL")),
        Index("ix_fulfilment_orders_update", "store_id", "update_at", **partial_index("update_at IS NOT NULL")),
        Index("ix_fulfilment_orders_payload", "store_id", "purge_at", **partial_index("payload IS NOT NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    shipment_id: Mapped[int]
    resend_no: Mapped[int] = mapped_column(SmallInteger, default=0)  # sent again by a person: SUB-1-R1
    order_number: Mapped[str]  # decided once
    kind: Mapped[str]  # subscription, order: decided once, with the number
    billing_type: Mapped[str]  # ecom, adhoc, standard; empty: not known yet
    state: Mapped[str]  # pipeline.core.fulfilment.State
    state_at: Mapped[int]
    reason: Mapped[str | None]  # a code: why it is held, skipped, refused or failed
    detail: Mapped[dict[str, Any] | None]  # codes and names of fields that belong to the reason, no values
    version: Mapped[int] = mapped_column(default=1)  # grows with every change, so that two workers cannot both make it
    adjusted_ordered_at: Mapped[int | None]  # Cratejoy's date of the box
    target_at: Mapped[int | None]  # the date it should leave on
    due_at: Mapped[int | None]  # when it may go to the warehouse; None: not known
    batch_id: Mapped[int | None]
    batch_starts_at: Mapped[int | None]
    batch_ends_at: Mapped[int | None]  # as the list has shown it: reading the shipment by id may not
    subscription_id: Mapped[int | None]
    customer_id: Mapped[int | None]
    order_ids: Mapped[list[Any]]  # Cratejoy's orders behind the box
    cycle: Mapped[int | None]  # from 1, over the whole subscription
    is_gift: Mapped[bool] = mapped_column(default=False)
    country: Mapped[str | None]
    lines: Mapped[list[Any]]  # [{"sku": …, "quantity": …, "description": …}]
    payload: Mapped[bytes | None]  # the order as it was built last, with names and addresses
    purge_at: Mapped[int | None]  # when the payload is emptied
    is_erased: Mapped[bool] = mapped_column(default=False)  # its person was erased: no payload is kept any more
    fingerprint: Mapped[str | None]  # of the order as it was built last
    fingerprint_sent: Mapped[str | None]  # of the order as it was sent: shows later whether it was another one
    external_id: Mapped[str | None]  # the warehouse's
    external_version: Mapped[str | None]  # the warehouse's, such as an ETag: names the version to its support
    attempts: Mapped[int] = mapped_column(default=0)  # failures in a row of what its state has to do
    next_attempt_at: Mapped[int] = mapped_column(default=0)  # when that may be done
    trying_since: Mapped[int | None]  # the first of these failures
    missed_at: Mapped[int | None]  # when the warehouse first did not know an order whose outcome was unknown
    first_seen_at: Mapped[int]
    cratejoy_checked_at: Mapped[int | None]
    warehouse_checked_at: Mapped[int | None]
    sent_at: Mapped[int | None]  # when the warehouse took it
    shipped_at: Mapped[int | None]  # when the first parcel left
    confirmed_at: Mapped[int | None]
    acknowledge_at: Mapped[int | None]  # when to acknowledge its parcels at the warehouse; None: nothing to do
    update_at: Mapped[int | None]  # when to write a further tracking number to Cratejoy; None: nothing to do
    is_cancel_wanted: Mapped[bool] = mapped_column(default=False)  # while its outcome at the warehouse is unknown
    may_exist: Mapped[bool] = mapped_column(default=False)  # the warehouse has, had or may have an order of the number
    # It may exist at a warehouse that the store had before; the present one cannot say anything about it.
    is_elsewhere: Mapped[bool] = mapped_column(default=False, server_default=false())
    released: Mapped[list[Any]] = mapped_column(default=list)  # reasons that a person has overruled
    notice: Mapped[str | None]  # a code for a person, beside the state: such as what was changed after the sending
    notice_at: Mapped[int | None]
    export_id: Mapped[int | None]  # the file in which it was handed out, where the warehouse is a spreadsheet


class FulfilmentOrderLink(Base):
    """A Cratejoy order behind a box, as its `order_ids` has it."""

    __tablename__ = "fulfilment_order_links"
    __table_args__ = (Index("ix_fulfilment_order_links_number", "store_id", "number"),)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    box_id: Mapped[int] = mapped_column(ForeignKey("fulfilment_orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # Cratejoy's id of the order


class FulfilmentBatch(Base):
    """A batch of Cratejoy, or one of its waves, as it was frozen: its boxes by number, and a hash of them."""

    __tablename__ = "fulfilment_batches"
    __table_args__ = (UniqueConstraint("store_id", "batch_id", "wave"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    batch_id: Mapped[int]  # Cratejoy's
    wave: Mapped[str]  # by the settings; empty: the batch is in one piece
    frozen_at: Mapped[int]
    boxes: Mapped[int]
    digest: Mapped[str]  # SHA-256 of the manifest
    manifest: Mapped[dict[str, Any]]  # pipeline.fulfilment.rules.manifest: numbers, things and countries, no names
    user_id: Mapped[int | None]  # who froze it; None: the operator, on the command line


class FulfilmentExport(Base):
    """A file of boxes that was handed out. It is written anew from its boxes when it is asked for again."""

    __tablename__ = "fulfilment_exports"
    __table_args__ = (Index("ix_fulfilment_exports_store_id", "store_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    at: Mapped[int]
    boxes: Mapped[int]
    user_id: Mapped[int | None]  # who exported; None: the operator, on the command line


class FulfilmentWork(Base):
    """Work on batches and files that a person has asked for; a worker does it in turns. Holds no names or addresses."""

    __tablename__ = "fulfilment_work"
    __table_args__ = (
        Index("ix_fulfilment_work_store_id", "store_id", "id"),
        Index("ix_fulfilment_work_open", "store_id", "subject", unique=True, **partial_index("ended_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    kind: Mapped[str]  # forecast, freeze, export, import
    subject: Mapped[str]  # what can only be done once at a time: `export`, `freeze 22`, `import` and the file's SHA-256
    state: Mapped[str]  # previewed: an import that no person has confirmed, waiting, running, done, failed
    wanted: Mapped[dict[str, Any]]  # the batch, the wave, the format and the columns of a file
    rows: Mapped[list[Any] | None]  # of a returned file, for a week
    via: Mapped[str]  # who asked, as in the audit log: page, command, api
    user_id: Mapped[int | None]
    token_id: Mapped[int | None]
    requested_at: Mapped[int]
    begun_at: Mapped[int | None]
    next_turn_at: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)  # turns in a row that brought it no further
    cursor: Mapped[str | None]  # the shipment that was read last, or the number of the box that was handed out last
    total: Mapped[int | None]  # boxes to read or to hand out, rows to write; None: not known yet
    done: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)  # grows with each turn
    reason: Mapped[str | None]  # a sentence: why it failed, or what it waits for
    ended_at: Mapped[int | None]


class FulfilmentPackage(Base):
    """A parcel of a box, as the warehouse has reported it."""

    __tablename__ = "fulfilment_packages"
    __table_args__ = (
        UniqueConstraint("order_id", "tracking_number"),
        Index("ix_fulfilment_packages_tracking_number", "tracking_number"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("fulfilment_orders.id"))
    tracking_number: Mapped[str]  # upper case, without spaces
    carrier: Mapped[str]
    method: Mapped[str]
    url: Mapped[str]
    shipped_at: Mapped[int | None]
    source: Mapped[str]  # poll, push, quarantine, person, file
    found_at: Mapped[int]
    acknowledged_at: Mapped[int | None]


class FulfilmentEvent(Base):
    """What happened to a box, or to a store's warehouse: who did what and when, in codes. Append-only."""

    __tablename__ = "fulfilment_events"
    __table_args__ = (Index("ix_fulfilment_events_store_id", "store_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("fulfilment_orders.id"), index=True)
    at: Mapped[int]
    kind: Mapped[str]  # what was done: found, sent, confirmed, released, …
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    reason: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None]  # codes, no personal data
    user_id: Mapped[int | None]  # who did it; None: a worker, or the operator on the command line


class QuarantinedTracking(Base):
    """Tracking of no box that was sent: not written to Cratejoy, not acknowledged; a person decides."""

    __tablename__ = "quarantined_tracking"
    __table_args__ = (UniqueConstraint("store_id", "order_number", "tracking_number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    order_number: Mapped[str]
    tracking_number: Mapped[str]
    carrier: Mapped[str]
    method: Mapped[str]
    url: Mapped[str]
    shipped_at: Mapped[int | None]
    is_complete: Mapped[bool]  # the warehouse says that the whole order has left
    found_at: Mapped[int]
    seen_at: Mapped[int]
    outcome: Mapped[str | None]  # attached, dismissed; None: open
    settled_at: Mapped[int | None]  # when; the API shows it
    reason: Mapped[str | None]  # why a row of a returned file is ambiguous: only a person attaches it


class FulfilmentRun(Base):
    """One run of a job of a store's warehouse. Its start is the watermark, if it read everything."""

    __tablename__ = "fulfilment_runs"
    __table_args__ = (Index("ix_fulfilment_runs_store_id", "store_id", "job", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    job: Mapped[str]  # pull_ecom, pull_adhoc, pull_standard, tracking, cancels
    is_full: Mapped[bool]  # a sweep of everything since the earliest date
    started_at: Mapped[int]
    ended_at: Mapped[int | None]
    pages: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[str | None]  # the page that comes next, while the store's budget of requests lets the run wait
    is_ok: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None]
