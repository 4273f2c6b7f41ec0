"""An index of the hooks that died of an internal error, which another release replays."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    part = text("reason = 'internal_error' AND replayed_at IS NULL")
    op.create_index("ix_dead_hooks_internal", "dead_hooks", ["id"], sqlite_where=part, postgresql_where=part)
