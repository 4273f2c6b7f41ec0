"""The tables of stores' Merchant APIs: their keys, and the findings about the hooks registered there."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class StoreAPI(Base):
    """The Merchant API of a store whose keys are saved. `config` is encrypted."""

    __tablename__ = "store_apis"
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True)
    config: Mapped[bytes]
    enabled_at: Mapped[int]  # the store's objects from before are ignored
    status: Mapped[str] = mapped_column(default="active")  # active, refused
    status_reason: Mapped[str | None]
    checked_at: Mapped[int]
    registers: Mapped[bool] = mapped_column(default=True)  # whether our hooks shall be registered there, or removed
    audit_at: Mapped[int]  # when the hooks are audited next
    audited_at: Mapped[int | None]  # when they were last listed
    audit_error: Mapped[str | None]  # why the last audit did not finish


class HookFinding(Base):
    """A finding about a hook that is registered at Cratejoy, or that is missing there."""

    __tablename__ = "hook_findings"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), index=True)
    kind: Mapped[str]
    event: Mapped[str | None]
    hook_id: Mapped[int | None]
    host: Mapped[str | None]  # of the hook's URL, whose other parts may be secret
    remedy: Mapped[str | None]  # create, update, delete; None: not ours to fix
    failure: Mapped[str | None]  # why the remedy failed
    found_at: Mapped[int]
    mended_at: Mapped[int | None]
