"""The tables of monitoring: when hooks came and are expected, alarms, canaries, notices and heartbeats."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class HourlyActivity(Base):
    """An hour in which hooks of one event came from a store. An hour without any has no row."""

    __tablename__ = "heard_hours"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)  # since the epoch
    hooks: Mapped[int]
    first_at: Mapped[int]
    last_at: Mapped[int]


class ActivityCursor(Base):
    """The last event that HourlyActivity includes."""

    __tablename__ = "listening"
    name: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[int]


class Expectation(Base):
    """When the next hook is due, as last learned. `event` is empty for any event."""

    __tablename__ = "expectations"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    last_at: Mapped[int]
    due_at: Mapped[int | None]  # None: too few hooks to learn from
    learned_at: Mapped[int]


class Alarm(Base):
    """Something that needs a person. Open until `ended_at`; `closed_at` once its end has been reported."""

    __tablename__ = "alarms"
    __table_args__ = (
        Index("uq_alarms_open", "kind", "subject", unique=True, **partial_index("ended_at IS NULL AND subject <> ''")),
        Index("ix_alarms_unclosed", "id", **partial_index("closed_at IS NULL")),
        Index("ix_alarms_ended_at", "ended_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # silence, way_in, or a cause of `pipeline.attention`
    store_id: Mapped[int | None] = mapped_column(ForeignKey("stores.id"), index=True)  # None: all stores
    subject: Mapped[str] = mapped_column(
        default="", server_default=text("''")
    )  # which of its kind; empty: silence, way_in
    audience: Mapped[str] = mapped_column(default="merchant", server_default="merchant")  # merchant, operator
    said: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")  # the texts of a cause
    event: Mapped[str]  # empty: any event
    last_at: Mapped[int | None]  # the last hook, or the last canary that came back
    expected_us: Mapped[int | None]  # how long a silence is normal
    reason: Mapped[str | None]  # what is wrong with the public endpoint
    tried: Mapped[list[Any]]  # diagnostics, one sentence each
    since: Mapped[int]
    tried_at: Mapped[int | None]
    told_at: Mapped[int | None]  # last
    ended_at: Mapped[int | None]
    closed_at: Mapped[int | None]
    noticed_at: Mapped[int | None]  # when a notice last said that it is open
    end_noticed_at: Mapped[int | None]  # when a notice said that it is over
    set_aside_at: Mapped[int | None]
    set_aside_by: Mapped[int | None]  # the user; None: a command
    set_aside_reason: Mapped[str | None]
    set_aside_until: Mapped[int | None]  # None: until it gets worse


class Canary(Base):
    """A test hook to our own public address. `nonce` is in its body, so that no one else can send it."""

    __tablename__ = "canaries"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), index=True)
    nonce: Mapped[str] = mapped_column(unique=True)
    wanted_at: Mapped[int]
    sent_at: Mapped[int | None]
    answered_at: Mapped[int | None]
    fault: Mapped[str | None]  # why the answer was not ours
    arrived_at: Mapped[int | None]  # in the ledger


class Notice(Base):
    """An alert notice for CRATEWIRE_ALARM_URL. Contains no personal data."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_waiting", "next_attempt_at", "id", **partial_index("done_at IS NULL")),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # the same for every attempt
    content: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int]
    done_at: Mapped[int | None]
    reason: Mapped[str | None]  # why the last attempt failed
    created_at: Mapped[int]


class Heartbeat(Base):
    """The last heartbeat that reached the ledger."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(primary_key=True)  # of the part that is alive: "chain"
    sent_at: Mapped[int]
    arrived_at: Mapped[int]


class EventKeys(Base):
    """The keys that the bodies of one event of one store have had: names and counts, and no values."""

    __tablename__ = "event_keys"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[int]  # when the first of these bodies came
    bodies: Mapped[int]
    keys: Mapped[dict[str, Any]]  # path -> pipeline.monitoring.key_changes.KnownKey


class UsualRate(Base):
    """From when on the rate of an event is learned, because a person has said that it is usual now."""

    __tablename__ = "usual_rates"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[int]


class RateCheck(Base):
    """The last hour (since the epoch) up to which the rates of a store were checked."""

    __tablename__ = "rate_checks"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    hour: Mapped[int]


class DataChange(Base):
    """Something that has changed in what a store sends: a key of an event, or how often the event comes."""

    __tablename__ = "data_changes"
    __table_args__ = (
        Index(
            "uq_data_changes_open", "store_id", "event", "kind", "key", unique=True, **partial_index("ended_at IS NULL")
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), index=True)
    event: Mapped[str]
    kind: Mapped[str]  # new_key, vanished_key, retyped_key, rate_drop, rate_surge
    key: Mapped[str]  # a path; empty: the rate
    was: Mapped[str]  # types of values; of a rate: how many events were expected
    now: Mapped[str]  # the same: how many came
    event_id: Mapped[int | None]  # the first example; it may have been deleted since
    since: Mapped[int]
    found_at: Mapped[int]
    ended_at: Mapped[int | None]
