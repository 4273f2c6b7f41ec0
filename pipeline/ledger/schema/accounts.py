"""The tables of users: log-ins, memberships in accounts, invitations, and the outbox of mails."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.ledger.schema.base import Base, partial_index


class User(Base):
    """A user who can log in. The names from `password` to `mf_recovery_codes` are Flask-Security's."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    password: Mapped[str]  # argon2
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)  # a new one ends every session and every link
    confirmed_at: Mapped[int | None]
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]  # encrypted
    tf_phone_number: Mapped[str | None]
    mf_recovery_codes: Mapped[list[Any] | None]  # encrypted
    tf_counter: Mapped[int | None]  # of the last failure-time code that was taken, so that none is taken twice
    failures: Mapped[int] = mapped_column(default=0)  # in a row, from all networks
    locked_until: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[int]


class LogIn(Base):
    """A user's log-in in one browser. `uniquifier`: the user's at that time; when the user gets a new one, it ends."""

    __tablename__ = "log_ins"
    token_hash: Mapped[str] = mapped_column(primary_key=True)  # the cookie holds the token
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    uniquifier: Mapped[str]
    network: Mapped[str]  # a tag that distinguishes networks; "": unknown
    begun_at: Mapped[int]
    expires_at: Mapped[int]


class FailedLogIn(Base):
    """Wrong passwords and codes in a row from one network."""

    __tablename__ = "failed_log_ins"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    network: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    noted_at: Mapped[int]  # of the last failure
    locked_until: Mapped[int]


class Membership(Base):
    """A user's membership in an account."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role IN ('owner', 'operator', 'reader')", name="role"),)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str]
    since: Mapped[int]


class Invitation(Base):
    """An invitation to join an account, for the reader of the mail at this address."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint("role IN ('owner', 'operator', 'reader')", name="role"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    email: Mapped[str]
    role: Mapped[str]
    invited_by: Mapped[int | None]  # the id of a user; None: the operator, on the command line
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class Mail(Base):
    """A mail to send, or one that was sent. `content` is encrypted, since it may hold a link that logs a user in."""

    __tablename__ = "mails"
    __table_args__ = (
        Index("ix_mails_waiting", "next_attempt_at", "id", **partial_index("done_at IS NULL")),
        Index("ix_mails_recipient_created_at", "recipient", "created_at"),
        Index("ix_mails_asker_created_at", "asker", "created_at", **partial_index("asker IS NOT NULL")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[str]
    cause: Mapped[str | None]  # what was asked for; None: a mail that no visitor can ask for
    asker: Mapped[str | None]  # a keyed hash of who asked; None: unknown
    content: Mapped[bytes | None]  # None once it was sent or given up
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[int]
    done_at: Mapped[int | None]
    reason: Mapped[str | None]  # why the last attempt failed
    created_at: Mapped[int]
