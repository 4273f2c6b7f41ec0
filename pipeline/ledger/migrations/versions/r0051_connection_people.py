"""How far the people of a store have been sent to a platform that was connected later."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, Text, text

from pipeline.core.errors import Misconfigured

revision = "0051"
down_revision = "0050"

BigID = BigInteger().with_variant(Integer, "sqlite")
_RUNNING = text("state = 'running'")


def upgrade() -> None:
    op.create_table(
        "connection_people",
        Column("connection_id", BigID, autoincrement=False, nullable=False),
        Column("state", Text(), nullable=False),
        Column("cursor", BigID, nullable=False),
        Column("looked_at", BigID, nullable=False),
        Column("written", BigID, nullable=False),
        Column("total", BigID, nullable=False),
        Column("started_at", BigID, nullable=False),
        Column("ended_at", BigID, nullable=True),
        ForeignKeyConstraint(["connection_id"], ["connections.id"], name="fk_connection_people_connection_id"),
        PrimaryKeyConstraint("connection_id", name="pk_connection_people"),
    )
    op.create_index(
        "ix_connection_people_running",
        "connection_people",
        ["connection_id"],
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )


def downgrade() -> None:
    """Refuse while people are being sent: the version before would not go on."""
    db = op.get_bind()
    running = db.exec_driver_sql("SELECT count(*) FROM connection_people WHERE state = 'running'").scalar_one()
    if running:
        raise Misconfigured(
            f"the people of {running} connections are still being sent, which the version before would not go on with: "
            f"wait, or stop each with `cratewire connections people --stop`"
        )
    op.drop_table("connection_people")
