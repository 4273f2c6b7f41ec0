"""Users, memberships in accounts, invitations, and the outbox of mails."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

BigID = BigInteger().with_variant(Integer, "sqlite")
AnyJSON = JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    _users()
    _memberships()
    _invitations()
    _mails()


def _users() -> None:
    op.create_table(
        "users",
        Column("id", BigID, nullable=False),
        Column("email", Text(), nullable=False),
        Column("password", Text(), nullable=False),
        Column("active", Boolean(), nullable=False),
        Column("fs_uniquifier", Text(), nullable=False),
        Column("confirmed_at", BigID),
        Column("tf_primary_method", Text()),
        Column("tf_totp_secret", Text()),
        Column("tf_phone_number", Text()),
        Column("mf_recovery_codes", AnyJSON),
        Column("tf_counter", BigID),
        Column("failures", BigID, nullable=False),
        Column("locked_until", BigID, nullable=False),
        Column("created_at", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_users"),
        UniqueConstraint("email", name="uq_users_email"),
        UniqueConstraint("fs_uniquifier", name="uq_users_fs_uniquifier"),
    )


def _memberships() -> None:
    op.create_table(
        "memberships",
        Column("account_id", BigID, nullable=False),
        Column("user_id", BigID, nullable=False),
        Column("role", Text(), nullable=False),
        Column("since", BigID, nullable=False),
        CheckConstraint("role IN ('owner', 'reader')", name=op.f("ck_memberships_role")),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_memberships_account_id"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_memberships_user_id"),
        PrimaryKeyConstraint("account_id", "user_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])


def _invitations() -> None:
    op.create_table(
        "invitations",
        Column("id", BigID, nullable=False),
        Column("account_id", BigID, nullable=False),
        Column("email", Text(), nullable=False),
        Column("role", Text(), nullable=False),
        Column("created_at", BigID, nullable=False),
        Column("expires_at", BigID, nullable=False),
        Column("used_at", BigID),
        CheckConstraint("role IN ('owner', 'reader')", name=op.f("ck_invitations_role")),
        ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_invitations_account_id"),
        PrimaryKeyConstraint("id", name="pk_invitations"),
    )
    op.create_index("ix_invitations_account_id", "invitations", ["account_id"])


def _mails() -> None:
    op.create_table(
        "mails",
        Column("id", BigID, nullable=False),
        Column("recipient", Text(), nullable=False),
        Column("content", LargeBinary()),
        Column("attempts", BigID, nullable=False),
        Column("next_attempt_at", BigID, nullable=False),
        Column("done_at", BigID),
        Column("reason", Text()),
        Column("created_at", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_mails"),
    )
    waiting = text("done_at IS NULL")
    op.create_index(
        "ix_mails_waiting", "mails", ["next_attempt_at", "id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_mails_recipient_created_at", "mails", ["recipient", "created_at"])
