"""Where an erased person is to be forgotten."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text

revision = "0020"
down_revision = "0019"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    name = "regulation_destinations"
    op.create_table(
        name,
        Column("regulation_id", BigID, nullable=False),
        Column("connection_id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("platform", Text(), nullable=False),
        Column("account", Text(), nullable=False),
        Column("mode", Text(), nullable=False),
        Column("delivery_id", BigID),
        Column("state", Text(), nullable=False),
        Column("reason", Text()),
        Column("asked_at", BigID, nullable=False),
        Column("done_at", BigID),
        ForeignKeyConstraint(["regulation_id"], ["regulations.id"], name=f"fk_{name}_regulation_id"),
        PrimaryKeyConstraint("regulation_id", "connection_id", name=f"pk_{name}"),
    )
    part = text("state = 'open'")
    op.create_index(f"ix_{name}_open", name, ["delivery_id"], sqlite_where=part, postgresql_where=part)
    op.create_index(f"ix_{name}_store_id", name, ["store_id"])
