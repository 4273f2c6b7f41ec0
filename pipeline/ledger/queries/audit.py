"""Reads the audit log, newest first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.ledger.audit import ACTIONS, Via
from pipeline.ledger.schema.accounts import User
from pipeline.ledger.schema.audit import AuditEntry
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.removals import StoreRemoval

REMOVED_USER = "a user who was removed"
COMMAND_LINE = "the command line"


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action. `email`: None if the user was removed, or for a command. `store`: its name, also once removed."""

    id: int
    account_id: int
    store_id: int | None
    store: str | None
    via: Via
    user_id: int | None
    email: str | None
    token_id: int | None
    action: str
    about: dict[str, Any]
    at: int

    @property
    def who(self) -> str:
        """Who did it, for people."""
        if self.via == "command":
            return COMMAND_LINE
        name = self.email or REMOVED_USER
        return f"{name}, token {self.token_id}" if self.via == "api" else name

    @property
    def says(self) -> str:
        """What was done, for people. An action of another version is shown as it is."""
        return ACTIONS.get(self.action, self.action)


def list_actions(
    conn: Connection, account_ids: Collection[int] | None, *, before: int | None = None, limit: int = 50
) -> list[ActionRow]:
    """The newest actions of these accounts (None: of all), older than the id `before`."""
    store = func.coalesce(Store.name, StoreRemoval.store).label("store")
    names = ("id", "account_id", "store_id", "via", "user_id", "token_id", "action", "about", "at")
    query = (
        select(*(getattr(AuditEntry, name) for name in names), store, User.email)
        .outerjoin(Store, Store.id == AuditEntry.store_id)
        .outerjoin(StoreRemoval, StoreRemoval.store_id == AuditEntry.store_id)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if account_ids is not None:
        query = query.where(AuditEntry.account_id.in_(account_ids))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return [ActionRow(**row._asdict()) for row in conn.execute(query)]
