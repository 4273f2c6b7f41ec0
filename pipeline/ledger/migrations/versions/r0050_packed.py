"""Compressed data of events and messages, and the dictionaries that it is compressed with."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, PrimaryKeyConstraint

revision = "0050"
down_revision = "0049"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    for table in ("events", "deliveries"):
        op.add_column(table, Column("packed", LargeBinary(), nullable=True))
    op.create_table(
        "dictionaries",
        Column("id", BigID, autoincrement=False, nullable=False),
        Column("content", LargeBinary(), nullable=False),
        Column("used_from", BigID, nullable=False),
        PrimaryKeyConstraint("id", name="pk_dictionaries"),
    )
