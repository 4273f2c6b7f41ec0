"""The tables of regulations: who was erased, for whom, and which platforms have forgotten them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class Regulation(Base):
    """One erasure of one person. Holds ids, times and counts; the person's identifiers only as keyed hashes.

    kind: erase (they may come back as a new person), suppress (they are recognised, and never written again).
    """

    __tablename__ = "regulations"
    __table_args__ = (CheckConstraint("kind IN ('erase', 'suppress')", name="kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)  # the same in every backup and export
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(index=True)  # None: known only by what was typed
    kind: Mapped[str]
    user_id: Mapped[int | None]  # who asked for it; None: the operator, on the command line
    at_destinations: Mapped[bool]  # whether the destinations were asked to forget the person
    emptied: Mapped[dict[str, Any]] = mapped_column(
        default=dict, server_default=text("'{}'")
    )  # {"events": how many, …}
    recognised: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # hooks and API objects, since then
    recognised_at: Mapped[int | None]  # the last one
    created_at: Mapped[int]
    applied_at: Mapped[int | None]  # when it was last applied; None: not yet, as after a restore


class RegulationIdentifier(Base):
    """A keyed hash of something that leads to an erased person.

    kind: customer, email, order, subscription or shipment, as in `person_keys`.
    """

    __tablename__ = "regulation_identifiers"
    __table_args__ = (Index("ix_regulation_identifiers_digest", "store_id", "kind", "digest"),)
    regulation_id: Mapped[int] = mapped_column(ForeignKey("regulations.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)  # HMAC-SHA-256, hexadecimal
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))


class RegulationKey(Base):
    """A random key of the hashes, encrypted with the secret keys: rotating those changes no hash.

    There is one, unless regulations were imported that another installation, or an older backup, had hashed.
    """

    __tablename__ = "regulation_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)  # the same in every backup and export
    sealed: Mapped[bytes]
    created_at: Mapped[int]


class RegulationDestination(Base):
    """A platform that was asked to forget a person, and whether it has.

    It holds no identifier, and outlives its connection and its delivery: neither is a foreign key.
    """

    __tablename__ = "regulation_destinations"
    __table_args__ = (
        Index("ix_regulation_destinations_open", "delivery_id", **partial_index("state = 'open'")),
        Index("ix_regulation_destinations_store_id", "store_id"),
    )
    regulation_id: Mapped[int] = mapped_column(ForeignKey("regulations.id"), primary_key=True)
    connection_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    store_id: Mapped[int]
    platform: Mapped[str]
    account: Mapped[str]  # the platform's id of the workspace that was to forget
    mode: Mapped[str]  # delete, suppress
    delivery_id: Mapped[int | None]  # the message that asks for it; None: the platform cannot forget
    state: Mapped[str]  # open, done, failed, unsupported
    reason: Mapped[str | None]
    asked_at: Mapped[int]
    done_at: Mapped[int | None]
