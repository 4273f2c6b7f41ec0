"""The priority of deliveries, live before backfill, and people with facts that no profile has sent yet."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, SmallInteger, text

revision = "0009"
down_revision = "0008"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("deliveries", Column("priority", SmallInteger(), nullable=False, server_default="0"))
    op.drop_index("ix_deliveries_open", "deliveries")
    _index("ix_deliveries_open", "deliveries", "done_at IS NULL", "connection_id", "lane", "status", "priority", "id")
    _index("ix_deliveries_giving_way", "deliveries", "done_at IS NULL AND priority = 1", "person_id")
    op.add_column("people", Column("untold_since", BigID))
    _index("ix_people_untold", "people", "untold_since IS NOT NULL", "store_id", "id")


def _index(name: str, table: str, where: str, *columns: str) -> None:
    part = text(where)
    op.create_index(name, table, list(columns), sqlite_where=part, postgresql_where=part)
