"""The tables about stores' Merchant APIs: their keys, and what is wrong with the hooks registered there."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.core import Base


class StoreAPI(Base):
    """The Merchant API of a store whose keys we have. `config` is encrypted."""

    __tablename__ = "store_apis"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    config: Mapped[bytes]
    enabled_at: Mapped[int]  # since when the store's objects are our concern
    status: Mapped[str] = mapped_column(default="active")  # active, refused
    status_reason: Mapped[str | None]
    checked_at: Mapped[int]
    registers: Mapped[bool] = mapped_column(default=True)  # whether our hooks are to be there, or to be removed
    audit_at: Mapped[int]  # when the hooks are looked at next
    audited_at: Mapped[int | None]  # when they were last listed
    audit_error: Mapped[str | None]  # why the last audit did not come to its end


class HookFinding(Base):
    """Something about a hook registered at Cratejoy, or about one that is not there."""

    __tablename__ = "hook_findings"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), index=True)
    kind: Mapped[str]
    event: Mapped[str | None]
    hook_id: Mapped[int | None]
    host: Mapped[str | None]  # where it leads; the rest of an address may be a secret
    remedy: Mapped[str | None]  # create, update, delete; None: not ours to mend
    failure: Mapped[str | None]  # why the remedy did not work
    found_at: Mapped[int]
    mended_at: Mapped[int | None]
