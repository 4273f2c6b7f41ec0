"""What a lane's holder is sending is noted in the lane's row, so that a message is written only with its outcome."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, SmallInteger

revision = "0048"
down_revision = "0047"

BigID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("lanes", Column("claimed_token", BigID))
    op.add_column("lanes", Column("claimed_priority", SmallInteger))
    op.add_column("lanes", Column("claimed_to", BigID))
