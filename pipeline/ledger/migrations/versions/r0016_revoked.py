"""An index of the hooks that came to revoked URLs, of which a limited number is stored for each store."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    part = text("reason = 'token_revoked'")
    op.create_index("ix_dead_hooks_revoked", "dead_hooks", ["store", "id"], sqlite_where=part, postgresql_where=part)
