"""What each connection gets, and under which names."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from pipeline.core.errors import Misconfigured

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    op.add_column("connections", Column("mapping", Text(), nullable=True))


def downgrade() -> None:
    """Refuse to drop a mapping: the version before would send what it leaves out."""
    db = op.get_bind()
    mapped = db.exec_driver_sql("SELECT id FROM connections WHERE mapping IS NOT NULL ORDER BY id").scalars().all()
    if mapped:
        raise Misconfigured(
            f"the version before would ignore what {len(mapped)} connections leave out (connections "
            f"{', '.join(map(str, mapped))}): clear each with `cratewire connections mapping --file`, or "
            f"restore a backup"
        )
    op.execute("ALTER TABLE connections DROP COLUMN mapping")
