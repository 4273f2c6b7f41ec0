"""The table of the API's tokens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base


class ApiToken(Base):
    """A bearer token of an account. Only a keyed hash of its secret is stored; the key is random and encrypted."""

    __tablename__ = "api_tokens"
    __table_args__ = ({"sqlite_autoincrement": True},)  # the audit log names tokens by id
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    uid: Mapped[str] = mapped_column(unique=True)  # the part of the token that may be shown
    name: Mapped[str]  # what it is for, as its maker says
    scopes: Mapped[list[Any]]
    sealed: Mapped[bytes]  # the key of the hash
    secret_hash: Mapped[str]
    created_by: Mapped[int | None]  # the id of a user; None: the operator, on the command line
    created_at: Mapped[int]
    expires_at: Mapped[int]
    last_used_at: Mapped[int | None]  # written at most once a minute
    revoked_at: Mapped[int | None]
