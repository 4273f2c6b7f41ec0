"""The table of who did what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class AuditEntry(Base):
    """One action of a person, a command or a token. Holds ids: it stays when its store or user is removed."""

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint("via IN ('page', 'command', 'api')", name="via"),
        Index("ix_audit_log_account_id_id", "account_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    store_id: Mapped[int | None]  # None: it concerns the whole account
    via: Mapped[str]  # page, command, api
    user_id: Mapped[int | None]  # who did it on a page, or whose token it was
    token_id: Mapped[int | None]  # of the API
    action: Mapped[str]  # pipeline.ledger.audit.ACTIONS
    about: Mapped[dict[str, Any]]  # ids, counts and codes: {"person": 12, "messages": 64}
    at: Mapped[int]
