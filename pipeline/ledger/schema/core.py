"""The ledger's tables. Every row belongs to a store, every store to an account.

Times are microseconds since the epoch; money is integer minor units; personal data is stored only in `people`,
`person_keys`, `facts`, `gifts`, `attribute_changes`, `events.data`, `bodies`, `dead_hooks`, `deliveries.message`,
their columns `packed` and, encrypted, `fulfilment_orders.payload`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index
from pipeline.ledger.schema.consent_settings import ConsentSettings
from pipeline.ledger.sql.packed_json import PackedJSON


class Account(Base):
    """An owner of stores in this installation."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[int]


class Store(ConsentSettings, Base):
    """A Cratejoy store. `name` is in its hook URLs and in every message id, so it never changes."""

    __tablename__ = "stores"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str | None]  # shown to people in place of the name; it may change
    token_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    old_token_until: Mapped[int | None]  # until when the previous version is accepted too; None: it is not
    currency: Mapped[str] = mapped_column(default="USD")  # Cratejoy's payloads name no currency
    forward_also: Mapped[list[Any]] = mapped_column(default=list)  # events beyond those forwarded by default
    forward_tests: Mapped[bool] = mapped_column(default=False)
    record_only_since: Mapped[int | None]  # events recovered by reconciliation from then on are not forwarded
    removed_at: Mapped[int | None]  # since when its hooks are refused and its rows deleted
    created_at: Mapped[int]


class StoreConnection(Base):
    """One store's account at one platform. `config` is encrypted."""

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("store_id", "platform", "label"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), index=True)
    platform: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    title: Mapped[str | None]  # shown to people in place of platform and label; it may change
    account: Mapped[str]  # the platform's id of the workspace; the key of the shared rate budget
    config: Mapped[bytes]
    status: Mapped[str] = mapped_column(default="active")  # active, paused
    status_reason: Mapped[str | None]
    status_at: Mapped[int]
    lanes: Mapped[int] = mapped_column(SmallInteger, default=1)
    created_at: Mapped[int]
    mapping: Mapped[str | None]  # JSON: what it gets under which names (pipeline.mapping); None: all, under ours


class Event(Base):
    """One event, stored once. The first hook that reported it is the one stored."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("store_id", "happening"),
        Index("ix_events_store_id_id", "store_id", "id"),
        Index("ix_events_store_id_name_id", "store_id", "name", "id"),
        Index("ix_events_store_id_outcome_id", "store_id", "outcome", "id"),
        Index("ix_events_repeated", "store_id", "duplicates", **partial_index("duplicates > 0")),
        Index("ix_events_subject", "store_id", "subject", "subject_id"),
        Index("ix_events_recovered", "store_id", "id", **partial_index("source = 'reconcile'")),
        Index("ix_events_replayed", "store_id", "id", **partial_index("source = 'replay'")),
        Index("ix_events_repeats", "store_id", "id", **partial_index("duplicates > 0")),
        Index("ix_events_kept", "store_id", "id", **partial_index("outcome NOT IN ('forwarded', 'withheld')")),
        Index("ix_events_late", "store_id", "received_at", **partial_index("recorded_at > received_at + 3600000000")),
        # SQLite has no truth values, and uses the index only for a condition of the same text.
        Index(
            "ix_events_tests",
            "store_id",
            "id",
            sqlite_where=text("is_test = 1"),
            postgresql_where=text("is_test = true"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    name: Mapped[str]
    happening: Mapped[str]  # the event's identity: two hooks with the same one report the same event
    ulid: Mapped[str] = mapped_column(index=True)
    receipt: Mapped[str] = mapped_column(index=True)
    source: Mapped[str]  # hook, replay, reconcile
    subject: Mapped[str | None]
    subject_id: Mapped[int | None]
    form: Mapped[str]
    is_test: Mapped[bool]
    outcome: Mapped[str]  # pipeline.core.hooks.EventOutcome
    notes: Mapped[list[Any]]  # remarks for readers: {"code": …, …}
    data: Mapped[dict[str, Any]] = mapped_column(PackedJSON)
    packed: Mapped[bytes | None]  # `data`, compressed; null where it is not
    unknown: Mapped[list[Any]]
    duplicates: Mapped[int] = mapped_column(default=0)
    occurred_at: Mapped[int]
    received_at: Mapped[int]
    decoded_at: Mapped[int]
    validated_at: Mapped[int]
    recorded_at: Mapped[int]


class Body(Base):
    """The raw bytes of an event's hook, compressed: `pipeline.infra.compression`."""

    __tablename__ = "bodies"
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    raw: Mapped[bytes]


class EventSubject(Base):
    """Which orders, subscriptions and shipments an event is about: finds a gift's earlier events."""

    __tablename__ = "event_subjects"
    __table_args__ = (Index("ix_event_subjects_subject", "store_id", "kind", "subject_id"),)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # order, subscription, shipment
    subject_id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int]


class Person(Base):
    """A person of a store: a customer, a gift recipient, or both."""

    __tablename__ = "people"
    __table_args__ = (
        Index("ix_people_store_id_known_at", "store_id", "known_at", "id"),  # newest changes first
        Index("ix_people_untold", "store_id", "id", **partial_index("untold_since IS NOT NULL")),
        Index("ix_people_withheld", "store_id", "known_at", "id", **partial_index("withheld IS NOT NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    customer_id: Mapped[int | None]
    email: Mapped[str | None]
    attributes: Mapped[dict[str, Any]]  # as last computed from the facts
    known_at: Mapped[int]  # the time of the newest fact
    untold_since: Mapped[int | None]  # since when there are facts that no attribute and no profile contains
    withheld: Mapped[str | None]  # why no message about them is written, as of the last change; None: messages are
    created_at: Mapped[int]


class PersonKey(Base):
    """A key that finds a person: ("customer", "7093400011") or ("email", "robin@example.com"). Goes with the person."""

    __tablename__ = "person_keys"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)


class Fact(Base):
    """What is known about one subject of one person: {field: [as_of µs, value]}; for each field the newest wins."""

    __tablename__ = "facts"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]]


