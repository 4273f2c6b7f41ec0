"""Log-ins that can be ended on the server, and failed log-ins counted for each network."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text

revision = "0015"
down_revision = "0014"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "log_ins",
        Column("token_hash", Text(), nullable=False),
        Column("user_id", BigID, nullable=False),
        Column("uniquifier", Text(), nullable=False),
        Column("network", Text(), nullable=False),
        Column("begun_at", BigID, nullable=False),
        Column("expires_at", BigID, nullable=False),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_log_ins_user_id"),
        PrimaryKeyConstraint("token_hash", name="pk_log_ins"),
    )
    op.create_index("ix_log_ins_user_id", "log_ins", ["user_id"])
    op.create_table(
        "failed_log_ins",
        Column("user_id", BigID, nullable=False),
        Column("network", Text(), nullable=False),
        Column("failures", BigID, nullable=False),
        Column("noted_at", BigID, nullable=False),
        Column("locked_until", BigID, nullable=False),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_failed_log_ins_user_id"),
        PrimaryKeyConstraint("user_id", "network", name="pk_failed_log_ins"),
    )
