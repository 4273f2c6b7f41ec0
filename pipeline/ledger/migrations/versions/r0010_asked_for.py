"""The cause and asker of a mail, so that each has limits of its own; who invited a user."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, text

revision = "0010"
down_revision = "0009"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("mails", Column("cause", Text()))
    op.add_column("mails", Column("asker", Text()))
    op.add_column("invitations", Column("invited_by", BigID))
    known = text("asker IS NOT NULL")
    op.create_index(
        "ix_mails_asker_created_at", "mails", ["asker", "created_at"], sqlite_where=known, postgresql_where=known
    )
