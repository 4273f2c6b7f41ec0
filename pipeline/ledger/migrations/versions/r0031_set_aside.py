"""What is set aside, and which notices an alarm has had: those of before, as many as mails."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, text

revision = "0031"
down_revision = "0030"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    for name in ("noticed_at", "end_noticed_at", "set_aside_at", "set_aside_by", "set_aside_until"):
        op.add_column("alarms", Column(name, BigID, nullable=True))
    op.add_column("alarms", Column("set_aside_reason", Text(), nullable=True))
    op.execute("UPDATE alarms SET noticed_at = told_at, end_noticed_at = closed_at")
    op.create_index("ix_alarms_unclosed", "alarms", ["id"], sqlite_where=_UNCLOSED, postgresql_where=_UNCLOSED)
    op.create_index("ix_alarms_ended_at", "alarms", ["ended_at"])


_UNCLOSED = text("closed_at IS NULL")