class Gift(Base):
    """The recipient of an order, a subscription or a shipment that is a gift."""

    __tablename__ = "gifts"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # order, subscription, shipment
    subject_id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    data: Mapped[dict[str, Any]]  # recipient's name, message, giver's first name
    as_of: Mapped[int]


class EventPerson(Base):
    """A person that an event concerns, their role, and why they get no message if they get none."""

    __tablename__ = "event_people"
    __table_args__ = (Index("ix_event_people_person_id_event_id", "person_id", "event_id"),)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str | None]


_IN_LANE = "connection_id", "lane", "status", "priority", "id"
_BY_EVENT = ("store_id", "event_id")  # the feed finds events by such messages, a page at a time
_STOPPED = partial_index("status IN ('withheld', 'stopped') AND event_id IS NOT NULL")


class Delivery(Base):
    """One message to one platform about one person. Open (pending) until `done_at` is set.

    Whether a pending message is being sent says its lane. `sending` was written by versions before revision 0048.
    Lanes read open rows only, so their index holds no others: it does not grow with the rows that were sent.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("(done_at IS NULL) = (status IN ('pending', 'sending'))", name="open"),
        Index("ix_deliveries_open", *_IN_LANE, **partial_index("done_at IS NULL")),
        Index("ix_deliveries_giving_way", "person_id", **partial_index("done_at IS NULL AND priority = 1")),
        Index("ix_deliveries_dead", "done_at", "id", **partial_index("status = 'dead'")),
        Index("ix_deliveries_waiting_events", *_BY_EVENT, **partial_index("done_at IS NULL AND event_id IS NOT NULL")),
        Index("ix_deliveries_dead_events", *_BY_EVENT, **partial_index("status = 'dead' AND event_id IS NOT NULL")),
        Index("ix_deliveries_stopped_events", *_BY_EVENT, **_STOPPED),
        UniqueConstraint("connection_id", "message_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int]
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"))
    lane: Mapped[int] = mapped_column(SmallInteger)
    priority: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")  # 0 before 1
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[str]  # profile, event, forget
    name: Mapped[str | None]
    message_id: Mapped[str | None]  # a ULID; profiles have none
    message: Mapped[dict[str, Any]] = mapped_column(PackedJSON)  # {"customer_id", "email", "at" (s), "data"}
    packed: Mapped[bytes | None]  # `message`, compressed; null where it is not
    status: Mapped[str] = mapped_column(default="pending")  # pending, sending, sent, dead, stopped
    attempts: Mapped[int] = mapped_column(default=0)  # how often an attempt had an outcome
    token: Mapped[int | None]  # the lane's fencing token of the last claim, until revision 0048
    reason: Mapped[str | None]
    detail: Mapped[str | None]
    notes: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[int]
    done_at: Mapped[int | None]
    replayed_at: Mapped[int | None]  # when it was last made pending again, by a replay or a command


class ProfileSent(Base):
    """A person whose profile has been sent over a connection."""

    __tablename__ = "introductions"
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)


class Lane(Base):
    """One FIFO of one connection. `token` grows with every holder, `claimed_…` is what it sends now."""

    __tablename__ = "lanes"
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    token: Mapped[int] = mapped_column(default=0)
    taken_at: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)  # failures in a row
    failing_since: Mapped[int | None]  # when the first of these failures was; None: the last attempt succeeded
    next_attempt_at: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    sent: Mapped[int] = mapped_column(default=0)  # in total: counting a million rows would take too long
    claimed_token: Mapped[int | None]
    claimed_priority: Mapped[int | None] = mapped_column(SmallInteger)
    claimed_to: Mapped[int | None]  # the id of the last delivery that was claimed; None: nothing is being sent


class Call(Base):
    """One HTTP call to a platform."""

    __tablename__ = "calls"
    __table_args__ = (Index("ix_calls_connection_id_id", "connection_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[int] = mapped_column(ForeignKey("connections.id"))
    method: Mapped[str]
    endpoint: Mapped[str]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    items: Mapped[int] = mapped_column(SmallInteger)
    error: Mapped[str | None]
    started_at: Mapped[int]
    duration_us: Mapped[int]


class DeliveryCall(Base):
    """A call that carried a delivery: one row for every attempt, not only the last."""

    __tablename__ = "delivery_calls"
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id"), primary_key=True, index=True)


class DeadHook(Base):
    """A hook that could not become an event, with its raw bytes (zlib) and the reason."""

    __tablename__ = "dead_hooks"
    __table_args__ = (
        Index("ix_dead_hooks_waiting", "died_at", "id", **partial_index("replayed_at IS NULL")),
        Index("ix_dead_hooks_revoked", "store", "id", **partial_index("reason = 'token_revoked'")),
        Index("ix_dead_hooks_unread", "store", "id", **partial_index("replayed_at IS NULL")),
        Index("ix_dead_hooks_internal", "id", **partial_index("reason = 'internal_error' AND replayed_at IS NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int | None]
    store: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger)
    event: Mapped[str]
    receipt: Mapped[str] = mapped_column(unique=True)
    stage: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[dict[str, Any]]
    raw: Mapped[bytes]
    query: Mapped[str | None]
    times: Mapped[int] = mapped_column(default=1)  # how often it died, replays included
    received_at: Mapped[int]
    died_at: Mapped[int]
    replayed_at: Mapped[int | None]
