"""The tables of look-ups: what is asked of a store's API because hooks lack it, and the names of survey questions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class Lookup(Base):
    """One question to a store's API about one of its subscriptions, orders or shipments. Asked once."""

    __tablename__ = "lookups"
    __table_args__ = (Index("ix_lookups_waiting", "store_id", "next_attempt_at", **partial_index("state = 'waiting'")),)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # survey, variants, or {order,subscription,shipment}_gift
    subject_id: Mapped[int] = mapped_column(primary_key=True)  # of the subscription, the order or the shipment
    about: Mapped[int | None]  # variants: the product instance that is subscribed to, if the hook named it
    is_live: Mapped[bool]  # a hook caused it; else a backfill, and it waits for the backfill's end
    state: Mapped[str]  # waiting, found, nothing, failed
    trail: Mapped[dict[str, Any]]  # of a gift: {"asked": [["order", 1]], "next": [["subscription", 2]]}
    attempts: Mapped[int]  # failures in a row
    created_at: Mapped[int]
    next_attempt_at: Mapped[int]
    asked_at: Mapped[int | None]  # when the last answer was asked for
    reason: Mapped[str | None]  # why the last request failed


class SurveyQuestion(Base):
    """The name of a survey's question in attributes. Given once, never changed: `survey_<slug>`."""

    __tablename__ = "survey_questions"
    __table_args__ = (UniqueConstraint("store_id", "field"),)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    slug: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str | None]  # the id of the question at Cratejoy; None: no answer has named it yet
    question: Mapped[str]  # as it was last asked
    created_at: Mapped[int]
