"""Rehearsals that were asked for on a page or saved, and the versions that were let start."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0053"
down_revision = "0052"

BigID = BigInteger().with_variant(Integer, "sqlite")
_OPEN = text("state IN ('waiting', 'running')")


def upgrade() -> None:
    op.create_table(
        "rehearsals",
        Column("id", BigID, nullable=False),
        Column("store_id", BigID, nullable=False),
        Column("change", Text(), nullable=False),
        Column("days", BigID, nullable=False),
        Column("state", Text(), nullable=False),
        Column("asked_by", BigID, nullable=True),
        Column("asked_at", BigID, nullable=False),
        Column("seen_at", BigID, nullable=False),
        Column("ended_at", BigID, nullable=True),
        Column("hooks_done", BigID, nullable=False),
        Column("hooks_total", BigID, nullable=False),
        Column("error", Text(), nullable=True),
        Column("report", JSON().with_variant(JSONB(), "postgresql"), nullable=True),
        Column("differences", BigID, nullable=True),
        Column("release", Text(), nullable=True),
        Column("accepted_at", BigID, nullable=True),
        ForeignKeyConstraint(["store_id"], ["stores.id"], name="fk_rehearsals_store_id"),
        PrimaryKeyConstraint("id", name="pk_rehearsals"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rehearsals_store_id_id", "rehearsals", ["store_id", "id"])
    op.create_index("ix_rehearsals_open", "rehearsals", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "started_releases",
        Column("release", Text(), nullable=False),
        Column("version", Text(), nullable=False),
        Column("started_at", BigID, nullable=False),
        PrimaryKeyConstraint("release", name="pk_started_releases"),
    )


def downgrade() -> None:
    """Drop the reports and which versions were accepted: nothing was sent by them."""
    op.drop_table("rehearsals")
    op.drop_table("started_releases")
